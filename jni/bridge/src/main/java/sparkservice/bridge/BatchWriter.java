package sparkservice.bridge;

import java.util.function.UnaryOperator;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.execution.arrow.ArrowFieldWriter;
import org.apache.spark.sql.execution.arrow.ArrowWriter;
import org.apache.spark.sql.execution.arrow.ArrowWriter$;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.ArrowUtils;
import scala.collection.Iterator;

/**
 * Rows to Arrow IPC record batch messages of about 1 MiB and at most 64 Ki rows.
 *
 * <p>Spark's own ArrowConverters bounds a batch by rows only, or repeats the schema in each one.
 */
final class BatchWriter implements BatchSink.Writer<InternalRow> {
    static final int MAX_BATCH_ROWS = 64 * 1024;
    /** Counted in Spark's row format, which is a little larger than the columns. */
    static final long MAX_BATCH_BYTES = 1 << 20;
    /** For a row that isn't in the binary format. */
    private static final int ESTIMATED_VALUE_BYTES = 16;

    private final BufferAllocator allocator;
    private final VectorSchemaRoot root;
    private final ArrowWriter writer;
    private final VectorUnloader unloader;
    private final UnaryOperator<InternalRow> converter;
    private long rowsLeft;

    BatchWriter(StructType schema, long maxRows) {
        this.allocator = ArrowUtils.rootAllocator().newChildAllocator("batches", 0, Long.MAX_VALUE);
        this.root = VectorSchemaRoot.create(ResultSchema.arrow(schema), allocator);
        this.writer = arrowWriter(root);
        this.unloader = new VectorUnloader(root);
        this.converter = TextValues.rowConverter(schema);
        this.rowsLeft = maxRows;
    }

    /** As ArrowWriter.create, with a quicker writer where there is one. */
    private static ArrowWriter arrowWriter(VectorSchemaRoot root) {
        return new ArrowWriter(root, root.getFieldVectors().stream().map(vector -> {
            vector.allocateNew();
            ArrowFieldWriter quick = CompactDecimalWriter.of(vector);
            return quick != null ? quick : ArrowWriter$.MODULE$.createFieldWriter(vector);
        }).toArray(ArrowFieldWriter[]::new));
    }

    @Override
    public boolean hasMore(Iterator<InternalRow> rows) {
        return rowsLeft > 0 && rows.hasNext();
    }

    @Override
    public ResultBuffer.Batch next(Iterator<InternalRow> rows) {
        int rowCount = 0;
        long bytes = 0;
        while (rowCount < MAX_BATCH_ROWS && bytes < MAX_BATCH_BYTES && hasMore(rows)) {
            InternalRow row = rows.next();
            bytes += sizeOf(row);
            writer.write(converter == null ? row : converter.apply(row));
            rowCount++;
            rowsLeft--;
        }
        writer.finish();
        byte[] message;
        try (ArrowRecordBatch batch = unloader.getRecordBatch()) {
            message = MessageBytes.of(batch);
        }
        writer.reset();
        return new ResultBuffer.Batch(message, rowCount);
    }

    private static long sizeOf(InternalRow row) {
        return row instanceof UnsafeRow unsafe ? unsafe.getSizeInBytes()
                : (long) row.numFields() * ESTIMATED_VALUE_BYTES;
    }

    @Override
    public void close() {
        root.close();
        allocator.close();
    }
}
