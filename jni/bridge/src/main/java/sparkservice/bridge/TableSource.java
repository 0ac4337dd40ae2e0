package sparkservice.bridge;

import java.io.IOException;
import java.net.URI;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.iceberg.spark.source.SparkTable;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;

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
    private final KeptSources kept;
    private final Map<String, KeptSources.Source> resolved = new HashMap<>();
    private final List<AnswerBasis.TableRead> reads = new ArrayList<>();
    private final List<Named> named = new ArrayList<>();

    /** A name of the statement, and what it stands for. */
    record Named(List<String> name, KeptSources.Source table) {
    }

    TableSource(SparkSession session, DataRoots roots, KeptSources kept, QueryRequest request) {
        this.session = session;
        this.roots = roots;
        this.kept = kept;
        this.request = request;
    }

    @Override
    public LogicalPlan find(List<String> nameParts) throws BridgeException {
        KeptSources.Source table = table(nameParts);
        if (table == null) {
            return null;
        }
        named.add(new Named(nameParts, table));
        return table.relation();
    }

    /** The same tables as rows in memory; null when one of them isn't small. */
    TablesInMemory inMemory() throws Exception {
        Map<List<String>, SmallTable> rows = new HashMap<>();
        for (Named each : named) {
            SmallTable small = kept.rows(each.table(), session);
            if (small == null) {
                return null;
            }
            rows.put(each.name(), small);
        }
        return rows.isEmpty() ? null : new TablesInMemory(rows);
    }

    KeptSources.Source table(List<String> nameParts) throws BridgeException {
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

    private KeptSources.Source bound() throws BridgeException {
        if (request.path() != null) {
            return byPath(request.path());
        }
        if (request.table() != null) {
            return boundTable();
        }
        throw BridgeException.badRequest("The query names " + boundName()
                + ", but the request has neither path nor table.");
    }

    private KeptSources.Source boundTable() throws BridgeException {
        if (request.source() != QueryRequest.Source.ICEBERG) {
            throw BridgeException.notFound("There is no catalog of " + boundName() + " tables.");
        }
        try {
            return byTable(List.of(request.table().split("\\.", -1)));
        } catch (Exception e) {
            if (ErrorMapper.isMissingTable(e)) {
                throw BridgeException.notFound("The table does not exist: " + request.table());
            }
            throw e;
        }
    }

    private KeptSources.Source icebergName(List<String> nameParts) throws BridgeException {
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

    private KeptSources.Source byPath(String path) throws BridgeException {
        String location = roots.resolve(path);
        AnswerBasis.TableRead read = new AnswerBasis.TableRead(layout(), path, location);
        KeptSources.Source known = resolved.get(location);
        if (known == null) {
            known = kept.open(key(location), read, () -> load(location));
            resolved.put(location, known);
        }
        reads.add(read);
        return known;
    }

    private LogicalPlan load(String location) throws BridgeException {
        requireExists(location);
        return switch (request.source()) {
            case PARQUET -> parquet(location);
            case DELTA -> delta(location);
            case ICEBERG -> iceberg(location);
            case MYSQL -> throw new IllegalStateException("a MySQL request has no path");
        };
    }

    /** Null: not to be kept, as which version a time stands for is told by times anybody can set. */
    private KeptSources.Key key(String name) {
        return request.asOfTimestamp() != null ? null : new KeptSources.Key(request.source(), name,
                request.asOfVersion(), request.asOfSnapshotId());
    }

    private LogicalPlan parquet(String location) throws BridgeException {
        if (request.hasAsOf()) {
            throw BridgeException.badRequest("A Parquet path has no versions; as_of is for delta"
                    + " and iceberg.");
        }
        return SparkLine.analyzed(session.read()
                .format(PlannedParquetFormat.class.getName()).load(location));
    }

    private LogicalPlan delta(String location) throws BridgeException {
        DataFrameReader reader = session.read().format("delta");
        if (request.asOfSnapshotId() != null) {
            throw BridgeException.badRequest("Delta has as_of version or timestamp.");
        } else if (request.asOfVersion() >= 0) {
            reader.option("versionAsOf", request.asOfVersion());
        } else if (request.asOfTimestamp() != null) {
            reader.option("timestampAsOf", asOfInstant().toString());
        }
        return SparkLine.analyzed(reader.load(location));
    }

    /** @param name a location, or the quoted name of a table of the catalog */
    private LogicalPlan iceberg(String name) throws BridgeException {
        DataFrameReader reader = session.read().format("iceberg");
        if (request.asOfVersion() >= 0) {
            throw BridgeException.badRequest("Iceberg has as_of snapshot_id or timestamp.");
        } else if (request.asOfSnapshotId() != null) {
            reader.option("versionAsOf", snapshotId());
        } else if (request.asOfTimestamp() != null) {
            reader.option("timestampAsOf", asOfInstant().toString());
        }
        return SparkLine.analyzed(reader.load(name));
    }

    /** Digits only: the reader would take a word for a branch or tag. */
    private String snapshotId() throws BridgeException {
        try {
            return Long.toString(Long.parseLong(request.asOfSnapshotId()));
        } catch (NumberFormatException e) {
            throw BridgeException.badRequest("as_of.snapshot_id is not a number.");
        }
    }

    private Instant asOfInstant() throws BridgeException {
        try {
            return OffsetDateTime.parse(request.asOfTimestamp()).toInstant();
        } catch (DateTimeException e) {
            throw BridgeException.badRequest("as_of.timestamp is not an RFC 3339 time.");
        }
    }

    /** {@code db.table} or {@code local.db.table}; a part with a slash would be read as a path. */
    private KeptSources.Source byTable(List<String> nameParts) throws BridgeException {
        List<String> parts = new ArrayList<>(nameParts);
        if (!parts.get(0).equalsIgnoreCase(ICEBERG_CATALOG)) {
            parts.add(0, ICEBERG_CATALOG);
        }
        for (String part : parts) {
            if (part.isEmpty() || part.contains("/") || part.equals("..")) {
                throw notAllowed(nameParts);
            }
        }
        String name = parts.stream().map(part -> "`" + part.replace("`", "``") + "`")
                .collect(Collectors.joining("."));
        KeptSources.Source known = resolved.get(name);
        if (known == null) {
            known = kept.open(key(name), this::readOf, () -> iceberg(name));
            resolved.put(name, known);
            reads.add(known.read());
        }
        return known;
    }

    /** Of a table of the catalog, which alone knows where it is. */
    private AnswerBasis.TableRead readOf(LogicalPlan table) {
        DataSourceV2Relation relation = (DataSourceV2Relation) table.collectLeaves().head();
        URI location = new Path(((SparkTable) relation.table()).table().location()).toUri();
        String asked = location.getPath();
        try {
            return new AnswerBasis.TableRead(layout(), asked,
                    java.nio.file.Path.of(asked).toRealPath().toString());
        } catch (IOException e) {
            return new AnswerBasis.TableRead(layout(), location.toString(), location.toString());
        }
    }

    private String layout() {
        return switch (request.source()) {
            case PARQUET -> "files";
            case DELTA -> "delta";
            case ICEBERG -> "iceberg";
            case MYSQL -> throw new IllegalStateException("a MySQL request reads no table here");
        };
    }

    /** Every name that the statement has for a table. */
    List<Named> named() {
        return named;
    }

    /** Every table that this request has bound, once for each way it was named. */
    List<AnswerBasis.TableRead> reads() {
        return reads;
    }

    /** Everything that this request has bound. */
    Collection<LogicalPlan> resolved() {
        return resolved.values().stream().map(KeptSources.Source::relation).toList();
    }

    private void requireExists(String location) throws BridgeException {
        try {
            Path path = new Path(location);
            FileSystem files = path.getFileSystem(SparkLine.state(session).newHadoopConf());
            if (!files.exists(path)) {
                throw BridgeException.notFound("The path does not exist.");
            }
        } catch (IOException e) {
            throw new BridgeException(BridgeException.Code.SOURCE_ERROR,
                    "The path could not be looked at.", e);
        }
    }
}
