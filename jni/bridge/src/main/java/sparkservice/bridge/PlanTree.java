package sparkservice.bridge;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.InheritAnalysisRules;
import org.apache.spark.sql.catalyst.expressions.RuntimeReplaceable;
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

        /** Whether to see what Spark will put in the place of an expression as well. */
        default boolean replacements() {
            return false;
        }
    }

    private final Visitor visitor;
    /** Nested functions can share their arguments with what replaces them: each is seen once. */
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    private PlanTree(Visitor visitor) {
        this.visitor = visitor;
    }

    static void walk(LogicalPlan plan, Visitor visitor) throws BridgeException {
        new PlanTree(visitor).walk(plan);
    }

    private void walk(Object part) throws BridgeException {
        if (part instanceof LogicalPlan plan) {
            if (seen.add(plan)) {
                visitor.plan(plan);
                walkParts(plan);
            }
        } else if (part instanceof Expression expression) {
            if (seen.add(expression)) {
                visitor.expression(expression);
                walkExpression(expression);
            }
        } else if (part instanceof Option<?> option) {
            if (option.isDefined()) {
                walk(option.get());
            }
        } else if (part instanceof scala.collection.Iterable<?> all) {
            for (Object each : Scala.each(all)) {
                walk(each);
            }
        } else if (part instanceof Tuple2<?, ?> || part instanceof Tuple3<?, ?, ?>) {
            walkParts((Product) part);
        }
    }

    private void walkExpression(Expression expression) throws BridgeException {
        if (expression instanceof InheritAnalysisRules) {
            // Its arguments are kept for its text only; its child is what replaces it.
            walk(expression.children());
            return;
        }
        if (visitor.replacements() && expression instanceof RuntimeReplaceable replaceable) {
            walk(replaceable.replacement());
        }
        walkParts((Product) expression);
    }

    private void walkParts(Product node) throws BridgeException {
        for (int i = 0; i < node.productArity(); i++) {
            walk(node.productElement(i));
        }
    }
}
