package sparkservice.bridge;

import org.apache.spark.SparkContext;
import sparkservice.bridge.scheduler.ReservingScheduler;

/** How many slots a query holds now, as the scheduler sees it. */
final class TestTasks {
    private TestTasks() {
    }

    static int running(String tag) {
        return ((ReservingScheduler) SparkContext.getOrCreate().taskScheduler()).runningTasks(tag);
    }
}
