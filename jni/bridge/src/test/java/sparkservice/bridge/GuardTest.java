package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileRange;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Paths: what a request may name, and what a hostile table may name. */
class GuardTest {
    private static final Path OUTSIDE = TestEngine.HOME.resolve("outside");

    @BeforeAll
    static void sample() throws Exception {
        TestEngine.start();
        OutsideWriter.write(
                "INSERT OVERWRITE DIRECTORY '${home}/outside/parquet' USING parquet SELECT 'secret' s",
                "CREATE TABLE delta.`${home}/outside/delta` USING delta AS SELECT 'secret' s",
                "CREATE TABLE delta.`${root}/guard/delta` USING delta AS SELECT 'mine' s",
                "CREATE TABLE delta.`${home}/outside/clone`"
                        + " SHALLOW CLONE delta.`${root}/guard/delta`",
                "CREATE TABLE delta.`${root}/guard/clone`"
                        + " SHALLOW CLONE delta.`${home}/outside/delta`",
                "CREATE TABLE local.guard.t USING iceberg AS SELECT 'mine' s",
                "CREATE TABLE local.guard.evil (s STRING) USING iceberg"
                        + " TBLPROPERTIES ('write.data.path' = '${home}/outside/iceberg')",
                "INSERT INTO local.guard.evil VALUES ('secret')");
    }

    private static TestEngine.Failed failure(String source, String path) {
        return TestEngine.failure(TestEngine.query(source, "SELECT * FROM " + source + "_data")
                .put("path", path));
    }

    @Test
    void pathsOutsideTheRootsAreForbidden() throws Exception {
        Path link = TestEngine.ROOT.resolve("guard/link");
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, OUTSIDE);
        String root = TestEngine.ROOT.toString();
        for (String path : List.of(OUTSIDE + "/parquet", "/etc/passwd", "/", root + "/../outside",
                root + "/guard/../../outside/parquet", root + "x/users", root + "/guard/link/parquet",
                root + "/guard/link/nothing", root + "/%2e%2e/outside", root + "/gu*rd",
                root + "/{a,b}", root + "/[a]", root + "/?", "file:" + root, "file://" + root,
                "hdfs://h/x", "http://127.0.0.1:1/x", "s3a://bucket/x", "relative/users", "",
                "//" + root, root + "/a\u0000b", root + "\\..\\x", root + "/a\nb",
                "/proc/self/environ", OUTSIDE + "/missing")) {
            for (String source : List.of("parquet", "delta", "iceberg")) {
                TestEngine.Failed failure = failure(source, path);
                assertEquals("forbidden", failure.code(), source + " " + path + failure.error);
                assertFalse(failure.error.toString().contains(OUTSIDE.toString()));
            }
        }
    }

    @Test
    void aDeltaPathInTheStatementIsCheckedToo() {
        for (String path : List.of(OUTSIDE + "/delta", "/etc", "s3a://b/x")) {
            assertEquals("forbidden", TestEngine.failure(TestEngine.query("delta",
                    "SELECT * FROM delta.`" + path + "`")).code(), path);
        }
    }

    @Test
    void aDeltaLogThatNamesFilesOutsideIsForbidden() {
        TestEngine.Failed failure = failure("delta", TestEngine.ROOT + "/guard/clone");
        assertEquals("forbidden", failure.code(), failure.error.toString());
    }

    @Test
    void icebergMetadataThatNamesFilesOutsideIsForbidden() throws Exception {
        try (var files = Files.walk(OUTSIDE.resolve("iceberg"), FileVisitOption.FOLLOW_LINKS)) {
            assertTrue(files.anyMatch(path -> path.toString().endsWith(".parquet")),
                    "the table's data must be outside for this test to mean anything");
        }
        TestEngine.Failed failure = failure("iceberg", TestEngine.WAREHOUSE + "/guard/evil");
        assertEquals("forbidden", failure.code(), failure.error.toString());
        failure = TestEngine.failure(TestEngine.query("iceberg", "SELECT * FROM guard.evil"));
        assertEquals("forbidden", failure.code(), failure.error.toString());
    }

    @Test
    void aLinkInsideATableThatLeavesTheRootsIsForbidden() throws Exception {
        Path folder = Files.createDirectories(TestEngine.ROOT.resolve("guard/linked"));
        try (var files = Files.list(OUTSIDE.resolve("parquet"))) {
            Path target = files.filter(path -> path.toString().endsWith(".parquet")).findFirst()
                    .orElseThrow();
            Path link = folder.resolve("a.parquet");
            Files.deleteIfExists(link);
            Files.createSymbolicLink(link, target);
        }
        TestEngine.Failed failure = failure("parquet", folder.toString());
        assertEquals("forbidden", failure.code(), failure.error.toString());
    }

    @Test
    void icebergNamesCannotBePaths() {
        for (String name : List.of("local.db.`" + OUTSIDE + "/x`", "local.`..`.t",
                "default_iceberg.`" + OUTSIDE + "`", "spark_catalog.db.t")) {
            assertEquals("forbidden", TestEngine.failure(TestEngine.query("iceberg",
                    "SELECT * FROM " + name)).code(), name);
        }
    }

    /** The file systems as Spark has them; `raw` is what is left once the first check is passed. */
    private static GuardedLocalFileSystem guarded() throws Exception {
        Configuration conf = new Configuration(false);
        conf.set(RootGuard.READABLE, TestEngine.ROOT.toString());
        conf.set(RootGuard.WRITABLE, TestEngine.LOCAL_DIR.toString());
        GuardedLocalFileSystem files = new GuardedLocalFileSystem();
        files.initialize(URI.create("file:///"), conf);
        return files;
    }

    private static org.apache.hadoop.fs.Path hadoop(Path path) {
        return new org.apache.hadoop.fs.Path(path.toString());
    }

    @Test
    void whatWasOpenedIsJudgedNotWhatWasAsked() throws Exception {
        Path folder = Files.createDirectories(TestEngine.ROOT.resolve("guard/opened/k=1"));
        Path inside = Files.writeString(folder.resolve("a.txt"), "inside");
        Path hidden = Files.createDirectories(OUTSIDE.resolve("opened/k=secret"));
        Path secret = Files.writeString(hidden.resolve("a.txt"), "secret");
        Path link = TestEngine.ROOT.resolve("guard/opened/link");
        FileSystem raw = guarded().getRaw(); // as if the link were swapped behind the check
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, secret);
        assertThrows(RootGuard.OutsideRootsException.class, () -> raw.open(hadoop(link)));
        Files.delete(link);
        Files.createSymbolicLink(link, hidden.getParent());
        assertThrows(RootGuard.OutsideRootsException.class, () -> raw.listStatus(hadoop(link)));
        assertThrows(RootGuard.OutsideRootsException.class,
                () -> raw.open(hadoop(link.resolve("k=secret/a.txt"))));
        Files.delete(link);
        Files.createSymbolicLink(link, folder);
        try (FSDataInputStream in = raw.open(hadoop(link.resolve("a.txt")))) {
            Files.delete(link);
            Files.createSymbolicLink(link, hidden);
            byte[] bytes = new byte[6];
            in.readFully(0, bytes);
            assertEquals("inside", new String(bytes, StandardCharsets.US_ASCII));
            assertEquals("side", StandardCharsets.US_ASCII.decode(vectored(in)).toString());
        }
        assertEquals(6, raw.getFileStatus(hadoop(inside)).getLen());
    }

    /** Hadoop's own stream opens the path anew for this. Parquet may ask for the same twice. */
    private static ByteBuffer vectored(FSDataInputStream in) throws Exception {
        FileRange range = FileRange.createFileRange(2, 4);
        FileRange again = FileRange.createFileRange(2, 4);
        in.readVectored(List.of(range, again), ByteBuffer::allocate);
        assertEquals(range.getData().get(), again.getData().get());
        return range.getData().get();
    }

    @Test
    void aListingShowsWhatIsThere() throws Exception {
        Path folder = Files.createDirectories(TestEngine.ROOT.resolve("guard/listed"));
        Files.createDirectories(folder.resolve("k=1"));
        Files.writeString(folder.resolve("file"), "12345");
        link(folder.resolve("inward"), folder.resolve("file"));
        link(folder.resolve("folder"), folder.resolve("k=1"));
        link(folder.resolve("outward"), OUTSIDE);
        link(folder.resolve("dangling"), folder.resolve("nothing"));
        link(folder.resolve("loop"), folder.resolve("loop"));
        GuardedLocalFileSystem files = guarded();
        Map<String, FileStatus> found = new HashMap<>();
        for (FileStatus status : files.listStatus(hadoop(folder))) {
            found.put(status.getPath().getName(), status);
        }
        assertEquals(Set.of("k=1", "file", "inward", "folder", "outward", "loop"), found.keySet());
        assertTrue(found.get("k=1").isDirectory());
        assertTrue(found.get("folder").isDirectory());
        assertEquals(5, found.get("file").getLen());
        assertEquals(5, found.get("inward").getLen());
        assertEquals(files.getFileStatus(hadoop(folder.resolve("file"))).getModificationTime(),
                found.get("file").getModificationTime());
        assertEquals("file:" + folder.resolve("file"), found.get("file").getPath().toString());
        assertFalse(found.get("outward").isDirectory()); // not what it leads to
        assertThrows(RootGuard.OutsideRootsException.class,
                () -> files.open(hadoop(folder.resolve("outward"))));
        assertEquals(1, files.listStatus(hadoop(folder.resolve("file"))).length);
        assertThrows(java.io.FileNotFoundException.class,
                () -> files.listStatus(hadoop(folder.resolve("nothing"))));
    }

    private static void link(Path link, Path target) throws Exception {
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, target);
    }

    @Test
    void hadoopsOtherDoorIsGuardedToo() throws Exception {
        Configuration conf = new Configuration(false);
        conf.set(RootGuard.READABLE, TestEngine.ROOT.toString());
        conf.set("fs.AbstractFileSystem.file.impl", GuardedLocalFs.class.getName());
        FileContext files = FileContext.getFileContext(URI.create("file:///"), conf);
        assertThrows(RootGuard.OutsideRootsException.class,
                () -> files.open(new org.apache.hadoop.fs.Path("/etc/hostname")));
    }

    @Test
    void rootsCompareByComponentAndPrefix() throws Exception {
        DataRoots roots = DataRoots.parse("/usr, s3a://bucket/data");
        assertEquals("s3a://bucket/data/x", roots.resolve("s3a://bucket/data/x"));
        for (String path : List.of("s3a://bucket/database", "s3a://bucket/data/../x",
                "s3a://other/data/x", "/usrx", "s3a://bucket")) {
            assertThrows(BridgeException.class, () -> roots.resolve(path), path);
        }
        assertFalse(roots.allows(URI.create("s3a://bucket/data/../other")));
        assertFalse(roots.allows(URI.create("https://bucket/data/x")));
    }
}
