package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Kept tables, rows and plans answer as reading anew does, and never what is no longer there. */
@Timeout(300)
class ReuseTest {
    private static final Path FOLDER = TestEngine.ROOT.resolve("reuse");
    private static final int COMMITS = System.getenv("LONG") != null ? 500 : 4;
    private static final String COLUMNS = "id, CAST(id AS STRING) AS text, id / 7D AS number,"
            + " CAST(id / 3 AS DECIMAL(20, 6)) AS exact, CAST(id AS DECIMAL(38, 10)) AS wide,"
            + " id % 2 = 0 AS even, CAST(CAST(id AS STRING) AS BINARY) AS bytes,"
            + " date_add(DATE'1890-01-01', CAST(id AS INT)) AS day,"
            + " TIMESTAMP'2024-03-31 00:30:00' + id * INTERVAL 1 HOUR AS at,"
            + " CAST(TIMESTAMP'1969-12-31 23:59:59.999999' AS TIMESTAMP_NTZ) AS local,"
            + " array(id, NULL) AS list, map(CAST(id AS STRING), named_struct('x', id)) AS tree,"
            + " CASE WHEN id % 3 = 0 THEN NULL ELSE 'n' || id END AS maybe, id % 5 AS part";
    private static final List<String> STATEMENTS = List.of(
            "SELECT * FROM $ ORDER BY id",
            "SELECT *, hex(bytes) FROM $",
            "SELECT id, number + 1, upper(maybe), exact * 2 FROM $ WHERE id > 11 ORDER BY id",
            "SELECT count(*), sum(number), sum(exact), avg(id), max(at), min(local) FROM $",
            "SELECT part, count(*) AS n, collect_list(id) FROM $ GROUP BY part ORDER BY part",
            "SELECT DISTINCT part FROM $ ORDER BY part",
            "SELECT id, maybe FROM $ WHERE maybe LIKE 'n1%' ORDER BY maybe DESC LIMIT 3 OFFSET 1",
            "SELECT id FROM $ WHERE id < 0",
            "SELECT a.id FROM $ a JOIN $ b ON a.id = b.id + 1 ORDER BY a.id",
            "SELECT id FROM $ WHERE id = (SELECT max(id) FROM $)",
            "WITH w AS (SELECT part, id FROM $) SELECT max(id), part FROM w GROUP BY part"
                    + " HAVING max(id) > 15 ORDER BY 1",
            "SELECT id, row_number() OVER (PARTITION BY part ORDER BY id) FROM $ ORDER BY id");

    @BeforeAll
    static void write() throws Exception {
        TestEngine.start();
        OutsideWriter.write(
                "CREATE NAMESPACE IF NOT EXISTS local.reuse",
                "INSERT OVERWRITE DIRECTORY '${root}/reuse/parquet/all' USING parquet SELECT "
                        + COLUMNS + " FROM range(0, 20, 1, 1)",
                "CREATE TABLE delta.`${root}/reuse/delta/all` USING delta PARTITIONED BY (part)"
                        + " TBLPROPERTIES ('delta.columnMapping.mode' = 'name',"
                        + " 'delta.enableDeletionVectors' = 'true') AS SELECT " + COLUMNS
                        + " FROM range(0, 22, 1, 1)",
                "ALTER TABLE delta.`${root}/reuse/delta/all` RENAME COLUMN maybe TO was",
                "ALTER TABLE delta.`${root}/reuse/delta/all` RENAME COLUMN was TO maybe",
                "DELETE FROM delta.`${root}/reuse/delta/all` WHERE id >= 20",
                "CREATE TABLE local.reuse.all USING iceberg PARTITIONED BY (part) AS SELECT "
                        + COLUMNS + " FROM range(0, 20, 1, 1)");
        TimeUnit.MILLISECONDS.sleep(100); // what changed a moment ago isn't kept
    }

    private static ObjectNode all(String source, String sql) {
        ObjectNode query = TestEngine.query(source, sql.replace("$", source + "_data"));
        return source.equals("iceberg") ? query.put("table", "reuse.all")
                : query.put("path", FOLDER.resolve(source).resolve("all").toString());
    }

    private static long fact(String name) throws Exception {
        return Json.parse(Bridge.facts()).get(name).asLong();
    }

    /** As text, with names and types of the columns. */
    private static String answer(ObjectNode query) throws Exception {
        List<List<String>> rows = new ArrayList<>();
        String columns;
        try (TestEngine.Cursor cursor = TestEngine.open(query)) {
            columns = cursor.schema.toJson();
            while (TestEngine.appendBatch(cursor, rows)) {
                continue;
            }
        }
        return columns + rows.toString().replaceAll("\\[B@[0-9a-f]+", "(bytes)");
    }

    @Test
    void rowsInMemoryAreThoseOfTheFiles() throws Exception {
        for (String source : List.of("parquet", "delta", "iceberg")) {
            for (String sql : STATEMENTS) {
                String first = answer(all(source, sql));
                for (int i = 0; i < 2; i++) {
                    assertEquals(first, answer(all(source, sql)), source + ": " + sql);
                }
            }
            assertEquals(TestEngine.rows(all(source, "SELECT * FROM $ ORDER BY id")).size(), 20);
        }
        assertTrue(fact("kept_source_bytes") > 0);
    }

    @Test
    void aLargeTableIsReadFromItsFiles() throws Exception {
        for (int rows : List.of(SmallTable.MAX_ROWS + 1, SmallTable.MAX_ROWS)) {
            OutsideWriter.write("INSERT OVERWRITE DIRECTORY '${root}/reuse/parquet/rows" + rows
                    + "' USING parquet SELECT id FROM range(0, " + rows + ", 1, 2)");
            TimeUnit.MILLISECONDS.sleep(100);
            long before = fact("kept_source_bytes");
            for (int i = 0; i < 4; i++) {
                assertEquals(List.of(List.of("" + rows)), TestEngine.rows("parquet",
                        FOLDER.resolve("parquet/rows" + rows), "SELECT count(*) FROM parquet_data"));
            }
            assertEquals(rows <= SmallTable.MAX_ROWS, fact("kept_source_bytes") > before);
        }
    }

    @Test
    void rowsThatWereUsedLongestAgoGoAtTheBound() throws Exception {
        Path path = FOLDER.resolve("parquet").resolve("all").toRealPath();
        SparkSession session = SparkSession.getDefaultSession().get();
        LogicalPlan relation = SparkLine.analyzed(session.read().parquet(path.toString()));
        long bytes = SmallTable.decode(session, relation, Long.MAX_VALUE).bytes();
        KeptSources kept = new KeptSources(new DataRoots(List.of(TestEngine.ROOT.toString())),
                new ReuseLimits(100, KeptSources.TABLES_MIN * bytes, 0), new KeptPlans(0));
        List<KeptSources.Source> tables = new ArrayList<>();
        for (int i = 0; i <= KeptSources.TABLES_MIN; i++) {
            assertTrue(tables.stream().allMatch(KeptSources.Source::isKept), "no bound reached");
            KeptSources.Key key = new KeptSources.Key(QueryRequest.Source.PARQUET, "t" + i, -1, null);
            AnswerBasis.TableRead read = new AnswerBasis.TableRead("files", path.toString(),
                    path.toString());
            kept.open(key, read, () -> relation);
            tables.add(kept.open(key, read, () -> relation)); // rows are for its second use
            assertEquals(bytes, kept.rows(tables.get(i), session).bytes());
        }
        assertFalse(tables.get(0).isKept());
        assertTrue(tables.get(1).isKept());
        kept.forgetRows();
        assertFalse(tables.get(1).isKept());
    }

    @Test
    void aKnownStatementIsNotPlannedAnew() throws Exception {
        for (String source : List.of("parquet", "delta", "iceberg")) {
            String sql = "SELECT id + 1 AS next FROM $ WHERE id < 3";
            List<List<String>> rows = TestEngine.rows(all(source, sql));
            TestEngine.rows(all(source, sql));
            TestEngine.rows(all(source, sql));
            long hits = fact("plan_hits");
            assertEquals(rows, TestEngine.rows(all(source, sql)));
            assertEquals(hits + 1, fact("plan_hits"), source);
            // Another limit, other parameters, another statement: not the same plan.
            assertEquals(2, TestEngine.rows(all(source, sql).put("row_limit", 1)).size());
            assertEquals(3, TestEngine.rows(all(source, sql)).size());
            String byParam = "SELECT id FROM $ WHERE id < :n";
            for (int n = 1; n < 4; n++) {
                ObjectNode query = all(source, byParam).put("params_json", "{\"n\":" + n + "}");
                assertEquals(n, TestEngine.rows(query).size());
            }
        }
    }

    @Test
    void errorsAreTheSame() throws Exception {
        for (String sql : List.of("SELECT nope FROM $", "SELECT 1 / (id - 3) FROM $",
                "SELECT CAST(maybe AS INT) FROM $ ORDER BY id", "SELECT sum(id FROM $",
                "SELECT list[7] FROM $", "SELECT reflect('java.lang.System', 'exit', 1) FROM $")) {
            JsonNode first = TestEngine.failure(all("delta", sql)).error;
            for (int i = 0; i < 3; i++) {
                assertEquals(first, TestEngine.failure(all("delta", sql)).error, sql);
            }
        }
    }

    @Test
    void whatDrawsLotsIsPlannedAnew() throws Exception {
        String sql = "SELECT rand() AS r FROM $ WHERE id = 1";
        TestEngine.rows(all("parquet", sql));
        TestEngine.rows(all("parquet", sql));
        long hits = fact("plan_hits");
        assertNotEquals(TestEngine.rows(all("parquet", sql)), TestEngine.rows(all("parquet", sql)));
        assertEquals(hits, fact("plan_hits"));
    }

    @Test
    void metadataColumnsAreThoseOfTheFiles() throws Exception {
        String sql = "SELECT _metadata.file_name AS f, id FROM $ WHERE id = 1";
        List<List<String>> first = TestEngine.rows(all("parquet", sql));
        assertTrue(first.get(0).get(0).endsWith(".parquet"), first.toString());
        for (int i = 0; i < 3; i++) {
            assertEquals(first, TestEngine.rows(all("parquet", sql)));
        }
    }

    @Test
    void theNextStatementSeesACommit() throws Exception {
        OutsideWriter.write("CREATE TABLE delta.`${root}/reuse/delta/live` (id BIGINT) USING delta",
                "CREATE TABLE local.reuse.live (id BIGINT) USING iceberg",
                "INSERT OVERWRITE DIRECTORY '${root}/reuse/parquet/live' USING parquet"
                        + " SELECT id FROM range(0)");
        for (int commit = 1; commit <= COMMITS; commit++) {
            OutsideWriter.write("INSERT INTO delta.`${root}/reuse/delta/live` VALUES (" + commit + ")",
                    "INSERT INTO local.reuse.live VALUES (" + commit + ")",
                    "INSERT OVERWRITE DIRECTORY '${root}/reuse/parquet/live' USING parquet"
                            + " SELECT id FROM range(1, " + (commit + 1) + ")");
            // Enough looks at each state for it to be kept, decoded and planned, or not yet.
            for (int look = 0; look < 1 + commit % 4 * 3; look++) {
                for (String source : List.of("delta", "iceberg", "parquet")) {
                    ObjectNode query = TestEngine.query(source,
                            "SELECT count(*), max(id) FROM " + source + "_data");
                    query = source.equals("iceberg") ? query.put("table", "reuse.live")
                            : query.put("path", FOLDER.resolve(source).resolve("live").toString());
                    assertEquals(List.of(List.of("" + commit, "" + commit)),
                            TestEngine.rows(query), source);
                }
                TimeUnit.MILLISECONDS.sleep(look % 3 * 30L);
            }
        }
    }

    @Test
    void runsAtTheSameTimeAndAfterACancelAreRight() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (String sql : List.of("SELECT part, count(*), sum(exact) FROM $ WHERE"
                    + " regexp_replace(text, '1', 'x') <> '7' GROUP BY part ORDER BY part",
                    "SELECT a.id, b.text FROM $ a JOIN $ b ON a.id = b.id ORDER BY a.id")) {
                List<List<String>> rows = TestEngine.rows(all("delta", sql));
                TestEngine.rows(all("delta", sql));
                List<Future<List<List<String>>>> runs = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    ObjectNode query = all("delta", sql);
                    runs.add(threads.submit(() -> TestEngine.rows(query)));
                    ObjectNode leaver = all("delta", sql);
                    threads.submit(() -> {
                        try (TestEngine.Cursor cursor = TestEngine.open(leaver)) {
                            Bridge.cancel(leaver.get("tag").asText().getBytes());
                        }
                        return null;
                    });
                }
                for (Future<List<List<String>>> run : runs) {
                    assertEquals(rows, run.get());
                }
                assertEquals(rows, TestEngine.rows(all("delta", sql)));
            }
        } finally {
            threads.shutdown();
            assertTrue(threads.awaitTermination(60, TimeUnit.SECONDS));
        }
        assertEquals(0, QueryRegistry.size());
    }

    @Test
    void aCancelEndsWhatRunsInPlace() throws Exception {
        String slow = "SELECT sum(aggregate(sequence(1, 3000), 0L, (a, x) -> a"
                + " + aggregate(sequence(1, 3000), 0L, (b, y) -> b + x * y % (id + 7)))) FROM $";
        TestEngine.rows(all("parquet", "SELECT id FROM $"));
        TestEngine.rows(all("parquet", "SELECT id FROM $"));
        ObjectNode query = all("parquet", slow);
        try (TestEngine.Cursor cursor = TestEngine.open(query)) {
            assertFalse(cursor.source.isMissingNode());
            long begin = System.nanoTime();
            Bridge.cancel(query.get("tag").asText().getBytes());
            cursor.close();
            assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(20));
        }
        assertEquals(0, QueryRegistry.size());
    }
}
