package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.arrow.c.ArrowSchema;
import org.apache.arrow.c.CDataDictionaryProvider;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.RootAllocator;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A plan that was made for other values answers as one that is made for these. */
@Timeout(300)
class PlanReuseTest {
    private static final Path FOLDER = TestEngine.ROOT.resolve("like");
    private static final long SEED = Long.getLong("seed", 20261122);
    private static final int ROUNDS = System.getenv("LONG") != null ? 40 : 4;
    private static final int LARGE = SmallTable.MAX_ROWS + 1;
    private static final String COLUMNS = "id, CAST(id AS INT) AS whole, CAST(id AS SMALLINT) AS short,"
            + " id / 4D AS number, CAST(id AS FLOAT) / 4 AS single,"
            + " CAST(id AS DECIMAL(20, 6)) / 4 AS exact, id % 2 = 0 AS even,"
            + " CASE WHEN id % 3 = 0 THEN NULL WHEN id % 5 = 0 THEN '' ELSE 'n' || id END AS text,"
            + " date_add(DATE'2024-01-01', CAST(id AS INT)) AS day";
    private static final List<String> INTS = List.of("0", "1", "7", "12", "5", "-3", "007", "2147483647",
            "-2147483648", "19");
    private static final List<String> LONGS = List.of("2147483648", "-3000000000", "9999999999",
            "9223372036854775807", "9223372036854775808", "99999999999999999999999", "3000000000");
    private static final List<String> DECIMALS = List.of("2.5", "4.7", "9.9", "1.5", "3.0", "0.0", "-1.5",
            "2.50", ".5", "5.", "12345678901234567.8", "1e1", "3.5D", "0.1234567890123456789");
    private static final List<String> TEXTS = List.of("''", "'n1'", "'n17'", "'x y'", "'n2'", "'é'",
            "'it''s'", "'n' '1'", "'a\\nb'", "' n1'", "'7'", "\"n1\"", "r'n1'", "NULL");
    private static final List<String> DAYS = List.of("DATE'2024-01-05'", "DATE'2024-01-12'",
            "'2024-01-07'", "'n1'", "DATE'nope'");
    /** What stands before the table, and what behind the condition. */
    private static final List<List<String>> FRAMES = List.of(
            List.of("SELECT * FROM $", ""), List.of("SELECT text, id FROM $", ""),
            List.of("SELECT id, upper(text) AS u, number FROM $", " ORDER BY number DESC, id"),
            List.of("SELECT id FROM $", " ORDER BY id LIMIT 3"), List.of("SELECT id FROM $", " LIMIT 4"),
            List.of("SELECT even, count(*), max(text), sum(number) FROM $", " GROUP BY even ORDER BY 1"),
            List.of("SELECT id, 10 / (id - 7) AS q FROM $", " ORDER BY id"),
            List.of("SELECT a.id FROM (SELECT id, whole, short, number, single, exact, even, text, day"
                    + " FROM $ WHERE id < 15) a", ""),
            List.of("SELECT id, id > 5 FROM $", ""));
    private static final AtomicLong IDS = new AtomicLong(1L << 40);
    private static final RootAllocator IMPORTED = new RootAllocator();
    private static TableQueryPlanner planningAnew;

    private final Random random = new Random(SEED);

    @BeforeAll
    static void write() throws Exception {
        TestEngine.start();
        OutsideWriter.write("CREATE NAMESPACE IF NOT EXISTS local.like",
                "INSERT OVERWRITE DIRECTORY '${root}/like/parquet/all' USING parquet SELECT "
                        + COLUMNS + " FROM range(0, 20, 1, 1)",
                "CREATE TABLE delta.`${root}/like/delta/all` USING delta AS SELECT " + COLUMNS
                        + " FROM range(0, 20, 1, 1)",
                "CREATE TABLE local.like.all USING iceberg AS SELECT " + COLUMNS
                        + " FROM range(0, 20, 1, 1)",
                "INSERT OVERWRITE DIRECTORY '${root}/like/parquet/large' USING parquet SELECT "
                        + COLUMNS + " FROM range(0, " + LARGE + ", 1, 2)",
                "CREATE TABLE delta.`${root}/like/delta/chars` (id BIGINT, code CHAR(4)) USING delta",
                "INSERT INTO delta.`${root}/like/delta/chars` VALUES (1, 'abcd'), (2, 'ab')");
        SparkSession session = SparkSession.getDefaultSession().get();
        SqlLimits limits = SqlLimits.of(Json.object());
        DataRoots roots = new DataRoots(List.of(TestEngine.ROOT.toString()));
        KeptPlans none = new KeptPlans(0);
        planningAnew = new TableQueryPlanner(session, roots, limits,
                new KeptSources(roots, new ReuseLimits(100, 64L << 20, 0), none), none,
                new InlineSession(session, limits));
        TimeUnit.MILLISECONDS.sleep(100); // what changed a moment ago isn't kept
    }

    private static ObjectNode query(String source, String table, String sql) {
        ObjectNode query = TestEngine.query(source, sql.replace("$", source + "_data"));
        return source.equals("iceberg") ? query.put("table", "like." + table)
                : query.put("path", FOLDER.resolve(source).resolve(table).toString());
    }

    private static String told(List<List<String>> rows) {
        return rows.toString().replaceAll("\\[B@[0-9a-f]+", "(bytes)");
    }

    /** Rows or error, as the service answers. */
    private static String answer(ObjectNode query) throws Exception {
        try {
            return told(TestEngine.rows(query));
        } catch (TestEngine.Failed e) {
            return e.error.toString();
        }
    }

    /** The same of a planner that keeps no plan. */
    private static String answerAnew(ObjectNode query) throws Exception {
        Query asked = new Query(IDS.incrementAndGet(), QueryRequest.parse(Json.bytes(query)),
                planningAnew, SparkSession.getDefaultSession().get().sparkContext(),
                new ResultBuffer.Limits(8L << 20, 2L << 20, TestEngine.SPOOL_BYTES,
                        TestEngine.LOCAL_DIR.resolve("results")));
        assertTrue(QueryRegistry.add(asked));
        List<List<String>> rows = new ArrayList<>();
        try (ArrowSchema address = ArrowSchema.allocateNew(IMPORTED);
                CDataDictionaryProvider dictionaries = new CDataDictionaryProvider()) {
            BatchReader.exportSchema(asked.open(), address.memoryAddress());
            TestEngine.Cursor cursor = new TestEngine.Cursor(
                    Data.importSchema(IMPORTED, address, dictionaries), asked.id());
            while (TestEngine.appendBatch(cursor, rows)) {
                continue;
            }
            return told(rows);
        } catch (BridgeException e) {
            return Json.parse(e.toJson()).get("error").toString();
        } catch (TestEngine.Failed e) {
            return e.error.toString();
        } finally {
            asked.close();
            QueryRegistry.remove(asked);
        }
    }

    private static long fact(String name) throws Exception {
        return Json.parse(Bridge.facts()).get(name).asLong();
    }

    private String oneOf(List<String> all) {
        return all.get(random.nextInt(all.size()));
    }

    /** Mostly one of the first, which are of one type. */
    private String value(List<String> all) {
        return oneOf(random.nextInt(6) > 0 ? all.subList(0, Math.min(all.size(), 5)) : all);
    }

    /** Conditions with # for each value, and of which kind the values are. */
    private record Condition(String text, List<List<String>> values) {
    }

    private Condition comparison() {
        String column = oneOf(List.of("id", "whole", "short", "number", "single", "exact", "text",
                "text", "day", "even", "id + 1", "10 / (id - 3)", "CAST(text AS INT)"));
        List<String> values = switch (column) {
            case "text" -> TEXTS;
            case "day" -> DAYS;
            case "even" -> random.nextBoolean() ? TEXTS : INTS;
            default -> random.nextInt(3) > 0 ? INTS : random.nextBoolean() ? LONGS : DECIMALS;
        };
        String form = oneOf(List.of("% = #", "% < #", "% >= #", "% <=> #", "% <> #", "% > #", "% <= #",
                "# < %", "% BETWEEN # AND #", "% IN (#, #)", "NOT % = #", "% = # OR % IS NULL"))
                .replace("%", column);
        return new Condition(form, form.chars().filter(c -> c == '#').mapToObj(c -> values).toList());
    }

    private Condition condition() {
        Condition one = comparison();
        if (random.nextBoolean()) {
            return one;
        }
        Condition other = comparison();
        List<List<String>> values = new ArrayList<>(one.values);
        values.addAll(other.values);
        return new Condition("(" + one.text + (random.nextInt(3) > 0 ? ") AND (" : ") OR (")
                + other.text + ")", values);
    }

    private String filled(Condition condition) {
        String text = condition.text;
        for (List<String> values : condition.values) {
            text = text.replaceFirst("#", java.util.regex.Matcher.quoteReplacement(value(values)));
        }
        return text;
    }

    @Test
    void answersAreThoseOfAPlanOfItsOwn() throws Exception {
        for (String source : List.of("parquet", "delta", "iceberg")) {
            long hits = fact("plan_hits");
            for (int round = 0; round < (source.equals("parquet") ? ROUNDS : ROUNDS / 4); round++) {
                for (List<String> frame : FRAMES) {
                    Condition condition = condition();
                    for (int i = 0; i < 7; i++) {
                        String sql = frame.get(0) + " WHERE " + filled(condition) + frame.get(1);
                        assertEquals(answerAnew(query(source, "all", sql)),
                                answer(query(source, "all", sql)), () -> SEED + ": " + sql);
                    }
                }
            }
            assertTrue(fact("plan_hits") > hits + 2, source + " hit too seldom");
        }
    }

    @Test
    void newValuesAreNotPlannedAnew() throws Exception {
        for (String source : List.of("parquet", "delta", "iceberg")) {
            for (List<String> like : List.of(List.of("SELECT id, text FROM $ WHERE id >= # AND id < 2#", "id"),
                    List.of("SELECT text FROM $ WHERE number < #.5 AND exact <= #.25 LIMIT 9", "decimal"),
                    List.of("SELECT count(*) FROM $ WHERE text = 'n#' OR whole > #", "text"),
                    List.of("SELECT id FROM $ WHERE text <> '#' ORDER BY number DESC LIMIT 2", "sort"))) {
                for (int value = 1; value < 4; value++) {
                    answer(query(source, "all", like.get(0).replace("#", "" + value)));
                }
                long hits = fact("plan_hits");
                for (int value = 4; value < 8; value++) {
                    String sql = like.get(0).replace("#", "" + value);
                    assertEquals(answerAnew(query(source, "all", sql)),
                            answer(query(source, "all", sql)), sql);
                }
                assertEquals(hits + 4, fact("plan_hits"), source + " " + like);
            }
        }
    }

    @Test
    void filesAreReadForTheValuesOfEach() throws Exception {
        String like = "SELECT id, text FROM $ WHERE id = # AND number < #.5 ORDER BY id";
        for (int value = 1; value < 4; value++) {
            answer(query("parquet", "large", like.replace("#", "" + value)));
        }
        long hits = fact("plan_hits");
        for (int value = 5; value < 9; value++) {
            String sql = like.replace("#", "" + value);
            assertEquals("[[" + value + ", " + (value % 3 == 0 ? "null" : value % 5 == 0 ? "" : "n" + value)
                    + "]]", answer(query("parquet", "large", sql)));
        }
        assertEquals(hits + 4, fact("plan_hits"));
    }

    @Test
    void aPaddedTypeLooksAtItsValues() throws Exception {
        for (String value : List.of("abcd", "ab  ", "wxyz", "ab", "abcd", "ab")) {
            String sql = "SELECT id FROM $ WHERE code = '" + value + "'";
            assertEquals(answerAnew(query("delta", "chars", sql)),
                    answer(query("delta", "chars", sql)), sql);
        }
    }

    @Test
    void theNextStatementOfAShapeSeesACommit() throws Exception {
        OutsideWriter.write("CREATE TABLE delta.`${root}/like/delta/live` (id BIGINT) USING delta",
                "CREATE TABLE local.like.live (id BIGINT) USING iceberg",
                "INSERT OVERWRITE DIRECTORY '${root}/like/parquet/live' USING parquet"
                        + " SELECT id FROM range(0)");
        int value = 0;
        for (int commit = 1; commit <= ROUNDS / 2; commit++) {
            OutsideWriter.write("INSERT INTO delta.`${root}/like/delta/live` VALUES (" + commit + ")",
                    "INSERT INTO local.like.live VALUES (" + commit + ")",
                    "INSERT OVERWRITE DIRECTORY '${root}/like/parquet/live' USING parquet"
                            + " SELECT id FROM range(1, " + (commit + 1) + ")");
            // Enough looks at each state for it to be kept, decoded and planned, or not yet.
            for (int look = 0; look < 2 + commit % 4 * 3; look++) {
                String sql = "SELECT count(*), max(id) FROM $ WHERE id > -" + ++value;
                for (String source : List.of("delta", "iceberg", "parquet")) {
                    assertEquals("[[" + commit + ", " + commit + "]]",
                            answer(query(source, "live", sql)), source);
                }
                TimeUnit.MILLISECONDS.sleep(look % 3 * 30L);
            }
        }
    }

    @Test
    void shapesAreBounded() {
        KeptPlans plans = new KeptPlans(2);
        KeptPlans.Key key = new KeptPlans.Key(QueryRequest.Source.PARQUET, "", false, "/a", null, null,
                -1, null, -1);
        for (String shape : List.of("a", "b")) {
            assertEquals(false, plans.isAskedAgain(key.withShape(shape)));
            assertEquals(true, plans.isAskedAgain(key.withShape(shape)));
        }
        plans.refuse(key.withShape("b"));
        assertEquals(false, plans.isAskedAgain(key.withShape("b")));
        assertEquals(false, plans.isAskedAgain(key.withShape("c")));
        assertEquals(false, plans.isAskedAgain(key.withShape("a"))); // gone at the bound
    }
}
