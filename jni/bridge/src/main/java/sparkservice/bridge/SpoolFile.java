package sparkservice.bridge;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The batches of one query that found no room in memory.
 *
 * <p>The file is unlinked as soon as it is open, so that nothing is left behind however the process
 * ends. Not a FileChannel: an interrupt that cancels one task would close it for all.
 *
 * <p>{@code reserve}, {@code release} and {@code close} are called under the owner's lock;
 * {@code write} and {@code read} are not, and lock the file only.
 */
final class SpoolFile implements AutoCloseable {
    private final RandomAccessFile file;
    private final ByteBudget budget;
    private long endBytes;
    private int liveSegments;

    SpoolFile(Path folder, ByteBudget budget) throws IOException {
        Path path = Files.createTempFile(folder, "result-", ".spool");
        try {
            this.file = new RandomAccessFile(path.toFile(), "rw");
        } finally {
            Files.delete(path);
        }
        this.budget = budget;
    }

    /** Room for so many bytes at the returned offset, or -1 when the budget is spent. */
    long reserve(int bytes) {
        if (!budget.tryTake(bytes)) {
            return -1;
        }
        long offset = endBytes;
        endBytes += bytes;
        liveSegments++;
        return offset;
    }

    void write(long offset, byte[] bytes) throws IOException {
        synchronized (file) {
            file.seek(offset);
            file.write(bytes);
        }
    }

    byte[] read(long offset, int length) throws IOException {
        byte[] bytes = new byte[length];
        synchronized (file) {
            file.seek(offset);
            file.readFully(bytes);
        }
        return bytes;
    }

    /** One segment is done with; an empty file starts again at 0. */
    void release() {
        liveSegments--;
        if (liveSegments == 0) {
            budget.give(endBytes);
            endBytes = 0;
        }
    }

    @Override
    public void close() throws IOException {
        budget.give(endBytes);
        endBytes = 0;
        file.close();
    }
}
