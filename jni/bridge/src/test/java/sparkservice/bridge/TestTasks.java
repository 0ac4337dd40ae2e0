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

    /** Runs jobs as if they were the query's. */
    static void as(String tag, Runnable jobs) {
        SparkContext context = SparkContext.getOrCreate();
        context.setLocalProperty(ReservingScheduler.QUERY_PROPERTY, tag);
        try {
            jobs.run();
        } finally {
            context.setLocalProperty(ReservingScheduler.QUERY_PROPERTY, null);
        }
    }

    /** For a message: each task that holds a slot, by its query. */
    static List<String> holders() {
        return ((ReservingScheduler) SparkContext.getOrCreate().taskScheduler())
                .taskIdToTaskSetManager().entrySet().stream()
                .map(task -> task.getKey() + "=" + task.getValue().taskSet().properties()
                        .getProperty(ReservingScheduler.QUERY_PROPERTY)).toList();
    }
}
