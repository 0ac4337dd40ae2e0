package sparkservice.bridge;

import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.spark.sql.execution.vectorized.WritableColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.unsafe.Platform;

/**
 * Strings and binary values. Values that aren't from a dictionary lie one behind the other in Spark's
 * column as in Arrow's, so that many are one copy.
 */
final class BytesCopier extends ColumnCopier {
    private static final int PIECE_BYTES = 64 * 1024;
    private static final int WORD = 8;

    private final BaseVariableWidthVector vector;
    private final boolean isText;
    private final byte[] gathered = new byte[PIECE_BYTES];
    private ColumnVector column;
    private WritableColumnVector bytes; // null: `values` has them
    private int[] offsets = new int[0];
    private int[] lengths = new int[0]; // 0 of a null
    private byte[][] values = new byte[0][];
    private int count;
    private int end; // of the bytes in the vector

    BytesCopier(BaseVariableWidthVector vector, boolean isText) {
        this.vector = vector;
        this.isText = isText;
    }

    @Override
    void load(ColumnVector next, int rows, long[] rowBytes) {
        column = next;
        if (lengths.length < rows) {
            offsets = new int[rows];
            lengths = new int[rows];
            values = new byte[rows][];
        }
        if (next instanceof WritableColumnVector plain && !plain.hasDictionary()) {
            loadPlaces(plain, rows);
        } else {
            loadValues(rows);
        }
        for (int row = 0; row < rows; row++) {
            rowBytes[row] += ((long) lengths[row] + WORD - 1) / WORD * WORD;
        }
    }

    private void loadPlaces(WritableColumnVector plain, int rows) {
        boolean hasNull = plain.hasNull();
        for (int row = 0; row < rows; row++) {
            boolean isNull = hasNull && plain.isNullAt(row);
            offsets[row] = isNull ? 0 : plain.getArrayOffset(row);
            lengths[row] = isNull ? 0 : plain.getArrayLength(row);
        }
        bytes = plain.arrayData();
    }

    private void loadValues(int rows) {
        bytes = null;
        boolean isBinary = !isText || column instanceof WritableColumnVector;
        for (int row = 0; row < rows; row++) {
            byte[] value = column.isNullAt(row) ? null : isBinary ? column.getBinary(row)
                    : column.getUTF8String(row).getBytes();
            values[row] = value;
            lengths[row] = value == null ? 0 : value.length;
        }
    }

    @Override
    void append(int from, int to) {
        while (vector.getValueCapacity() < count + to - from) {
            vector.reallocValidityAndOffsetBuffers();
        }
        int begin = end;
        long place = vector.getOffsetBuffer().memoryAddress()
                + (long) count * BaseVariableWidthVector.OFFSET_WIDTH;
        for (int row = from; row < to; row++) {
            end = Math.addExact(end, lengths[row]);
            place += BaseVariableWidthVector.OFFSET_WIDTH;
            Platform.putInt(null, place, end);
        }
        if (vector.getDataBuffer().capacity() < end) {
            vector.reallocDataBuffer(end);
        }
        if (end > begin) {
            if (bytes != null) {
                copyRuns(from, to, begin);
            } else {
                copyValues(from, to, begin);
            }
        }
        setValid(vector.getValidityBuffer(), count, column, from, to);
        count += to - from;
    }

    private void copyRuns(int from, int to, int begin) {
        int at = begin;
        int row = from;
        while (row < to) {
            int start = offsets[row];
            int length = 0;
            while (row < to && (lengths[row] == 0 || offsets[row] == start + length)) {
                start = length == 0 ? offsets[row] : start;
                length += lengths[row];
                row++;
            }
            copyRun(start, length, at);
            at += length;
        }
    }

    private void copyRun(int start, int length, int at) {
        ArrowBuf data = vector.getDataBuffer();
        for (int done = 0; done < length; done += PIECE_BYTES) {
            int piece = Math.min(PIECE_BYTES, length - done);
            data.setBytes((long) at + done, bytes.getBytes(start + done, piece), 0, piece);
        }
    }

    private void copyValues(int from, int to, int begin) {
        ArrowBuf data = vector.getDataBuffer();
        long at = begin;
        int waiting = 0;
        for (int row = from; row < to; row++) {
            int length = lengths[row];
            if (length > gathered.length - waiting) {
                data.setBytes(at, gathered, 0, waiting);
                at += waiting;
                waiting = 0;
            }
            if (length > gathered.length) {
                data.setBytes(at, values[row], 0, length);
                at += length;
            } else if (length > 0) {
                System.arraycopy(values[row], 0, gathered, waiting, length);
                waiting += length;
            }
        }
        data.setBytes(at, gathered, 0, waiting);
    }

    @Override
    void finish() {
        vector.setLastSet(count - 1);
        vector.setValueCount(count);
    }

    @Override
    void reset() {
        vector.reset();
        count = 0;
        end = 0;
    }
}
