package sparkservice.bridge;

import java.util.function.Consumer;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanExec;
import org.apache.spark.sql.execution.adaptive.QueryStageExec;
import org.apache.spark.sql.execution.exchange.ReusedExchangeExec;

/** Looks at physical plans, through the nodes that hide one as a leaf. */
final class PhysicalPlan {
    private PhysicalPlan() {
    }

    /** Each node with its sub-queries; a plan that is reused is seen once. */
    static void walk(SparkPlan plan, Consumer<SparkPlan> visitor) {
        visitor.accept(plan);
        if (plan instanceof AdaptiveSparkPlanExec adaptive) {
            walk(adaptive.initialPlan(), visitor);
        } else if (plan instanceof QueryStageExec stage) {
            walk(stage.plan(), visitor);
        } else if (!(plan instanceof ReusedExchangeExec)) {
            Scala.<SparkPlan>list(plan.children()).forEach(child -> walk(child, visitor));
        }
        Scala.<SparkPlan>list(plan.subqueries()).forEach(child -> walk(child, visitor));
    }
}
