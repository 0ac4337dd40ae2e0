package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/**
 * Tables as they were read last, for as long as they are the same ({@link SourceState}): their
 * relations, so that a statement is planned without a listing, a footer or a log, and the rows of
 * small ones. The table that was used longest ago goes first.
 */
final class KeptSources {
    /** Of all bytes that may be kept, the part of one table. */
    static final int TABLES_MIN = 16;

    /** Which table of which version; a name stands for one location. */
    record Key(QueryRequest.Source source, String name, long version, String snapshotId) {
    }

    /** Reads a table's schema and listing, log or metadata. */
    interface Loader {
        LogicalPlan load() throws BridgeException;
    }

    /** Where a table is, once it is loaded. */
    interface Locator {
        AnswerBasis.TableRead locate(LogicalPlan relation);
    }

    /** A table of one state, as long as anybody holds it. */
    static final class Source {
        private final AnswerBasis.TableRead read;
        private final LogicalPlan relation;
        private final SourceState state; // null: nobody knows, and it isn't kept
        private boolean wasUsed; // by a second statement; under the lock of KeptSources
        private boolean decoding;
        private boolean tooLarge;
        private SmallTable rows;
        private volatile boolean isKept;

        private Source(AnswerBasis.TableRead read, LogicalPlan relation, SourceState state) {
            this.read = read;
            this.relation = relation;
            this.state = state;
        }

        LogicalPlan relation() {
            return relation;
        }

        AnswerBasis.TableRead read() {
            return read;
        }

        /** Whether it may be found again; once it is dropped it never will. */
        boolean isKept() {
            return isKept;
        }
    }

    private final DataRoots roots;
    private final ReuseLimits limits;
    private final KeptPlans plans;
    private final ByteBudget memory;
    private final Map<Key, Source> sources = new LinkedHashMap<>(16, 0.75f, true);
    private long hits;
    private long misses;

    /** @param plans those over tables that are no longer kept are forgotten */
    KeptSources(DataRoots roots, ReuseLimits limits, KeptPlans plans) {
        this.roots = roots;
        this.plans = plans;
        this.limits = limits;
        this.memory = new ByteBudget(limits.sourceMemoryBytes());
    }

    /** The table as it is now: as it was kept, or loaded. A table without a key isn't kept. */
    Source open(Key key, AnswerBasis.TableRead read, Loader loader) throws BridgeException {
        if (key == null) {
            return new Source(read, loader.load(), null);
        }
        SourceState.Moment began = SourceState.Moment.now();
        SourceState state = look(read, began);
        Source known = find(key, state);
        return known != null ? known : load(key, relation -> read, loader, began);
    }

    /** The same of a table whose catalog alone knows where it is. */
    Source open(Key key, Locator locator, Loader loader) throws BridgeException {
        if (key == null) {
            LogicalPlan relation = loader.load();
            return new Source(locator.locate(relation), relation, null);
        }
        SourceState.Moment began = SourceState.Moment.now();
        AnswerBasis.TableRead last = lastRead(key);
        SourceState state = last == null || !leadsThere(last) ? null : look(last, began);
        Source known = find(key, state);
        return known != null ? known : load(key, locator, loader, began);
    }

    private SourceState look(AnswerBasis.TableRead read, SourceState.Moment now) {
        return limits.sources() == 0 ? null : SourceState.look(read, now, limits.inodes());
    }

    private static boolean leadsThere(AnswerBasis.TableRead read) {
        try {
            return java.nio.file.Path.of(read.asked()).toRealPath().toString()
                    .equals(read.location());
        } catch (java.io.IOException | RuntimeException e) {
            return false;
        }
    }

    private synchronized AnswerBasis.TableRead lastRead(Key key) {
        Source known = sources.get(key);
        return known == null ? null : known.read;
    }

    private synchronized Source find(Key key, SourceState state) {
        Source known = sources.get(key);
        if (known != null && known.state.equals(state)) {
            known.wasUsed = true;
            hits++;
            return known;
        }
        misses++;
        drop(key);
        return null;
    }

    /** A look that finds nothing changed since a moment speaks for all that was read since. */
    private Source load(Key key, Locator locator, Loader loader, SourceState.Moment began)
            throws BridgeException {
        LogicalPlan relation = loader.load();
        AnswerBasis.TableRead read = locator.locate(relation);
        SourceState state = look(read, began);
        boolean exact = state != null && SourceState.wayIsSettled(read, roots, began);
        Source made = new Source(read, relation, exact ? state : null);
        if (exact) {
            keep(key, made);
        }
        return made;
    }

    private synchronized void keep(Key key, Source source) {
        drop(key);
        sources.put(key, source);
        source.isKept = true;
        if (sources.size() > limits.sources()) {
            drop(sources.keySet().iterator().next());
        }
    }

    /** With its rows, and the plans over it. */
    private void drop(Key key) {
        Source gone = sources.remove(key);
        if (gone == null) {
            return;
        }
        gone.isKept = false;
        plans.forget(gone);
        if (gone.rows != null) {
            memory.give(gone.rows.bytes());
            gone.rows = null;
        }
    }

    /**
     * The rows of a small table, decoded when a second statement asks for it; null of any other.
     *
     * @param session decodes them, in a job of the query on whose thread this is
     */
    SmallTable rows(Source source, SparkSession session) throws Exception {
        synchronized (this) {
            if (source.rows != null || source.tooLarge || source.decoding || !source.wasUsed
                    || memory.limitBytes() == 0) {
                return source.rows;
            }
            source.decoding = true;
        }
        SourceState.Moment began = SourceState.Moment.now();
        SmallTable made = null;
        boolean decoded = false;
        try {
            made = SmallTable.decode(session, source.relation, memory.limitBytes() / TABLES_MIN);
            decoded = source.state.equals(look(source.read, began))
                    && SourceState.wayIsSettled(source.read, roots, began);
        } finally {
            synchronized (this) {
                source.decoding = false;
                source.tooLarge = decoded && made == null;
                if (!decoded || made == null || !makeRoom(source, made.bytes())) {
                    made = null;
                }
                source.rows = made;
            }
        }
        return made;
    }

    /** Whether it isn't known yet if the table is a small one: its next statement will find out. */
    synchronized boolean mayTurnOutSmall(Source source) {
        return source.isKept && source.rows == null && !source.tooLarge && memory.limitBytes() > 0;
    }

    /** Takes the bytes, if need be from tables that were used longer ago. */
    private boolean makeRoom(Source taker, long bytes) {
        for (Map.Entry<Key, Source> other : List.copyOf(sources.entrySet())) {
            if (!taker.isKept || memory.tryTake(bytes)) {
                return taker.isKept;
            }
            if (other.getValue() != taker && other.getValue().rows != null) {
                drop(other.getKey());
            }
        }
        return taker.isKept && memory.tryTake(bytes);
    }

    /** Gives the memory back: the heap is filling up. */
    synchronized void forgetRows() {
        List.copyOf(sources.entrySet()).stream().filter(entry -> entry.getValue().rows != null)
                .forEach(entry -> drop(entry.getKey()));
    }

    synchronized void addTo(ObjectNode facts) {
        facts.put("kept_sources", sources.size());
        facts.put("kept_source_bytes", memory.usedBytes());
        facts.put("source_hits", hits);
        facts.put("source_misses", misses);
    }
}
