package sparkservice.bridge;

import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.QueryPlanningTracker;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/** Of a statement that was optimised before: it goes on from there, to a physical plan of its own. */
final class ReusedExecution extends QueryExecutionBase {
    private final LogicalPlan analysed;
    private final LogicalPlan optimised;

    ReusedExecution(SparkSession session, LogicalPlan analysed, LogicalPlan optimised,
            QueryPlanningTracker tracker) {
        super(session, analysed, tracker);
        this.analysed = analysed;
        this.optimised = optimised;
    }

    @Override
    public LogicalPlan analyzed() {
        return analysed;
    }

    @Override
    public void assertAnalyzed() {
        // It was.
    }

    @Override
    public LogicalPlan optimizedPlan() {
        return optimised;
    }
}
