package sparkservice.bridge;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.c.ArrowArray;
import org.apache.arrow.c.ArrowSchema;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service's own statements over tables of its own, once, before any caller's: classes are loaded,
 * code is generated and begins to be compiled. They go the way of a caller's from the text to the
 * exported batch, one source after the other. Whoever asks meanwhile goes first: none begins while a
 * caller's query is under way, until they have waited for {@code PATIENCE_MS}.
 *
 * <p>What fails here is only told: a caller's query will say it better.
 */
final class WarmUp implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);
    private static final List<QueryRequest.Source> SOURCES = List.of(QueryRequest.Source.PARQUET,
            QueryRequest.Source.DELTA, QueryRequest.Source.ICEBERG);
    private static final List<String> STATEMENTS = List.of(
            "SELECT id, name, city FROM %s WHERE age > 30 ORDER BY id LIMIT 10",
            "SELECT city, count(*) AS n, avg(balance) AS b, max(created_at) AS c FROM %s"
                    + " WHERE id <> 7 GROUP BY city ORDER BY n DESC");

    /** Who was told that the engine is starting asks again at once, and is let in first. */
    private static final long HEAD_START_MS = 100;
    private static final long PATIENCE_MS = 10_000;

    /** Registers a query and opens it, its schema exported. */
    interface Opener {
        Query open(QueryRequest request, long schemaAddress) throws Exception;

        void close(Query query) throws InterruptedException;
    }

    private final Path folder;
    private final Configuration conf;
    private final Callers callers;
    private final Opener opener;
    private final Thread thread = new Thread(this::warmUpAll, "warm-up");
    private volatile boolean closed;
    private long patientUntil; // nanoTime; of the thread

    /** @param folder where the tables go, and the only root of these queries */
    WarmUp(Path folder, Configuration conf, Callers callers, Opener opener) {
        this.folder = folder;
        this.conf = conf;
        this.callers = callers;
        this.opener = opener;
        thread.setDaemon(true);
    }

    /**
     * Begins at the first call; true: all is over. Otherwise the rest goes on beside the callers'
     * queries: a cancel interrupts, and a class whose first use is interrupted can stay unusable.
     */
    boolean run(long waitMs) throws InterruptedException {
        if (thread.getState() == Thread.State.NEW) {
            thread.setContextClassLoader(Thread.currentThread().getContextClassLoader());
            thread.start();
        }
        thread.join(waitMs);
        return !thread.isAlive();
    }

    /** Spark is about to end: nothing more is asked, and what fails is no news. */
    @Override
    public void close() {
        closed = true;
        callers.close();
    }

    private void warmUpAll() {
        patientUntil = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS);
        try {
            callers.awaitFirst(HEAD_START_MS);
            for (QueryRequest.Source source : SOURCES) {
                warmUp(source);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does: the thread ends
        }
    }

    private void warmUp(QueryRequest.Source source) throws InterruptedException {
        callers.awaitNone(patientUntil);
        if (closed) {
            return;
        }
        try {
            Path table = WarmUpTables.make(source, folder, conf);
            for (int i = 0; i < STATEMENTS.size(); i++) {
                String name = source.name().toLowerCase(Locale.ROOT);
                callers.awaitNone(patientUntil);
                runWhole(new QueryRequest("warm-up-" + name + "-" + i, source,
                        STATEMENTS.get(i).formatted(name + "_data"), table.toString(), null, null,
                        -1, null, null, -1, -1, null, false));
            }
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            if (!closed) {
                LOG.warn("warm-up of {} failed", source, e);
            }
        }
    }

    private void runWhole(QueryRequest request) throws Exception {
        try (ArrowSchema schema = ArrowSchema.allocateNew(BatchReader.ALLOCATOR)) {
            Query query = opener.open(request, schema.memoryAddress());
            schema.release();
            try {
                while (nextBatch(query)) {
                    continue;
                }
            } finally {
                opener.close(query);
            }
        }
    }

    private static boolean nextBatch(Query query) throws Exception {
        try (ArrowArray array = ArrowArray.allocateNew(BatchReader.ALLOCATOR)) {
            boolean more = query.next(array.memoryAddress());
            if (more) {
                array.release();
            }
            return more;
        }
    }
}
