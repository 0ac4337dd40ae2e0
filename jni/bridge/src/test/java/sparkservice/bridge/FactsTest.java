package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import org.apache.spark.SparkContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the engine tells of running queries and of the JVM's memory. */
@Timeout(120)
class FactsTest {
    /** Eight tasks that take minutes, then a second stage. */
    private static final String SLOW = "SELECT id % 3, count(*) FROM range(0, 8000000000, 1, 8)"
            + " WHERE pow(id, 0.5) + sin(id) < -2 GROUP BY 1";

    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertEquals(0, QueryRegistry.size());
        assertEquals(0, facts().get("queries").size());
        assertEquals(0, facts().get("waiting_bytes").asLong());
    }

    private static JsonNode facts() throws IOException {
        JsonNode facts = Json.parse(Bridge.facts());
        assertNull(facts.get("error"), facts.toString());
        return facts;
    }

    private static JsonNode progress(String tag) {
        try {
            for (JsonNode query : facts().get("queries")) {
                if (query.get("tag").asText().equals(tag)) {
                    return query;
                }
            }
            return null;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String counts(JsonNode query) {
        return query.get("stages_done") + "/" + query.get("stages") + " "
                + query.get("tasks_done") + "/" + query.get("tasks");
    }

    @Test
    void aSkippedStageIsNotCounted() throws Exception {
        // Adaptive execution runs the grouping's first half as a job of its own; the job of the
        // second half names both.
        ObjectNode query = TestEngine.query("parquet",
                "SELECT id % 4, count(*) FROM range(0, 1000, 1, 4) GROUP BY 1");
        String tag = query.get("tag").asText();
        try (TestEngine.Cursor cursor = TestEngine.open(query)) {
            ResultTest.awaitTrue(() -> QueryRegistry.byId(cursor.id).hasEnded());
            ResultTest.awaitTrue(() -> counts(progress(tag)).equals("2/2 5/5"));
            assertTrue(facts().get("waiting_bytes").asLong() > 0);
        }
        assertNull(progress(tag));
    }

    @Test
    void aRunningQueryShowsWhatIsAhead() throws Exception {
        ObjectNode query = TestEngine.query("parquet", SLOW);
        String tag = query.get("tag").asText();
        try (TestEngine.Cursor cursor = TestEngine.open(query)) {
            assertNotNull(cursor.schema);
            ResultTest.awaitTrue(() -> counts(progress(tag)).equals("0/1 0/8"));
        }
        assertNull(progress(tag));
    }

    @Test
    void nothingIsKeptOfAQueryThatIsOver() throws Exception {
        QueryProgress mine = new QueryProgress();
        SparkContext context = SparkContext.getOrCreate();
        context.addSparkListener(mine);
        try {
            ObjectNode slow = TestEngine.query("parquet", SLOW);
            String tag = slow.get("tag").asText();
            mine.begin(tag);
            try (TestEngine.Cursor cursor = TestEngine.open(slow)) {
                assertNotNull(cursor.schema);
                ResultTest.awaitTrue(() -> mine.all().get(tag).tasks() == 8);
                assertTrue(mine.kept() > 0);
                mine.end(tag);
                assertEquals(0, mine.kept());
            }
            // A query that nobody has begun leaves no trace either.
            TestEngine.rows(TestEngine.query("parquet", "SELECT count(*) FROM range(10)"));
            context.listenerBus().waitUntilEmpty(60_000);
            assertEquals(0, mine.kept());
            assertTrue(mine.all().isEmpty());
        } finally {
            context.removeSparkListener(mine);
        }
    }

    @Test
    void memoryIsThatOfTheJvm() throws Exception {
        JsonNode memory = facts().get("memory");
        assertEquals(Runtime.getRuntime().maxMemory(), memory.get("heap").get("max").asLong());
        for (String area : new String[] {"heap", "nonheap", "direct"}) {
            assertTrue(memory.get(area).get("used").asLong() > 0, area);
            assertTrue(memory.get(area).get("committed").asLong() > 0, area);
        }
        assertTrue(memory.get("mapped").get("used").asLong() >= 0);
        assertEquals(TestEngine.allocatedBytes(), memory.get("arrow").get("used").asLong());
    }
}
