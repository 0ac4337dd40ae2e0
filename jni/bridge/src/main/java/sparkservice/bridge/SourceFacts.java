package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.fs.FileStatus;
import org.apache.iceberg.Snapshot;
import org.apache.iceberg.Table;
import org.apache.iceberg.spark.source.SparkTable;
import org.apache.spark.sql.connector.metric.CustomTaskMetric;
import org.apache.spark.sql.delta.files.TahoeFileIndexWithSnapshotDescriptor;
import org.apache.spark.sql.delta.stats.DataSize;
import org.apache.spark.sql.delta.stats.DeltaScan;
import org.apache.spark.sql.delta.stats.PreparedDeltaFileIndex;
import org.apache.spark.sql.execution.FileSourceScanExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.datasources.FileIndex;
import org.apache.spark.sql.execution.datasources.PartitioningAwareFileIndex;
import org.apache.spark.sql.execution.datasources.v2.BatchScanExec;
import scala.Option;

/**
 * What planning knows of a query's files: {@code struct spark_source_facts} of jni/spark_facts.h.
 *
 * <p>Taken from the scans that will run, of what they have listed already or will have to list
 * before their first task. Nothing is read for it.
 *
 * @param version of the one table that is read; null when there are several, or it has none
 * @param filesRead after pruning; -1 when unknown, as all below
 */
record SourceFacts(String version, long filesRead, long filesTotal, long bytesRead,
        long bytesTotal) {
    static final SourceFacts NONE = new SourceFacts(null, -1, -1, -1, -1);

    private static final String ICEBERG_FILES_READ = "resultDataFiles";
    private static final String ICEBERG_BYTES_READ = "totalDataFileSize";
    private static final String ICEBERG_FILES_TOTAL = "total-data-files";
    private static final String ICEBERG_BYTES_TOTAL = "total-files-size";

    static SourceFacts of(SparkPlan executed) {
        List<SourceFacts> scans = new ArrayList<>();
        Set<String> tables = new HashSet<>();
        PhysicalPlan.walk(executed, node -> {
            if (node instanceof FileSourceScanExec scan) {
                scans.add(ofFiles(scan));
                tables.add(scan.relation().location().rootPaths().toString());
            } else if (node instanceof BatchScanExec scan
                    && scan.table() instanceof SparkTable table) {
                scans.add(ofIceberg(scan, table));
                tables.add(table.name());
            }
        });
        return scans.stream().reduce(SourceFacts::plus)
                .map(sum -> tables.size() == 1 ? sum.withVersion(scans.get(0).version) : sum)
                .orElse(NONE);
    }

    /** Of several tables. */
    static SourceFacts sum(List<SourceFacts> tables) {
        return tables.size() == 1 ? tables.get(0)
                : tables.stream().reduce(SourceFacts::plus).orElse(NONE);
    }

    private SourceFacts plus(SourceFacts other) {
        return new SourceFacts(null, sum(filesRead, other.filesRead),
                sum(filesTotal, other.filesTotal), sum(bytesRead, other.bytesRead),
                sum(bytesTotal, other.bytesTotal));
    }

    private static long sum(long a, long b) {
        return a < 0 || b < 0 ? -1 : a + b;
    }

    private SourceFacts withVersion(String one) {
        return new SourceFacts(one, filesRead, filesTotal, bytesRead, bytesTotal);
    }

    private static SourceFacts ofFiles(FileSourceScanExec scan) {
        FileIndex index = scan.relation().location();
        if (index instanceof PreparedDeltaFileIndex prepared) {
            DeltaScan files = prepared.preparedScan();
            return new SourceFacts(Long.toString(files.version()), count(files.scanned().files()),
                    count(files.total().files()), bytes(files.scanned()), bytes(files.total()));
        }
        long[] read = SparkLine.selectedFiles(scan);
        String version = index instanceof TahoeFileIndexWithSnapshotDescriptor table
                ? Long.toString(table.version()) : null;
        long filesTotal = -1;
        long bytesTotal = -1;
        if (index instanceof PartitioningAwareFileIndex listed) {
            filesTotal = 0;
            bytesTotal = 0;
            for (FileStatus file : Scala.each(listed.allFiles())) {
                if (file.getLen() > 0) { // as the scan itself
                    filesTotal++;
                    bytesTotal += file.getLen();
                }
            }
        }
        return new SourceFacts(version, read[0], filesTotal, read[1], bytesTotal);
    }

    private static long bytes(DataSize size) {
        return count(size.bytesCompressed());
    }

    private static long count(Option<Object> number) {
        return number.isDefined() ? ((Number) number.get()).longValue() : -1;
    }

    private static SourceFacts ofIceberg(BatchScanExec scan, SparkTable table) {
        Snapshot snapshot = snapshotOf(table.table(), table.snapshotId());
        if (snapshot == null) {
            return new SourceFacts(null, 0, 0, 0, 0);
        }
        Map<String, Long> planned = new HashMap<>();
        for (CustomTaskMetric metric : scan.scan().reportDriverMetrics()) {
            planned.put(metric.name(), metric.value());
        }
        return new SourceFacts(Long.toString(snapshot.snapshotId()),
                planned.getOrDefault(ICEBERG_FILES_READ, -1L), total(snapshot, ICEBERG_FILES_TOTAL),
                planned.getOrDefault(ICEBERG_BYTES_READ, -1L), total(snapshot, ICEBERG_BYTES_TOTAL));
    }

    private static Snapshot snapshotOf(Table table, Long pinned) {
        return pinned == null ? table.currentSnapshot() : table.snapshot(pinned);
    }

    /** Writers tell totals in a snapshot's summary, but they need not. */
    private static long total(Snapshot snapshot, String key) {
        String text = snapshot.summary().get(key);
        try {
            return text == null ? -1 : Long.parseLong(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    ObjectNode json() {
        ObjectNode json = Json.object();
        if (version != null) {
            json.put("version", version);
        }
        put(json, "files_read", filesRead);
        put(json, "files_total", filesTotal);
        put(json, "bytes_read", bytesRead);
        put(json, "bytes_total", bytesTotal);
        return json;
    }

    private static void put(ObjectNode json, String name, long value) {
        if (value >= 0) {
            json.put(name, value);
        }
    }
}
