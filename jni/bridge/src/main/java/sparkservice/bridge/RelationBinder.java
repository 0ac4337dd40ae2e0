package sparkservice.bridge;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias$;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedWith;
import scala.Function1;

/**
 * Puts this request's relations in the place of the names that its SQL uses, in sub-queries and CTE
 * definitions too, and guards its operators of patterns. A CTE shadows a bound name as it would
 * shadow a table.
 *
 * <p>No temporary view: one session serves everybody, and views of one name would race, leak and
 * freeze a file listing.
 */
final class RelationBinder {

    /** What a name stands for in this request. */
    interface Relations {
        /** The relation, or null to leave the name to Spark (which answers 42P01). */
        LogicalPlan find(List<String> nameParts) throws BridgeException;
    }

    private final Relations relations;

    RelationBinder(Relations relations) {
        this.relations = relations;
    }

    LogicalPlan bind(LogicalPlan parsed) {
        return bind(parsed, Set.of());
    }

    private LogicalPlan bind(LogicalPlan plan, Set<String> cteNames) {
        if (plan instanceof UnresolvedRelation relation) {
            return bindRelation(relation, cteNames);
        }
        if (plan instanceof UnresolvedWith with) {
            return bindWith(with, cteNames);
        }
        LogicalPlan children = (LogicalPlan) plan.mapChildren(
                (Function1<LogicalPlan, LogicalPlan>) child -> bind(child, cteNames));
        return bindExpressions(children, cteNames);
    }

    private LogicalPlan bindWith(UnresolvedWith with, Set<String> outerNames) {
        Set<String> visible = new HashSet<>(outerNames);
        UnresolvedWith bound = SparkLine.mapCteRelations(with, (name, definition, recursive) -> {
            if (recursive) {
                visible.add(key(name));
            }
            SubqueryAlias result = (SubqueryAlias) bind(definition, Set.copyOf(visible));
            visible.add(key(name));
            return result;
        });
        return SparkLine.withChild(bound, bind(with.child(), visible));
    }

    private LogicalPlan bindExpressions(LogicalPlan plan, Set<String> cteNames) {
        return (LogicalPlan) plan.mapExpressions((Function1<Expression, Expression>) expression ->
                PatternOperators.guard(expression.transformDown(Scala.onEach(SubqueryExpression.class,
                        subquery -> subquery.withNewPlan(bind(subquery.plan(), cteNames))))));
    }

    private LogicalPlan bindRelation(UnresolvedRelation relation, Set<String> cteNames) {
        List<String> name = Scala.list(relation.multipartIdentifier());
        if (name.size() == 1 && cteNames.contains(key(name.get(0)))) {
            return relation;
        }
        LogicalPlan found = Unchecked.call(() -> relations.find(name));
        return found == null ? relation : SubqueryAlias$.MODULE$.apply(
                name.get(name.size() - 1), found);
    }

    static String key(String name) {
        return name.toLowerCase(Locale.ROOT);
    }
}
