package sparkservice.bridge;

import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.objects.Invoke;
import org.apache.spark.sql.catalyst.expressions.objects.StaticInvoke;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.LogicalRDD;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import org.apache.spark.sql.types.ObjectType;

/**
 * The second gate: the analysed plan. Its nodes and expressions are on the fence's lists; its leaves
 * are the relations that this request bound, with their files inside the roots, or rows of the
 * statement itself; patterns and values without a bound stand inside their wrappers.
 */
final class AnalysedGate {
    /** Where the Java code is that Spark's own functions call. */
    private static final List<String> OWN_CODE =
            List.of("org.apache.spark.sql.catalyst.", "org.apache.spark.unsafe.");

    private final Set<Object> bound = Collections.newSetFromMap(new IdentityHashMap<>());
    private final DataRoots roots;

    AnalysedGate(Collection<LogicalPlan> boundPlans, DataRoots roots) throws BridgeException {
        this.roots = roots;
        for (LogicalPlan plan : boundPlans) {
            for (LogicalPlan leaf : Scala.list(plan.collectLeaves())) {
                bound.add(sourceOf(leaf));
            }
        }
    }

    void check(LogicalPlan analysed) throws BridgeException {
        Set<Expression> wrapped = Collections.newSetFromMap(new IdentityHashMap<>());
        PlanTree.walk(analysed, new PlanTree.Visitor() {
            @Override
            public void plan(LogicalPlan node) throws BridgeException {
                checkPlan(node);
            }

            @Override
            public void expression(Expression node) throws BridgeException {
                if (node instanceof GuardedExpression guard) {
                    guard.inside().forEach(wrapped::add);
                } else if (Fence.isGuarded(node) && !wrapped.contains(node)) {
                    throw Fence.refused("expression without its bound", node);
                } else {
                    checkExpression(node);
                }
            }

            @Override
            public boolean replacements() {
                return true;
            }
        });
    }

    private void checkPlan(LogicalPlan node) throws BridgeException {
        if (!Fence.allowsAnalysedPlan(node)) {
            throw Fence.refused(node.children().isEmpty() ? "relation" : "node", node);
        }
        if (node instanceof LogicalRelation || node instanceof DataSourceV2Relation
                || node instanceof LogicalRDD) {
            checkRelation(node);
        }
    }

    private void checkRelation(LogicalPlan leaf) throws BridgeException {
        Object source = sourceOf(leaf);
        if (!bound.contains(source)) {
            throw Fence.refused("relation", leaf);
        }
        if (source instanceof HadoopFsRelation files) {
            for (Path path : Scala.<Path>list(files.location().rootPaths())) {
                if (!roots.allows(path.toUri())) {
                    throw BridgeException.forbidden("The table names a path outside the data roots.");
                }
            }
        }
    }

    private static void checkExpression(Expression node) throws BridgeException {
        if (!Fence.allowsAnalysedExpression(node)) {
            throw Fence.refused("expression", node);
        }
        if (node instanceof StaticInvoke call) {
            checkCode(call.staticObject(), node);
        } else if (node instanceof Invoke call
                && call.targetObject() instanceof Literal target
                && target.dataType() instanceof ObjectType type) {
            checkCode(type.cls(), node);
        }
    }

    /** Functions may be calls of Java code: of Spark's own, which no statement can choose. */
    private static void checkCode(Class<?> code, Expression node) throws BridgeException {
        if (OWN_CODE.stream().noneMatch(code.getName()::startsWith)) {
            throw Fence.refused("call", node.getClass().getSimpleName() + " " + code.getName());
        }
    }

    /** What stays the same object when the analyser copies a leaf. */
    private static Object sourceOf(LogicalPlan leaf) {
        if (leaf instanceof LogicalRelation relation) {
            return relation.relation();
        } else if (leaf instanceof DataSourceV2Relation relation) {
            return relation.table();
        } else if (leaf instanceof LogicalRDD rows) {
            return rows.rdd();
        }
        return leaf;
    }
}
