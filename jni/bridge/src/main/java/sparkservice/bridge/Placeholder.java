package sparkservice.bridge;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;

/**
 * A literal of which only the type is known: no rule can look at its value. It is never null and
 * never evaluated; a literal stands in its place before the plan runs.
 */
final class Placeholder extends LeafExpressionBase {
    private static final long serialVersionUID = 1L;

    private final int index;
    private final DataType type;
    private final Cast cast;

    /** @param cast what the analyser put around the literal; null: nothing */
    Placeholder(int index, DataType type, Cast cast) {
        this.index = index;
        this.type = type;
        this.cast = cast;
    }

    int index() {
        return index;
    }

    /** What stands here for a value. */
    Literal filled(Literal value) {
        return cast == null ? value : new Literal(((Expression) cast.withNewChildren(
                Scala.seq(java.util.List.<Expression>of(value)))).eval(null), type);
    }

    @Override
    public Object eval(InternalRow row) {
        throw new IllegalStateException("a placeholder has no value");
    }

    @Override
    public ExprCode doGenCode(CodegenContext context, ExprCode code) {
        throw new IllegalStateException("a placeholder has no value");
    }

    @Override
    public boolean nullable() {
        return false;
    }

    @Override
    public DataType dataType() {
        return type;
    }

    @Override
    public String toString() {
        return "?" + index;
    }

    @Override
    public boolean canEqual(Object other) {
        return other instanceof Placeholder;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Placeholder that && that.index == index && that.type.equals(type);
    }

    @Override
    public int hashCode() {
        return index;
    }

    @Override
    public int productArity() {
        return 2;
    }

    @Override
    public Object productElement(int at) {
        return switch (at) {
            case 0 -> index;
            case 1 -> type;
            default -> throw new IndexOutOfBoundsException(at);
        };
    }
}
