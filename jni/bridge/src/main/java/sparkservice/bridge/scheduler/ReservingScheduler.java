package sparkservice.bridge.scheduler;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.ResultTask;
import org.apache.spark.scheduler.TaskSchedulerImpl;
import org.apache.spark.scheduler.TaskSet;
import org.apache.spark.scheduler.TaskSetManager;
import org.apache.spark.util.SystemClock;

/**
 * Never gives the last slots to a query that already runs.
 *
 * <p>Spark's pools share out slots as they become free, but a running task is never pre-empted: two
 * queries of long tasks would own all slots for as long as a task takes. Here a query with a running
 * task gets another slot only while more than {@code reserve} are free; one without a running task
 * takes any. So of 8 slots two slow queries hold at most 6, and a third finds one at once.
 *
 * <p>A refused offer is made again whenever a task ends; a query is refused only while it has a
 * running task itself, so that such an end is certain.
 *
 * <p>Of the stage whose rows are the answer no more tasks run than there are cores. The rows leave in
 * the order of the partitions: more tasks would only slow down the one whose turn it is, and fill
 * the memory with rows whose turn is later.
 *
 * <p>Stages of a query that is over are cancelled instead of run: adaptive execution submits them
 * from threads of its own, which may come by after the query's last cancel.
 */
public final class ReservingScheduler extends TaskSchedulerImpl {
    /** The job property that tells which query a task belongs to. */
    public static final String QUERY_PROPERTY = "sparkservice.query";

    private static final int MAX_RESERVE = 3;
    /** One that reads while another computes. */
    private static final int MIN_RESULT_TASKS = 2;

    private final int slots;
    private final int reserve;
    private final int resultTasks;
    private final Set<String> queries = ConcurrentHashMap.newKeySet();

    ReservingScheduler(SparkContext context, int slots) {
        // As Spark's own local mode: a failed task isn't tried again.
        super(context, 1, true, new SystemClock());
        this.slots = slots;
        this.reserve = Math.min(MAX_RESERVE, slots / 2);
        this.resultTasks = maxResultTasks();
    }

    /** Tasks of one result stage that run at once. */
    public static int maxResultTasks() {
        return Math.max(MIN_RESULT_TASKS, Runtime.getRuntime().availableProcessors());
    }

    /** From here on stages of the query may run. */
    public void begin(String query) {
        queries.add(query);
    }

    /** From here on none of its stages starts; those under way are the caller's to cancel. */
    public void end(String query) {
        queries.remove(query);
    }

    @Override
    public void submitTasks(TaskSet taskSet) {
        String query = queryOf(taskSet);
        if (query == null || queries.contains(query)) {
            super.submitTasks(taskSet);
        } else {
            sc().cancelStage(taskSet.stageId(), "its query is over");
        }
    }

    @Override
    public TaskSetManager createTaskSetManager(TaskSet taskSet, int maxTaskFailures) {
        return new ReservingTaskSetManager(this, taskSet, maxTaskFailures);
    }

    /** Slots that tasks of the query hold now, cancelled ones that still run too. */
    public int runningTasks(String query) {
        int running = 0;
        for (TaskSetManager manager : taskIdToTaskSetManager().values()) {
            if (query.equals(queryOf(manager.taskSet()))) {
                running++;
            }
        }
        return running;
    }

    /** The query that a running task works for; null when it is over, or none's. */
    public String queryOfTask(long taskId) {
        TaskSetManager manager = taskIdToTaskSetManager().get(taskId);
        return manager == null ? null : queryOf(manager.taskSet());
    }

    /** Under the scheduler's lock, as all offers are. */
    boolean refuses(TaskSet taskSet) {
        String query = queryOf(taskSet);
        if (query == null) {
            return false;
        }
        int running = 0;
        int ofStage = 0;
        boolean queryRuns = false;
        for (TaskSetManager manager : taskIdToTaskSetManager().values()) {
            running++;
            queryRuns |= query.equals(queryOf(manager.taskSet()));
            ofStage += manager.taskSet() == taskSet ? 1 : 0;
        }
        return queryRuns && slots - running <= reserve
                || taskSet.tasks()[0] instanceof ResultTask && ofStage >= resultTasks;
    }

    private static String queryOf(TaskSet taskSet) {
        return taskSet.properties() == null ? null
                : taskSet.properties().getProperty(QUERY_PROPERTY);
    }
}
