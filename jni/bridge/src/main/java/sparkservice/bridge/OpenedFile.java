package sparkservice.bridge;

import java.io.EOFException;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.FileRange;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.HasFileDescriptor;

/**
 * A local file that was opened once, and judged by what was opened.
 *
 * <p>Hadoop's own stream opens its path a second time for vectored reads, where a link may lead
 * elsewhere by then; this one reads all by the descriptor that was checked.
 */
final class OpenedFile extends FSInputStream implements HasFileDescriptor {
    private final FileInputStream file;
    private final FileSystem.Statistics statistics;
    private long position;

    private OpenedFile(FileInputStream file, FileSystem.Statistics statistics) {
        this.file = file;
        this.statistics = statistics;
    }

    static OpenedFile open(File path, RootGuard guard, FileSystem.Statistics statistics)
            throws IOException {
        if (!path.isFile()) { // to open a FIFO would wait for its writer
            throw new FileNotFoundException("not a file, or not there");
        }
        FileInputStream file = new FileInputStream(path);
        try {
            guard.checkOpened(file.getFD());
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
        return new OpenedFile(file, statistics);
    }

    private int counted(int bytes) {
        if (bytes > 0) {
            statistics.incrementBytesRead(bytes);
        }
        return bytes;
    }

    @Override
    public int read() throws IOException {
        int value = file.read();
        if (value >= 0) {
            position++;
            counted(1);
        }
        return value;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int count = counted(file.read(bytes, offset, length));
        if (count > 0) {
            position += count;
        }
        return count;
    }

    @Override
    public int read(long at, byte[] bytes, int offset, int length) throws IOException {
        validatePositionedReadArgs(at, bytes, offset, length);
        return length == 0 ? 0
                : counted(file.getChannel().read(ByteBuffer.wrap(bytes, offset, length), at));
    }

    /** One after the other: a disk of this machine has them in its cache. They may overlap. */
    @Override
    public void readVectored(List<? extends FileRange> ranges, IntFunction<ByteBuffer> allocate)
            throws IOException {
        for (FileRange range : ranges) {
            ByteBuffer bytes = allocate.apply(range.getLength());
            bytes.limit(range.getLength());
            while (bytes.hasRemaining()) {
                long at = range.getOffset() + bytes.position();
                if (counted(file.getChannel().read(bytes, at)) < 0) {
                    throw new EOFException("a range behind the end");
                }
            }
            bytes.flip();
            range.setData(CompletableFuture.completedFuture(bytes));
        }
    }

    @Override
    public void seek(long to) throws IOException {
        if (to < 0) {
            throw new EOFException("a negative position");
        }
        file.getChannel().position(to);
        position = to;
    }

    @Override
    public long getPos() {
        return position;
    }

    @Override
    public boolean seekToNewSource(long target) {
        return false;
    }

    @Override
    public int available() throws IOException {
        return file.available();
    }

    @Override
    public FileDescriptor getFileDescriptor() throws IOException {
        return file.getFD();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
