package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a cursor knows of its source once it is planned. */
@Timeout(120)
class SourceFactsTest {
    static final Path PARQUET = TestEngine.ROOT.resolve("facts/parquet");
    static final Path DELTA = TestEngine.ROOT.resolve("facts/delta");

    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
        makeTables();
    }

    /** Four files each, ids 0–9, 10–19 …; Delta version 4 and the fourth Iceberg snapshot. */
    static synchronized void makeTables() throws IOException {
        if (Files.exists(PARQUET)) {
            return;
        }
        OutsideWriter.write("INSERT OVERWRITE DIRECTORY '${root}/facts/parquet' USING parquet"
                + " SELECT id, id % 7 AS r, 'name ' || id AS name FROM range(0, 40, 1, 4)",
                "CREATE TABLE delta.`${root}/facts/delta` (id BIGINT, name STRING) USING delta",
                "CREATE TABLE local.facts.t (id BIGINT, name STRING) USING iceberg");
        for (int i = 0; i < 4; i++) {
            String rows = " SELECT id, 'name ' || id FROM range(" + 10 * i + ", "
                    + 10 * (i + 1) + ", 1, 1)";
            OutsideWriter.write("INSERT INTO delta.`${root}/facts/delta`" + rows,
                    "INSERT INTO local.facts.t" + rows);
        }
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(0, QueryRegistry.size());
        assertEquals(0, TestEngine.allocatedBytes());
    }

    /** Of the files, whatever is in memory of them: a statement that draws lots reads them. */
    private static JsonNode source(ObjectNode query) throws Exception {
        String sql = query.get("sql").asText();
        query.put("sql", "SELECT *, rand() FROM (" + sql + ")");
        try (TestEngine.Cursor cursor = TestEngine.open(query)) {
            return cursor.source;
        }
    }

    private static JsonNode source(String kind, Path path, String sql) throws Exception {
        return source(TestEngine.query(kind, sql).put("path", path.toString()));
    }

    private static ObjectNode iceberg(String sql) {
        return TestEngine.query("iceberg", sql);
    }

    private static void assertFiles(int read, int total, JsonNode source) {
        assertEquals(read, source.path("files_read").asInt(-1), source.toString());
        assertEquals(total, source.path("files_total").asInt(-1), source.toString());
        long bytesRead = source.path("bytes_read").asLong(-1);
        long bytesTotal = source.path("bytes_total").asLong(-1);
        assertTrue(read == 0 ? bytesRead == 0 : bytesRead > 0, source.toString());
        assertEquals(read == total, bytesRead == bytesTotal, source.toString());
    }

    @Test
    void parquetTellsItsFiles() throws Exception {
        JsonNode whole = source("parquet", PARQUET, "SELECT * FROM parquet_data");
        assertFiles(4, 4, whole);
        long bytes = 0;
        try (var files = Files.list(PARQUET)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".parquet")).toList()) {
                bytes += Files.size(file);
            }
        }
        assertEquals(bytes, whole.get("bytes_read").asLong());
        assertTrue(whole.path("version").isMissingNode());
    }

    @Test
    void parquetTellsWhatPartitionsLeave() throws Exception {
        Path path = TestEngine.ROOT.resolve("facts/partitioned");
        for (int p = 0; p < 4; p++) {
            OutsideWriter.write("INSERT OVERWRITE DIRECTORY '${root}/facts/partitioned/p=" + p
                    + "' USING parquet SELECT id FROM range(0, 10, 1, 1)");
        }
        assertFiles(1, 4, source("parquet", path, "SELECT id FROM parquet_data WHERE p = 2"));
        assertFiles(2, 4, source("parquet", path,
                "SELECT a.id, count(*) FROM parquet_data a WHERE p > 1 GROUP BY 1 ORDER BY 1"));
    }

    @Test
    void deltaTellsVersionAndWhatStatisticsLeave() throws Exception {
        JsonNode one = source("delta", DELTA, "SELECT name FROM delta_data WHERE id = 25");
        assertFiles(1, 4, one);
        assertEquals("4", one.get("version").asText());
        JsonNode none = source("delta", DELTA, "SELECT name FROM delta_data WHERE id = 99");
        assertFiles(0, 4, none);
        JsonNode older = source(TestEngine.query("delta", "SELECT name FROM delta_data")
                .put("path", DELTA.toString()).put("as_of_version", 2));
        assertFiles(2, 2, older);
        assertEquals("2", older.get("version").asText());
        assertFiles(5, 8, source("delta", DELTA, "SELECT a.id FROM delta_data a"
                + " JOIN delta_data b ON a.id = b.id + 1 WHERE b.id = 25"
                + " AND a.name <> b.name AND a.id > -1"));
    }

    @Test
    void icebergTellsSnapshotAndWhatStatisticsLeave() throws Exception {
        JsonNode one = source(iceberg("SELECT name FROM facts.t WHERE id = 25"));
        assertFiles(1, 4, one);
        String newest = TestEngine.rows(iceberg(
                "SELECT name FROM facts.t WHERE id = 25")).get(0).get(0);
        assertEquals("name 25", newest);
        assertTrue(one.get("version").asText().matches("\\d+"), one.toString());
        JsonNode whole = source(iceberg("SELECT * FROM facts.t"));
        assertFiles(4, 4, whole);
        assertEquals(one.get("version"), whole.get("version"));
    }

    @Test
    void severalTablesHaveNoOneVersion() throws Exception {
        JsonNode two = source(TestEngine.query("delta", "SELECT a.id FROM delta.`" + DELTA
                + "` a JOIN delta.`" + TestEngine.ROOT + "/facts/other` b ON a.id = b.id"));
        assertFiles(5, 5, two);
        assertTrue(two.path("version").isMissingNode(), two.toString());
    }

    @BeforeAll
    static void makeOther() throws IOException {
        OutsideWriter.write("CREATE TABLE delta.`${root}/facts/other` USING delta AS"
                + " SELECT id FROM range(0, 10, 1, 1)");
    }

    @Test
    void aQueryWithoutATableHasNoFacts() throws Exception {
        assertEquals(Json.object(), source(TestEngine.query("parquet", "SELECT 1")));
        assertEquals(List.of(), List.copyOf(TestEngine.rows(
                TestEngine.query("parquet", "SELECT id FROM range(5) WHERE id > 9"))));
    }
}
