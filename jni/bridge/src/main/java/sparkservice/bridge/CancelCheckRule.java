package sparkservice.bridge;

import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.LeftAnti$;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.Generate;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.catalyst.trees.TreeNodeTag;
import scala.Option;
import scala.runtime.AbstractPartialFunction;

/**
 * Adds {@link CancelCheck} where one row becomes many: to the condition of every join, and as a
 * filter above every generator. After all other optimizer rules: any earlier and it would be pushed
 * below, out of the loop it watches.
 *
 * <p>Anti joins keep their condition: that of NOT IN is recognised by its very form and planned as a
 * hash lookup.
 */
final class CancelCheckRule extends Rule<LogicalPlan> {
    /** The optimizer applies a rule until nothing changes. */
    private static final TreeNodeTag<Boolean> CHECKED = new TreeNodeTag<>("cancelCheck");

    @Override
    public LogicalPlan apply(LogicalPlan plan) {
        return plan.transformUp(new AbstractPartialFunction<LogicalPlan, LogicalPlan>() {
            @Override
            public boolean isDefinedAt(LogicalPlan node) {
                return node instanceof Join join && needsCheck(join)
                        || node instanceof Generate && node.getTagValue(CHECKED).isEmpty();
            }

            @Override
            public LogicalPlan apply(LogicalPlan node) {
                return node instanceof Join join ? withCheck(join) : withCheck((Generate) node);
            }
        });
    }

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
        Expression check = new CancelCheck();
        Expression condition = join.condition().isDefined()
                ? new And(check, join.condition().get()) : check;
        return join.copy(join.left(), join.right(), join.joinType(), Option.apply(condition),
                join.hint());
    }

    private static LogicalPlan withCheck(Generate generate) {
        generate.setTagValue(CHECKED, true);
        return new Filter(new CancelCheck(), generate);
    }
}
