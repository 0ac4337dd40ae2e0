package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.spark.SparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.execution.CollectLimitExec;
import org.apache.spark.sql.execution.FormattedMode$;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.SQLExecution;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanExec;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/** A planned query: its columns, and how its rows get into a buffer. */
final class QueryPlan {
    private static final ClassTag<ResultBuffer.Batch[]> BATCHES = ClassTag$.MODULE$.apply(ResultBuffer.Batch[].class);
    /** How much wider each next round of a limit reads, as in Spark's own take(). */
    private static final int LIMIT_SCALE_UP = 4;

    private final SparkContext context;
    private final QueryExecution execution;
    private final StructType columns;
    private final SourceFacts source;
    private final AnswerBasis basis;
    private final Inline inline; // null: it takes jobs

    /**
     * What runs on the query's own thread.
     *
     * @param settings of a task without a job
     * @param pipeline null: the physical plan
     * @param isKept nothing was read to plan it
     */
    record Inline(Properties settings, RowPipeline pipeline, boolean isKept) {
    }

    /** @param columns names and metadata as the caller shall see them */
    QueryPlan(SparkContext context, QueryExecution execution, StructType columns,
            AnswerBasis basis) {
        this(context, execution, columns, SourceFacts.of(execution.executedPlan()), basis, null);
    }

    QueryPlan(SparkContext context, QueryExecution execution, StructType columns,
            SourceFacts source, AnswerBasis basis, Inline inline) {
        this.context = context;
        this.execution = execution;
        this.columns = columns;
        this.source = source;
        this.basis = basis;
        this.inline = inline;
    }

    /** Rows at most; more can be in the buffer, because tasks don't know of each other. */
    long maxRows() {
        Option<Object> bound = execution.optimizedPlan().maxRows();
        return bound.isDefined() ? ((Number) bound.get()).longValue() : Long.MAX_VALUE;
    }

    StructType columns() {
        return columns;
    }

    SourceFacts source() {
        return source;
    }

    AnswerBasis basis() {
        return basis;
    }

    /** The plan's text, its files and filters: what {@code explain} answers. */
    ObjectNode explanation() {
        ObjectNode explanation = Json.object();
        explanation.put("plan", execution.explainString(FormattedMode$.MODULE$).strip());
        explanation.set("source", source.json());
        ScanFilters.of(execution.executedPlan()).addTo(explanation);
        return explanation;
    }

    /** Whether a job can have been started, to plan it or to run it. */
    boolean takesJobs() {
        return inline == null || !inline.isKept();
    }

    /** Runs the query, rows into the buffer; returns the number of partitions put there. */
    int run(long queryId, ResultBuffer buffer, Cancellation cancellation) {
        if (inline != null) {
            return Unchecked.call(() -> runInline(queryId, buffer, cancellation));
        }
        return SQLExecution.withNewExecutionId(execution, Option.empty(),
                () -> Unchecked.call(() -> runJobs(queryId, buffer, cancellation)));
    }

    private int runInline(long queryId, ResultBuffer buffer, Cancellation cancellation) {
        RDD<InternalRow> rows = inline.pipeline() != null ? null
                : execution.executedPlan().execute();
        if (rows != null && rows.getNumPartitions() == 0) {
            return 0;
        }
        try (InlineTask task = new InlineTask(inline.settings(), cancellation)) {
            BatchSink.ofRows(queryId, columns, Long.MAX_VALUE).apply(task.context(), rows == null
                    ? inline.pipeline().rows(task.context())
                    : rows.iterator(rows.partitions()[0], task.context()));
        }
        return 1;
    }

    private int runJobs(long queryId, ResultBuffer buffer, Cancellation cancellation) throws Exception {
        SparkPlan plan = rootOf(execution.executedPlan());
        if (plan instanceof CollectLimitExec limit && limit.offset() == 0 && limit.limit() >= 0) {
            return runLimit(limit, queryId, buffer, cancellation);
        }
        Work<?> work = workOf(plan, queryId, Long.MAX_VALUE);
        cancellation.check();
        int count = work.input().getNumPartitions();
        runJob(work, 0, count, buffer);
        return count;
    }

    /** What tasks read, and what they do with it. */
    private record Work<T>(RDD<T> input, BatchSink<T> sink) {
    }

    private Work<?> workOf(SparkPlan plan, long queryId, long maxRows) {
        ColumnScan scan = ColumnScan.of(plan, columns);
        return scan != null
                ? new Work<>(scan.execute(),
                        BatchSink.ofColumns(queryId, columns, scan.ordinals(), maxRows))
                : new Work<>(plan.execute(), BatchSink.ofRows(queryId, columns, maxRows));
    }

    /** Adaptive execution hides a limit at the root: all but the last stage run for it to show. */
    private static SparkPlan rootOf(SparkPlan plan) {
        return plan instanceof AdaptiveSparkPlanExec adaptive
                && adaptive.initialPlan() instanceof CollectLimitExec
                ? adaptive.finalPhysicalPlan() : plan;
    }

    /**
     * A limit at the root reads a few partitions, then more, until it has enough rows; as a plain
     * RDD it would start all partitions at once.
     */
    private int runLimit(CollectLimitExec limit, long queryId, ResultBuffer buffer,
            Cancellation cancellation) throws Exception {
        Work<?> work = workOf(limit.child(), queryId, limit.limit());
        int count = work.input().getNumPartitions();
        int begin = 0;
        int width = 1;
        while (begin < count && buffer.rowsPut() < limit.limit()) {
            cancellation.check();
            int end = (int) Math.min(count, (long) begin + width);
            runJob(work, begin, end, buffer);
            begin = end;
            width = Math.max(width, (int) Math.min(count, (long) width * LIMIT_SCALE_UP));
        }
        return begin;
    }

    private <T> void runJob(Work<T> work, int begin, int end, ResultBuffer buffer) {
        List<Object> partitions = new ArrayList<>(end - begin);
        for (int i = begin; i < end; i++) {
            partitions.add(i);
        }
        context.runJob(work.input(), work.sink(), Scala.seq(partitions),
                new RemoteResult(partitions, buffer), BATCHES);
    }

    /** Batches of a task that ran in another process; of a local one there are none. */
    private static final class RemoteResult extends AbstractFunction2<Object, ResultBuffer.Batch[], BoxedUnit> {
        private static final long REMOTE_ATTEMPT = Long.MAX_VALUE;
        private final List<Object> partitions;
        private final ResultBuffer buffer;

        RemoteResult(List<Object> partitions, ResultBuffer buffer) {
            this.partitions = partitions;
            this.buffer = buffer;
        }

        @Override
        public BoxedUnit apply(Object position, ResultBuffer.Batch[] batches) {
            int partition = (int) partitions.get((int) position);
            Unchecked.call(() -> {
                if (!buffer.isDone(partition)) {
                    buffer.beginPartition(partition, REMOTE_ATTEMPT);
                    for (ResultBuffer.Batch batch : batches) {
                        buffer.put(partition, REMOTE_ATTEMPT, batch);
                    }
                    buffer.endPartition(partition, REMOTE_ATTEMPT);
                }
                return null;
            });
            return BoxedUnit.UNIT;
        }
    }
}
