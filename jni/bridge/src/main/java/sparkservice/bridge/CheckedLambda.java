package sparkservice.bridge;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;

/**
 * The body of a lambda, with a look for the cancel: one row's {@code aggregate} over arrays within
 * arrays can take days, and comes by nowhere else.
 */
public final class CheckedLambda extends GuardedExpression {
    private static final long serialVersionUID = 1L;

    private final CancelCheck check = CancelCheck.term();

    public CheckedLambda(Expression wrapped) {
        super(wrapped);
    }

    @Override
    Expression around(Expression other) {
        return new CheckedLambda(other);
    }

    @Override
    List<Expression> inside() {
        return List.of(wrapped);
    }

    @Override
    public Object eval(InternalRow row) {
        check.eval(row);
        return wrapped.eval(row);
    }
}
