package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cancel reaches whatever a query is at, and nothing of it stays. */
@Timeout(180)
class CancelTest {
    /** From the cancel to the free slot: twice what a busy machine needs, a tenth of the work. */
    private static final long PATIENCE_MS = 10_000;

    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertEquals(0, QueryRegistry.size());
        assertEquals(0, TestEngine.allocatedBytes());
        assertEquals(0, TestEngine.LOCAL_DIR.resolve("results").toFile().list().length);
        assertEquals(0, Json.parse(Bridge.facts()).get("spooled_bytes").asLong());
        assertEquals(0, Json.parse(Bridge.facts()).get("waiting_bytes").asLong());
    }

    /** Cancels once the condition holds; the query must then be over soon. */
    private static void cancelWhen(ObjectNode query, BooleanSupplier condition) throws Exception {
        String tag = query.get("tag").asText();
        long[] cancelledAtMs = new long[1];
        Thread canceller = new Thread(() -> {
            ResultTest.awaitTrue(condition);
            cancelledAtMs[0] = System.currentTimeMillis();
            Bridge.cancel(tag.getBytes());
        });
        canceller.start();
        TestEngine.Failed failure = TestEngine.failure(query);
        long endedAtMs = System.currentTimeMillis();
        canceller.join();
        assertEquals("cancelled", failure.code(), failure.error.toString());
        assertEquals(0, TestTasks.running(tag));
        assertTrue(endedAtMs - cancelledAtMs[0] < PATIENCE_MS,
                "over after ms: " + (endedAtMs - cancelledAtMs[0]));
    }

    private static ObjectNode query(String sql) {
        return TestEngine.query("parquet", sql);
    }

    private static Thread runnerOf(ObjectNode query) {
        Query running = QueryRegistry.byTag(query.get("tag").asText());
        return running == null ? null : Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("query-" + running.id()))
                .findAny().orElse(null);
    }

    private static boolean isInside(ObjectNode query, String className) {
        Thread runner = runnerOf(query);
        return runner != null && List.of(runner.getStackTrace()).stream()
                .anyMatch(frame -> frame.getClassName().contains(className));
    }

    private static boolean aTaskIsInside(String className) {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(entry -> entry.getKey().getName().contains("(TID "))
                .anyMatch(entry -> List.of(entry.getValue()).stream()
                        .anyMatch(frame -> frame.getClassName().contains(className)));
    }

    /** Seconds of rules over some hundred sub-queries. */
    @Test
    void planningEnds() throws Exception {
        String part = "SELECT id + 1 AS id FROM range(10) WHERE id > 3 AND id % 7 <> 2";
        ObjectNode large = query(part + (" UNION ALL " + part).repeat(400));
        cancelWhen(large, () -> isInside(large, "catalyst.rules.RuleExecutor"));
    }

    @Test
    void eachRuleLooksForTheCancel() {
        AtomicInteger looks = new AtomicInteger();
        Cancellation atTheTenth = new Cancellation() {
            @Override
            public void check() throws BridgeException {
                if (looks.incrementAndGet() == 10) {
                    throw BridgeException.cancelled();
                }
            }

            @Override
            public void onCancel(Runnable hook) {
                throw new AssertionError("planning has no hook");
            }
        };
        SparkSession session = SparkSession.builder().getOrCreate();
        assertThrows(CancellationException.class, () -> SparkLine.execution(session,
                SparkLine.state(session).sqlParser().parsePlan("SELECT id FROM range(10)"),
                new CancellableTracker(atTheTenth)).assertAnalyzed());
        assertEquals(10, looks.get());
    }

    @Test
    void aListingEnds() throws Exception {
        Files.createDirectories(TestEngine.ROOT.resolve("listed/p=1"));
        Path folder = new Path(TestEngine.ROOT.resolve("listed").toString());
        Configuration conf = SparkContext.getOrCreate().hadoopConfiguration();
        FileSystem files = folder.getFileSystem(conf);
        assertEquals(1, files.listStatus(folder).length);
        Thread.currentThread().interrupt();
        try {
            assertThrows(InterruptedIOException.class, () -> files.listStatus(folder));
            assertThrows(InterruptedIOException.class, () -> files.listLocatedStatus(folder));
        } finally {
            assertTrue(Thread.interrupted());
        }
    }

    /** The small side of the join, an hour's work, is built for all tasks at once. */
    @Test
    void aBroadcastBuildEnds() throws Exception {
        ObjectNode join = query("SELECT count(*) FROM range(0, 1000, 1, 2) a JOIN"
                + " (SELECT id FROM range(0, 1000000, 1, 4) WHERE"
                + " size(filter(sequence(0L, 20000L), x -> x % 7 = id % 7)) > 0) b ON a.id = b.id");
        cancelWhen(join, () -> TestTasks.running(join.get("tag").asText()) > 0
                && Thread.getAllStackTraces().keySet().stream()
                        .anyMatch(thread -> thread.getName().startsWith("broadcast-exchange")));
    }

    /** A thousand rows of a minute in all, before Spark looks for the cancel by itself. */
    @ParameterizedTest
    @ValueSource(strings = {"SELECT max(n) FROM (%s)", "SELECT n, collect_list(id) FROM (%s) GROUP BY n",
        "SELECT * FROM (%s) ORDER BY n LIMIT 1000000", "SELECT row_number() OVER (ORDER BY n) FROM (%s)"})
    void gatheringSlowRowsEnds(String gathering) throws Exception {
        ObjectNode slow = query(String.format(gathering, "SELECT id, length(replace("
                + "concat(repeat('a', 3000000), id), 'a', 'bc')) AS n FROM range(0, 1000000, 1, 8)"));
        cancelWhen(slow, () -> aTaskIsInside("UTF8String"));
    }

    private static boolean isChecked(String sql) throws Exception {
        SparkSession session = SparkSession.builder().getOrCreate();
        return SparkLine.execution(session, SparkLine.state(session).sqlParser().parsePlan(sql))
                .optimizedPlan().toString().contains("not cancelled");
    }

    @Test
    void quickRowsAreGatheredWithoutALook() throws Exception {
        assertFalse(isChecked("SELECT id % 7, sum(id + 1), count(*) FROM range(10) WHERE id > 3"
                + " GROUP BY 1 ORDER BY 1"));
        assertTrue(isChecked("SELECT collect_list(id) FROM range(10)"));
        assertTrue(isChecked("SELECT max(n) FROM (SELECT length(repeat('x', id)) AS n"
                + " FROM range(10)) WHERE n > 3"));
    }

    @Test
    void lambdasWithinLambdasEnd() throws Exception {
        ObjectNode days = query("SELECT aggregate(sequence(1, 8000000), 0L, (a, x) ->"
                + " a + aggregate(sequence(1, 8000000), 0L, (b, y) -> b + x * y)) FROM range(2)");
        cancelWhen(days, () -> aTaskIsInside("ArrayAggregate"));
    }

    @Test
    void spoolingEnds() throws Exception {
        ObjectNode unread = query("SELECT id, repeat('y', 2000) AS pad"
                + " FROM range(0, 400000000, 1, 4)");
        String tag = unread.get("tag").asText();
        try (TestEngine.Cursor cursor = TestEngine.open(unread)) {
            // Up to the floor of memory, then the file; the spool of the tests is full at 64 MiB.
            ResultTest.awaitTrue(() -> {
                try {
                    return Json.parse(Bridge.facts()).get("spooled_bytes").asLong() > 0;
                } catch (java.io.IOException e) {
                    throw new AssertionError(e);
                }
            });
            Bridge.cancel(tag.getBytes());
            TestEngine.Failed failure = assertThrows(TestEngine.Failed.class, cursor::next);
            assertTrue(Set.of("cancelled", "storage_full").contains(failure.code()));
            ResultTest.awaitTrue(() -> TestTasks.running(tag) == 0);
        }
    }

    /** Threads that Spark shares among queries run jobs of one, then of another. */
    @Test
    void tagsStayWithTheirQuery() throws Exception {
        Set<String> strange = ConcurrentHashMap.newKeySet();
        AtomicInteger jobs = new AtomicInteger();
        SparkListener listener = new SparkListener() {
            @Override
            public void onJobStart(SparkListenerJobStart start) {
                String tags = start.properties().getProperty("spark.job.tags", "");
                String query = start.properties().getProperty("sparkservice.query", "");
                jobs.incrementAndGet();
                for (String tag : tags.split(",")) {
                    if (tag.startsWith("test-") && !tag.equals(query)) {
                        strange.add(tag + " in " + query);
                    }
                }
            }
        };
        SparkContext context = SparkContext.getOrCreate();
        context.addSparkListener(listener);
        try {
            for (int i = 0; i < 10; i++) {
                TestEngine.rows(query("SELECT a.id % 3, count(*) FROM range(0, 1000, 1, 2) a"
                        + " JOIN range(0, 100, 1, 2) b ON a.id = b.id GROUP BY 1 ORDER BY 1"));
                Bridge.canary();
            }
            context.listenerBus().waitUntilEmpty(60_000);
        } finally {
            context.removeSparkListener(listener);
        }
        assertEquals(Set.of(), strange);
        assertTrue(jobs.get() >= 30, "jobs: " + jobs);
        assertFalse(context.getJobTags().iterator().hasNext());
    }
}
