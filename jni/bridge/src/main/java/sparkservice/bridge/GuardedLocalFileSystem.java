package sparkservice.bridge;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.util.EnumSet;
import java.util.concurrent.CompletableFuture;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FutureDataInputStreamBuilder;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Options.ChecksumOpt;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.impl.OpenFileParameters;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** Local files behind the {@link RootGuard}. */
public final class GuardedLocalFileSystem extends LocalFileSystem {
    private RootGuard guard;

    public GuardedLocalFileSystem() {
        super(new GuardedRawFileSystem());
    }

    @Override
    public void initialize(URI name, Configuration conf) throws IOException {
        guard = new RootGuard(conf);
        super.initialize(name, conf);
    }

    @Override
    public FSDataInputStream open(Path path, int bufferBytes) throws IOException {
        guard.checkRead(path);
        return super.open(path, bufferBytes);
    }

    @Override
    public FutureDataInputStreamBuilder openFile(Path path) throws IOException {
        guard.checkRead(path);
        return super.openFile(path);
    }

    @Override
    protected CompletableFuture<FSDataInputStream> openFileWithOptions(Path path,
            OpenFileParameters parameters) throws IOException {
        guard.checkRead(path);
        return super.openFileWithOptions(path, parameters);
    }

    @Override
    public FileStatus getFileStatus(Path path) throws IOException {
        guard.checkStatus(path);
        return super.getFileStatus(path);
    }

    @Override
    public boolean exists(Path path) throws IOException {
        return guard.mayRead(path) && super.exists(path);
    }

    @Override
    public FileStatus[] listStatus(Path path) throws IOException {
        guard.checkRead(path);
        checkInterrupt();
        return super.listStatus(path);
    }

    /** A table can have a hundred thousand folders; listing one waits for nothing. */
    private static void checkInterrupt() throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted while listing");
        }
    }

    @Override
    public RemoteIterator<FileStatus> listStatusIterator(Path path) throws IOException {
        guard.checkRead(path);
        return super.listStatusIterator(path);
    }

    @Override
    public RemoteIterator<LocatedFileStatus> listLocatedStatus(Path path) throws IOException {
        guard.checkRead(path);
        checkInterrupt();
        return super.listLocatedStatus(path);
    }

    @Override
    public RemoteIterator<LocatedFileStatus> listFiles(Path path, boolean recursive)
            throws IOException {
        guard.checkRead(path);
        return super.listFiles(path, recursive);
    }

    @Override
    public FSDataOutputStream create(Path path, FsPermission permission, boolean overwrite,
            int bufferBytes, short replication, long blockBytes, Progressable progress)
            throws IOException {
        guard.checkWrite(path);
        return super.create(path, permission, overwrite, bufferBytes, replication, blockBytes,
                progress);
    }

    @Override
    public FSDataOutputStream create(Path path, FsPermission permission,
            EnumSet<CreateFlag> flags, int bufferBytes, short replication, long blockBytes,
            Progressable progress, ChecksumOpt checksum) throws IOException {
        guard.checkWrite(path);
        return super.create(path, permission, flags, bufferBytes, replication, blockBytes, progress,
                checksum);
    }

    @Override
    public FSDataOutputStream createNonRecursive(Path path, FsPermission permission,
            EnumSet<CreateFlag> flags, int bufferBytes, short replication, long blockBytes,
            Progressable progress) throws IOException {
        guard.checkWrite(path);
        return super.createNonRecursive(path, permission, flags, bufferBytes, replication,
                blockBytes, progress);
    }

    @Override
    public FSDataOutputStreamBuilder<?, ?> createFile(Path path) {
        Unchecked.call(() -> {
            guard.checkWrite(path);
            return null;
        });
        return super.createFile(path);
    }

    @Override
    public FSDataOutputStream append(Path path, int bufferBytes, Progressable progress)
            throws IOException {
        guard.checkWrite(path);
        return super.append(path, bufferBytes, progress);
    }

    @Override
    public boolean rename(Path from, Path to) throws IOException {
        guard.checkWrite(from);
        guard.checkWrite(to);
        return super.rename(from, to);
    }

    @Override
    public boolean delete(Path path, boolean recursive) throws IOException {
        guard.checkWrite(path);
        return super.delete(path, recursive);
    }

    @Override
    public boolean mkdirs(Path path, FsPermission permission) throws IOException {
        guard.checkWrite(path);
        return super.mkdirs(path, permission);
    }

    @Override
    public boolean truncate(Path path, long newLength) throws IOException {
        guard.checkWrite(path);
        return super.truncate(path, newLength);
    }

    @Override
    public boolean mkdirs(Path path) throws IOException {
        guard.checkWrite(path);
        return super.mkdirs(path);
    }
}
