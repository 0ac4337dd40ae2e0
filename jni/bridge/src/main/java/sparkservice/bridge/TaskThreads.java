package sparkservice.bridge;

import java.util.Map;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * Lets the threads of Spark's tasks stand back: whoever answers a client, plans a query, runs a small
 * one in place, compiles or collects garbage gets a core first. Set once for each thread, at its
 * first task: without a privilege the kernel lets nobody come forward again.
 */
public final class TaskThreads implements SparkPlugin {
    /** 1 to 19, as Linux counts: each step is about a tenth of a core less where cores are wanting. */
    static final String NICE = "spark.sparkservice.taskNice";

    /** The calling thread's. Registered by C. */
    private static native void lowerPriority(int nice);

    @Override
    public DriverPlugin driverPlugin() {
        return null;
    }

    @Override
    public ExecutorPlugin executorPlugin() {
        return new Lowering();
    }

    private static final class Lowering implements ExecutorPlugin {
        private final ThreadLocal<Boolean> lowered = ThreadLocal.withInitial(() -> false);
        private int nice;

        @Override
        public void init(PluginContext context, Map<String, String> extraConf) {
            nice = context.conf().getInt(NICE, 0);
        }

        @Override
        public void onTaskStart() {
            if (!lowered.get()) {
                lowered.set(true);
                lowerPriority(nice);
            }
        }
    }
}
