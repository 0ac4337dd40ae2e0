package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sparkservice.bridge.QueryRequest.Source;

/** The tables that the service makes for itself, and its statements over them. */
class WarmUpTest {
    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
    }

    @ParameterizedTest
    @EnumSource(names = {"PARQUET", "DELTA", "ICEBERG"})
    void aTableHasItsRows(Source source) throws Exception {
        Path folder = TestEngine.ROOT.resolve("warm-up-test");
        Path table = WarmUpTables.make(source, folder, unguarded());
        assertEquals(List.of(List.of("12", "1", "Ada Lovelace", "22000.00")),
                TestEngine.rows(source.name().toLowerCase(Locale.ROOT), table,
                        "SELECT count(*), min(id), min(name), max(balance) FROM "
                                + source.name().toLowerCase(Locale.ROOT) + "_data"));
        TestEngine.deleteTree(table);
    }

    @Test
    void itRunsWhenItIsAsked() {
        byte[] over = Bridge.warmUp(1);
        while (over != null) {
            assertEquals(0, over.length, new String(over, StandardCharsets.UTF_8));
            over = Bridge.warmUp(100);
        }
        Path folder = TestEngine.LOCAL_DIR.resolve("warm-up");
        for (String part : List.of("PARQUET", "DELTA/_delta_log", "ICEBERG/metadata")) {
            assertTrue(Files.isDirectory(folder.resolve(part)), part);
        }
    }

    @Test
    void itIsWaitedForNoLongerThanAsked() throws Exception {
        CountDownLatch waitedFor = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(3);
        Path folder = Files.createDirectories(TestEngine.HOME.resolve("warm-up-waiting"));
        new WarmUp(folder, unguarded(), new WarmUp.Opener() {
            @Override
            public Query open(QueryRequest request, long schemaAddress) throws Exception {
                waitedFor.await();
                asked.countDown();
                throw BridgeException.badRequest("refused by the test");
            }

            @Override
            public void close(Query query) {
                throw new AssertionError("nothing was open");
            }
        }).run(1);
        waitedFor.countDown();
        assertTrue(asked.await(60, TimeUnit.SECONDS), "the rest goes on");
    }

    @Test
    void aStatementThatFailsEndsItsSourceOnly() throws Exception {
        Set<Source> asked = ConcurrentHashMap.newKeySet();
        Path folder = Files.createDirectories(TestEngine.HOME.resolve("warm-up-failing"));
        new WarmUp(folder, unguarded(), new WarmUp.Opener() {
            @Override
            public Query open(QueryRequest request, long schemaAddress) throws Exception {
                assertTrue(asked.add(request.source()), "asked again: " + request);
                throw BridgeException.badRequest("refused by the test");
            }

            @Override
            public void close(Query query) {
                throw new AssertionError("nothing was open");
            }
        }).run(60_000);
        assertEquals(Set.of(Source.PARQUET, Source.DELTA, Source.ICEBERG), asked);
    }

    /** Hadoop would give the session's guarded file system, which lets nobody write here. */
    private static Configuration unguarded() {
        Configuration conf = new Configuration();
        conf.setBoolean("fs.file.impl.disable.cache", true);
        return conf;
    }
}
