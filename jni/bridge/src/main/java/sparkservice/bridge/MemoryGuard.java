package sparkservice.bridge;

import com.sun.management.GarbageCollectionNotificationInfo;
import com.sun.management.ThreadMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import javax.management.openmbean.CompositeData;
import org.apache.spark.SparkContext;
import sparkservice.bridge.scheduler.ReservingScheduler;

/**
 * Ends the query that fills the heap, before the heap is full and the JVM with it.
 *
 * <p>Spark's own accounting sees sorts and hash tables, which spill; it doesn't see what a
 * collect_list or a string gathers. When a collection leaves more than the bound in the old generation,
 * which may be garbage, a full one is asked for. When that leaves more than the bound, too,
 * a query ends with a 422. The JVM doesn't say whose objects live, but it counts what each thread
 * allocates: it is the query whose threads have allocated most since the last look. Until its work is
 * over, and a little longer, no other one is ended for the same memory. What grows faster
 * than that, an array of a gigabyte, ends the process (ExitOnOutOfMemoryError), which its restart
 * policy starts again.
 */
final class MemoryGuard implements NotificationListener, AutoCloseable {
    private static final long LOOK_MS = 500;
    /** A full collection stops everything; one that frees little isn't repeated at once. */
    private static final long FULL_COLLECTION_EVERY_MS = 2000;
    /** What a query held is given back a while behind its end, by Spark's cleaner. */
    private static final long END_EVERY_MS = 2000;
    private static final Pattern TASK = Pattern.compile("\\(TID (\\d+)\\)");
    private static final Pattern RUNNER = Pattern.compile("query-(\\d+)");

    private final SparkContext context;
    private final Runnable relief;
    private final double maxShare;
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    /** The old generation, by whatever name: the young pools have no threshold, as they fill all the time. */
    private final Set<String> oldPools = ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP && pool.isUsageThresholdSupported())
            .map(MemoryPoolMXBean::getName).collect(Collectors.toUnmodifiableSet());
    private final List<NotificationEmitter> collectors = new ArrayList<>();
    private final Thread looker = new Thread(this::lookOften, "memory-guard");
    private Map<Long, Long> lastBytes = Map.of(); // of each thread, under the lock of this
    private String endedTag; // of the last one; not the query itself, which holds its plan's memory
    private long nextEndNanos = System.nanoTime();
    private volatile boolean suspects; // a collection left more than the bound
    private volatile boolean closed;

    /**
     * @param percent of the old generation that may be in use after a full collection
     * @param relief gives up what is only kept, before a query is ended
     */
    MemoryGuard(SparkContext context, long percent, Runnable relief) {
        this.context = context;
        this.relief = relief;
        this.maxShare = percent / 100.0;
        rehearse();
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            if (collector instanceof NotificationEmitter emitter) {
                emitter.addNotificationListener(this, null, null);
                collectors.add(emitter);
            }
        }
        looker.setDaemon(true);
        looker.start();
    }

    @Override
    public void handleNotification(Notification notification, Object handback) {
        if (!notification.getType()
                .equals(GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION)) {
            return;
        }
        GarbageCollectionNotificationInfo info = GarbageCollectionNotificationInfo.from(
                (CompositeData) notification.getUserData());
        if (!isShort(info.getGcInfo().getMemoryUsageAfterGc())) {
            suspects = false;
        } else if (info.getGcAction().equals("end of major GC")) {
            suspects = false;
            endTheLargest();
        } else {
            suspects = true;
            LockSupport.unpark(looker);
        }
    }

    /** Classes that ending a query needs are loaded while there is room for them. */
    private void rehearse() {
        bytesByTag();
        Objects.requireNonNull(SqlLimits.memoryUsedUp());
        context.cancelJobsWithTag("no-query");
    }

    private boolean isShort(Map<String, MemoryUsage> pools) {
        return oldPools.stream().map(pools::get)
                .anyMatch(pool -> pool.getUsed() > pool.getMax() * maxShare);
    }

    private void endTheLargest() {
        Query ended = endedTag == null ? null : QueryRegistry.byTag(endedTag);
        if (ended != null && ended.works() || System.nanoTime() - nextEndNanos < 0) {
            return;
        }
        bytesByTag().entrySet().stream().max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey).map(QueryRegistry::byTag)
                .ifPresent(query -> {
                    endedTag = query.tag();
                    nextEndNanos = System.nanoTime()
                            + TimeUnit.MILLISECONDS.toNanos(END_EVERY_MS);
                    query.end(SqlLimits.memoryUsedUp());
                });
    }

    /** What the threads of each query have allocated since the last look. */
    private synchronized Map<String, Long> bytesByTag() {
        Map<String, Long> byTag = new HashMap<>();
        Map<Long, Long> now = bytesOfThreads();
        for (ThreadInfo thread : threads.getThreadInfo(toArray(now.keySet()))) {
            String tag = thread == null ? null : tagOf(thread.getThreadName());
            if (tag != null) {
                long id = thread.getThreadId();
                byTag.merge(tag, now.get(id) - lastBytes.getOrDefault(id, 0L), Long::sum);
            }
        }
        return byTag;
    }

    private String tagOf(String threadName) {
        Matcher task = TASK.matcher(threadName);
        if (task.find()) {
            return context.taskScheduler() instanceof ReservingScheduler scheduler
                    ? scheduler.queryOfTask(Long.parseLong(task.group(1))) : null;
        }
        Matcher runner = RUNNER.matcher(threadName);
        Query query = runner.matches() ? QueryRegistry.byId(Long.parseLong(runner.group(1))) : null;
        return query == null ? null : query.tag();
    }

    private Map<Long, Long> bytesOfThreads() {
        long[] ids = threads.getAllThreadIds();
        long[] bytes = threads.getThreadAllocatedBytes(ids);
        Map<Long, Long> result = new HashMap<>();
        for (int i = 0; i < ids.length; i++) {
            result.put(ids[i], bytes[i]);
        }
        return result;
    }

    private static long[] toArray(Set<Long> ids) {
        return ids.stream().mapToLong(Long::longValue).toArray();
    }

    private void lookOften() {
        long nextFullNanos = System.nanoTime();
        while (!closed) {
            if (suspects && System.nanoTime() - nextFullNanos >= 0) {
                relief.run();
                System.gc();
                nextFullNanos = System.nanoTime()
                        + TimeUnit.MILLISECONDS.toNanos(FULL_COLLECTION_EVERY_MS);
            }
            Map<Long, Long> now = QueryRegistry.size() == 0 ? Map.of() : bytesOfThreads();
            synchronized (this) {
                lastBytes = now;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MS));
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(looker);
        for (NotificationEmitter collector : collectors) {
            try {
                collector.removeNotificationListener(this);
            } catch (javax.management.ListenerNotFoundException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
