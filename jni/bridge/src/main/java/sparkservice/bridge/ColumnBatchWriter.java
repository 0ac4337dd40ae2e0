package sparkservice.bridge;

import java.util.Arrays;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.ArrowUtils;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import scala.collection.Iterator;

/**
 * Spark's batches of columns to the very messages that {@link BatchWriter} makes of their rows, cut
 * where it cuts.
 */
final class ColumnBatchWriter implements BatchSink.Writer<ColumnarBatch> {
    private static final int BITS_OF_WORD = 64;

    private final int[] ordinals;
    private final BufferAllocator allocator;
    private final VectorSchemaRoot root;
    private final VectorUnloader unloader;
    private final ColumnCopier[] copiers;
    /** Of a row in Spark's format: a bit for null and a word for each column. */
    private final long fixedBytes;
    private long[] rowBytes = new long[0];
    private int chunkRows;
    private int position;
    private long rowsLeft;

    /** @param ordinals where each column of the schema is in a batch */
    ColumnBatchWriter(StructType schema, int[] ordinals, long maxRows) {
        this.ordinals = ordinals;
        this.allocator = ArrowUtils.rootAllocator().newChildAllocator("batches", 0, Long.MAX_VALUE);
        this.root = VectorSchemaRoot.create(ResultSchema.arrow(schema), allocator);
        this.unloader = new VectorUnloader(root);
        this.copiers = new ColumnCopier[ordinals.length];
        for (int i = 0; i < copiers.length; i++) {
            FieldVector vector = root.getVector(i);
            vector.allocateNew();
            copiers[i] = ColumnCopier.of(schema.fields()[i].dataType(), vector);
            copiers[i].reset();
        }
        int words = (copiers.length + BITS_OF_WORD - 1) / BITS_OF_WORD + copiers.length;
        this.fixedBytes = (long) words * Long.BYTES;
        this.rowsLeft = maxRows;
    }

    /** Looks at the next batch only when all rows of the one before are copied: it takes its place. */
    @Override
    public boolean hasMore(Iterator<ColumnarBatch> batches) {
        while (rowsLeft > 0 && position == chunkRows && batches.hasNext()) {
            load(batches.next());
        }
        return rowsLeft > 0 && position < chunkRows;
    }

    private void load(ColumnarBatch batch) {
        chunkRows = batch.numRows();
        position = 0;
        if (rowBytes.length < chunkRows) {
            rowBytes = new long[chunkRows];
        }
        Arrays.fill(rowBytes, 0, chunkRows, fixedBytes);
        for (int i = 0; i < copiers.length; i++) {
            copiers[i].load(batch.column(ordinals[i]), chunkRows, rowBytes);
        }
    }

    @Override
    public ResultBuffer.Batch next(Iterator<ColumnarBatch> batches) {
        int rowCount = 0;
        long bytes = 0;
        while (rowCount < BatchWriter.MAX_BATCH_ROWS && bytes < BatchWriter.MAX_BATCH_BYTES
                && hasMore(batches)) {
            int limit = position + (int) Math.min(rowsLeft,
                    Math.min(chunkRows - position, BatchWriter.MAX_BATCH_ROWS - rowCount));
            int end = position;
            while (end < limit && bytes < BatchWriter.MAX_BATCH_BYTES) {
                bytes += rowBytes[end++];
            }
            for (ColumnCopier copier : copiers) {
                copier.append(position, end);
            }
            rowCount += end - position;
            rowsLeft -= end - position;
            position = end;
        }
        for (ColumnCopier copier : copiers) {
            copier.finish();
        }
        root.setRowCount(rowCount);
        byte[] message;
        try (ArrowRecordBatch batch = unloader.getRecordBatch()) {
            message = MessageBytes.of(batch);
        }
        for (ColumnCopier copier : copiers) {
            copier.reset();
        }
        return new ResultBuffer.Batch(message, rowCount);
    }

    @Override
    public void close() {
        root.close();
        allocator.close();
    }
}
