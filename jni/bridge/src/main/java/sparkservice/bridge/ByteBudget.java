package sparkservice.bridge;

import java.util.concurrent.atomic.AtomicLong;

/** A byte budget that many queries share: memory of waiting batches, bytes of spool files. */
final class ByteBudget {
    private final long limitBytes;
    private final AtomicLong usedBytes = new AtomicLong();

    ByteBudget(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    /** Takes the bytes, or takes nothing and says false. */
    boolean tryTake(long bytes) {
        long used = usedBytes.get();
        while (used + bytes <= limitBytes) {
            if (usedBytes.compareAndSet(used, used + bytes)) {
                return true;
            }
            used = usedBytes.get();
        }
        return false;
    }

    /** Takes the bytes even beyond the limit. */
    void take(long bytes) {
        usedBytes.addAndGet(bytes);
    }

    void give(long bytes) {
        usedBytes.addAndGet(-bytes);
    }

    long limitBytes() {
        return limitBytes;
    }

    long usedBytes() {
        return usedBytes.get();
    }
}
