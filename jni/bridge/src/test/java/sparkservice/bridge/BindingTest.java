package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Which names a statement sees, what they stand for, and which version of it. */
class BindingTest {
    private static final Path PARQUET = TestEngine.ROOT.resolve("bind/parquet");
    private static final Path DELTA = TestEngine.ROOT.resolve("bind/delta");

    @BeforeAll
    static void sample() throws Exception {
        TestEngine.start();
        OutsideWriter.write(
                "INSERT OVERWRITE DIRECTORY '${root}/bind/parquet' USING parquet"
                        + " SELECT id, concat('n', id) AS name FROM range(3)",
                "INSERT OVERWRITE DIRECTORY '${root}/bind/p art/k=1' USING parquet SELECT 7L AS id",
                "CREATE TABLE delta.`${root}/bind/delta` USING delta AS SELECT 1 AS v",
                "INSERT INTO delta.`${root}/bind/delta` VALUES (2)",
                "CREATE TABLE local.bind.t USING iceberg AS SELECT 1 AS v",
                "INSERT INTO local.bind.t VALUES (2)");
    }

    private static List<List<String>> parquet(String sql) throws Exception {
        return TestEngine.rows("parquet", PARQUET, sql);
    }

    private static List<List<String>> one(Object value) {
        return List.of(List.of(String.valueOf(value)));
    }

    @Test
    void aCteShadowsTheBoundName() throws Exception {
        assertEquals(one(42), parquet("WITH parquet_data AS (SELECT 42 AS x) SELECT * FROM parquet_data"));
        assertEquals(one(42), parquet("WITH PARQUET_DATA AS (SELECT 42 AS x)"
                + " SELECT (SELECT x FROM parquet_data)"));
        assertEquals(one(42), parquet("SELECT * FROM (WITH parquet_data AS (SELECT 42)"
                + " SELECT * FROM parquet_data)"));
    }

    @Test
    void aCteOfTheBoundNameReadsTheTable() throws Exception {
        assertEquals(one(3), parquet("WITH parquet_data AS (SELECT * FROM parquet_data)"
                + " SELECT count(*) FROM parquet_data"));
    }

    @Test
    void aCteOfAnInnerQueryDoesNotShadowTheOuter() throws Exception {
        assertEquals(one(4), parquet("SELECT count(*) FROM (SELECT id FROM parquet_data UNION ALL"
                + " SELECT * FROM (WITH parquet_data AS (SELECT 9L) SELECT * FROM parquet_data))"));
    }

    @Test
    void selfJoinsAndSubqueriesKeepTheirColumnsApart() throws Exception {
        assertEquals(one(2), parquet("SELECT count(*) FROM parquet_data a JOIN parquet_data b"
                + " ON a.id = b.id + 1 WHERE a.id > (SELECT min(id) FROM parquet_data)"));
    }

    @Test
    void anUnknownNameIsSparksOwnError() {
        TestEngine.Failed failure = TestEngine.failure(
                TestEngine.query("parquet", "SELECT *\n  FROM nope").put("path", PARQUET.toString()));
        assertEquals("sql_error", failure.code());
        assertEquals("42P01", failure.sqlState());
        assertEquals("TABLE_OR_VIEW_NOT_FOUND", failure.error.path("error_class").asText());
        assertEquals(2, failure.error.path("line").asInt());
        assertEquals(8, failure.error.path("column").asInt());
    }

    @Test
    void noNameSurvivesItsRequest() throws Exception {
        parquet("SELECT * FROM parquet_data");
        assertEquals("bad_request", TestEngine.failure(
                TestEngine.query("parquet", "SELECT * FROM parquet_data")).code());
    }

    @Test
    void parquetTakesAFileAndAFolderOfPartitions() throws Exception {
        try (var files = Files.list(PARQUET)) {
            Path file = files.filter(path -> path.toString().endsWith(".parquet")).findFirst()
                    .orElseThrow();
            assertTrue(TestEngine.rows("parquet", file, "SELECT id FROM parquet_data").size() <= 3);
        }
        assertEquals(List.of(List.of("7", "1")), TestEngine.rows("parquet",
                TestEngine.ROOT.resolve("bind/p art"), "SELECT id, k FROM parquet_data"));
    }

    @Test
    void deltaByNameByPathAndByVersion() throws Exception {
        assertEquals(one(2), TestEngine.rows("delta", DELTA, "SELECT count(*) FROM delta_data"));
        assertEquals(one(4), TestEngine.rows(TestEngine.query("delta",
                "SELECT count(*) FROM delta.`" + DELTA + "` a, DELTA.`" + DELTA + "` b")));
        assertEquals(one(1), TestEngine.rows(TestEngine.query("delta",
                "SELECT count(*) FROM delta_data").put("path", DELTA.toString())
                .put("as_of_version", 0)));
        TestEngine.Failed failure = TestEngine.failure(TestEngine.query("delta",
                "SELECT * FROM delta_data").put("path", DELTA.toString()).put("as_of_version", 99));
        assertEquals("sql_error", failure.code(), failure.error.toString());
    }

    @Test
    void icebergByPathByTableAndBySnapshot() throws Exception {
        Path path = TestEngine.WAREHOUSE.resolve("bind/t");
        assertEquals(one(2), TestEngine.rows("iceberg", path, "SELECT count(*) FROM iceberg_data"));
        for (String table : List.of("bind.t", "local.bind.t")) {
            assertEquals(one(2), TestEngine.rows(TestEngine.query("iceberg",
                    "SELECT count(*) FROM iceberg_data").put("table", table)));
            assertEquals(one(2), TestEngine.rows(TestEngine.query("iceberg",
                    "SELECT count(*) FROM " + table)));
        }
        String first = TestEngine.rows(TestEngine.query("iceberg",
                "SELECT CAST(snapshot_id AS STRING) FROM local.bind.t.snapshots"
                        + " ORDER BY committed_at LIMIT 1")).get(0).get(0);
        assertEquals(one(1), TestEngine.rows(TestEngine.query("iceberg",
                "SELECT count(*) FROM iceberg_data").put("table", "bind.t")
                .put("as_of_snapshot_id", first)));
        assertEquals(one(1), TestEngine.rows(TestEngine.query("iceberg",
                "SELECT count(*) FROM iceberg_data").put("path", path.toString())
                .put("as_of_snapshot_id", first)));
    }

    @Test
    void whatIsMissingIsNotFound() {
        for (String source : List.of("parquet", "delta", "iceberg")) {
            TestEngine.Failed failure = TestEngine.failure(TestEngine.query(source,
                    "SELECT * FROM " + source + "_data")
                    .put("path", TestEngine.ROOT.resolve("missing").toString()));
            assertEquals("not_found", failure.code(), failure.error.toString());
        }
        TestEngine.Failed failure = TestEngine.failure(TestEngine.query("iceberg",
                "SELECT * FROM iceberg_data").put("table", "bind.missing"));
        assertEquals("not_found", failure.code(), failure.error.toString());
        failure = TestEngine.failure(TestEngine.query("iceberg", "SELECT * FROM bind.missing"));
        assertEquals("sql_error", failure.code(), failure.error.toString());
        assertEquals("42P01", failure.sqlState());
    }

    @Test
    void whatIsSomethingElseSaysSo() throws Exception {
        Path folder = Files.createDirectories(TestEngine.ROOT.resolve("bind/other"));
        Files.writeString(folder.resolve("a.parquet"), "not parquet at all");
        for (String source : List.of("parquet", "delta", "iceberg")) {
            TestEngine.Failed failure = TestEngine.failure(TestEngine.query(source,
                    "SELECT * FROM " + source + "_data").put("path", folder.toString()));
            assertTrue(List.of("sql_error", "not_found", "source_error").contains(failure.code()),
                    source + " " + failure.error);
        }
    }

    @Test
    void describeTellsTheColumns() throws Exception {
        assertEquals(List.of(List.of("id", "bigint", "null"), List.of("name", "string", "null")),
                parquet("DESCRIBE parquet_data"));
        assertEquals("42P01", TestEngine.failure(TestEngine.query("parquet", "DESCRIBE nope")
                .put("path", PARQUET.toString())).sqlState());
    }

    @Test
    void parametersAreBoundAndNotPasted() throws Exception {
        assertEquals(List.of(List.of("9007199254740993", "0.5", "x' OR '1'='1", "true", "null",
                "[1,2]", "1.50")), TestEngine.rows(TestEngine.query("parquet",
                "SELECT :i, :d, :s, :b, :n, :a, :m").put("params_json", """
                {"i": 9007199254740993, "d": 0.5, "s": "x' OR '1'='1", "b": true, "n": null,
                 "a": [1, 2], "m": {"type": "DECIMAL(10,2)", "value": "1.50"}}""")));
        assertEquals(one(1), TestEngine.rows(TestEngine.query("parquet",
                "WITH c AS (SELECT * FROM parquet_data WHERE id = :id) SELECT count(*) FROM c"
                        + " WHERE id IN (SELECT id FROM parquet_data WHERE id = :id)")
                .put("path", PARQUET.toString()).put("params_json", "{\"id\": 1}")));
        assertEquals("UNBOUND_SQL_PARAMETER", TestEngine.failure(TestEngine.query("parquet",
                "SELECT :x").put("params_json", "{\"y\": 1}")).error.path("error_class").asText());
    }

    @Test
    void badParametersAreNamed() {
        for (String params : List.of("{\"p\": {\"type\": \"DECIMAL(5,2)\", \"value\": \"x\"}}",
                "{\"p\": {\"type\": \"NOPE\", \"value\": \"1\"}}", "{\"p\": {\"value\": \"1\"}}",
                "{\"p\": {\"type\": \"INT\", \"value\": \"1\", \"z\": 1}}",
                "{\"p\": 99999999999999999999}", "{\"p\": [[1]]}", "[1]", "{")) {
            assertEquals("bad_request", TestEngine.failure(TestEngine.query("parquet", "SELECT :p")
                    .put("params_json", params)).code(), params);
        }
    }

    @Test
    void aReadSeesTheNewestCommitOfAnotherWriter() throws Exception {
        OutsideWriter.write(
                "CREATE TABLE delta.`${root}/fresh/delta` USING delta AS SELECT 0 AS v",
                "CREATE TABLE local.fresh.t USING iceberg AS SELECT 0 AS v",
                "INSERT OVERWRITE DIRECTORY '${root}/fresh/parquet' USING parquet SELECT 0 AS v");
        Path root = TestEngine.ROOT.resolve("fresh");
        for (int commit = 1; commit <= 5; commit++) {
            OutsideWriter.write("INSERT INTO delta.`${root}/fresh/delta` VALUES (" + commit + ")",
                    "INSERT INTO local.fresh.t VALUES (" + commit + ")",
                    "INSERT OVERWRITE DIRECTORY '${root}/fresh/parquet' USING parquet SELECT "
                            + commit + " AS v");
            assertEquals(one(commit), TestEngine.rows("delta", root.resolve("delta"),
                    "SELECT max(v) FROM delta_data"));
            assertEquals(one(commit), TestEngine.rows(TestEngine.query("iceberg",
                    "SELECT max(v) FROM fresh.t")));
            assertEquals(one(commit), TestEngine.rows("iceberg",
                    TestEngine.WAREHOUSE.resolve("fresh/t"), "SELECT max(v) FROM iceberg_data"));
            assertEquals(one(commit), TestEngine.rows("parquet", root.resolve("parquet"),
                    "SELECT max(v) FROM parquet_data"));
        }
        TestEngine.deleteTree(root.resolve("delta"));
        OutsideWriter.write("CREATE TABLE delta.`${root}/fresh/delta` USING delta AS"
                + " SELECT 'again' AS w");
        assertEquals(one("again"), TestEngine.rows("delta", root.resolve("delta"),
                "SELECT * FROM delta_data"));
    }
}
