package sparkservice.bridge;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import scala.collection.Iterator;
import scala.runtime.AbstractFunction2;

/**
 * What runs in a task: rows, or batches of columns, to Arrow batches, and these into the query's buffer.
 *
 * <p>In local mode the buffer is in the same process and each batch goes there as soon as it is
 * made. In an executor of a cluster there is no such buffer; the batches of the partition are then
 * the task's result and the driver puts them.
 */
final class BatchSink<T> extends AbstractFunction2<TaskContext, Iterator<T>, ResultBuffer.Batch[]>
        implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Makes Arrow batches of what Spark has. */
    interface Writer<T> extends AutoCloseable {
        boolean hasMore(Iterator<T> input);

        /** The next batch; there must be more. */
        ResultBuffer.Batch next(Iterator<T> input);

        @Override
        void close();
    }

    private final long queryId;
    private final StructType schema;
    private final int[] ordinals; // null: rows
    private final long maxRows;

    private BatchSink(long queryId, StructType schema, int[] ordinals, long maxRows) {
        this.queryId = queryId;
        this.schema = schema;
        this.ordinals = ordinals;
        this.maxRows = maxRows;
    }

    /** @param maxRows rows wanted at most of each partition */
    static BatchSink<InternalRow> ofRows(long queryId, StructType schema, long maxRows) {
        return new BatchSink<>(queryId, schema, null, maxRows);
    }

    /** @param ordinals where each column of the schema is in a batch */
    static BatchSink<ColumnarBatch> ofColumns(long queryId, StructType schema, int[] ordinals,
            long maxRows) {
        return new BatchSink<>(queryId, schema, ordinals, maxRows);
    }

    @SuppressWarnings("unchecked") // the two ways to make one
    private Writer<T> writer() {
        return (Writer<T>) (ordinals == null ? new BatchWriter(schema, maxRows)
                : new ColumnBatchWriter(schema, ordinals, maxRows));
    }

    @Override
    public ResultBuffer.Batch[] apply(TaskContext context, Iterator<T> input) {
        int partition = context.partitionId();
        long attempt = context.taskAttemptId();
        ResultBuffer buffer = QueryRegistry.bufferOf(queryId);
        List<ResultBuffer.Batch> kept = new ArrayList<>();
        try (Writer<T> writer = writer()) {
            if (buffer != null) {
                buffer.beginPartition(partition, attempt);
            }
            while (writer.hasMore(input)) {
                ResultBuffer.Batch batch = writer.next(input);
                if (buffer != null) {
                    buffer.put(partition, attempt, batch);
                } else {
                    kept.add(batch);
                }
                context.killTaskIfInterrupted();
            }
            if (buffer != null) {
                buffer.endPartition(partition, attempt);
            }
        } catch (BridgeException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
        return kept.toArray(ResultBuffer.Batch[]::new);
    }
}
