package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

    @Test
    void rootsCompareByComponentAndPrefix() throws Exception {
        DataRoots roots = DataRoots.parse("/usr, s3a://bucket/data");
        assertEquals("s3a://bucket/data/x", roots.resolve("s3a://bucket/data/x"));
        for (String path : List.of("s3a://bucket/database", "s3a://bucket/data/../x",
                "s3a://other/data/x", "/usrx", "s3a://bucket")) {
            assertThrows(BridgeException.class, () -> roots.resolve(path), path);
        }
        assertFalse(roots.allows(java.net.URI.create("s3a://bucket/data/../other")));
        assertFalse(roots.allows(java.net.URI.create("https://bucket/data/x")));
    }
}
