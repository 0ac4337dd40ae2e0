package sparkservice.bridge.scheduler;

import org.apache.spark.TaskNotSerializableException;
import org.apache.spark.scheduler.TaskDescription;
import org.apache.spark.scheduler.TaskSet;
import org.apache.spark.scheduler.TaskSetManager;
import org.apache.spark.util.SystemClock;
import scala.Enumeration;
import scala.Option;
import scala.Tuple3;
import scala.collection.immutable.Map;

/** Asks its scheduler before it takes a slot; the offer's signature is that of Spark 4.1. */
final class ReservingTaskSetManager extends TaskSetManager {
    /** No task, not for locality's sake, no index. */
    private static final Tuple3<Option<TaskDescription>, Object, Object> REFUSED =
            new Tuple3<>(Option.empty(), false, -1);

    private final ReservingScheduler scheduler;

    ReservingTaskSetManager(ReservingScheduler scheduler, TaskSet taskSet, int maxTaskFailures) {
        super(scheduler, taskSet, maxTaskFailures, scheduler.healthTrackerOpt(), new SystemClock());
        this.scheduler = scheduler;
    }

    @Override
    public Tuple3<Option<TaskDescription>, Object, Object> resourceOffer(String executorId,
            String host, Enumeration.Value maxLocality, int taskCpus,
            Map<String, Map<String, Object>> resources)
            throws TaskNotSerializableException {
        return scheduler.refuses(taskSet()) ? REFUSED
                : super.resourceOffer(executorId, host, maxLocality, taskCpus, resources);
    }
}
