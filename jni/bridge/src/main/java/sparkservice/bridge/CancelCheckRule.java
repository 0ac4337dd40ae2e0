package sparkservice.bridge;

import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.BinaryArithmetic;
import org.apache.spark.sql.catalyst.expressions.BinaryComparison;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.IsNotNull;
import org.apache.spark.sql.catalyst.expressions.IsNull;
import org.apache.spark.sql.catalyst.expressions.LambdaFunction;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.expressions.Or;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.DeclarativeAggregate;
import org.apache.spark.sql.catalyst.plans.LeftAnti$;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.Generate;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.OneRowRelation;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.catalyst.plans.logical.Window;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.catalyst.trees.TreeNodeTag;
import org.apache.spark.sql.catalyst.trees.TreePattern;
import scala.Function1;
import scala.Option;
import scala.runtime.AbstractPartialFunction;

/**
 * Adds {@link CancelCheck} where one row becomes many: to the condition of every join, as a filter
 * above every generator and window, around the body of every lambda; and below what gathers slow
 * rows, or large ones, before it gives any (aggregates, sorts, windows): it is these that fill the
 * heap, and who is told to stop must do so before the next row. After all other optimizer rules: any
 * earlier and it would be pushed below, out of the loop it watches.
 *
 * <p>Anti joins keep their condition: that of NOT IN is recognised by its very form and planned as a
 * hash lookup.
 */
final class CancelCheckRule extends Rule<LogicalPlan> {
    /** The optimizer applies a rule until nothing changes. */
    private static final TreeNodeTag<Boolean> CHECKED = new TreeNodeTag<>("cancelCheck");

    @Override
    public LogicalPlan apply(LogicalPlan plan) {
        LogicalPlan checked = plan.transformUp(new AbstractPartialFunction<LogicalPlan, LogicalPlan>() {
            @Override
            public boolean isDefinedAt(LogicalPlan node) {
                return node instanceof Join join && needsCheck(join)
                        || gathers(node) && needsCheck(inputOf(node)) && !isQuick(node)
                        || multiplies(node) && node.getTagValue(CHECKED).isEmpty();
            }

            @Override
            public LogicalPlan apply(LogicalPlan node) {
                if (node instanceof Join join) {
                    return withCheck(join);
                }
                LogicalPlan below = gathers(node) && !isQuick(node) ? withCheckBelow(node) : node;
                return multiplies(node) ? withCheckAbove(below) : below;
            }
        });
        return checked.containsPattern(TreePattern.LAMBDA_FUNCTION())
                ? checked.transformAllExpressions(new LambdaCheck()) : checked;
    }

    // ---- joins ----

    private static boolean needsCheck(Join join) {
        return join.joinType() != LeftAnti$.MODULE$
                && !(join.condition().isDefined() && holdsCheck(join.condition().get()));
    }

    private static boolean holdsCheck(Expression condition) {
        return condition instanceof CancelCheck
                || condition instanceof And and
                && (holdsCheck(and.left()) || holdsCheck(and.right()));
    }

    private static LogicalPlan withCheck(Join join) {
        Expression check = CancelCheck.term();
        Expression condition = join.condition().isDefined()
                ? new And(check, join.condition().get()) : check;
        return join.copy(join.left(), join.right(), join.joinType(), Option.apply(condition),
                join.hint());
    }

    // ---- filters ----

    private static boolean multiplies(LogicalPlan node) {
        return node instanceof Generate || node instanceof Window;
    }

    private static boolean gathers(LogicalPlan node) {
        return node instanceof Aggregate || node instanceof Sort || node instanceof Window;
    }

    private static boolean needsCheck(LogicalPlan input) {
        return !(input instanceof Filter filter && filter.condition() instanceof CancelCheck)
                && !(input instanceof LocalRelation) && !(input instanceof OneRowRelation);
    }

    private static LogicalPlan inputOf(LogicalPlan node) {
        return Scala.<LogicalPlan>list(node.children()).get(0);
    }

    /**
     * Whether a thousand rows are made and taken in no time: of columns as they come and plain
     * arithmetic, into sums and the like. There Spark's own look is soon enough, and a filter would be
     * a tenth of the work.
     */
    private static boolean isQuick(LogicalPlan node) {
        for (Expression expression : Scala.<Expression>list(node.expressions())) {
            if (expression.exists(part -> !isQuick((Expression) part))) {
                return false;
            }
        }
        LogicalPlan input = inputOf(node);
        return !(input instanceof Project || input instanceof Filter) || isQuick(input);
    }

    private static boolean isQuick(Expression part) {
        return part.children().isEmpty() || part instanceof Alias || part instanceof Cast
                || part instanceof BinaryArithmetic || part instanceof BinaryComparison
                || part instanceof And || part instanceof Or || part instanceof Not
                || part instanceof IsNull || part instanceof IsNotNull || part instanceof SortOrder
                || part instanceof AggregateExpression || part instanceof DeclarativeAggregate;
    }

    private static LogicalPlan withCheckBelow(LogicalPlan node) {
        return (LogicalPlan) node.mapChildren((Function1<LogicalPlan, LogicalPlan>) child ->
                needsCheck(child) ? new Filter(CancelCheck.filterOfSlowRows(), child) : child);
    }

    private static LogicalPlan withCheckAbove(LogicalPlan node) {
        node.setTagValue(CHECKED, true);
        return new Filter(CancelCheck.filter(), node);
    }

    // ---- lambdas ----

    private static final class LambdaCheck extends AbstractPartialFunction<Expression, Expression> {
        @Override
        public boolean isDefinedAt(Expression part) {
            return part instanceof LambdaFunction lambda && !(lambda.function() instanceof CheckedLambda);
        }

        @SuppressWarnings("unchecked")
        @Override
        public <A extends Expression, B> B applyOrElse(A part, Function1<A, B> other) {
            if (!isDefinedAt(part)) {
                return other.apply(part);
            }
            LambdaFunction lambda = (LambdaFunction) (Expression) part;
            return (B) lambda.copy(new CheckedLambda(lambda.function()), lambda.arguments(),
                    lambda.hidden());
        }
    }
}
