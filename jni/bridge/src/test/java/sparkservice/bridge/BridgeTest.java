package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The crossing itself: start, open, next, close, and what is left behind. */
class BridgeTest {
    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(0, QueryRegistry.size());
        assertEquals(0, TestEngine.allocatedBytes());
    }

    @Test
    void startTellsTheVersion() throws Exception {
        assertEquals(System.getProperty("spark.version"),
                TestEngine.start().get("spark_version").asText());
    }

    @Test
    void aQueryWithoutATableRuns() throws Exception {
        assertEquals(List.of(List.of("1", "a")),
                TestEngine.rows(TestEngine.query("parquet", "SELECT 1 AS n, 'a' AS t")));
    }

    @Test
    void theCanaryRuns() {
        assertNull(Bridge.canary());
    }

    @Test
    void anUnknownCursorAndTagAreHarmless() {
        assertNull(Bridge.close(123456));
        assertNull(Bridge.cancel("no such tag".getBytes()));
    }
}
