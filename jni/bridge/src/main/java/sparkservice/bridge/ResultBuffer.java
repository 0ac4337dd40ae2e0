package sparkservice.bridge;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * The batches of one query between its tasks and the thread that reads them.
 *
 * <p>Tasks put, one reader takes. The reader gets partition 0 first, live, while its task still
 * runs, then partition 1, and so on: the order of ORDER BY. A task never blocks: past the memory
 * bound its batch goes to the spool file, past the spool's bound the query fails (storage_full).
 * A batch is an Arrow IPC record batch message.
 */
final class ResultBuffer implements AutoCloseable {

    /** What all queries of the process share. */
    static final class Limits {
        final ByteBudget memory;
        final ByteBudget spool;
        final Path spoolFolder;
        /** A query may hold this much in memory whatever the others hold. */
        final long memoryFloorBytes;

        Limits(long memoryBytes, long memoryFloorBytes, long spoolBytes, Path spoolFolder) {
            this.memory = new ByteBudget(memoryBytes);
            this.memoryFloorBytes = memoryFloorBytes;
            this.spool = new ByteBudget(spoolBytes);
            this.spoolFolder = spoolFolder;
        }
    }

    /** A record batch message and how many rows are in it. */
    record Batch(byte[] message, int rows) implements java.io.Serializable {
    }

    /** A waiting batch: in memory, or a segment of the spool file. */
    private record Waiting(byte[] bytes, long spoolOffset, int length, int rows) {
    }

    private static final class Partition {
        final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
        long attempt = -1;
        boolean wasRead;
        boolean done;
    }

    private final Limits limits;
    private final Map<Integer, Partition> partitions = new HashMap<>();
    private SpoolFile spool;
    private long memoryBytes;
    private long rowsPut;
    private int nextPartition;
    private int partitionCount = Integer.MAX_VALUE;
    private BridgeException failure;
    private boolean closed;

    ResultBuffer(Limits limits) {
        this.limits = limits;
    }

    /** An attempt of a task starts; what an earlier attempt left unread is dropped. */
    synchronized void beginPartition(int index, long attempt) throws BridgeException {
        Partition partition = partitions.computeIfAbsent(index, key -> new Partition());
        if (partition.attempt == attempt) {
            return;
        }
        if (partition.wasRead) {
            throw new BridgeException(BridgeException.Code.ENGINE_ERROR,
                    "A task was run again after a part of its rows had been delivered.");
        }
        while (!partition.waiting.isEmpty()) {
            drop(partition.waiting.poll());
        }
        partition.attempt = attempt;
        partition.done = false;
    }

    /** Never blocks on the reader. Ignored when the attempt is not the current one. */
    void put(int index, long attempt, Batch batch) throws BridgeException {
        long offset;
        SpoolFile file;
        synchronized (this) {
            if (isStale(index, attempt)) {
                return;
            }
            int length = batch.message.length;
            if (takeMemory(length)) {
                publish(index, new Waiting(batch.message, -1, length, batch.rows));
                return;
            }
            file = openSpool();
            offset = file.reserve(length);
            if (offset < 0) {
                BridgeException full = new BridgeException(BridgeException.Code.STORAGE_FULL,
                        "The spool of waiting results is full.");
                fail(full);
                throw full;
            }
        }
        try {
            file.write(offset, batch.message);
        } catch (IOException e) {
            BridgeException full = new BridgeException(BridgeException.Code.STORAGE_FULL,
                    "The spool of waiting results could not be written.", e);
            fail(full);
            throw full;
        }
        synchronized (this) {
            if (isStale(index, attempt)) {
                if (!closed) {
                    file.release();
                }
                return;
            }
            publish(index, new Waiting(null, offset, batch.message.length, batch.rows));
        }
    }

    synchronized void endPartition(int index, long attempt) {
        if (!isStale(index, attempt)) {
            partitions.get(index).done = true;
            notifyAll();
        }
    }

    /** Whether all rows of the partition are here, or were already read. */
    synchronized boolean isDone(int index) {
        Partition partition = partitions.get(index);
        return index < nextPartition || partition != null && partition.done;
    }

    /** Rows put so far, read or not. */
    synchronized long rowsPut() {
        return rowsPut;
    }

    /** The job is over and had so many partitions. */
    synchronized void finish(int count) {
        partitionCount = count;
        notifyAll();
    }

    /** Ends the query; the first failure stays. */
    synchronized void fail(BridgeException cause) {
        if (failure == null) {
            failure = cause;
        }
        notifyAll();
    }

    /** The next batch in partition order, null at the end. Blocks until one is there. */
    Batch take() throws BridgeException, InterruptedException {
        Waiting batch;
        SpoolFile file;
        synchronized (this) {
            batch = awaitNext();
            if (batch == null) {
                return null;
            }
            if (batch.bytes != null) {
                giveMemory(batch.length);
                return new Batch(batch.bytes, batch.rows);
            }
            file = spool;
        }
        try {
            return new Batch(file.read(batch.spoolOffset, batch.length), batch.rows);
        } catch (IOException e) {
            throw new BridgeException(BridgeException.Code.ENGINE_ERROR,
                    "The spool of waiting results could not be read.", e);
        } finally {
            synchronized (this) {
                if (!closed) {
                    file.release();
                }
            }
        }
    }

    private Waiting awaitNext() throws BridgeException, InterruptedException {
        while (true) {
            if (failure != null) {
                throw failure;
            }
            if (nextPartition >= partitionCount) {
                return null;
            }
            Partition partition = partitions.get(nextPartition);
            if (partition != null && !partition.waiting.isEmpty()) {
                partition.wasRead = true;
                return partition.waiting.poll();
            }
            if (partition != null && partition.done) {
                partitions.remove(nextPartition);
                nextPartition++;
                continue;
            }
            wait();
        }
    }

    private boolean isStale(int index, long attempt) {
        Partition partition = partitions.get(index);
        return closed || failure != null || partition == null || partition.attempt != attempt;
    }

    private void publish(int index, Waiting batch) {
        partitions.get(index).waiting.add(batch);
        rowsPut += batch.rows;
        if (index == nextPartition) {
            notifyAll();
        }
    }

    private SpoolFile openSpool() throws BridgeException {
        if (spool == null) {
            try {
                spool = new SpoolFile(limits.spoolFolder, limits.spool);
            } catch (IOException e) {
                BridgeException full = new BridgeException(BridgeException.Code.STORAGE_FULL,
                        "The spool of waiting results could not be made.", e);
                fail(full);
                throw full;
            }
        }
        return spool;
    }

    private boolean takeMemory(int bytes) {
        if (memoryBytes + bytes <= limits.memoryFloorBytes) {
            limits.memory.take(bytes);
        } else if (!limits.memory.tryTake(bytes)) {
            return false;
        }
        memoryBytes += bytes;
        return true;
    }

    private void giveMemory(long bytes) {
        memoryBytes -= bytes;
        limits.memory.give(bytes);
    }

    private void drop(Waiting batch) {
        rowsPut -= batch.rows;
        if (batch.bytes != null) {
            giveMemory(batch.length);
        } else {
            spool.release();
        }
    }

    /** Frees everything; later puts are ignored. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        partitions.clear();
        giveMemory(memoryBytes);
        if (spool != null) {
            try {
                spool.close();
            } catch (IOException e) {
                // An unlinked scratch file: nothing is lost and nothing can be done.
                spool = null;
            }
        }
        notifyAll();
    }
}
