package sparkservice.bridge;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.StructType;
import scala.collection.Iterator;
import scala.runtime.AbstractFunction2;

/**
 * What runs in a task: rows to Arrow batches, batches into the query's buffer.
 *
 * <p>In local mode the buffer is in the same process and each batch goes there as soon as it is
 * made. In an executor of a cluster there is no such buffer; the batches of the partition are then
 * the task's result and the driver puts them.
 */
final class BatchSink extends AbstractFunction2<TaskContext, Iterator<InternalRow>, ResultBuffer.Batch[]>
        implements Serializable {
    private static final long serialVersionUID = 1L;

    private final long queryId;
    private final StructType schema;
    private final long maxRows;

    /** @param maxRows rows wanted at most of each partition */
    BatchSink(long queryId, StructType schema, long maxRows) {
        this.queryId = queryId;
        this.schema = schema;
        this.maxRows = maxRows;
    }

    @Override
    public ResultBuffer.Batch[] apply(TaskContext context, Iterator<InternalRow> rows) {
        int partition = context.partitionId();
        long attempt = context.taskAttemptId();
        ResultBuffer buffer = QueryRegistry.bufferOf(queryId);
        List<ResultBuffer.Batch> kept = new ArrayList<>();
        try (BatchWriter writer = new BatchWriter(schema, maxRows)) {
            if (buffer != null) {
                buffer.beginPartition(partition, attempt);
            }
            while (writer.hasMore(rows)) {
                ResultBuffer.Batch batch = writer.next(rows);
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
