package sparkservice.bridge;

import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BitVectorHelper;
import org.apache.arrow.vector.FieldVector;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.vectorized.ColumnVector;

/** One column of the answer: what a batch of Spark has of it goes to the end of an Arrow vector. */
abstract class ColumnCopier {

    /** Whether there is one for the type; the values of all others take the way over rows. */
    static boolean canCopy(DataType type) {
        return isBytes(type) || FixedCopier.Kind.of(type) != null;
    }

    static ColumnCopier of(DataType type, FieldVector vector) {
        return isBytes(type)
                ? new BytesCopier((BaseVariableWidthVector) vector, type instanceof StringType)
                : new FixedCopier((BaseFixedWidthVector) vector, FixedCopier.Kind.of(type));
    }

    private static boolean isBytes(DataType type) {
        return type instanceof StringType || type instanceof BinaryType;
    }

    /**
     * Takes the next batch's column, which stays as it is until the next one is taken.
     *
     * @param rowBytes to which it adds what Spark's row format has of each value beside its fixed part
     */
    abstract void load(ColumnVector column, int rows, long[] rowBytes);

    /** Copies the rows {@code from} until before {@code to} of the column. */
    abstract void append(int from, int to);

    /** All rows of an Arrow batch are there. */
    abstract void finish();

    /** Begins an Arrow batch anew. */
    abstract void reset();

    /** The bits of the rows that aren't null, behind {@code count} others; all were 0. */
    static void setValid(ArrowBuf validity, int count, ColumnVector column, int from, int to) {
        if (!column.hasNull()) {
            setBits(validity, count, to - from);
            return;
        }
        for (int row = from; row < to; row++) {
            if (!column.isNullAt(row)) {
                BitVectorHelper.setBit(validity, (long) count + row - from);
            }
        }
    }

    private static void setBits(ArrowBuf bits, int begin, int count) {
        int end = begin + count;
        int at = begin;
        while (at < end && (at & 7) != 0) {
            BitVectorHelper.setBit(bits, at++);
        }
        int bytes = end - at >> 3;
        bits.setOne(at >> 3, bytes);
        for (at += bytes << 3; at < end; at++) {
            BitVectorHelper.setBit(bits, at);
        }
    }
}
