package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import sparkservice.bridge.scheduler.ReservingScheduler;

/** How many tasks of a query run at once. */
class SchedulerTest {
    private static final int PARTITIONS = 16;

    @Test
    void aResultStageRunsNoMoreTasksThanCores() throws Exception {
        TestEngine.start();
        ObjectNode query = TestEngine.query("parquet", "SELECT id FROM range(0, 640, 1, " + PARTITIONS
                + ") WHERE size(filter(sequence(0L, 20000L), x -> x % 7 = id % 7)) > 0");
        String tag = query.get("tag").asText();
        CompletableFuture<List<List<String>>> rows = CompletableFuture.supplyAsync(
                () -> Unchecked.call(() -> TestEngine.rows(query)));
        int most = 0;
        while (!rows.isDone()) {
            most = Math.max(most, TestTasks.running(tag));
            Thread.sleep(1);
        }
        assertEquals(640, rows.get().size());
        assertTrue(most > 0 && most <= ReservingScheduler.maxResultTasks(), "at once: " + most);
    }
}
