package sparkservice.bridge;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.analysis.TypeCheckResult;
import org.apache.spark.sql.catalyst.expressions.ArrayRepeat;
import org.apache.spark.sql.catalyst.expressions.BinaryPad;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Sequence;
import org.apache.spark.sql.catalyst.expressions.StringLPad;
import org.apache.spark.sql.catalyst.expressions.StringRPad;
import org.apache.spark.sql.catalyst.expressions.StringRepeat;
import org.apache.spark.sql.catalyst.expressions.StringSpace;
import org.apache.spark.sql.catalyst.expressions.objects.StaticInvoke;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.IntegralType;
import org.apache.spark.unsafe.types.CalendarInterval;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A function whose argument says how large its value gets (repeat, lpad, rpad, space, array_repeat,
 * sequence): looked at before the value is made, as one of two gigabytes is the end of the JVM.
 */
public final class BoundedValue extends GuardedExpression {
    private static final long serialVersionUID = 1L;
    private static final int SLOT_BYTES = 8;
    private static final long MICROS_PER_DAY = 86_400_000_000L;
    private static final long DAYS_PER_MONTH = 28;

    private final long maxBytes;

    public BoundedValue(Expression wrapped, long maxBytes) {
        super(wrapped);
        this.maxBytes = maxBytes;
    }

    @Override
    Expression around(Expression other) {
        return new BoundedValue(other, maxBytes);
    }

    /** Arguments are evaluated twice, for the look and for the value. */
    @Override
    public TypeCheckResult checkInputDataTypes() {
        return wrapped.deterministic() ? super.checkInputDataTypes()
                : new TypeCheckResult.TypeCheckFailure(
                        "the size of " + wrapped.prettyName() + " must not be random");
    }

    /** A function that became another expression of Spark isn't bounded here, and is refused. */
    @Override
    List<Expression> inside() {
        return isBounded(wrapped) ? List.of(wrapped) : List.of();
    }

    @Override
    public Object eval(InternalRow row) {
        if (!isBounded(wrapped)) {
            return wrapped.eval(row);
        }
        List<Expression> arguments = arguments();
        Object[] values = new Object[arguments.size()];
        boolean isNull = false;
        for (int i = 0; i < values.length; i++) {
            values[i] = arguments.get(i).eval(row);
            isNull |= values[i] == null;
        }
        long bytes = isNull && !(wrapped instanceof ArrayRepeat) ? 0 : bytes(values);
        if (bytes > maxBytes) {
            throw Unchecked.sneaky(
                    SqlLimits.valueTooLarge(wrapped.prettyName(), bytes, maxBytes));
        }
        return wrapped.eval(row);
    }

    /** Those of the function, also when it became a call. */
    private List<Expression> arguments() {
        Expression visible = wrapped instanceof BinaryPad pad ? pad.replacement() : wrapped;
        return visible instanceof StaticInvoke call ? Scala.list(call.arguments())
                : Scala.list(visible.children());
    }

    private static boolean isPad(Expression expression) {
        return expression instanceof BinaryPad || expression instanceof StaticInvoke call
                && (call.functionName().equals("lpad") || call.functionName().equals("rpad"));
    }

    /** What it knows the size of; the optimizer may have made another expression of it. */
    private static boolean isBounded(Expression wrapped) {
        return wrapped instanceof StringRepeat || wrapped instanceof StringLPad
                || wrapped instanceof StringRPad || wrapped instanceof StringSpace
                || wrapped instanceof ArrayRepeat || wrapped instanceof Sequence
                || isPad(wrapped);
    }

    private long bytes(Object[] values) {
        if (wrapped instanceof Sequence) {
            return saturated(count(values), SLOT_BYTES);
        } else if (wrapped instanceof StringRepeat) {
            return saturated(((UTF8String) values[0]).numBytes(), number(values[1]));
        } else if (wrapped instanceof ArrayRepeat) {
            return values[1] == null ? 0 : saturated(number(values[1]), SLOT_BYTES);
        }
        // lpad, rpad: the length is the second argument; space: the only one.
        return number(values[values.length == 1 ? 0 : 1]);
    }

    /** About so many elements; where months are counted never fewer. */
    private long count(Object[] values) {
        double span = Math.abs((double) number(values[1]) - (double) number(values[0]));
        DataType type = Scala.<Expression>list(wrapped.children()).get(0).dataType();
        double step;
        if (type instanceof IntegralType) {
            step = values.length < 3 ? 1 : number(values[2]);
        } else {
            step = values.length < 3 ? 1 : days(values[2]);
            if (!(type instanceof DateType)) {
                step *= MICROS_PER_DAY;
            }
        }
        return step == 0 ? 0 : (long) Math.min(span / Math.abs(step) + 1, Long.MAX_VALUE);
    }

    private static double days(Object step) {
        if (step instanceof CalendarInterval interval) {
            return interval.months * (double) DAYS_PER_MONTH + interval.days
                    + interval.microseconds / (double) MICROS_PER_DAY;
        } else if (step instanceof Long micros) {
            return micros / (double) MICROS_PER_DAY;
        }
        return number(step) * (double) DAYS_PER_MONTH;
    }

    private static long number(Object value) {
        return ((Number) value).longValue();
    }

    private static long saturated(long a, long b) {
        return a <= 0 || b <= 0 ? 0 : a > Long.MAX_VALUE / b ? Long.MAX_VALUE : a * b;
    }
}
