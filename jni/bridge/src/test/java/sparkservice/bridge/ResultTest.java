package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Rows as batches: types, order, limits, the spool, cancelling, and nothing left behind. */
@Timeout(120)
class ResultTest {
    /** A row of each task takes a while; eight partitions, minutes in all. */
    private static final String SLOW = "SELECT count(*) FROM range(0, 8000000000, 1, 8)"
            + " WHERE pow(id, 0.5) + sin(id) < -2";

    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(0, QueryRegistry.size());
        assertEquals(0, TestEngine.allocatedBytes());
        assertEquals(0, TestEngine.LOCAL_DIR.resolve("results").toFile().list().length);
    }

    private static ObjectNode query(String sql) {
        return TestEngine.query("parquet", sql);
    }

    private static List<String> types(String sql) throws Exception {
        try (TestEngine.Cursor cursor = TestEngine.open(query(sql))) {
            return cursor.schema.getFields().stream().map(field -> field.getType().toString())
                    .toList();
        }
    }

    @Test
    void typesAreThoseOfSparksArrow() throws Exception {
        assertEquals(List.of("Int(8, true)", "Int(16, true)", "Int(32, true)", "Int(64, true)",
                "FloatingPoint(SINGLE)", "FloatingPoint(DOUBLE)", "Decimal(38, 18, 128)", "Bool",
                "Utf8", "Binary", "Date(DAY)", "Timestamp(MICROSECOND, UTC)",
                "Timestamp(MICROSECOND, null)", "Interval(YEAR_MONTH)", "Duration(MICROSECOND)",
                "Null", "List", "Struct", "Map(false)"),
                types("SELECT 1Y, 1S, 1, 1L, 1F, 1D, CAST(1 AS DECIMAL(38, 18)), true, 'a', X'00',"
                        + " DATE '2024-01-31', TIMESTAMP '2024-01-31 00:00:00',"
                        + " TIMESTAMP_NTZ '2024-01-31 00:00:00', INTERVAL '1-2' YEAR TO MONTH,"
                        + " INTERVAL '1 02:03:04' DAY TO SECOND, NULL,"
                        + " array(1), named_struct('a', 1), map('k', 1)"));
    }

    /** Spark 3.5 has no Arrow form for them: they cross as the text that C writes for 4.1's. */
    @Test
    void calendarIntervalsCross() throws Exception {
        String sql = "SELECT make_interval(1, 2, 3, 4)";
        if (!System.getProperty("spark.version").startsWith("3.5")) {
            assertEquals(List.of("Interval(MONTH_DAY_NANO)"), types(sql));
            return;
        }
        assertEquals(List.of("Utf8"), types(sql));
        assertEquals(List.of(List.of("P1Y2M25D", "PT0S", "-P1M", "-PT1H1M1.5S", "P1MT-1S",
                "[\"PT2S\",null]")), TestEngine.rows(query("SELECT make_interval(1, 2, 3, 4),"
                        + " make_interval(), make_interval(0, -1),"
                        + " make_interval(0, 0, 0, 0, -1, -1, -1.5),"
                        + " make_interval(0, 1, 0, 0, 0, 0, -1),"
                        + " array(make_interval(0, 0, 0, 0, 0, 0, 2), NULL)")));
    }

    @Test
    void valuesCrossUnharmed() throws Exception {
        assertEquals(List.of(List.of("127", "-9223372036854775808", "1.10", "é😀", "null", "NaN",
                "[1,null]", "{\"a\":1,\"b\":\"x\"}")),
                TestEngine.rows(query("SELECT 127Y, -9223372036854775808L,"
                        + " CAST(1.1 AS DECIMAL(5, 2)), 'é😀', NULL, double('NaN'), array(1, NULL),"
                        + " named_struct('a', 1, 'b', 'x')")));
    }

    @Test
    void decimalsKeepEveryDigit() throws Exception {
        assertEquals(List.of(List.of("-1.10", "999999999999999999", "-999999999999999999",
                "-1E-18", "null", "-99999999999999999999", "0.00")),
                TestEngine.rows(query("SELECT CAST(-1.1 AS DECIMAL(5, 2)),"
                        + " CAST(999999999999999999 AS DECIMAL(18, 0)),"
                        + " CAST(-999999999999999999 AS DECIMAL(18, 0)),"
                        + " CAST('-0.000000000000000001' AS DECIMAL(18, 18)),"
                        + " CAST(NULL AS DECIMAL(9, 3)),"
                        + " CAST('-99999999999999999999' AS DECIMAL(20, 0)),"
                        + " CAST(0 AS DECIMAL(18, 2))")));
    }

    @Test
    void equalColumnNamesAreKept() throws Exception {
        try (TestEngine.Cursor cursor = TestEngine.open(query("SELECT 1 AS a, 2 AS a, 'x' AS a"))) {
            assertEquals(List.of("a", "a", "a"),
                    cursor.schema.getFields().stream().map(Field::getName).toList());
        }
        assertEquals(List.of(List.of("1", "2", "x")),
                TestEngine.rows(query("SELECT 1 AS a, 2 AS a, 'x' AS a")));
    }

    @Test
    void orderByIsKeptOverPartitionsAndBatches() throws Exception {
        List<String> ids = new ArrayList<>();
        for (List<String> row : TestEngine.rows(query(
                "SELECT id FROM range(0, 300000, 1, 7) ORDER BY id DESC"))) {
            ids.add(row.get(0));
        }
        assertEquals(LongStream.range(0, 300000).map(i -> 299999 - i).mapToObj(Long::toString)
                .toList(), ids);
    }

    @Test
    void batchesAreBounded() throws Exception {
        try (TestEngine.Cursor cursor = TestEngine.open(query(
                "SELECT id, repeat('x', 1000) FROM range(0, 20000, 1, 2)"))) {
            long rows = 0;
            boolean more = true;
            while (more) {
                try (VectorSchemaRoot batch = cursor.next()) {
                    more = batch != null;
                    if (more) {
                        rows += batch.getRowCount();
                        assertTrue(batch.getRowCount() <= 1100, "rows " + batch.getRowCount());
                    }
                }
            }
            assertEquals(20000, rows);
        }
    }

    @Test
    void aLimitStopsEarlyAndExactly() throws Exception {
        // All partitions together would take minutes.
        assertEquals(5, TestEngine.rows(query("SELECT id FROM range(0, 800000000000, 1, 8)"
                + " WHERE id >= 0 LIMIT 5")).size());
        assertEquals(11, TestEngine.rows(query("SELECT id FROM range(0, 800000000000, 1, 8)")
                .put("row_limit", 10)).size());
        assertEquals(3, TestEngine.rows(query("SELECT id FROM range(0, 3, 1, 3)")
                .put("row_limit", 10)).size());
        assertEquals(0, TestEngine.rows(query("SELECT id FROM range(9) LIMIT 0")).size());
        assertEquals(List.of(List.of("7"), List.of("8")), TestEngine.rows(query(
                "SELECT id FROM range(0, 9, 1, 3) ORDER BY id LIMIT 5 OFFSET 7")));
        assertEquals(12, TestEngine.rows(query("SELECT id FROM range(0, 40, 1, 8) LIMIT 12"))
                .size());
    }

    /** The number of tasks that a million rows in 200 partitions cost. */
    private static int tasksOf(String sql, int rowLimit, int rowsExpected) throws Exception {
        ObjectNode limited = query(sql).put("row_limit", rowLimit);
        QueryProgress progress = new QueryProgress();
        SparkContext context = SparkContext.getOrCreate();
        context.addSparkListener(progress);
        progress.begin(limited.get("tag").asText());
        try {
            assertEquals(rowsExpected, TestEngine.rows(limited).size());
            context.listenerBus().waitUntilEmpty(60_000);
            return progress.all().get(limited.get("tag").asText()).tasks();
        } finally {
            context.removeSparkListener(progress);
        }
    }

    @Test
    void aRowLimitReadsAFewPartitionsOnly() throws Exception {
        assertEquals(1, tasksOf("SELECT id FROM range(0, 1000000, 1, 200)", 10, 11));
        // 1 + 4 + 16 partitions until a row is found, 5000 in each.
        assertEquals(21, tasksOf("SELECT id FROM range(0, 1000000, 1, 200) WHERE id >= 25000",
                10, 11));
        assertEquals(1, tasksOf("SELECT id FROM range(0, 1000000, 1, 200) LIMIT 500000", 10, 11));
    }

    /** A join makes the plan adaptive, which hides the limit at its root. */
    @Test
    void aRowLimitOfAJoinReadsAFewPartitionsOnly() throws Exception {
        assertEquals(2, tasksOf("SELECT a.id FROM range(0, 1000000, 1, 200) a"
                + " JOIN range(0, 1000, 1, 1) b ON a.id = b.id", 10, 11));
        assertEquals(2, tasksOf("SELECT id FROM range(0, 1000000, 1, 200)"
                + " WHERE id IN (SELECT id FROM range(0, 1000, 1, 1))", 10, 11));
    }

    @Test
    void aRowLimitKeepsTheOrder() throws Exception {
        List<List<String>> rows = TestEngine.rows(query("SELECT id FROM range(0, 100000, 1, 20)"
                + " ORDER BY id % 10 DESC, id").put("row_limit", 3));
        assertEquals(List.of(List.of("9"), List.of("19"), List.of("29"), List.of("39")), rows);
        assertEquals(List.of(List.of("99999"), List.of("99998")), TestEngine.rows(query(
                "SELECT a.id FROM range(0, 100000, 1, 20) a JOIN range(0, 200000, 1, 3) b"
                + " ON a.id = b.id ORDER BY a.id DESC").put("row_limit", 1)));
        assertEquals(List.of(List.of("4")), TestEngine.rows(query(
                "SELECT id FROM range(0, 5, 1, 2) ORDER BY id DESC LIMIT 1").put("row_limit", 3)));
    }

    @Test
    void anErrorOnTheDataHasStateClassAndPlace() {
        TestEngine.Failed failure = TestEngine.failure(
                query("SELECT id,\n  1 / (id - 5) FROM range(10)"));
        assertEquals("sql_error", failure.code(), failure.error.toString());
        assertEquals("22012", failure.sqlState());
        assertEquals("DIVIDE_BY_ZERO", failure.error.path("error_class").asText());
        assertEquals(2, failure.error.path("line").asInt());
        assertEquals(3, failure.error.path("column").asInt());
    }

    @Test
    void errorsOfParserAndAnalyserHaveAPlace() {
        TestEngine.Failed parse = TestEngine.failure(query("SELECT 1 +\n )"));
        assertEquals("42601", parse.sqlState());
        assertEquals(2, parse.error.path("line").asInt());
        TestEngine.Failed column = TestEngine.failure(query("SELECT nope FROM range(1)"));
        assertEquals("42703", column.sqlState());
        assertEquals(1, column.error.path("line").asInt());
        assertEquals(8, column.error.path("column").asInt());
    }

    @Test
    void deepNestingIsAnErrorOfTheStatement() {
        String deep = "SELECT " + "(".repeat(20000) + "1" + ")".repeat(20000);
        TestEngine.Failed failure = TestEngine.failure(query(deep));
        assertEquals("sql_error", failure.code(), failure.error.toString());
        failure = TestEngine.failure(query("SELECT 1" + " + 1".repeat(15000)));
        assertEquals("sql_error", failure.code(), failure.error.toString());
    }

    @Test
    void anUnreadResultSpillsAndComesBackWhole() throws Exception {
        try (TestEngine.Cursor cursor = TestEngine.open(query(
                "SELECT id, repeat('y', 2000) AS pad FROM range(0, 25000, 1, 4)"))) {
            Query running = QueryRegistry.byId(cursor.id);
            awaitTrue(() -> running.buffer().rowsPut() == 25000);
            long next = 0;
            boolean more = true;
            while (more) {
                try (VectorSchemaRoot batch = cursor.next()) {
                    more = batch != null;
                    for (int row = 0; more && row < batch.getRowCount(); row++) {
                        assertEquals(next++, batch.getVector(0).getObject(row));
                    }
                }
            }
            assertEquals(25000, next);
        }
    }

    @Test
    void aFullSpoolEndsItsQueryOnly() throws Exception {
        ObjectNode tooMuch = query("SELECT repeat('z', 10000) FROM range(0, 100000, 1, 4)");
        try (TestEngine.Cursor cursor = TestEngine.open(tooMuch)) {
            Query running = QueryRegistry.byId(cursor.id);
            awaitTrue(running::hasEnded);
            TestEngine.Failed failure = null;
            try (VectorSchemaRoot batch = cursor.next()) {
                assertNotNull(batch, "no error and no rows");
            } catch (TestEngine.Failed e) {
                failure = e;
            }
            assertNotNull(failure);
            assertEquals("storage_full", failure.code());
        }
        assertEquals(1, TestEngine.rows(query("SELECT 1")).size());
    }

    @Test
    void cancelEndsTheQueryAndItsTasks() throws Exception {
        for (String sql : List.of(SLOW,
                "SELECT a.id % 10, count(*) FROM range(0, 2000000, 1, 4) a JOIN"
                        + " range(0, 2000000, 1, 4) b ON a.id % 1000 = b.id % 1000 GROUP BY 1",
                "SELECT count(*) FROM range(0, 10000000, 1, 4) a, range(0, 10000000, 1, 4) b"
                        + " WHERE a.id < b.id")) {
            ObjectNode query = query(sql);
            String tag = query.get("tag").asText();
            Thread canceller = new Thread(() -> {
                awaitTrue(() -> TestTasks.running(tag) > 0);
                Bridge.cancel(tag.getBytes());
            });
            canceller.start();
            TestEngine.Failed failure = TestEngine.failure(query);
            assertEquals("cancelled", failure.code(), failure.error.toString());
            canceller.join();
            awaitTrue(() -> TestTasks.running(tag) == 0);
        }
    }

    @Test
    void closeOfARunningQueryEndsIt() throws Exception {
        ObjectNode query = query(SLOW);
        String tag = query.get("tag").asText();
        try (TestEngine.Cursor cursor = TestEngine.open(query)) {
            assertNotNull(cursor.schema);
            awaitTrue(() -> TestTasks.running(tag) > 0);
        }
        awaitTrue(() -> TestTasks.running(tag) == 0);
    }

    @Test
    void noStageStartsOnceItsQueryIsOver() throws Exception {
        assertEquals(1, TestEngine.rows(query("SELECT 1")).size());
        TestTasks.as("a query that is over", () -> assertThrows(SparkException.class,
                () -> new JavaSparkContext(SparkContext.getOrCreate())
                        .parallelize(List.of(1, 2)).count()));
        assertEquals(0, TestTasks.running("a query that is over"));
    }

    @Test
    void twoSlowQueriesLeaveSlotsForASmallOne() throws Exception {
        ObjectNode first = query(SLOW);
        ObjectNode second = query(SLOW + " AND id <> 1");
        String tag1 = first.get("tag").asText();
        String tag2 = second.get("tag").asText();
        try (TestEngine.Cursor one = TestEngine.open(first);
                TestEngine.Cursor two = TestEngine.open(second)) {
            assertNotNull(one.schema);
            assertNotNull(two.schema);
            awaitTrue(() -> TestTasks.running(tag1) > 0 && TestTasks.running(tag2) > 0
                    && TestTasks.running(tag1) + TestTasks.running(tag2) > 2);
            for (int i = 0; i < 5; i++) {
                assertTrue(TestTasks.running(tag1) + TestTasks.running(tag2) <= 6,
                        TestTasks.running(tag1) + " + " + TestTasks.running(tag2));
                long start = System.nanoTime();
                assertEquals(4, TestEngine.rows(query(
                        "SELECT id % 4, count(*) FROM range(0, 1000, 1, 4) GROUP BY 1")).size());
                assertTrue(System.nanoTime() - start < 10_000_000_000L);
            }
            assertTrue(TestTasks.running(tag1) > 0 && TestTasks.running(tag2) > 0,
                    "the slow queries were over too soon to prove anything");
        }
    }

    static void awaitTrue(java.util.function.BooleanSupplier condition) {
        long end = System.nanoTime() + 60_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("the condition did not come true; slots are held by "
                        + TestTasks.holders());
            }
            Thread.onSpinWait();
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
    }
}
