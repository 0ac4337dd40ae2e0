package sparkservice.bridge;

import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.plans.logical.CTERelationDef;
import org.apache.spark.sql.catalyst.plans.logical.CTERelationRef;
import org.apache.spark.sql.catalyst.plans.logical.Expand;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.OneRowRelation;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Range;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.catalyst.plans.logical.Union;
import org.apache.spark.sql.catalyst.plans.logical.WithCTE;

/**
 * How many rows an analysed statement answers at the least, by its own words alone: ranges and
 * values, their cross joins and unions. A table counts as none, and so does what a condition may
 * drop; an honest statement is never refused for it.
 */
final class OutputEstimate {
    private final Map<Object, Double> definitions = new HashMap<>();

    private OutputEstimate() {
    }

    static double rows(LogicalPlan analysed) {
        return new OutputEstimate().of(analysed);
    }

    private double of(LogicalPlan plan) {
        if (plan instanceof Range range) {
            return range.numElements().doubleValue();
        } else if (plan instanceof LocalRelation values) {
            return values.data().size();
        } else if (plan instanceof OneRowRelation) {
            return 1;
        } else if (plan instanceof WithCTE with) {
            for (CTERelationDef definition : Scala.<CTERelationDef>list(with.cteDefs())) {
                definitions.put(definition.id(), of(definition.child()));
            }
            return of(with.plan());
        } else if (plan instanceof CTERelationRef use) {
            return definitions.getOrDefault(use.cteId(), 0.0);
        } else if (plan instanceof GlobalLimit limit) {
            return Math.min(literal(limit.limitExpr()), of(limit.child()));
        } else if (plan instanceof LocalLimit limit) {
            return of(limit.child());
        } else if (plan instanceof Project || plan instanceof SubqueryAlias || plan instanceof Sort) {
            return of(plan.children().head());
        } else if (plan instanceof Expand expand) {
            return of(expand.child()) * expand.projections().size();
        } else if (plan instanceof Union union) {
            return Scala.<LogicalPlan>list(union.children()).stream().mapToDouble(this::of).sum();
        } else if (plan instanceof Join join && join.condition().isEmpty()
                && isProduct(join.joinType().sql())) {
            return of(join.left()) * of(join.right());
        }
        return 0;
    }

    private static boolean isProduct(String joinType) {
        return joinType.equals("INNER") || joinType.equals("CROSS");
    }

    private static double literal(Object limit) {
        return limit instanceof Literal literal && literal.value() instanceof Number number
                ? number.doubleValue() : Double.MAX_VALUE;
    }
}
