package sparkservice.bridge;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.DataFiles;
import org.apache.iceberg.FileFormat;
import org.apache.iceberg.PartitionSpec;
import org.apache.iceberg.Schema;
import org.apache.iceberg.Table;
import org.apache.iceberg.hadoop.HadoopTables;
import org.apache.iceberg.types.Types;

/**
 * One small table of each file source in a folder of the service's own: the same Parquet file as it
 * is, behind a Delta log, and behind Iceberg metadata. No Spark job makes them.
 */
final class WarmUpTables {
    private static final String ROWS = "warmup/people.parquet";
    private static final int ROW_COUNT = 12;
    /** Delta transaction protocol: reader version 1. */
    private static final String DELTA_COMMIT = """
            {"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
            {"metaData":{"id":"00000000-0000-4000-8000-000000000000",\
            "format":{"provider":"parquet","options":{}},\
            "schemaString":"{\\"type\\":\\"struct\\",\\"fields\\":[%s]}",\
            "partitionColumns":[],"configuration":{},"createdTime":0}}
            {"add":{"path":"people.parquet","partitionValues":{},"size":%d,"modificationTime":0,\
            "dataChange":true}}
            """;
    private static final String DELTA_FIELD =
            "{\\\"name\\\":\\\"%s\\\",\\\"type\\\":\\\"%s\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}";
    private static final Schema ICEBERG_SCHEMA = new Schema(
            Types.NestedField.optional(1, "id", Types.LongType.get()),
            Types.NestedField.optional(2, "name", Types.StringType.get()),
            Types.NestedField.optional(3, "age", Types.IntegerType.get()),
            Types.NestedField.optional(4, "city", Types.StringType.get()),
            Types.NestedField.optional(5, "created_at", Types.TimestampType.withZone()),
            Types.NestedField.optional(6, "balance", Types.DecimalType.of(12, 2)));

    private WarmUpTables() {
    }

    /** The table of a source below {@code folder}, made anew. */
    static Path make(QueryRequest.Source source, Path folder, Configuration conf)
            throws IOException {
        Path table = Files.createDirectories(folder.resolve(source.name()));
        Path rows = table.resolve("people.parquet");
        try (InputStream bytes = WarmUpTables.class.getResourceAsStream(ROWS)) {
            Files.copy(bytes, rows);
        }
        switch (source) {
            case DELTA -> addDeltaLog(table, Files.size(rows));
            case ICEBERG -> addIcebergMetadata(table, rows, conf);
            default -> { }
        }
        return table;
    }

    private static void addDeltaLog(Path table, long size) throws IOException {
        String fields = String.join(",", deltaField("id", "long"), deltaField("name", "string"),
                deltaField("age", "integer"), deltaField("city", "string"),
                deltaField("created_at", "timestamp"), deltaField("balance", "decimal(12,2)"));
        Path log = Files.createDirectories(table.resolve("_delta_log"));
        Files.writeString(log.resolve("00000000000000000000.json"),
                DELTA_COMMIT.formatted(fields, size));
    }

    private static String deltaField(String name, String type) {
        return DELTA_FIELD.formatted(name, type);
    }

    private static void addIcebergMetadata(Path folder, Path rows, Configuration conf)
            throws IOException {
        Table table = new HadoopTables(conf).create(ICEBERG_SCHEMA,
                PartitionSpec.unpartitioned(), folder.toString());
        table.newAppend().appendFile(DataFiles.builder(table.spec()).withPath(rows.toString())
                .withFormat(FileFormat.PARQUET).withFileSizeInBytes(Files.size(rows))
                .withRecordCount(ROW_COUNT).build()).commit();
    }
}
