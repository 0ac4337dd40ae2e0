package sparkservice.bridge;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.analysis.UnresolvedStar;
import org.apache.spark.sql.catalyst.expressions.Cube;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GroupingSets;
import org.apache.spark.sql.catalyst.expressions.In;
import org.apache.spark.sql.catalyst.expressions.InheritAnalysisRules;
import org.apache.spark.sql.catalyst.expressions.Rollup;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedWith;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.Product;

/**
 * How deep a parsed statement nests, and how large it gets once analysis has written it out: a WITH
 * at each of its uses, a star for each column, a CUBE for each of its sets. Twenty names that each
 * use the one before twice are a million of the first.
 */
final class PlanSize {
    /** Written out they hold their first argument twice; nested, that doubles at each level. */
    private static final Set<String> FIRST_TWICE = Set.of("between", "nullif");

    private final SqlLimits limits;
    /** Of the select list being measured. */
    private long starWidth = 1;

    /** @param width columns, stars written out */
    private record Size(long nodes, long width) {
    }

    private PlanSize(SqlLimits limits) {
        this.limits = limits;
    }

    /** @param bound parsed, its tables in place */
    static void check(LogicalPlan bound, SqlLimits limits) throws BridgeException {
        new PlanSize(limits).plan(bound, Map.of(), 1);
    }

    private Size plan(LogicalPlan plan, Map<String, Size> names, int depth) throws BridgeException {
        limits.checkDepth(depth);
        if (plan instanceof UnresolvedWith with) {
            return with(with, names, depth);
        }
        if (plan instanceof UnresolvedRelation relation) {
            List<String> name = Scala.list(relation.multipartIdentifier());
            return names.getOrDefault(RelationBinder.key(name.get(0)), new Size(1, 1));
        }
        if (plan instanceof LogicalRelation || plan instanceof DataSourceV2Relation) {
            long width = plan.output().size();
            return new Size(1 + width, width);
        }
        long nodes = 1;
        long width = 0;
        for (LogicalPlan child : Scala.<LogicalPlan>list(plan.children())) {
            Size size = plan(child, names, depth + 1);
            nodes = sum(nodes, size.nodes());
            width = sum(width, size.width());
        }
        nodes = sum(nodes, ownParts(plan, width, names, depth));
        return new Size(nodes, widthOf(plan, width));
    }

    private Size with(UnresolvedWith with, Map<String, Size> outer, int depth)
            throws BridgeException {
        Map<String, Size> names = new HashMap<>(outer);
        for (Object definition : Scala.list(with.cteRelations())) {
            Product pair = (Product) definition;
            Size size = plan((SubqueryAlias) pair.productElement(1), names, depth + 1);
            names.put(RelationBinder.key((String) pair.productElement(0)), size);
        }
        return plan(with.child(), names, depth + 1);
    }

    private long ownParts(LogicalPlan plan, long width, Map<String, Size> names, int depth)
            throws BridgeException {
        long outer = starWidth;
        starWidth = Math.max(width, 1);
        long nodes = 0;
        for (int i = 0; i < plan.productArity(); i++) {
            Object element = plan.productElement(i);
            if (!(element instanceof LogicalPlan) && element != plan.children()) {
                nodes = sum(nodes, part(element, names, depth + 1));
            }
        }
        starWidth = outer;
        if (plan instanceof Aggregate aggregate) {
            nodes = sum(nodes, groupingSets(aggregate));
        }
        return nodes;
    }

    private long part(Object part, Map<String, Size> names, int depth) throws BridgeException {
        if (part instanceof LogicalPlan plan) {
            return plan(plan, names, depth).nodes();
        } else if (part instanceof Expression expression) {
            return expression(expression, names, depth);
        } else if (part instanceof Option<?> option) {
            return option.isDefined() ? part(option.get(), names, depth) : 0;
        } else if (part instanceof scala.collection.Iterable<?> all) {
            long nodes = 0;
            for (Object each : Scala.each(all)) {
                nodes = sum(nodes, part(each, names, depth));
            }
            return nodes;
        } else if (part instanceof DataType type) {
            return type(type, depth);
        } else if (part instanceof scala.Tuple2<?, ?> pair) {
            return sum(part(pair._1(), names, depth), part(pair._2(), names, depth));
        }
        return 0;
    }

    private long expression(Expression expression, Map<String, Size> names, int depth)
            throws BridgeException {
        limits.checkDepth(depth);
        if (expression instanceof UnresolvedStar) {
            return sum(starWidth, 0);
        }
        if (expression instanceof In in) {
            limits.checkInItems(in.list().size());
        }
        if (expression instanceof InheritAnalysisRules) {
            return part(expression.children(), names, depth);
        }
        long nodes = 1;
        Product parts = (Product) expression;
        for (int i = 0; i < parts.productArity(); i++) {
            nodes = sum(nodes, part(parts.productElement(i), names, depth + 1));
        }
        if (expression instanceof UnresolvedFunction function && writesFirstTwice(function)) {
            nodes = sum(nodes, part(function.arguments().head(), names, depth + 1));
        }
        return nodes;
    }

    private static boolean writesFirstTwice(UnresolvedFunction function) {
        return !function.arguments().isEmpty()
                && FIRST_TWICE.contains(RelationBinder.key(function.nameParts().last()));
    }

    private long type(DataType type, int depth) throws BridgeException {
        limits.checkDepth(depth);
        long nodes = 1;
        if (type instanceof ArrayType array) {
            nodes += type(array.elementType(), depth + 1);
        } else if (type instanceof MapType map) {
            nodes += type(map.keyType(), depth + 1) + type(map.valueType(), depth + 1);
        } else if (type instanceof StructType struct) {
            for (StructField field : struct.fields()) {
                nodes += type(field.dataType(), depth + 1);
            }
        }
        return nodes;
    }

    /** Sets times columns: so many expressions does Spark make of GROUP BY CUBE. */
    private long groupingSets(Aggregate aggregate) throws BridgeException {
        long sets = 1;
        long columns = 0;
        for (Expression group : Scala.<Expression>list(aggregate.groupingExpressions())) {
            int width = group.children().size();
            columns += width;
            if (group instanceof Cube) {
                sets = product(sets, width >= Long.SIZE - 1 ? Long.MAX_VALUE : 1L << width);
            } else if (group instanceof Rollup) {
                sets = product(sets, width + 1L);
            } else if (group instanceof GroupingSets grouping) {
                sets = product(sets, Math.max(1, grouping.groupingSetIndexes().size()));
            }
        }
        return sets == 1 ? 0 : product(sets, columns);
    }

    private long widthOf(LogicalPlan plan, long childWidth) {
        if (plan instanceof Project project) {
            return selected(Scala.list(project.projectList()), childWidth);
        } else if (plan instanceof Aggregate aggregate) {
            return selected(Scala.list(aggregate.aggregateExpressions()), childWidth);
        }
        return plan.children().isEmpty() ? Math.max(1, plan.resolved() ? plan.output().size() : 1)
                : childWidth;
    }

    private static long selected(List<?> items, long childWidth) {
        long width = 0;
        for (Object item : items) {
            width += item instanceof UnresolvedStar ? childWidth : 1;
        }
        return width;
    }

    private long sum(long a, long b) throws BridgeException {
        long sum = a + b;
        limits.checkNodes(sum);
        return sum;
    }

    private long product(long a, long b) throws BridgeException {
        limits.checkNodes(a == 0 || b <= Long.MAX_VALUE / a ? a * b : Long.MAX_VALUE);
        return a * b;
    }
}
