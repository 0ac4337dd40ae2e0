package sparkservice.bridge;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BufferedFSInputStream;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathHandle;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * Beneath {@link GuardedLocalFileSystem}, where paths become descriptors: a file is read and a
 * folder is listed by the descriptor that was found inside the roots, so that a link which is
 * swapped behind the first check leads nowhere.
 */
final class GuardedRawFileSystem extends RawLocalFileSystem {
    private RootGuard guard;

    @Override
    public void initialize(URI name, Configuration conf) throws IOException {
        guard = new RootGuard(conf);
        super.initialize(name, conf);
    }

    @Override
    public FSDataInputStream open(Path path, int bufferBytes) throws IOException {
        return new FSDataInputStream(new BufferedFSInputStream(
                OpenedFile.open(pathToFile(path), guard, statistics), bufferBytes));
    }

    @Override
    public FSDataInputStream open(PathHandle handle, int bufferBytes) {
        throw new UnsupportedOperationException("files are opened by path");
    }

    /** Hadoop's own starts `chmod` for each folder and file that is made. */
    @Override
    public void setPermission(Path path, FsPermission permission) throws IOException {
        Files.setPosixFilePermissions(pathToFile(path).toPath(), PosixFilePermissions.fromString(
                permission.getUserAction().SYMBOL + permission.getGroupAction().SYMBOL
                        + permission.getOtherAction().SYMBOL));
    }

    @Override
    public FileStatus[] listStatus(Path path) throws IOException {
        java.nio.file.Path local = pathToFile(path).toPath();
        if (!Files.isDirectory(local)) {
            return new FileStatus[] {getFileStatus(path)};
        }
        try (FileChannel folder = FileChannel.open(local, StandardOpenOption.READ)) {
            guard.checkOpened(Descriptors.of(folder));
            return list(path, Descriptors.path(Descriptors.of(folder)));
        } catch (NoSuchFileException e) {
            throw new FileNotFoundException("not there any more");
        }
    }

    private FileStatus[] list(Path path, java.nio.file.Path opened) throws IOException {
        List<FileStatus> found = new ArrayList<>();
        try (DirectoryStream<java.nio.file.Path> entries = Files.newDirectoryStream(opened)) {
            for (java.nio.file.Path entry : entries) {
                try {
                    found.add(status(new Path(path, new Path(null, null,
                            entry.getFileName().toString())), entry));
                } catch (NoSuchFileException e) {
                    continue; // removed since
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return found.toArray(FileStatus[]::new);
    }

    /** Of a link that leaves the roots it tells the link itself: to open it is refused. */
    private FileStatus status(Path path, java.nio.file.Path entry) throws IOException {
        BasicFileAttributes facts = attributes(entry);
        if (facts.isSymbolicLink()) {
            java.nio.file.Path target = target(entry);
            if (guard.mayReadReal(target)) {
                facts = attributes(target);
            }
        }
        return new FileStatus(facts.size(), facts.isDirectory(), 1, getDefaultBlockSize(path),
                facts.lastModifiedTime().toMillis(), makeQualified(path));
    }

    /** A link that leads round in circles is its own target. */
    private static java.nio.file.Path target(java.nio.file.Path link) throws IOException {
        try {
            return link.toRealPath();
        } catch (NoSuchFileException e) {
            throw e;
        } catch (FileSystemException e) {
            return link;
        }
    }

    private static BasicFileAttributes attributes(java.nio.file.Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }
}
