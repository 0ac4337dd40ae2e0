package sparkservice.bridge;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.codegen.CodeGenerator;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.EmptyBlock$;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode;
import org.apache.spark.sql.types.DataType;

/**
 * A literal whose value isn't in the text of generated code: the same statement with other values
 * has the same text, and Spark finds it compiled. Only its type is written; it is never null.
 */
final class HiddenLiteral extends LeafExpressionBase {
    private static final long serialVersionUID = 1L;

    private final Object value;
    private final DataType type;

    HiddenLiteral(Literal literal) {
        this.value = literal.value();
        this.type = literal.dataType();
    }

    Literal shown() {
        return new Literal(value, type);
    }

    @Override
    public Object eval(InternalRow row) {
        return value;
    }

    @Override
    public ExprCode doGenCode(CodegenContext context, ExprCode code) {
        String reference = context.addReferenceObj("literal", value, CodeGenerator.boxedType(type));
        String field = context.addMutableState(CodeGenerator.javaType(type), "literal",
                name -> name + " = " + reference + ";", true, true);
        return new ExprCode(EmptyBlock$.MODULE$, FalseLiteral$.MODULE$,
                JavaCode.expression(field, type));
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
    public String sql() {
        return shown().sql();
    }

    @Override
    public String toString() {
        return shown().toString();
    }

    @Override
    public boolean canEqual(Object other) {
        return other instanceof HiddenLiteral;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HiddenLiteral literal && shown().equals(literal.shown());
    }

    @Override
    public int hashCode() {
        return shown().hashCode();
    }

    @Override
    public int productArity() {
        return 2;
    }

    @Override
    public Object productElement(int index) {
        return switch (index) {
            case 0 -> value;
            case 1 -> type;
            default -> throw new IndexOutOfBoundsException(index);
        };
    }
}
