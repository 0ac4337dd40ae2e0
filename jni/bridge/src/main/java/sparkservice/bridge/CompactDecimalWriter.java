package sparkservice.bridge;

import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.spark.sql.catalyst.expressions.SpecializedGetters;
import org.apache.spark.sql.execution.arrow.ArrowFieldWriter;
import org.apache.spark.sql.types.Decimal;

/**
 * DECIMAL columns of up to 18 digits, whose values are a long. Spark's own writer makes a BigDecimal
 * and a byte array of each value: a seventh of all work of a task that only reads.
 */
final class CompactDecimalWriter extends ArrowFieldWriter {
    private final DecimalVector vector;

    private CompactDecimalWriter(DecimalVector vector) {
        this.vector = vector;
    }

    /** Null for any other column. */
    static CompactDecimalWriter of(ValueVector vector) {
        return vector instanceof DecimalVector decimals
                && decimals.getPrecision() <= Decimal.MAX_LONG_DIGITS()
                ? new CompactDecimalWriter(decimals) : null;
    }

    @Override
    public ValueVector valueVector() {
        return vector;
    }

    @Override
    public void setNull() {
        vector.setNull(count());
    }

    @Override
    public void setValue(SpecializedGetters input, int ordinal) {
        int precision = vector.getPrecision();
        int scale = vector.getScale();
        Decimal value = input.getDecimal(ordinal, precision, scale);
        boolean fits = value.precision() == precision && value.scale() == scale
                || value.changePrecision(precision, scale);
        if (fits) {
            vector.setSafe(count(), value.toUnscaledLong());
        } else {
            setNull();
        }
    }
}
