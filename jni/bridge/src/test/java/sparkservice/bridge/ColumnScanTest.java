package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** Columns that are copied are, byte by byte, the batches that are made of rows. */
@Timeout(120)
class ColumnScanTest {
    private static final Path FOLDER = TestEngine.ROOT.resolve("columns");
    private static final ClassTag<ResultBuffer.Batch[]> BATCHES =
            ClassTag$.MODULE$.apply(ResultBuffer.Batch[].class);
    private static final long NO_QUERY = -1;
    /** Each kind of column: of a dictionary or not, never, sometimes or always null. */
    private static final String COLUMNS = "id, CAST(id AS INT) AS i, CAST(id % 100 AS SMALLINT) AS s,"
            + " CAST(id % 100 AS TINYINT) AS t, id % 3 = 0 AS b, id / 4D AS d,"
            + " CAST(id / 8D AS FLOAT) AS f, CAST(id AS DECIMAL(9, 2)) AS d9,"
            + " CAST(-id AS DECIMAL(18, 3)) AS d18, date_add(DATE '1960-01-01', CAST(id AS INT)) AS day,"
            + " timestamp_micros(id * 1234567 - 5000000000) AS at,"
            + " CAST(timestamp_micros(id * 7654321) AS TIMESTAMP_NTZ) AS at_ntz,"
            + " concat('text \u00e4 ', id) AS plain, concat('city ', id % 97) AS known,"
            + " CAST(concat('b', id) AS BINARY) AS bytes, CAST(concat('b', id % 7) AS BINARY) AS few,"
            + " '' AS empty, repeat('long ', CAST(id % 70 AS INT)) AS longer";
    private static final List<String> NAMES = List.of("id", "i", "s", "t", "b", "d", "f", "d9", "d18",
            "day", "at", "at_ntz", "plain", "known", "bytes", "few", "empty", "longer");
    private static SparkSession session;

    @BeforeAll
    static void makeTables() throws Exception {
        TestEngine.start();
        session = SparkSession.builder().getOrCreate();
        String sometimes = NAMES.stream().map(name -> "IF(id % 5 = 1 OR id BETWEEN 1000 AND 5500, NULL, "
                + name + ") AS " + name).reduce((a, b) -> a + ", " + b).orElseThrow();
        String never = NAMES.stream().map(name -> "IF(id < 0, " + name + ", NULL) AS " + name)
                .reduce((a, b) -> a + ", " + b).orElseThrow();
        String rows = "(SELECT " + COLUMNS + " FROM range(0, 12000, 1, 2))";
        for (String[] table : new String[][] {{"always", "*", ""}, {"sometimes", sometimes, ""},
            {"never", never, ""},
            {"plainly", sometimes, "OPTIONS ('parquet.enable.dictionary' 'false')"},
            {"groups", sometimes, "OPTIONS ('parquet.block.size' '262144',"
                    + " 'parquet.page.size' '4096')"}}) {
            OutsideWriter.write("INSERT OVERWRITE DIRECTORY '${root}/columns/" + table[0]
                    + "' USING parquet " + table[2] + " SELECT " + table[1] + " FROM " + rows);
        }
        OutsideWriter.write("INSERT OVERWRITE DIRECTORY '${root}/columns/parts/day=2024-01-31/k=a'"
                + " USING parquet SELECT id FROM range(10000)",
                "INSERT OVERWRITE DIRECTORY '${root}/columns/parts/day=2024-02-01/k=__HIVE_DEFAULT_PARTITION__'"
                + " USING parquet SELECT id FROM range(10000)",
                "INSERT OVERWRITE DIRECTORY '${root}/columns/nested' USING parquet"
                + " SELECT id, array(id) AS list FROM range(10)",
                "INSERT OVERWRITE DIRECTORY '${root}/columns/wide' USING parquet"
                + " SELECT CAST(id AS DECIMAL(20, 0)) AS wide FROM range(10)");
    }

    private static QueryExecution planned(String table, String columns) {
        return session.read().parquet(FOLDER.resolve(table).toString())
                .selectExpr(columns.split(",")).queryExecution();
    }

    private static <T> List<ResultBuffer.Batch> batches(RDD<T> input, BatchSink<T> sink) {
        List<ResultBuffer.Batch> batches = new ArrayList<>();
        for (ResultBuffer.Batch[] part : (ResultBuffer.Batch[][]) session.sparkContext()
                .runJob(input, sink, BATCHES)) {
            batches.addAll(List.of(part));
        }
        return batches;
    }

    private static void assertAlike(QueryExecution execution, long maxRows) {
        SparkPlan plan = execution.executedPlan();
        StructType columns = execution.analyzed().schema();
        ColumnScan scan = ColumnScan.of(plan, columns);
        assertNotNull(scan, plan.toString());
        List<ResultBuffer.Batch> wanted = batches(plan.execute(),
                BatchSink.ofRows(NO_QUERY, columns, maxRows));
        List<ResultBuffer.Batch> found = batches(scan.execute(),
                BatchSink.ofColumns(NO_QUERY, columns, scan.ordinals(), maxRows));
        assertTrue(wanted.size() > 1);
        Function<ResultBuffer.Batch, Integer> rows = ResultBuffer.Batch::rows;
        assertEquals(wanted.stream().map(rows).toList(), found.stream().map(rows).toList());
        for (int i = 0; i < wanted.size(); i++) {
            assertArrayEquals(wanted.get(i).message(), found.get(i).message(), "batch " + i);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"always", "sometimes", "never", "plainly", "groups", "parts"})
    void batchesAreThoseOfRows(String table) {
        assertAlike(planned(table, "*"), Long.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource({"1", "4097"})
    void soManyRowsAndNoMore(long maxRows) {
        assertAlike(planned("sometimes", "*"), maxRows);
    }

    @Test
    void columnsAreInTheOrderOfTheStatement() {
        assertAlike(planned("sometimes", "plain AS id,id AS again,known,id"), Long.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource({"nested,*", "wide,*", "always,id + 1 AS id", "always,upper(plain) AS plain"})
    void otherPlansTakeTheWayOverRows(String table, String columns) {
        QueryExecution execution = planned(table, columns);
        assertNull(ColumnScan.of(execution.executedPlan(), execution.analyzed().schema()));
    }

    private static ObjectNode query(String sql) {
        return TestEngine.query("parquet", sql).put("path", FOLDER.resolve("sometimes").toString());
    }

    @Test
    void aRowLimitIsKept() throws Exception {
        ObjectNode query = query("SELECT id, known FROM parquet_data");
        List<List<String>> all = TestEngine.rows(query);
        assertEquals(12_000, all.size());
        ObjectNode limited = query("SELECT id, known FROM parquet_data").put("row_limit", 9_000);
        assertEquals(all.subList(0, 9_001), TestEngine.rows(limited));
    }

    @Test
    void aCancelInBetweenEndsIt() throws Exception {
        ObjectNode query = query("SELECT * FROM parquet_data");
        try (TestEngine.Cursor cursor = TestEngine.open(query)) {
            try (VectorSchemaRoot batch = cursor.next()) {
                assertTrue(batch.getRowCount() > 0);
            }
            Bridge.cancel(query.get("tag").asText().getBytes());
            TestEngine.Failed failure = assertThrows(TestEngine.Failed.class,
                    () -> TestEngine.appendBatch(cursor, new ArrayList<>()));
            assertEquals("cancelled", failure.code());
        }
        assertEquals(0, TestEngine.allocatedBytes());
    }
}
