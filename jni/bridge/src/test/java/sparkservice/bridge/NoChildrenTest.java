package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.spark.SparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What Hadoop does by starting a process: `id` for groups, `chmod` for what it makes. */
class NoChildrenTest {
    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
    }

    /** Page faults of children that are over (proc(5), cminflt): grows with each. */
    private static long faultsOfChildren() throws IOException {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[8]);
    }

    @Test
    void faultsTellOfAChild() throws Exception {
        long before = faultsOfChildren();
        assertEquals(0, new ProcessBuilder("true").start().waitFor());
        assertTrue(faultsOfChildren() > before);
    }

    @Test
    void nobodyIsAskedForGroups() throws Exception {
        assertArrayEquals(new String[0], UserGroupInformation.getCurrentUser().getGroupNames());
    }

    @Test
    void permissionsAreSetByTheProcessItself() throws Exception {
        Path folder = TestEngine.LOCAL_DIR.resolve("permissions");
        FileSystem files = FileSystem.get(folder.toUri(),
                SparkContext.getOrCreate().hadoopConfiguration());
        long before = faultsOfChildren();
        assertTrue(files.mkdirs(new org.apache.hadoop.fs.Path(folder.toUri()),
                new FsPermission("750")));
        files.create(new org.apache.hadoop.fs.Path(folder.resolve("file").toUri())).close();
        assertEquals(before, faultsOfChildren());
        assertEquals("rwxr-x---",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
    }

    /** Spark makes the folder of its default database when a table is first looked for in vain. */
    @Test
    void noTableByThatName() throws Exception {
        long before = faultsOfChildren();
        assertEquals("sql_error", TestEngine.failure(
                TestEngine.query("parquet", "SELECT * FROM nowhere")).code());
        assertEquals(before, faultsOfChildren());
    }
}
