package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A table's state tells of every change, or there is none. */
class SourceStateTest {
    private static final int MANY = 100;

    @TempDir
    Path folder;
    private Path root;
    private Path table;

    @BeforeEach
    void makeTable() throws Exception {
        root = folder.toRealPath().resolve("root");
        table = root.resolve("data/table");
        Files.createDirectories(table.resolve("p=1"));
        Files.writeString(table.resolve("a.parquet"), "aaaa");
        Files.writeString(table.resolve("p=1/b.parquet"), "bbbb");
    }

    private static AnswerBasis.TableRead read(String layout, Path path) {
        return new AnswerBasis.TableRead(layout, path.toString(), path.toString());
    }

    private static SourceState look(String layout, Path path, int inodesMax) {
        return SourceState.look(read(layout, path), SourceState.Moment.now(), inodesMax);
    }

    /** Once what was done last is old enough; or null when it never is. */
    private static SourceState settled(String layout, Path path) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        SourceState state = look(layout, path, MANY);
        while (state == null && System.nanoTime() < deadline) {
            Thread.sleep(5);
            state = look(layout, path, MANY);
        }
        return state;
    }

    @Test
    void isTheSameWhileNothingChanges() throws Exception {
        SourceState state = settled("files", table);
        assertNotNull(state);
        assertEquals(state, look("files", table, MANY));
        assertEquals(state.hashCode(), look("files", table, MANY).hashCode());
    }

    @Test
    void whatChangedAMomentAgoHasNone() throws Exception {
        settled("files", table);
        SourceState.Moment now = SourceState.Moment.now();
        Files.writeString(table.resolve("p=1/b.parquet"), "BBBB");
        assertNull(SourceState.look(read("files", table), now, MANY));
    }

    @Test
    void everyChangeIsSeen() throws Exception {
        SourceState before = settled("files", table);
        Path file = table.resolve("p=1/b.parquet");
        FileTime modified = Files.getLastModifiedTime(file);
        for (Change change : List.<Change>of(
                () -> {
                    Files.writeString(file, "BBBB"); // same size, same modification time
                    Files.setLastModifiedTime(file, modified);
                },
                () -> Files.writeString(table.resolve("p=1/c.parquet"), "c"),
                () -> Files.delete(table.resolve("p=1/c.parquet")),
                () -> Files.move(table.resolve("a.parquet"), table.resolve("b.parquet")),
                () -> {
                    Path other = Files.writeString(root.resolve("other"), "BBBB");
                    Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
                },
                () -> {
                    Files.move(table, root.resolve("old"));
                    Files.createDirectory(table);
                    Files.writeString(table.resolve("b.parquet"), "aaaa");
                })) {
            change.make();
            SourceState after = settled("files", table);
            assertNotNull(after);
            assertNotEquals(before, after);
            before = after;
        }
    }

    private interface Change {
        void make() throws Exception;
    }

    @Test
    void linksBelowAndTooManyFilesHaveNone() throws Exception {
        assertNotNull(settled("files", table));
        assertNull(look("files", table, 3), "four inodes");
        assertNotNull(look("files", table, 4));
        Files.createSymbolicLink(table.resolve("link"), root);
        assertNull(settled("files", table.resolve("p=1").resolve("absent")));
        Path plain = table.resolve("p=1");
        assertNotNull(settled("files", plain));
        assertNull(look("files", table, MANY));
    }

    @Test
    void aLogTellsByItsNewestFile() throws Exception {
        Path log = Files.createDirectories(table.resolve("_delta_log"));
        Path commit = log.resolve("00000000000000000000.json");
        Files.writeString(log.resolve("notes.json"), "{}");
        assertNull(settledSoon("delta", table), "no commit");
        Files.writeString(commit, "{}");
        SourceState first = settled("delta", table);
        assertNotNull(first);
        Files.writeString(table.resolve("p=1/not-in-the-log.parquet"), "x");
        assertEquals(first, settled("delta", table));
        Files.writeString(log.resolve("00000000000000000001.json"), "{}");
        assertNotEquals(first, settled("delta", table));
    }

    @Test
    void anIcebergTableIsItsMetadataAndItsHint() throws Exception {
        Path metadata = Files.createDirectories(table.resolve("metadata"));
        Files.writeString(metadata.resolve("v1.metadata.json"), "{}");
        SourceState first = settled("iceberg", table);
        assertNotNull(first);
        Files.writeString(metadata.resolve("version-hint.text"), "1");
        SourceState hinted = settled("iceberg", table);
        assertNotEquals(first, hinted);
        Files.writeString(metadata.resolve("version-hint.text"), "2");
        assertNotEquals(hinted, settled("iceberg", table));
    }

    private static SourceState settledSoon(String layout, Path path) throws Exception {
        Thread.sleep(2 * TimeUnit.NANOSECONDS.toMillis(SourceState.SETTLED_NANOS));
        return look(layout, path, MANY);
    }

    @Test
    void theWayIsSettledWhenNothingOnItMoved() throws Exception {
        DataRoots roots = new DataRoots(List.of(root.toString()));
        Path link = root.resolve("link");
        Files.createSymbolicLink(link, table);
        AnswerBasis.TableRead read = new AnswerBasis.TableRead("files", link.toString(),
                table.toString());
        Thread.sleep(2 * TimeUnit.NANOSECONDS.toMillis(SourceState.SETTLED_NANOS));
        SourceState.Moment began = SourceState.Moment.now();
        assertTrue(SourceState.wayIsSettled(read, roots, began));
        Files.createDirectory(root.resolve("data/new"));
        assertFalse(SourceState.wayIsSettled(read, roots, began), "a folder on the way");
        Path other = Files.createDirectories(root.resolve("other"));
        Files.delete(link);
        Files.createSymbolicLink(link, other);
        assertFalse(SourceState.wayIsSettled(read, roots, SourceState.Moment.now()), "led elsewhere");
    }
}
