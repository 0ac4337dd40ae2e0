package sparkservice.bridge;

import java.io.IOException;
import org.apache.arrow.c.ArrowArray;
import org.apache.arrow.c.ArrowSchema;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Batches out of the JVM, through the Arrow C Data Interface.
 *
 * <p>An exported batch lives in {@link #ALLOCATOR} until C releases it, even after the query is
 * closed; that is why the allocator belongs to the process and not to the query.
 */
final class BatchReader {
    /** More than the batches of all workers in flight; a single huge row has to fit too. */
    private static final long MAX_EXPORTED_BYTES = 512L << 20;

    static final BufferAllocator ALLOCATOR = new RootAllocator(MAX_EXPORTED_BYTES);

    private final Schema schema;
    private long rowsLeft;

    /** @param maxRows rows handed out at most, of those in the buffer */
    BatchReader(Schema schema, long maxRows) {
        this.schema = schema;
        this.rowsLeft = maxRows;
    }

    static void exportSchema(Schema schema, long schemaAddress) {
        Data.exportSchema(ALLOCATOR, schema, null, ArrowSchema.wrap(schemaAddress));
    }

    /** Exports the next batch as a struct array; false at the end. */
    boolean exportNext(ResultBuffer buffer, long arrayAddress)
            throws BridgeException, InterruptedException {
        ResultBuffer.Batch next = rowsLeft > 0 ? buffer.take() : null;
        if (next == null) {
            return false;
        }
        try (ArrowRecordBatch batch = MessageSerializer.deserializeRecordBatch(
                MessageBytes.reader(next.message()), ALLOCATOR); VectorSchemaRoot rows = VectorSchemaRoot.create(schema, ALLOCATOR)) {
            new VectorLoader(rows).load(batch);
            int rowCount = (int) Math.min(rowsLeft, next.rows());
            if (rowCount < next.rows()) {
                rows.setRowCount(rowCount);
            }
            rowsLeft -= rowCount;
            Data.exportVectorSchemaRoot(ALLOCATOR, rows, null, ArrowArray.wrap(arrayAddress));
            return true;
        } catch (IOException e) {
            throw new BridgeException(BridgeException.Code.ENGINE_ERROR,
                    "A result batch could not be read back.", e);
        }
    }
}
