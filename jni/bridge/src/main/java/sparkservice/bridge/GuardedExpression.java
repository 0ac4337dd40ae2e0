package sparkservice.bridge;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenFallback;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;

/**
 * Stands around an expression of Spark and evaluates in its place, within bounds. Analysis sees the
 * expression itself, as the child: its types, casts and errors are Spark's own.
 */
abstract class GuardedExpression extends WrapperExpressionBase implements CodegenFallback {
    private static final long serialVersionUID = 1L;

    GuardedExpression(Expression wrapped) {
        super(wrapped);
    }

    /** What of the wrapped it bounds; nothing when the wrapped is none of what it knows. */
    abstract List<Expression> inside();

    @Override
    public abstract Object eval(InternalRow row);

    @Override
    public ExprCode doGenCode(CodegenContext context, ExprCode code) {
        return CodegenFallback.super.doGenCode(context, code);
    }

    @Override
    public boolean foldable() {
        return wrapped.foldable();
    }

    @Override
    public boolean nullable() {
        return wrapped.nullable();
    }

    @Override
    public DataType dataType() {
        return wrapped.dataType();
    }

    /** Names of columns come from it. */
    @Override
    public String sql() {
        return wrapped.sql();
    }

    @Override
    public String toString() {
        return wrapped.toString();
    }

    @Override
    public boolean canEqual(Object other) {
        return other instanceof GuardedExpression;
    }

    @Override
    public boolean equals(Object other) {
        return other != null && other.getClass() == getClass()
                && ((GuardedExpression) other).wrapped.equals(wrapped);
    }

    @Override
    public int hashCode() {
        return 31 * wrapped.hashCode() + getClass().hashCode();
    }

    @Override
    public int productArity() {
        return 1;
    }

    @Override
    public Object productElement(int index) {
        return wrapped;
    }
}
