package sparkservice.bridge;

import java.util.Properties;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext$;
import org.apache.spark.TaskContextImpl;
import org.apache.spark.executor.TaskMetrics;
import org.apache.spark.memory.MemoryManager;
import org.apache.spark.memory.TaskMemoryManager;
import org.apache.spark.sql.execution.SparkPlan;
import scala.Option;

/**
 * A task without a job: a plan of one partition, run on the thread that is here. Spark's own code
 * sees a task as always: its settings, its memory, its end and its cancel.
 */
final class InlineTask implements AutoCloseable {
    /** Nodes that do with one partition what they do in place: no exchange, no sub-query, no product. */
    private static final Set<String> NODES = Set.of("RDDScanExec", "LocalTableScanExec",
            "ProjectExec", "FilterExec", "LocalLimitExec", "GlobalLimitExec", "CollectLimitExec",
            "TakeOrderedAndProjectExec", "SortExec", "HashAggregateExec", "ObjectHashAggregateExec",
            "SortAggregateExec");
    /** Far from those of Spark's scheduler, which count up from 0. */
    private static final AtomicLong IDS = new AtomicLong(1L << 62);

    private final MemoryManager memoryManager = SparkEnv.get().memoryManager();
    private final TaskMemoryManager memory;
    private final TaskContextImpl context;

    /** Begins on this thread. */
    InlineTask(Properties settings, Cancellation cancellation) {
        long id = IDS.incrementAndGet();
        this.memory = new TaskMemoryManager(memoryManager, id);
        this.context = new TaskContextImpl(0, 0, 0, id, 0, 1, memory, settings,
                SparkEnv.get().metricsSystem(), new TaskMetrics(), 1,
                Scala.map(java.util.Map.of()));
        cancellation.onCancel(() -> context.markInterrupted("cancelled"));
        TaskContext$.MODULE$.setTaskContext(context);
    }

    static boolean canRun(SparkPlan plan) {
        return NODES.contains(plan.getClass().getSimpleName()) && plan.subqueries().isEmpty()
                && Scala.<SparkPlan>list(plan.children()).stream().allMatch(InlineTask::canRun);
    }

    TaskContextImpl context() {
        return context;
    }

    @Override
    public void close() {
        try {
            context.markTaskCompleted(Option.empty());
        } finally {
            TaskContext$.MODULE$.unset();
            memory.cleanUpAllAllocatedMemory();
            memoryManager.releaseAllExecutionMemoryForTask(context.taskAttemptId());
        }
    }
}
