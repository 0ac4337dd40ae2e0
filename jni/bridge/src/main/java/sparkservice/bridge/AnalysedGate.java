package sparkservice.bridge;

import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;

/**
 * The second gate: the analysed plan. Its leaves are the relations that this request bound, with
 * their files inside the roots, or rows of the statement itself; nothing else passes.
 */
final class AnalysedGate {
    private static final String LOGICAL = "org.apache.spark.sql.catalyst.plans.logical.";
    private static final Set<String> ROWS_OF_THE_STATEMENT = Set.of(LOGICAL + "LocalRelation",
            LOGICAL + "OneRowRelation", LOGICAL + "Range", LOGICAL + "CTERelationRef",
            LOGICAL + "UnionLoopRef",
            "org.apache.spark.sql.catalyst.analysis.ResolvedInlineTable");
    private static final Set<String> REFUSED_EXPRESSIONS = Set.of("CallMethodViaReflection",
            "TryReflect", "ScalaUDF", "PythonUDF", "PythonUDAF", "HiveSimpleUDF", "HiveGenericUDF",
            "InputFileName", "VariableReference");

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
        PlanTree.walk(analysed, new PlanTree.Visitor() {
            @Override
            public void plan(LogicalPlan node) throws BridgeException {
                if (node.children().isEmpty()) {
                    checkLeaf(node);
                }
            }

            @Override
            public void expression(Expression node) throws BridgeException {
                String name = node.getClass().getSimpleName();
                if (REFUSED_EXPRESSIONS.contains(name)) {
                    throw BridgeException.forbidden("This expression is not allowed: " + name);
                }
            }
        });
    }

    private void checkLeaf(LogicalPlan leaf) throws BridgeException {
        if (ROWS_OF_THE_STATEMENT.contains(leaf.getClass().getName().replaceFirst("\\$$", ""))) {
            return;
        }
        Object source = sourceOf(leaf);
        if (source == leaf || !bound.contains(source)) {
            throw BridgeException.forbidden(
                    "This relation is not allowed: " + leaf.getClass().getSimpleName());
        }
        if (source instanceof HadoopFsRelation files) {
            for (Path path : Scala.<Path>list(files.location().rootPaths())) {
                if (!roots.allows(path.toUri())) {
                    throw BridgeException.forbidden("The table names a path outside the data roots.");
                }
            }
        }
    }

    /** What stays the same object when the analyser copies a leaf. */
    private static Object sourceOf(LogicalPlan leaf) {
        if (leaf instanceof LogicalRelation relation) {
            return relation.relation();
        } else if (leaf instanceof DataSourceV2Relation relation) {
            return relation.table();
        }
        return leaf;
    }
}
