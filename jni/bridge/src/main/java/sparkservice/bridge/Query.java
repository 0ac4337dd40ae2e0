package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.spark.SparkContext;
import sparkservice.bridge.scheduler.ReservingScheduler;

/**
 * One attempt of one query, from the text to the last batch.
 *
 * <p>Everything that Spark does for it runs on a thread of its own, made for this query and ended
 * with it: tags and other thread-local properties can't leak into the next query, and an interrupt
 * can't hit it. The callers' threads only wait on the buffer.
 *
 * <p>Cancelling is a flag, the job tag and an interrupt, repeated until the thread has ended: a
 * cancel may fall between two jobs, into planning or into a broadcast.
 */
final class Query implements Cancellation, AutoCloseable {
    private static final long CANCEL_REPEAT_MS = 50;
    private static final long TASK_LOOK_MS = 5;
    /** Parser, analyser and optimizer recurse over the statement; only what is used is committed. */
    private static final long STACK_BYTES = 64L << 20;

    /** Parses, checks, plans: everything before the first job. */
    interface Planner {
        /** @param runs false: the plan is to be explained */
        QueryPlan plan(QueryRequest request, boolean runs, Cancellation cancellation)
                throws Exception;

        /** Frees what planning left open; called once the query is over. */
        default void end(QueryRequest request) {
        }
    }

    private final long id;
    private final QueryRequest request;
    private final Planner planner;
    private final SparkContext context;
    private final ResultBuffer buffer;
    private final Thread runner;
    private final CompletableFuture<QueryPlan> planned = new CompletableFuture<>();
    private final ErrorMapper errors;
    private boolean runs; // set before the runner starts
    private volatile boolean cancelled;
    private volatile BridgeException ending; // why it is ended from outside
    private volatile Runnable onCancel;
    private ObjectNode explanation;
    private BatchReader reader;
    private QueryPlan plan;

    Query(long id, QueryRequest request, Planner planner, SparkContext context,
            ResultBuffer.Limits limits) {
        this.id = id;
        this.request = request;
        this.planner = planner;
        this.context = context;
        this.buffer = new ResultBuffer(limits);
        this.errors = new ErrorMapper(request.sql());
        this.runner = new Thread(null, this::run, "query-" + id, STACK_BYTES);
        this.runner.setDaemon(true);
    }

    long id() {
        return id;
    }

    String tag() {
        return request.tag();
    }

    ResultBuffer buffer() {
        return buffer;
    }

    /** Whether nothing of it runs any more; its rows can still wait to be read. */
    boolean hasEnded() {
        return runner.getState() == Thread.State.TERMINATED;
    }

    /** Whether a thread of it, or one of its tasks, is under way, called off or not. */
    boolean works() {
        return runner.isAlive() || tasksRun();
    }

    /** Plans the query and starts it; returns its columns once it is planned. */
    Schema open() throws BridgeException, InterruptedException {
        plan = begin(true);
        Schema schema = ResultSchema.arrow(plan.columns());
        reader = new BatchReader(schema, plan.maxRows());
        return schema;
    }

    /** Plans the query as {@code open} does, and leaves it there. */
    QueryPlan explain() throws BridgeException, InterruptedException {
        return begin(false);
    }

    /** Of an explained query. */
    ObjectNode explanation() {
        return explanation;
    }

    private QueryPlan begin(boolean andRun) throws BridgeException, InterruptedException {
        runs = andRun;
        if (scheduler() != null) {
            scheduler().begin(tag());
        }
        runner.setContextClassLoader(Thread.currentThread().getContextClassLoader());
        runner.start();
        try {
            return planned.get();
        } catch (ExecutionException e) {
            throw mapped(e.getCause());
        }
    }

    /** Known once it is open. */
    QueryPlan plan() {
        return plan;
    }

    /** Exports the next batch to an ArrowArray; false at the end. */
    boolean next(long arrayAddress) throws BridgeException, InterruptedException {
        return reader.exportNext(buffer, arrayAddress);
    }

    void cancel() {
        end(BridgeException.cancelled());
    }

    /** Ends it as {@code why} says, unless it is being ended already. */
    void end(BridgeException why) {
        synchronized (this) {
            if (ending == null) {
                ending = why;
            }
        }
        cancelled = true;
        buffer.fail(ending);
        interruptWork();
    }

    private BridgeException mapped(Throwable thrown) {
        boolean wasCancelled = cancelled; // who ends it says why first
        BridgeException why = ending;
        return why != null ? why : errors.map(thrown, wasCancelled);
    }

    private void interruptWork() {
        endJobs();
        Runnable hook = onCancel;
        if (hook != null) {
            hook.run();
        }
        runner.interrupt();
    }

    /** Ends the query whatever its state; returns when nothing of it runs any more. */
    @Override
    public void close() throws InterruptedException {
        cancelled = true;
        while (runner.isAlive()) {
            interruptWork();
            runner.join(CANCEL_REPEAT_MS);
        }
        while (tasksRun()) {
            Thread.sleep(TASK_LOOK_MS);
        }
        buffer.close();
    }

    /** No new job from here on, and those under way are cancelled. */
    private void endJobs() {
        endJobs(true);
    }

    /** @param areThere there may be some; finding none wakes Spark's scheduler for nothing */
    private void endJobs(boolean areThere) {
        if (scheduler() != null) {
            scheduler().end(tag());
        }
        if (areThere && !context.isStopped()) {
            context.cancelJobsWithTag(tag());
        }
    }

    /** Spark calls a job cancelled at once; its tasks go on until they look. */
    private boolean tasksRun() {
        return scheduler() != null && scheduler().runningTasks(tag()) > 0;
    }

    /** Null on a cluster, which has a scheduler of its own. */
    private ReservingScheduler scheduler() {
        return context.taskScheduler() instanceof ReservingScheduler scheduler ? scheduler : null;
    }

    private void run() {
        QueryPlan made = null;
        try {
            context.addJobTag(tag());
            context.setInterruptOnCancel(true);
            context.setLocalProperty(ReservingScheduler.QUERY_PROPERTY, tag());
            made = planner.plan(request, runs, this);
            check();
            if (runs) {
                planned.complete(made);
                buffer.finish(made.run(id, buffer, this));
            } else {
                explanation = made.explanation();
                planned.complete(made);
            }
        } catch (Throwable e) {
            planned.completeExceptionally(e);
            buffer.fail(mapped(e));
        } finally {
            planner.end(request);
            // An error or an early end can leave stages running that nobody waits for.
            endJobs(made == null || made.takesJobs());
        }
    }

    @Override
    public void onCancel(Runnable hook) {
        onCancel = hook;
        if (cancelled) {
            hook.run();
        }
    }

    @Override
    public void check() throws BridgeException {
        if (cancelled) {
            throw BridgeException.cancelled();
        }
    }
}
