package sparkservice.bridge;

import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import scala.Option;
import scala.Product;
import scala.Tuple2;
import scala.Tuple3;

/**
 * Walks everything a plan holds: children, expressions, sub-queries, and what is in neither list,
 * such as the CTE definitions of a WITH or the map of a WINDOW clause.
 */
final class PlanTree {

    /** Sees each node before what is below it. */
    interface Visitor {
        void plan(LogicalPlan node) throws BridgeException;

        void expression(Expression node) throws BridgeException;
    }

    private PlanTree() {
    }

    static void walk(Object part, Visitor visitor) throws BridgeException {
        if (part instanceof LogicalPlan plan) {
            visitor.plan(plan);
            walkParts(plan, visitor);
        } else if (part instanceof Expression expression) {
            visitor.expression(expression);
            walkParts((Product) expression, visitor);
        } else if (part instanceof Option<?> option) {
            if (option.isDefined()) {
                walk(option.get(), visitor);
            }
        } else if (part instanceof scala.collection.Iterable<?> all) {
            for (Object each : Scala.each(all)) {
                walk(each, visitor);
            }
        } else if (part instanceof Tuple2<?, ?> || part instanceof Tuple3<?, ?, ?>) {
            walkParts((Product) part, visitor);
        }
    }

    private static void walkParts(Product node, Visitor visitor) throws BridgeException {
        for (int i = 0; i < node.productArity(); i++) {
            walk(node.productElement(i), visitor);
        }
    }
}
