package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import java.util.concurrent.atomic.AtomicBoolean;
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
        new WarmUp(folder, unguarded(), new Callers(), new WarmUp.Opener() {
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
        new WarmUp(folder, unguarded(), new Callers(), new WarmUp.Opener() {
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

    @Test
    void itLetsCallersGoFirst() throws Exception {
        Callers callers = new Callers();
        Object query = new Object();
        callers.begin(query);
        CountDownLatch asked = new CountDownLatch(3);
        AtomicBoolean early = new AtomicBoolean();
        AtomicBoolean over = new AtomicBoolean();
        Path folder = Files.createDirectories(TestEngine.HOME.resolve("warm-up-polite"));
        WarmUp warmUp = new WarmUp(folder, unguarded(), callers, new WarmUp.Opener() {
            @Override
            public Query open(QueryRequest request, long schemaAddress) throws Exception {
                if (!over.get()) {
                    early.set(true);
                }
                asked.countDown();
                throw BridgeException.badRequest("refused by the test");
            }

            @Override
            public void close(Query query) {
                throw new AssertionError("nothing was open");
            }
        });
        assertFalse(warmUp.run(200), "it waits for the caller's query");
        assertEquals(3, asked.getCount());
        over.set(true);
        callers.end(query);
        assertTrue(asked.await(60, TimeUnit.SECONDS), "its turn has come");
        assertFalse(early.get());
    }

    @Test
    void itStopsWaitingWhenItIsClosed() throws Exception {
        Callers callers = new Callers();
        callers.begin(new Object());
        Path folder = Files.createDirectories(TestEngine.HOME.resolve("warm-up-closed"));
        WarmUp warmUp = new WarmUp(folder, unguarded(), callers, new WarmUp.Opener() {
            @Override
            public Query open(QueryRequest request, long schemaAddress) {
                throw new AssertionError("asked: " + request);
            }

            @Override
            public void close(Query query) {
                throw new AssertionError("nothing was open");
            }
        });
        assertFalse(warmUp.run(1));
        warmUp.close();
        assertTrue(warmUp.run(60_000));
        try (var files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void callersAreWaitedForWithinBounds() throws Exception {
        Callers callers = new Callers();
        callers.awaitFirst(1);
        callers.awaitNone(System.nanoTime() + TimeUnit.MINUTES.toNanos(1));
        callers.begin("a");
        callers.awaitFirst(60_000);
        callers.awaitNone(System.nanoTime());
        callers.end("b");
        callers.begin("b");
        callers.end("a");
        callers.end("b");
        callers.awaitNone(System.nanoTime() + TimeUnit.MINUTES.toNanos(1));
    }

    /** Hadoop would give the session's guarded file system, which lets nobody write here. */
    private static Configuration unguarded() {
        Configuration conf = new Configuration();
        conf.setBoolean("fs.file.impl.disable.cache", true);
        return conf;
    }
}
