package sparkservice.bridge;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/**
 * The tables of one parquet, delta or iceberg request, resolved by path or catalog name for this
 * request alone, so that each read sees the newest commit of every writer.
 */
final class TableSource implements RelationBinder.Relations {
    static final String ICEBERG_CATALOG = "local";
    private static final Set<String> DATA_SOURCES = Set.of("parquet", "delta", "iceberg", "csv",
            "json", "text", "orc", "avro", "jdbc", "binaryfile", "xml", "kafka", "rate", "socket",
            "image", "libsvm", "noop", "console", "statestore", "spark_catalog", "default_iceberg",
            "system", "session", "global_temp", ICEBERG_CATALOG);

    private final SparkSession session;
    private final DataRoots roots;
    private final QueryRequest request;
    private final Map<String, LogicalPlan> resolved = new HashMap<>();

    TableSource(SparkSession session, DataRoots roots, QueryRequest request) {
        this.session = session;
        this.roots = roots;
        this.request = request;
    }

    @Override
    public LogicalPlan find(List<String> nameParts) throws BridgeException {
        List<String> name = nameParts.stream().map(RelationBinder::key).toList();
        if (name.size() == 1) {
            return name.get(0).equals(boundName()) ? bound() : null;
        }
        if (request.source() == QueryRequest.Source.DELTA && name.size() == 2
                && name.get(0).equals("delta")) {
            return byPath(nameParts.get(1));
        }
        if (request.source() == QueryRequest.Source.ICEBERG) {
            return icebergName(nameParts);
        }
        throw notAllowed(nameParts);
    }

    /** {@code parquet_data}, {@code delta_data} or {@code iceberg_data}. */
    String boundName() {
        return request.source().name().toLowerCase(Locale.ROOT) + "_data";
    }

    private LogicalPlan bound() throws BridgeException {
        if (request.path() != null) {
            return byPath(request.path());
        }
        if (request.table() != null) {
            return byTable(List.of(request.table().split("\\.", -1)));
        }
        throw BridgeException.badRequest("The query names " + boundName()
                + ", but the request has neither path nor table.");
    }

    private LogicalPlan icebergName(List<String> nameParts) throws BridgeException {
        if (nameParts.get(0).equalsIgnoreCase(ICEBERG_CATALOG) && nameParts.size() >= 3
                || nameParts.size() == 2 && !isReserved(nameParts.get(0))) {
            return byTable(nameParts);
        }
        throw notAllowed(nameParts);
    }

    private static boolean isReserved(String first) {
        return DATA_SOURCES.contains(first.toLowerCase(Locale.ROOT)) || first.contains("/");
    }

    private static BridgeException notAllowed(List<String> nameParts) {
        return BridgeException.forbidden("This relation is not allowed on this endpoint: "
                + String.join(".", nameParts));
    }

    private LogicalPlan byPath(String path) throws BridgeException {
        String location = roots.resolve(path);
        LogicalPlan known = resolved.get(location);
        if (known == null) {
            requireExists(location);
            known = load(location);
            resolved.put(location, known);
        }
        return known;
    }

    private LogicalPlan load(String location) throws BridgeException {
        return switch (request.source()) {
            case PARQUET -> read("parquet", reader(), location);
            case DELTA -> read("delta", reader(), location);
            case ICEBERG -> read("iceberg", reader(), location);
            case MYSQL -> throw new IllegalStateException("a MySQL request has no path");
        };
    }

    private LogicalPlan byTable(List<String> nameParts) throws BridgeException {
        throw BridgeException.forbidden("not yet " + nameParts);
    }

    private DataFrameReader reader() {
        return session.read();
    }

    private static LogicalPlan read(String format, DataFrameReader reader, String location) {
        return SparkLine.analyzed(reader.format(format).load(location));
    }

    private void requireExists(String location) throws BridgeException {
        try {
            Path path = new Path(location);
            FileSystem files = path.getFileSystem(SparkLine.state(session).newHadoopConf());
            if (!files.exists(path)) {
                throw BridgeException.notFound("The path does not exist.");
            }
        } catch (java.io.IOException e) {
            throw new BridgeException(BridgeException.Code.SOURCE_ERROR,
                    "The path could not be looked at.", e);
        }
    }
}
