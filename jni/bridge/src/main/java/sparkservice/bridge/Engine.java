package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/** The one SparkSession and what its queries share. */
final class Engine implements AutoCloseable {
    private static final long CANARY_ROWS = 64;
    private static final long MEMORY_BYTES = 8L << 20;
    private static final long MEMORY_FLOOR_BYTES = 2L << 20;

    private final SparkSession session;
    private final KeptPlans plans;
    private final KeptSources kept;
    private final MemoryGuard memoryGuard;
    private final ResultBuffer.Limits limits;
    private final InlineSession inlineSession;
    private final Query.Planner tablePlanner;
    private final Query.Planner mysqlPlanner;
    private final WarmUp warmUp;
    private final QueryProgress progress = new QueryProgress();
    private final Callers callers = new Callers();
    private final AtomicLong nextQueryId = new AtomicLong();

    Engine(EngineConfig config) throws Exception {
        Path spool = Files.createDirectories(Path.of(config.localDir(), "results"));
        this.limits = new ResultBuffer.Limits(MEMORY_BYTES, MEMORY_FLOOR_BYTES,
                config.spoolBytes(), spool);
        this.session = session(SessionSettings.of(config));
        session.sparkContext().addSparkListener(progress);
        session.experimental().extraOptimizations_$eq(Scala.seq(List.of(new CancelCheckRule())));
        DataRoots roots = DataRoots.parse(config.dataRoots());
        this.plans = new KeptPlans(config.reuse().plans());
        this.kept = new KeptSources(roots, config.reuse(), plans);
        this.memoryGuard = new MemoryGuard(session.sparkContext(), config.limits().memoryPercent(),
                kept::forgetRows);
        GuardedFunctions.install(session, config.limits());
        this.inlineSession = new InlineSession(session, config.limits());
        this.tablePlanner = tablePlanner(config, roots, kept, plans);
        this.mysqlPlanner = new MysqlQueryPlanner(session);
        this.warmUp = warmUp(config,
                Files.createDirectories(Path.of(config.localDir(), "warm-up")));
    }

    private Query.Planner tablePlanner(EngineConfig config, DataRoots roots,
            KeptSources tablesKept, KeptPlans plansKept) {
        return new TableQueryPlanner(session, roots, config.limits(), tablesKept, plansKept,
                inlineSession);
    }

    private WarmUp warmUp(EngineConfig config, Path folder) {
        DataRoots roots = DataRoots.parse(folder.toString());
        KeptPlans plansOfWarmUp = new KeptPlans(config.reuse().plans());
        Query.Planner planner = tablePlanner(config, roots,
                new KeptSources(roots, config.reuse(), plansOfWarmUp), plansOfWarmUp);
        return new WarmUp(folder, SparkLine.state(session).newHadoopConf(), callers, new WarmUp.Opener() {
            @Override
            public Query open(QueryRequest request, long schemaAddress) throws Exception {
                return Engine.this.open(register(request, planner), schemaAddress);
            }

            @Override
            public void close(Query query) throws InterruptedException {
                Engine.this.close(query);
            }
        });
    }

    /** Whether it is over, for which it waits. */
    boolean warmUp(long waitMs) throws InterruptedException {
        return warmUp.run(waitMs);
    }

    private static SparkSession session(Map<String, String> settings) {
        SparkSession.Builder builder = SparkSession.builder();
        settings.forEach(builder::config);
        return builder.getOrCreate();
    }

    String version() {
        return session.version();
    }

    /** Starts a query, exports its schema. */
    Query open(QueryRequest request, long schemaAddress) throws Exception {
        return open(registerCallers(request), schemaAddress);
    }

    private Query registerCallers(QueryRequest request) throws BridgeException {
        Query query = register(request, plannerOf(request));
        callers.begin(query);
        return query;
    }

    private Query open(Query query, long schemaAddress) throws Exception {
        boolean opened = false;
        try {
            BatchReader.exportSchema(query.open(), schemaAddress);
            opened = true;
            return query;
        } finally {
            if (!opened) {
                close(query);
            }
        }
    }

    /** Plans a query, exports its schema, tells its plan; runs nothing of it. */
    ObjectNode explain(QueryRequest request, long schemaAddress) throws Exception {
        if (request.source() == QueryRequest.Source.MYSQL) {
            throw BridgeException.badRequest("MySQL itself explains its statements.");
        }
        Query query = registerCallers(request);
        try {
            QueryPlan plan = query.explain();
            BatchReader.exportSchema(ResultSchema.arrow(plan.columns()), schemaAddress);
            return query.explanation();
        } finally {
            close(query);
        }
    }

    private Query.Planner plannerOf(QueryRequest request) {
        return request.source() == QueryRequest.Source.MYSQL ? mysqlPlanner : tablePlanner;
    }

    private Query register(QueryRequest request, Query.Planner planner) throws BridgeException {
        Query query = new Query(nextQueryId.incrementAndGet(), request, planner,
                session.sparkContext(), limits);
        if (!QueryRegistry.add(query)) {
            throw BridgeException.badRequest("A query of this tag is in flight.");
        }
        progress.begin(query.tag());
        return query;
    }

    boolean next(long cursor, long arrayAddress) throws Exception {
        Query query = QueryRegistry.byId(cursor);
        if (query == null) {
            throw new BridgeException(BridgeException.Code.ENGINE_ERROR, "No such cursor.");
        }
        return query.next(arrayAddress);
    }

    void close(long cursor) throws InterruptedException {
        Query query = QueryRegistry.byId(cursor);
        if (query != null) {
            close(query);
        }
    }

    private void close(Query query) throws InterruptedException {
        try {
            query.close();
        } finally {
            progress.end(query.tag());
            QueryRegistry.remove(query);
            callers.end(query);
        }
    }

    /** A job through the scheduler, not only through the driver: the rows come from tasks. */
    void canary() throws BridgeException {
        String tag = "canary-" + nextQueryId.incrementAndGet();
        SparkContext context = session.sparkContext();
        context.addJobTag(tag);
        context.setInterruptOnCancel(true);
        try {
            long count = session.range(0, CANARY_ROWS, 1, 2).repartition(2).count();
            if (count != CANARY_ROWS) {
                throw new BridgeException(BridgeException.Code.ENGINE_ERROR,
                        "The canary counted " + count + " rows, not " + CANARY_ROWS + ".");
            }
        } finally {
            context.cancelJobsWithTag(tag);
            context.removeJobTag(tag);
        }
    }

    ObjectNode facts() {
        return EngineFacts.json(progress, limits, kept, plans);
    }

    static void cancel(String tag) {
        Query query = QueryRegistry.byTag(tag);
        if (query != null) {
            query.cancel();
        }
    }

    @Override
    public void close() {
        warmUp.close();
        memoryGuard.close();
        session.stop();
    }
}
