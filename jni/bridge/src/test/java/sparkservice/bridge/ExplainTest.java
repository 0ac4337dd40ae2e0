package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Plans that are told and not run. */
@Timeout(120)
class ExplainTest {
    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
        SourceFactsTest.makeTables();
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(0, QueryRegistry.size());
        assertEquals(0, TestEngine.allocatedBytes());
    }

    private static ObjectNode parquet(String sql) {
        return TestEngine.query("parquet", sql).put("path", SourceFactsTest.PARQUET.toString());
    }

    private static ObjectNode delta(String sql) {
        return TestEngine.query("delta", sql).put("path", SourceFactsTest.DELTA.toString());
    }

    private static List<String> pushed(JsonNode explanation) {
        List<String> texts = new ArrayList<>();
        explanation.get("pushed_filters").forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static List<String> unpushed(JsonNode explanation) {
        List<String> texts = new ArrayList<>();
        explanation.get("unpushed_filters").forEach(filter -> texts.add(
                filter.get("filter").asText() + ": " + filter.get("reason").asText()));
        return texts;
    }

    private static void assertUnpushed(String part, String reason, JsonNode explanation) {
        assertTrue(unpushed(explanation).stream().anyMatch(
                text -> text.contains(part) && text.endsWith(": " + reason)),
                explanation.toString());
    }

    @Test
    void aPlanHasTextSchemaAndFiles() throws Exception {
        TestEngine.Explained told = TestEngine.explain(parquet(
                "SELECT id, count(*) AS n FROM parquet_data GROUP BY id"));
        assertTrue(told.answer.get("plan").asText().startsWith("== Physical Plan =="),
                told.answer.toString());
        assertTrue(told.answer.get("plan").asText().contains("Scan parquet"));
        assertEquals(List.of("id", "n"), told.schema.getFields().stream()
                .map(field -> field.getName()).toList());
        assertEquals(4, told.answer.get("source").get("files_read").asInt());
        assertEquals(4, told.answer.get("source").get("files_total").asInt());
    }

    @Test
    void nothingRuns() throws Exception {
        QueryProgress progress = new QueryProgress();
        SparkContext context = SparkContext.getOrCreate();
        // Minutes of work, with a join, a sub-query and a sort.
        ObjectNode query = TestEngine.query("parquet", "SELECT a.id % 3, count(*)"
                + " FROM range(0, 8000000000, 1, 8) a JOIN range(0, 1000, 1, 2) b ON a.id = b.id"
                + " WHERE a.id > (SELECT min(id) FROM range(0, 8000000000, 1, 8)) GROUP BY 1"
                + " ORDER BY 1");
        context.addSparkListener(progress);
        progress.begin(query.get("tag").asText());
        try {
            TestEngine.explain(query);
            context.listenerBus().waitUntilEmpty(60_000);
            assertEquals(QueryProgress.Counts.NONE, progress.all().get(query.get("tag").asText()));
        } finally {
            context.removeSparkListener(progress);
        }
    }

    @Test
    void parquetTakesComparisonsAndLeavesFunctions() throws Exception {
        JsonNode told = TestEngine.explain(parquet("SELECT id FROM parquet_data WHERE id > 25"
                + " AND name LIKE 'name 3%' AND upper(name) <> 'X' AND rand() < 0.5")).answer;
        assertTrue(pushed(told).contains("(id > 25L)"), told.toString());
        assertTrue(pushed(told).stream().anyMatch(text -> text.contains("name 3")), told.toString());
        assertUnpushed("upper(name)", "the source has no form for it", told);
        assertUnpushed("rand(", "it is not deterministic", told);
        assertEquals(2, unpushed(told).size(), told.toString());
    }

    @Test
    void conditionsAboveTheScanSayWhy() throws Exception {
        JsonNode told = TestEngine.explain(parquet("SELECT r, count(*) AS n FROM parquet_data"
                + " WHERE id > (SELECT avg(id) FROM parquet_data) GROUP BY r HAVING count(*) > 3"))
                .answer;
        assertUnpushed("scalarsubquery", "its sub-query has no value before the query runs", told);
        assertUnpushed("> 3", "it needs a column that the source doesn't have", told);
    }

    @Test
    void deltaSkipsFiles() throws Exception {
        JsonNode told = TestEngine.explain(delta(
                "SELECT name FROM delta_data WHERE id = 25 AND length(name) = 7")).answer;
        assertTrue(pushed(told).contains("(id = 25L)"), told.toString());
        assertUnpushed("length(name)", "the source has no form for it", told);
        assertEquals(1, told.get("source").get("files_read").asInt());
        assertEquals(4, told.get("source").get("files_total").asInt());
        assertEquals("4", told.get("source").get("version").asText());
    }

    @Test
    void icebergTellsItsFiltersInItsWords() throws Exception {
        JsonNode told = TestEngine.explain(TestEngine.query("iceberg",
                "SELECT name FROM facts.t WHERE id = 25 AND length(name) = 7")).answer;
        assertTrue(pushed(told).contains("id = 25"), told.toString());
        assertUnpushed("length(name)", "the source has no form for it", told);
        assertEquals(1, unpushed(told).size(), told.toString());
        assertEquals(1, told.get("source").get("files_read").asInt());
    }

    @Test
    void theGatesAreTheSame() throws Exception {
        assertEquals("forbidden", TestEngine.explainFailure(
                parquet("SELECT * FROM parquet.`/etc`")).code());
        assertEquals("forbidden", TestEngine.explainFailure(parquet("SELECT 1")
                .put("sql", "DROP TABLE parquet_data")).code());
        assertEquals("forbidden", TestEngine.explainFailure(TestEngine.query("parquet",
                "SELECT * FROM parquet_data").put("path", "/etc")).code());
        assertEquals("42703", TestEngine.explainFailure(
                parquet("SELECT nope FROM parquet_data")).sqlState());
        assertEquals("bad_request", TestEngine.explainFailure(
                TestEngine.query("mysql", "SELECT 1")).code());
    }

    @Test
    void noPathOutsideTheRootsIsTold() throws Exception {
        for (ObjectNode query : List.of(parquet("SELECT * FROM parquet_data"),
                delta("SELECT * FROM delta_data WHERE id > 3"),
                TestEngine.query("iceberg", "SELECT * FROM facts.t"))) {
            String text = TestEngine.explain(query).answer.toString();
            assertFalse(text.replace(TestEngine.ROOT.toString(), "")
                    .contains(TestEngine.HOME.toString()), text);
        }
    }
}
