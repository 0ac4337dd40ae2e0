package sparkservice.bridge;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.RuntimeReplaceable;
import scala.Function1;

/**
 * A function of patterns, ended by a cancel: java.util.regex can take for ever on a short text, and
 * nothing interrupts it.
 */
public final class GuardedPattern extends GuardedExpression {
    private static final long serialVersionUID = 1L;

    private transient PatternMatch match;
    private transient Expression plain;

    public GuardedPattern(Expression wrapped) {
        super(wrapped);
    }

    @Override
    Expression around(Expression other) {
        return new GuardedPattern(other);
    }

    @Override
    public Object eval(InternalRow row) {
        if (match == null && plain == null) {
            prepare();
        }
        return match == null ? plain.eval(row) : matched(row);
    }

    private void prepare() {
        match = PatternMatch.of(wrapped);
        if (match == null) {
            plain = guardInside(wrapped);
        }
    }

    private Object matched(InternalRow row) {
        List<Expression> arguments = Scala.list(wrapped.children());
        Object[] values = new Object[arguments.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = arguments.get(i).eval(row);
            if (values[i] == null) {
                return null;
            }
        }
        try {
            return match.apply(values);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            // Not a pattern, no such group: Spark has words and an error class for it.
            return wrapped.eval(row);
        } catch (StackOverflowError e) {
            throw Unchecked.sneaky(SqlLimits.patternTooDeep());
        }
    }

    /**
     * Set down to the patterns themselves, once types are known: what Spark puts in the place of a
     * function can be torn apart by its optimizer, and nothing is guarded here but by its parent.
     */
    Expression pushedDown() {
        return PatternMatch.of(wrapped) != null ? this : guardInside(wrapped);
    }

    /** Whether it still is a pattern; a LIKE may have become a prefix. */
    boolean isNeeded() {
        return PatternMatch.of(wrapped) != null;
    }

    @Override
    List<Expression> inside() {
        return isNeeded() ? List.of(wrapped) : List.of();
    }

    private static Expression guardInside(Expression expression) {
        if (expression instanceof GuardedPattern) {
            return expression;
        }
        if (expression instanceof RuntimeReplaceable replaceable) {
            return guardInside(replaceable.replacement());
        }
        Expression guarded = expression.mapChildren(
                (Function1<Expression, Expression>) GuardedPattern::guardInside);
        return PatternMatch.of(guarded) == null ? guarded : new GuardedPattern(guarded);
    }
}
