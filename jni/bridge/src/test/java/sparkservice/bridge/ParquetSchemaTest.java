package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The schema of a Parquet path is the one that Spark's own reader finds, and costs no job. */
class ParquetSchemaTest {
    private static final Path FOLDER = TestEngine.ROOT.resolve("schema");

    @BeforeAll
    static void makeTables() throws Exception {
        TestEngine.start();
        OutsideWriter.write(
                "INSERT OVERWRITE DIRECTORY '${root}/schema/all' USING parquet SELECT 1L AS id,"
                        + " 'x' AS name, CAST(1.5 AS DECIMAL(20, 3)) AS price,"
                        + " TIMESTAMP '2024-01-31 09:57:06' AS at,"
                        + " TIMESTAMP_NTZ '2024-01-31 09:57:06' AS at_ntz, DATE '2024-01-31' AS day,"
                        + " X'0102' AS bytes, CAST(1 AS TINYINT) AS tiny,"
                        + " array(named_struct('a', map('k', 1))) AS nested,"
                        + " INTERVAL '1' DAY AS span, CAST('v' AS VARCHAR(7)) AS short_text",
                "INSERT OVERWRITE DIRECTORY '${root}/schema/ids' USING parquet SELECT 1 AS id",
                "INSERT OVERWRITE DIRECTORY '${root}/schema/names' USING parquet"
                        + " SELECT 'n' AS name",
                "INSERT OVERWRITE DIRECTORY '${root}/schema/parts/day=2024-01-31/k=1'"
                        + " USING parquet SELECT 7L AS id",
                "INSERT OVERWRITE DIRECTORY '${root}/schema/parts/day=2024-02-01/k=x'"
                        + " USING parquet SELECT 8L AS id");
        Path mixed = Files.createDirectory(FOLDER.resolve("mixed"));
        Files.copy(fileOf("names"), mixed.resolve("a.parquet"));
        Files.copy(fileOf("ids"), mixed.resolve("b.parquet"));
        for (String summary : List.of("_metadata", "_common_metadata")) {
            Path folder = Files.createDirectory(FOLDER.resolve("with" + summary));
            Files.copy(fileOf("names"), folder.resolve("a.parquet"));
            Files.copy(fileOf("ids"), folder.resolve(summary));
        }
        Path both = Files.createDirectory(FOLDER.resolve("both"));
        Files.copy(fileOf("names"), both.resolve("_metadata"));
        Files.copy(fileOf("ids"), both.resolve("_common_metadata"));
        Files.createDirectory(FOLDER.resolve("empty"));
        for (String text : List.of("not Parquet at all, but long enough", "PAR1", "")) {
            Path folder = Files.createDirectory(FOLDER.resolve("broken" + text.length()));
            Files.writeString(folder.resolve("a.parquet"), text);
            Files.copy(fileOf("ids"), folder.resolve("b.parquet"));
        }
    }

    private static Path fileOf(String table) throws IOException {
        try (Stream<Path> files = Files.list(FOLDER.resolve(table))) {
            return files.filter(file -> file.toString().endsWith(".parquet")).findFirst()
                    .orElseThrow();
        }
    }

    /** A reader's columns, or what a caller is told of its failure. */
    private static String schema(String format, String table, String... options) {
        var reader = SparkSession.active().read().format(format);
        for (String option : options) {
            reader.option(option, true);
        }
        try {
            return reader.load(FOLDER.resolve(table).toString()).schema().json();
        } catch (Throwable e) {
            BridgeException told = new ErrorMapper("").map(e, false);
            return told.code() + " " + told.sqlState() + " " + told.errorClass() + " "
                    + told.getMessage();
        }
    }

    private static String assertSame(String table, String... options) {
        String ours = schema(PlannedParquetFormat.class.getName(), table, options);
        assertEquals(schema("parquet", table, options), ours, table);
        return ours;
    }

    @Test
    void typesAndPartitionsAreSparks() {
        assertTrue(assertSame("all").contains("short_text"));
        assertTrue(assertSame("parts").contains("\"name\":\"day\",\"type\":\"date\""));
    }

    @Test
    void theSummaryTellsElseTheFirstFile() {
        assertTrue(assertSame("mixed").contains("\"name\""));
        assertTrue(assertSame("with_metadata").contains("\"id\""));
        assertTrue(assertSame("with_common_metadata").contains("\"id\""));
        assertTrue(assertSame("both").contains("\"id\""));
    }

    @Test
    void mergingIsLeftToSpark() {
        String merged = assertSame("mixed", "mergeSchema");
        assertTrue(merged.contains("\"id\"") && merged.contains("\"name\":\"name\""), merged);
    }

    @Test
    void failuresAreSparks() {
        assertTrue(assertSame("empty").contains("UNABLE_TO_INFER_SCHEMA"));
        assertSame("broken35");
        assertSame("broken4");
        assertSame("broken0");
        assertSame("broken35", "ignoreCorruptFiles");
    }

    @Test
    void itCostsNoJob() throws Exception {
        AtomicInteger jobs = new AtomicInteger();
        SparkListener listener = new SparkListener() {
            @Override
            public void onJobStart(SparkListenerJobStart start) {
                if (start.properties().getProperty("spark.job.tags", "").contains("test-")) {
                    jobs.incrementAndGet();
                }
            }
        };
        SparkContext context = SparkContext.getOrCreate();
        context.addSparkListener(listener);
        try {
            TestEngine.explain(TestEngine.query("parquet", "SELECT * FROM parquet_data")
                    .put("path", FOLDER.resolve("all").toString())).schema.getFields();
            context.listenerBus().waitUntilEmpty(60_000);
        } finally {
            context.removeSparkListener(listener);
        }
        assertEquals(0, jobs.get());
    }

    @Test
    void itEndsWhenInterrupted() {
        Thread.currentThread().interrupt();
        try {
            Exception ended = assertThrows(Exception.class, () -> SparkSession.active().read()
                    .format(PlannedParquetFormat.class.getName())
                    .load(fileOf("ids").toString()));
            // The second is what a file says that was being read.
            assertTrue(ended instanceof InterruptedException
                    || ended instanceof InterruptedIOException, ended.toString());
        } finally {
            Thread.interrupted();
        }
    }
}
