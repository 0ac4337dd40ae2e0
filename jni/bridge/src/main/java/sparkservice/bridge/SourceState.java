package sparkservice.bridge;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * What a table in the local file system is, down to the change times of its inodes: equal states
 * mean the same rows. Exact, never a guess; what can't be proved has no state.
 *
 * <p>The rules are those of service/source_identity.h, which vouches for kept answers: which inodes
 * decide, that each was changed last 50 ms before the look, and that file systems of other machines
 * tell nothing. Here the look is before a table is read, so that what was read of it can be used
 * again.
 */
final class SourceState {
    /** A kernel's clock tick is at most 10 ms: what changed later could change again unseen. */
    static final long SETTLED_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long CLOCK_SLACK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final Set<String> LOCAL_FILE_SYSTEMS = Set.of("ext2", "ext3", "ext4", "xfs",
            "btrfs", "tmpfs", "overlay", "f2fs", "zfs");
    private static final Predicate<String> DELTA_COMMIT =
            Pattern.compile("[0-9]{20}\\.json").asMatchPredicate();
    private static final Predicate<String> ICEBERG_METADATA = name ->
            name.length() > ".metadata.json".length() && name.endsWith(".metadata.json");
    private static final String ATTRIBUTES =
            "unix:mode,dev,ino,size,ctime,lastModifiedTime";

    /** A time by two clocks, so that one that was set is seen. */
    record Moment(long wallNanos, long monotonicNanos) {
        private static final int READS = 5;

        /** Of both clocks together: a thread can be held up between the two looks. */
        static Moment now() {
            long apart = Long.MAX_VALUE;
            Moment closest = null;
            for (int i = 0; i < READS && apart > CLOCK_SLACK_NANOS / 10; i++) {
                long before = System.nanoTime();
                Instant wall = Instant.now();
                long after = System.nanoTime();
                if (after - before < apart) {
                    apart = after - before;
                    closest = new Moment(TimeUnit.SECONDS.toNanos(wall.getEpochSecond())
                            + wall.getNano(), after);
                }
            }
            return closest;
        }

        boolean clockWasSetSince() {
            Moment now = now();
            long moved = (now.wallNanos - wallNanos) - (now.monotonicNanos - monotonicNanos);
            return Math.abs(moved) > CLOCK_SLACK_NANOS;
        }
    }

    private record Inode(String path, int mode, long device, long number, long size,
            FileTime modified, FileTime changed) {
        private static final int TYPE = 0170000;
        private static final int FOLDER = 0040000;
        private static final int FILE = 0100000;

        static Inode of(Path path, LinkOption... options) throws IOException {
            Map<String, Object> facts = Files.readAttributes(path, ATTRIBUTES, options);
            return new Inode(path.toString(), (int) facts.get("mode"), (long) facts.get("dev"),
                    (long) facts.get("ino"), (long) facts.get("size"),
                    (FileTime) facts.get("lastModifiedTime"), (FileTime) facts.get("ctime"));
        }

        boolean isFolder() {
            return (mode & TYPE) == FOLDER;
        }

        boolean isFile() {
            return (mode & TYPE) == FILE;
        }

        boolean isSettled(long beforeNanos) {
            return changed.to(TimeUnit.NANOSECONDS) < beforeNanos;
        }
    }

    /** Why there is no state; costs no stack trace. */
    private static final class Unknown extends Exception {
        private static final long serialVersionUID = 1L;

        Unknown() {
            super(null, null, false, false);
        }
    }

    private final List<Inode> inodes;

    private SourceState(List<Inode> inodes) {
        this.inodes = inodes;
    }

    /** Null: it may have changed a moment ago, has more than {@code inodesMax} inodes, or nobody knows. */
    static SourceState look(AnswerBasis.TableRead table, Moment now, int inodesMax) {
        try {
            Look look = new Look(now.wallNanos - SETTLED_NANOS, inodesMax);
            Path location = Path.of(table.location());
            switch (table.layout()) {
                case "files" -> look.watchTree(location);
                case "delta" -> look.watchLog(location, "_delta_log", DELTA_COMMIT);
                case "iceberg" -> {
                    look.watchLog(location, "metadata", ICEBERG_METADATA);
                    look.watchIfThere(location.resolve("metadata/version-hint.text"));
                }
                default -> throw new Unknown();
            }
            look.inodes.sort(Comparator.comparing(Inode::path));
            return new SourceState(List.copyOf(look.inodes));
        } catch (Unknown | IOException | RuntimeException e) {
            return null;
        }
    }

    /**
     * Whether nothing has led elsewhere since: every folder and link on the way from the data root
     * on is as old, as one that was put in another's place leads to files older than the look.
     */
    static boolean wayIsSettled(AnswerBasis.TableRead table, DataRoots roots, Moment began) {
        try {
            long before = began.wallNanos - SETTLED_NANOS;
            if (began.clockWasSetSince()
                    || !Path.of(table.asked()).toRealPath().toString().equals(table.location())) {
                return false;
            }
            for (String end : Set.copyOf(List.of(table.asked(), table.location()))) {
                for (Path part : roots.way(Path.of(end))) {
                    if (!Inode.of(part, LinkOption.NOFOLLOW_LINKS).isSettled(before)) {
                        return false;
                    }
                }
            }
            return true;
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SourceState state && inodes.equals(state.inodes);
    }

    @Override
    public int hashCode() {
        return inodes.hashCode();
    }

    /** Under way. */
    private static final class Look {
        private final long settledBefore;
        private final int inodesMax;
        private final List<Inode> inodes = new ArrayList<>();
        private final Set<Long> localDevices = new HashSet<>();
        private int entriesSeen;

        Look(long settledBefore, int inodesMax) {
            this.settledBefore = settledBefore;
            this.inodesMax = inodesMax;
        }

        void watchTree(Path top) throws Unknown, IOException {
            Inode inode = Inode.of(top, LinkOption.NOFOLLOW_LINKS);
            watch(top, inode);
            if (!inode.isFolder()) {
                return;
            }
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(top)) {
                for (Path entry : entries) {
                    watchTree(entry);
                }
            }
        }

        /** The folder tells of each file that comes or goes, the newest file that it is as written. */
        void watchLog(Path table, String name, Predicate<String> counts)
                throws Unknown, IOException {
            Path folder = table.resolve(name);
            watch(table, Inode.of(table, LinkOption.NOFOLLOW_LINKS));
            watch(folder, Inode.of(folder, LinkOption.NOFOLLOW_LINKS));
            Inode newest = null;
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder,
                    entry -> counts.test(entry.getFileName().toString()))) {
                for (Path entry : entries) {
                    Inode inode = Inode.of(entry, LinkOption.NOFOLLOW_LINKS);
                    if (++entriesSeen > inodesMax || !inode.isFile()
                            || !inode.isSettled(settledBefore)) {
                        throw new Unknown();
                    }
                    if (newest == null || inode.changed.compareTo(newest.changed) > 0
                            || inode.changed.equals(newest.changed)
                            && inode.path.compareTo(newest.path) > 0) {
                        newest = inode;
                    }
                }
            }
            if (newest == null) {
                throw new Unknown();
            }
            watch(Path.of(newest.path), newest);
        }

        void watchIfThere(Path file) throws Unknown, IOException {
            try {
                watch(file, Inode.of(file, LinkOption.NOFOLLOW_LINKS));
            } catch (NoSuchFileException e) {
                return; // nor will it be there as long as its folder is the same
            }
        }

        private void watch(Path path, Inode inode) throws Unknown, IOException {
            boolean known = inode.isFile() || inode.isFolder();
            if (!known || inodes.size() >= inodesMax || !inode.isSettled(settledBefore)) {
                throw new Unknown();
            }
            if (!localDevices.contains(inode.device)) {
                if (!LOCAL_FILE_SYSTEMS.contains(Files.getFileStore(path).type())) {
                    throw new Unknown();
                }
                localDevices.add(inode.device);
            }
            inodes.add(inode);
        }
    }
}
