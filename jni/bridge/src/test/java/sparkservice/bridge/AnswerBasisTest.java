package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a cursor tells of its answer: which tables it rests on, and whether it can be told again. */
@Timeout(120)
class AnswerBasisTest {

    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
        SourceFactsTest.makeTables();
    }

    private static JsonNode open(ObjectNode query) throws Exception {
        try (TestEngine.Cursor cursor = TestEngine.open(query)) {
            return cursor.answer;
        }
    }

    private static ObjectNode parquet(String sql) {
        return TestEngine.query("parquet", sql).put("path", SourceFactsTest.PARQUET.toString());
    }

    private static void checkRead(JsonNode read, String layout, Path asked) throws Exception {
        assertEquals(layout, read.path("layout").asText());
        assertEquals(asked.toString(), read.path("asked").asText());
        assertEquals(asked.toRealPath().toString(), read.path("location").asText());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "SELECT * FROM parquet_data",
        "SELECT r, count(*), sum(id), max(name) FROM parquet_data GROUP BY r ORDER BY r",
        "WITH a AS (SELECT id FROM parquet_data WHERE id > 3) SELECT * FROM a JOIN parquet_data USING (id)",
        "SELECT date_add(DATE'2024-01-31', 1), to_timestamp('2024-01-31 00:00:00') FROM parquet_data",
        "SELECT unix_timestamp(TIMESTAMP'2024-01-31 00:00:00') AS u FROM parquet_data LIMIT 1",
        "SELECT row_number() OVER (ORDER BY id) FROM parquet_data",
        "VALUES (1), (2)",
        "SELECT transform(array(1, 2), x -> x + 1)",
    })
    void canBeToldAgain(String sql) throws Exception {
        JsonNode answer = open(parquet(sql));
        // A clock is suspected by the name of its function; that costs a run, never an answer.
        assertEquals(!sql.contains("unix_timestamp"), answer.path("repeatable").asBoolean(), sql);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "SELECT rand() FROM parquet_data",
        "SELECT id FROM parquet_data WHERE rand(7) < 2",
        "SELECT uuid()",
        "SELECT shuffle(array(1, 2))",
        "SELECT now()",
        "SELECT current_timestamp",
        "SELECT CURRENT_DATE FROM parquet_data",
        "SELECT curdate()",
        "SELECT localtimestamp()",
        "SELECT unix_timestamp()",
        "SELECT id FROM parquet_data WHERE current_date() > DATE'2024-01-31'",
        "SELECT id FROM parquet_data WHERE id IN (SELECT year(now()))",
        "WITH c AS (SELECT now() AS n) SELECT n FROM c",
        "SELECT * FROM VALUES (now())",
        "SELECT * FROM (VALUES (1, current_date)) AS t(a, b)",
        "SELECT monotonically_increasing_id() FROM parquet_data",
        "SELECT id FROM parquet_data TABLESAMPLE (50 PERCENT)",
    })
    void cannotBeToldAgain(String sql) throws Exception {
        assertFalse(open(parquet(sql)).path("repeatable").asBoolean(true), sql);
    }

    @Test
    void namesTheTableOfTheRequest() throws Exception {
        JsonNode reads = open(parquet("SELECT id FROM parquet_data")).path("reads");
        assertEquals(1, reads.size());
        checkRead(reads.get(0), "files", SourceFactsTest.PARQUET);
    }

    @Test
    void namesEachTableOfTheStatement() throws Exception {
        JsonNode reads = open(TestEngine.query("delta", "SELECT count(*) FROM delta.`"
                + SourceFactsTest.DELTA + "` a JOIN delta_data b ON a.id = b.id")
                .put("path", SourceFactsTest.DELTA.toString())).path("reads");
        assertEquals(2, reads.size());
        checkRead(reads.get(0), "delta", SourceFactsTest.DELTA);
        checkRead(reads.get(1), "delta", SourceFactsTest.DELTA);
    }

    @Test
    void tellsBothEndsOfALink() throws Exception {
        Path link = TestEngine.ROOT.resolve("facts/link");
        Files.createSymbolicLink(link, SourceFactsTest.DELTA);
        JsonNode read = open(TestEngine.query("delta", "SELECT id FROM delta.`" + link + "`"))
                .path("reads").get(0);
        checkRead(read, "delta", link);
        assertEquals(SourceFactsTest.DELTA.toRealPath().toString(),
                read.path("location").asText());
    }

    @Test
    void findsTheFolderOfACatalogTable() throws Exception {
        JsonNode answer = open(TestEngine.query("iceberg", "SELECT id FROM local.facts.t"));
        assertTrue(answer.path("repeatable").asBoolean());
        checkRead(answer.path("reads").get(0), "iceberg",
                TestEngine.WAREHOUSE.resolve("facts/t"));
    }

    @Test
    void timeOfAVersionIsToldByFilesThatAnybodyCanTouch() throws Exception {
        Instant committed = Files.getLastModifiedTime(SourceFactsTest.DELTA.resolve(
                "_delta_log/00000000000000000004.json")).toInstant().truncatedTo(ChronoUnit.MILLIS);
        assertTrue(open(TestEngine.query("delta", "SELECT id FROM delta_data")
                .put("path", SourceFactsTest.DELTA.toString()).put("as_of_version", 4))
                .path("repeatable").asBoolean());
        assertFalse(open(TestEngine.query("delta", "SELECT id FROM delta_data")
                .put("path", SourceFactsTest.DELTA.toString())
                .put("as_of_timestamp", committed.toString())).path("repeatable").asBoolean(true));
    }
}
