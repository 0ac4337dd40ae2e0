package sparkservice.bridge.scheduler;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.ExternalClusterManager;
import org.apache.spark.scheduler.SchedulerBackend;
import org.apache.spark.scheduler.TaskScheduler;
import org.apache.spark.scheduler.TaskSchedulerImpl;
import org.apache.spark.scheduler.local.LocalSchedulerBackend;

/**
 * Spark's local mode under the master URL {@code local[N,reserve]}, with slots kept back for small
 * queries ({@link ReservingScheduler}).
 *
 * <p>Spark's own patterns for local masters don't match that URL, so that it looks for a cluster
 * manager; to everything else in Spark it is a local master, because it begins with
 * {@code local[}.
 */
public final class ReservingClusterManager implements ExternalClusterManager {
    private static final Pattern PLAIN = Pattern.compile("local\\[\\s*(\\d+|\\*)\\s*]");
    private static final Pattern RESERVING = Pattern.compile("local\\[(\\d+),reserve]");

    /** The reserving form of {@code local[N]} and {@code local[*]}; other masters as they are. */
    public static String masterUrl(String master) {
        Matcher plain = PLAIN.matcher(master);
        if (!plain.matches()) {
            return master;
        }
        String slots = plain.group(1).equals("*")
                ? Integer.toString(Runtime.getRuntime().availableProcessors()) : plain.group(1);
        return "local[" + slots + ",reserve]";
    }

    @Override
    public boolean canCreate(String masterUrl) {
        return RESERVING.matcher(masterUrl).matches();
    }

    @Override
    public TaskScheduler createTaskScheduler(SparkContext context, String masterUrl) {
        return new ReservingScheduler(context, slots(masterUrl));
    }

    @Override
    public SchedulerBackend createSchedulerBackend(SparkContext context, String masterUrl,
            TaskScheduler scheduler) {
        return new LocalSchedulerBackend(context.getConf(), (TaskSchedulerImpl) scheduler,
                slots(masterUrl));
    }

    @Override
    public void initialize(TaskScheduler scheduler, SchedulerBackend backend) {
        ((TaskSchedulerImpl) scheduler).initialize(backend);
    }

    private static int slots(String masterUrl) {
        Matcher matcher = RESERVING.matcher(masterUrl);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a reserving master: " + masterUrl);
        }
        return Integer.parseInt(matcher.group(1));
    }
}
