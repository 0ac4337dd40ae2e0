package sparkservice.bridge;

import java.util.List;
import org.apache.spark.SparkContext;
import sparkservice.bridge.scheduler.ReservingScheduler;

/** How many slots a query holds now, as the scheduler sees it. */
final class TestTasks {
    private TestTasks() {
    }

    static int running(String tag) {
        return ((ReservingScheduler) SparkContext.getOrCreate().taskScheduler()).runningTasks(tag);
    }

    /** For a message: each task that holds a slot, by its query. */
    static List<String> holders() {
        return ((ReservingScheduler) SparkContext.getOrCreate().taskScheduler())
                .taskIdToTaskSetManager().entrySet().stream()
                .map(task -> task.getKey() + "=" + task.getValue().taskSet().properties()
                        .getProperty(ReservingScheduler.QUERY_PROPERTY)).toList();
    }
}
