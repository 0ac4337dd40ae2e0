package sparkservice.bridge;

import java.io.FileDescriptor;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * What the guarded file systems ask before each call: reads inside the data roots, writes inside the
 * service's own scratch folder.
 *
 * <p>The last gate, and the one that can't be talked around: whatever a statement, a Delta log, an
 * Iceberg manifest or an option names, its bytes come through Hadoop's FileSystem.
 */
final class RootGuard {
    private static final String OUTSIDE = "outside the data roots";

    static final String READABLE = "sparkservice.guard.readable";
    static final String WRITABLE = "sparkservice.guard.writable";

    /** Comes out of Spark as a cause; answered as {@code forbidden}. */
    static final class OutsideRootsException extends IOException {
        private static final long serialVersionUID = 1L;

        OutsideRootsException() {
            super(OUTSIDE);
        }
    }

    /** Spark makes its own exception of a missing file and keeps the message only. */
    static boolean isRefusal(Throwable t) {
        return t instanceof OutsideRootsException || t instanceof FileNotFoundException
                && t.getMessage() != null && t.getMessage().contains(OUTSIDE);
    }

    private final DataRoots readable;
    private final DataRoots writable;

    RootGuard(Configuration conf) {
        this.readable = new DataRoots(List.of(conf.getStrings(READABLE, "")));
        this.writable = new DataRoots(List.of(conf.getStrings(WRITABLE, "")));
    }

    boolean mayRead(Path path) {
        return readable.allows(path.toUri()) || writable.allows(path.toUri());
    }

    void checkRead(Path path) throws IOException {
        if (!mayRead(path)) {
            throw new OutsideRootsException();
        }
    }

    void checkWrite(Path path) throws IOException {
        if (!writable.allows(path.toUri())) {
            throw new OutsideRootsException();
        }
    }

    /** Whether a path without any link in it is inside. */
    boolean mayReadReal(java.nio.file.Path real) throws IOException {
        return readable.allowsReal(real) || writable.allowsReal(real);
    }

    /** Of an open file or folder: where it really is, whichever path led there. */
    void checkOpened(FileDescriptor descriptor) throws IOException {
        if (!mayReadReal(Files.readSymbolicLink(Descriptors.path(descriptor)))) {
            throw new OutsideRootsException();
        }
    }

    /** A look at what may not be read finds nothing: Delta looks for its log in all parents. */
    void checkStatus(Path path) throws IOException {
        if (!mayRead(path)) {
            throw new FileNotFoundException(OUTSIDE);
        }
    }
}
