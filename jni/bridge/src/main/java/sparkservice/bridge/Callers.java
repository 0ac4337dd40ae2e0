package sparkservice.bridge;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Which queries of callers are under way, for work of the service's own that lets them go first. */
final class Callers {
    private final Set<Object> underWay = new HashSet<>();
    private boolean closed;

    synchronized void begin(Object query) {
        underWay.add(query);
        notifyAll();
    }

    /** Of a query that was never begun it is no news. */
    synchronized void end(Object query) {
        if (underWay.remove(query) && underWay.isEmpty()) {
            notifyAll();
        }
    }

    /** Nobody waits any more. */
    synchronized void close() {
        closed = true;
        notifyAll();
    }

    /** Until the first query is under way, but no longer than that. */
    synchronized void awaitFirst(long limitMs) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs);
        while (underWay.isEmpty() && !closed && waitUntil(until)) {
            continue;
        }
    }

    /** Until no query is under way, but no longer than to that {@link System#nanoTime}. */
    synchronized void awaitNone(long until) throws InterruptedException {
        while (!underWay.isEmpty() && !closed && waitUntil(until)) {
            continue;
        }
    }

    /** False when it is time. */
    private boolean waitUntil(long until) throws InterruptedException {
        long leftNs = until - System.nanoTime();
        if (leftNs > 0) {
            TimeUnit.NANOSECONDS.timedWait(this, leftNs);
        }
        return leftNs > 0;
    }
}
