package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Statements that are too large, make too much, or never end: each ends as a defined error. */
class LimitsTest {
    private static final String A45 = "a".repeat(45);
    private static final long SOON_S = 20;

    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
    }

    private static void passes(String sql) throws Exception {
        TestEngine.rows(TestEngine.query("parquet", sql));
    }

    private static void exceeds(SqlLimits.Limit limit, String setting, String sql) {
        TestEngine.Failed failure = TestEngine.failure(TestEngine.query("parquet", sql));
        String shown = sql.substring(0, Math.min(200, sql.length())) + " -> " + failure.error;
        assertEquals("sql_error", failure.code(), shown);
        assertTrue(failure.sqlState().startsWith("54"), shown);
        assertEquals("LIMIT_EXCEEDED." + limit.name(),
                failure.error.path("error_class").asText(), shown);
        assertTrue(failure.error.path("detail").asText().contains(setting), shown);
    }

    private static String nested(int depth) {
        return "SELECT " + "(".repeat(depth) + "1" + ")".repeat(depth);
    }

    private static String inList(int items) {
        return "SELECT 1 IN (" + IntStream.range(0, items).mapToObj(Integer::toString)
                .collect(Collectors.joining(",")) + ") AS found";
    }

    private static String sum(int terms) {
        return "SELECT 1" + "+1".repeat(terms - 1);
    }

    @Test
    void bracketsAtTheBound() throws Exception {
        passes(nested(500));
        exceeds(SqlLimits.Limit.DEPTH, "MAX_SQL_DEPTH", nested(501));
    }

    @Test
    void bracketsInTextsAndCommentsDontCount() throws Exception {
        String many = "(".repeat(600);
        passes("SELECT '" + many + "', 'it\\'s " + many + "', 'it''s " + many + "', 1 AS `" + many
                + "` -- " + many + "\n/* ' " + many + " /* */ " + many + " */");
        exceeds(SqlLimits.Limit.DEPTH, "MAX_SQL_DEPTH", "-- it's\n" + nested(501));
        exceeds(SqlLimits.Limit.DEPTH, "MAX_SQL_DEPTH", "/* ' */" + nested(501));
    }

    @Test
    void chainsAtTheBound() throws Exception {
        passes(sum(490));
        exceeds(SqlLimits.Limit.DEPTH, "MAX_SQL_DEPTH", sum(510));
    }

    /** What Spark replaces a function with shares its arguments: a walk over both would double. */
    @Test
    void nestedReplacementsAreWalkedOnce() throws Exception {
        int n = 60;
        passes("SELECT " + "left(".repeat(n) + "'a'" + ", 1)".repeat(n));
        passes("SELECT " + "nvl(".repeat(n) + "'a'" + ", 'b')".repeat(n));
        passes("SELECT 1" + " UNION ALL SELECT 1".repeat(n));
    }

    /** Spark writes their first argument out twice: sixty levels would be planned for ever. */
    @Test
    void whatDoublesCountsTwice() throws Exception {
        for (int n : new int[] {8, 60}) {
            String between = "SELECT " + "(".repeat(n) + "true" + " BETWEEN false AND true)".repeat(n);
            String nullif = "SELECT " + "nullif(".repeat(n) + "'a'" + ", 'b')".repeat(n);
            if (n == 8) {
                passes(between);
                passes(nullif);
            } else {
                exceeds(SqlLimits.Limit.NODES, "MAX_SQL_NODES", between);
                exceeds(SqlLimits.Limit.NODES, "MAX_SQL_NODES", nullif);
            }
        }
    }

    @TestFactory
    List<DynamicTest> whateverNestsDeepIsDefined() {
        int n = 2_000;
        return List.of(nested(n), nested(20_000), sum(n), sum(20_000),
                "SELECT " + "NOT ".repeat(n) + "true",
                "SELECT " + "NOT ".repeat(15_000) + "true",
                "SELECT " + "- ".repeat(n) + "1",
                "SELECT " + "- ".repeat(30_000) + "1",
                "SELECT " + "CASE WHEN true THEN ".repeat(n) + "1" + " END".repeat(n),
                "SELECT " + "abs(".repeat(n) + "1" + ")".repeat(n),
                "SELECT array(1)" + "[0]".repeat(n),
                "SELECT CAST(null AS " + "ARRAY<".repeat(n) + "INT" + ">".repeat(n) + ")",
                "SELECT * FROM " + "(SELECT * FROM ".repeat(n) + "range(1)" + ")".repeat(n),
                "SELECT 1" + " UNION ALL SELECT 1".repeat(n),
                "SELECT 1 FROM range(1)" + ", range(1)".repeat(n),
                "SELECT 1 FROM range(1) t" + " JOIN range(1) USING (id)".repeat(n),
                "SELECT " + "x -> ".repeat(n) + "1",
                "SELECT 'a'" + " || 'a'".repeat(n))
                .stream().map(sql -> DynamicTest.dynamicTest(
                        sql.substring(0, Math.min(60, sql.length())) + sql.length(), () -> {
                            TestEngine.Failed failure = TestEngine.failure(
                                    TestEngine.query("parquet", sql));
                            assertEquals("sql_error", failure.code(), failure.error.toString());
                        })).toList();
    }

    @Test
    void inListsAtTheBound() throws Exception {
        passes(inList(10_000));
        exceeds(SqlLimits.Limit.IN_ITEMS, "MAX_IN_ITEMS", inList(10_001));
    }

    @TestFactory
    List<DynamicTest> whatGrowsInAnalysisIsBounded() {
        StringBuilder names = new StringBuilder("WITH c0 AS (SELECT 1 AS a)");
        for (int i = 1; i <= 24; i++) {
            names.append(", c").append(i).append(" AS (SELECT x.a FROM c").append(i - 1)
                    .append(" x, c").append(i - 1).append(" y)");
        }
        String columns = IntStream.range(0, 20).mapToObj(i -> "id + " + i)
                .collect(Collectors.joining(", "));
        String narrow = IntStream.range(0, 10).mapToObj(i -> "id + " + i)
                .collect(Collectors.joining(", "));
        return List.of(names + " SELECT * FROM c24",
                "SELECT * FROM " + "(SELECT *, * FROM ".repeat(40) + "range(1)" + ")".repeat(40),
                "SELECT count(*) FROM range(1) GROUP BY CUBE(" + columns + ")",
                "SELECT count(*) FROM range(1) GROUP BY CUBE(" + narrow + "), CUBE(" + narrow + ")")
                .stream().map(sql -> DynamicTest.dynamicTest(sql.substring(0, 40), () ->
                        exceeds(SqlLimits.Limit.NODES, "MAX_SQL_NODES", sql))).toList();
    }

    @TestFactory
    List<DynamicTest> largeValuesAreRefusedBeforeTheyAreMade() {
        return List.of("repeat('x', 67108865)", "repeat('x', 2000000000)",
                "repeat(repeat('x', 60000000), 1000)", "lpad('x', 2000000000, 'y')",
                "rpad('x', 67108865)", "space(2000000000)",
                "lpad(x'00', 2000000000, x'01')", "array_repeat(1, 2000000000)",
                "sequence(1, 2000000000)", "sequence(1L, 9000000000000000000L)",
                "sequence(DATE '0001-01-01', DATE '9999-01-01', INTERVAL '1' SECOND)",
                "sequence(TIMESTAMP '2000-01-01 00:00:00', TIMESTAMP '2030-01-01 00:00:00',"
                        + " INTERVAL 1 SECOND)",
                "(SELECT max(repeat('x', CAST(id + 2000000000 AS INT))) FROM range(3))",
                "transform(array(2000000000), n -> repeat('x', n))")
                .stream().map(value -> DynamicTest.dynamicTest(value, () ->
                        exceeds(SqlLimits.Limit.VALUE_BYTES, "MAX_VALUE_BYTES",
                                "SELECT length(CAST(" + value + " AS STRING))"))).toList();
    }

    @Test
    void valuesAtTheBoundPass() throws Exception {
        assertEquals(List.of(List.of("67108864", "8388608", "365", "3", "null", "1")),
                TestEngine.rows(TestEngine.query("parquet", "SELECT length(repeat('x', 67108864)),"
                        + " size(sequence(1, 8388608)),"
                        + " size(sequence(DATE '2023-01-01', DATE '2023-12-31')),"
                        + " size(array_repeat(null, 3)), repeat(null, 2000000000),"
                        + " size(sequence(TIMESTAMP '2023-01-01 00:00:00',"
                        + " TIMESTAMP '2023-01-01 12:00:00'))")));
    }

    @Test
    void answersWithoutEndAreRefused() throws Exception {
        exceeds(SqlLimits.Limit.RESULT_ROWS, "MAX_RESULT_ROWS",
                "SELECT a.id FROM range(1000000) a, range(1000001) b");
        exceeds(SqlLimits.Limit.RESULT_ROWS, "MAX_RESULT_ROWS",
                "WITH r AS (SELECT * FROM range(1000001)) SELECT 1 FROM r a CROSS JOIN r b");
        passes("SELECT a.id FROM range(1000000) a, range(1000001) b LIMIT 3");
        TestEngine.rows(TestEngine.query("parquet",
                "SELECT a.id FROM range(1000000) a, range(1000001) b").put("row_limit", 3));
    }

    /** Each would run for years; a cancel ends it, and its slot is free. */
    @TestFactory
    List<DynamicTest> aPatternWithoutEndEndsWithItsQuery() {
        String slow = "concat('" + A45 + "', CAST(id AS STRING))";
        String like = "'" + "%a".repeat(20) + "%b'";
        return List.of("'" + A45 + "' RLIKE '(.*a){25}b'", slow + " RLIKE '(.*a){25}b'",
                "regexp_replace(" + slow + ", '(.*a){25}b', 'x')",
                "regexp_extract(" + slow + ", '(.*a){25}b', 1)",
                "regexp_extract_all(" + slow + ", '(.*a){25}b', 1)",
                "regexp_instr(" + slow + ", '(.*a){25}b')",
                "regexp_count(" + slow + ", '(.*a){25}b')",
                "regexp_substr(" + slow + ", '(.*a){25}b')",
                "split(" + slow + ", '(.*a){25}b')",
                "repeat('a', 3000) LIKE " + like,
                "concat(repeat('a', 3000), id) LIKE " + like,
                "concat(repeat('a', 3000), id) ILIKE " + like,
                "concat(repeat('a', 3000), id) LIKE ANY (" + like + ", 'c')",
                "schema_of_json(regexp_replace('" + A45 + "', '(.*a){25}b', '1'))")
                .stream().map(value -> DynamicTest.dynamicTest(value, () ->
                        endsWhenCancelled("SELECT " + value + " FROM range(2)"))).toList();
    }

    private static void endsWhenCancelled(String sql) throws Exception {
        var query = TestEngine.query("parquet", sql);
        byte[] tag = query.get("tag").asText().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        CountDownLatch ended = new CountDownLatch(1);
        String[] outcome = new String[1];
        Thread caller = new Thread(() -> {
            try {
                outcome[0] = TestEngine.failure(query).error.toString();
            } finally {
                ended.countDown();
            }
        });
        caller.start();
        assertTrue(!ended.await(300, TimeUnit.MILLISECONDS), "it must not end by itself: " + outcome[0]);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SOON_S);
        do {
            Bridge.cancel(tag);
        } while (!ended.await(100, TimeUnit.MILLISECONDS) && System.nanoTime() < end);
        assertTrue(String.valueOf(outcome[0]).contains("\"cancelled\""), outcome[0]);
        assertEquals(0, QueryRegistry.size());
    }

    @Test
    void aPatternThatRecursesTooDeepIsDefined() {
        exceeds(SqlLimits.Limit.PATTERN, "pattern",
                "SELECT max(concat(repeat('ab', 1000000), id) RLIKE '^(a|b)*$') FROM range(2)");
    }

    @Test
    void guardedPatternsAnswerAsSparkDoes() throws Exception {
        assertEquals(List.of(List.of("true", "false", "true", "true", "true", "false", "a-c", "b",
                "[\"1\",\"22\"]", "3", "2", "22", "[\"a\",\"b\",\"c\"]", "[\"a\",\"b,c\"]",
                "[\"a\",\"b\"]", "null", "", "true", "{\"a\":\"1\"}")),
                TestEngine.rows(TestEngine.query("parquet", "SELECT name LIKE 'a_c%',"
                        + " name NOT LIKE '%b%', name ILIKE 'A%C', name RLIKE '^a.c$',"
                        + " name LIKE ANY ('x', '%c'), name NOT LIKE ALL ('x', '%c'),"
                        + " regexp_replace(name, 'b', '-'), regexp_extract(name, 'a(.)c', 1),"
                        + " to_json(regexp_extract_all(concat(name, '1x22'), '[0-9]+', 0)),"
                        + " regexp_instr(name, 'c'), regexp_count(concat(name, 'a'), 'a'),"
                        + " regexp_substr(concat(name, '22'), '[0-9]+'),"
                        + " to_json(split('a,b,c', ',')), to_json(split('a,b,c', ',', 2)),"
                        + " to_json(split('ab', '')), name LIKE null,"
                        + " regexp_extract(name, '(x)?', 1), 'a%c' LIKE 'a\\\\%c',"
                        + " to_json(str_to_map('a:1'))"
                        + " FROM VALUES ('abc') t(name)")));
    }

    @Test
    void columnsOfGuardedExpressionsAreNamedAsSparkNamesThem() throws Exception {
        try (TestEngine.Cursor cursor = TestEngine.open(TestEngine.query("parquet",
                "SELECT regexp_replace('a', 'a', 'b'), 'a' RLIKE 'a', repeat('x', 2),"
                        + " regexp_count('a', 'a')"))) {
            assertEquals(List.of("regexp_replace(a, a, b, 1)", "RLIKE(a, a)", "repeat(x, 2)",
                    "regexp_count(a, a)"),
                    cursor.schema.getFields().stream().map(field -> field.getName()).toList());
        }
    }

    @Test
    void aBadPatternIsSparksOwnError() {
        TestEngine.Failed failure = TestEngine.failure(TestEngine.query("parquet",
                "SELECT regexp_replace(CAST(id AS STRING), '(', 'b') FROM range(1)"));
        assertEquals("sql_error", failure.code(), failure.error.toString());
        assertTrue(failure.error.path("error_class").asText().startsWith("INVALID_PARAMETER_VALUE"),
                failure.error.toString());
    }

    @Test
    void aRecursionHasAnEnd() {
        if (SparkLine.LINE.equals("4.1")) {
            TestEngine.Failed failure = TestEngine.failure(TestEngine.query("parquet",
                    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r)"
                            + " SELECT max(n) FROM r"));
            assertEquals("RECURSION_LEVEL_LIMIT_EXCEEDED",
                    failure.error.path("error_class").asText(), failure.error.toString());
        }
    }
}
