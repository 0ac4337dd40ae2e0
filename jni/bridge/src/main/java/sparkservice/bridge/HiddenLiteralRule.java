package sparkservice.bridge;

import org.apache.spark.sql.catalyst.expressions.BinaryComparison;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.execution.ColumnarRule;
import org.apache.spark.sql.execution.FilterExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;
import scala.Function1;

/**
 * Hides the literals that filters compare with, once the plan is made and before it is compiled.
 * Scans have theirs by then, as they were.
 */
final class HiddenLiteralRule extends ColumnarRule {
    @Override
    public Rule<SparkPlan> postColumnarTransitions() {
        return new Hiding();
    }

    private static final class Hiding extends Rule<SparkPlan> {
        @Override
        public SparkPlan apply(SparkPlan plan) {
            return plan.transformUp(Scala.onEach(FilterExec.class,
                    filter -> filter.copy(hidden(filter.condition()), filter.child())));
        }
    }

    private static Expression hidden(Expression condition) {
        return condition.transformUp(Scala.onEach(BinaryComparison.class, comparison ->
                (Expression) comparison.mapChildren((Function1<Expression, Expression>) child ->
                        child instanceof Literal literal && literal.value() != null
                                && isPlain(literal.dataType()) ? new HiddenLiteral(literal) : child)));
    }

    private static boolean isPlain(DataType type) {
        return type instanceof NumericType || type instanceof StringType
                || type instanceof BooleanType || type instanceof DateType
                || type instanceof TimestampType || type instanceof TimestampNTZType
                || type instanceof BinaryType;
    }

    /** As it was before. */
    static Expression shown(Expression condition) {
        return condition.transformUp(Scala.onEach(HiddenLiteral.class, HiddenLiteral::shown));
    }
}
