package sparkservice.bridge;

import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.BitVectorHelper;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.unsafe.Platform;

/** Values of a fixed width. A null's place is zero. */
final class FixedCopier extends ColumnCopier {

    /** How Spark holds the values of a type, and how wide Arrow's are. */
    enum Kind {
        BOOLEAN(0), BYTE(1), SHORT(2), INT(4), LONG(8), FLOAT(4), DOUBLE(8), INT_DECIMAL(16),
        LONG_DECIMAL(16);

        private final int width;

        Kind(int width) {
            this.width = width;
        }

        /** Null for any other type. */
        static Kind of(DataType type) {
            if (type instanceof BooleanType) {
                return BOOLEAN;
            } else if (type instanceof ByteType) {
                return BYTE;
            } else if (type instanceof ShortType) {
                return SHORT;
            } else if (type instanceof IntegerType || type instanceof DateType) {
                return INT;
            } else if (type instanceof LongType || type instanceof TimestampType
                    || type instanceof TimestampNTZType) {
                return LONG;
            } else if (type instanceof FloatType) {
                return FLOAT;
            } else if (type instanceof DoubleType) {
                return DOUBLE;
            } else if (type instanceof DecimalType decimal
                    && decimal.precision() <= Decimal.MAX_LONG_DIGITS()) {
                return decimal.precision() <= Decimal.MAX_INT_DIGITS() ? INT_DECIMAL : LONG_DECIMAL;
            }
            return null;
        }
    }

    private final BaseFixedWidthVector vector;
    private final Kind kind;
    private ColumnVector column;
    private int count;

    FixedCopier(BaseFixedWidthVector vector, Kind kind) {
        this.vector = vector;
        this.kind = kind;
    }

    @Override
    void load(ColumnVector next, int rows, long[] rowBytes) {
        column = next;
    }

    @Override
    void append(int from, int to) {
        int rows = to - from;
        while (vector.getValueCapacity() < count + rows) {
            vector.reAlloc();
        }
        int nulls = 0;
        for (int row = from; row < to && column.hasNull(); row++) {
            nulls += column.isNullAt(row) ? 1 : 0;
        }
        if (nulls < rows) { // a column of nulls may have no room for values
            copyValues(from, rows);
        }
        if (nulls > 0 && nulls < rows) {
            clearNulls(from, to);
        }
        setValid(vector.getValidityBuffer(), count, column, from, to);
        count += rows;
    }

    private void copyValues(int from, int rows) {
        long place = vector.getDataBuffer().memoryAddress() + (long) count * kind.width;
        long bytes = (long) rows * kind.width;
        switch (kind) {
            case BOOLEAN -> copyBits(column.getBooleans(from, rows));
            case BYTE -> Platform.copyMemory(column.getBytes(from, rows),
                    Platform.BYTE_ARRAY_OFFSET, null, place, bytes);
            case SHORT -> Platform.copyMemory(column.getShorts(from, rows),
                    Platform.SHORT_ARRAY_OFFSET, null, place, bytes);
            case INT -> Platform.copyMemory(column.getInts(from, rows), Platform.INT_ARRAY_OFFSET,
                    null, place, bytes);
            case LONG -> Platform.copyMemory(column.getLongs(from, rows),
                    Platform.LONG_ARRAY_OFFSET, null, place, bytes);
            case FLOAT -> Platform.copyMemory(column.getFloats(from, rows),
                    Platform.FLOAT_ARRAY_OFFSET, null, place, bytes);
            case DOUBLE -> Platform.copyMemory(column.getDoubles(from, rows),
                    Platform.DOUBLE_ARRAY_OFFSET, null, place, bytes);
            case INT_DECIMAL -> {
                int[] values = column.getInts(from, rows);
                for (int i = 0; i < rows; i++) {
                    putDecimal(place + (long) i * kind.width, values[i]);
                }
            }
            case LONG_DECIMAL -> {
                long[] values = column.getLongs(from, rows);
                for (int i = 0; i < rows; i++) {
                    putDecimal(place + (long) i * kind.width, values[i]);
                }
            }
            default -> throw new IllegalStateException(kind.toString());
        }
    }

    private void copyBits(boolean[] values) {
        ArrowBuf bits = vector.getDataBuffer();
        for (int i = 0; i < values.length; i++) {
            if (values[i]) {
                BitVectorHelper.setBit(bits, (long) count + i);
            }
        }
    }

    private static void putDecimal(long place, long unscaled) {
        Platform.putLong(null, place, unscaled);
        Platform.putLong(null, place + 8, unscaled >> 63);
    }

    /** What a reader has left in the place of a null is nobody's value. */
    private void clearNulls(int from, int to) {
        ArrowBuf values = vector.getDataBuffer();
        for (int row = from; row < to; row++) {
            if (column.isNullAt(row)) {
                long place = (long) count + row - from;
                if (kind == Kind.BOOLEAN) {
                    BitVectorHelper.unsetBit(values, (int) place);
                } else {
                    values.setZero(place * kind.width, kind.width);
                }
            }
        }
    }

    @Override
    void finish() {
        vector.setValueCount(count);
    }

    @Override
    void reset() {
        vector.reset();
        count = 0;
    }
}
