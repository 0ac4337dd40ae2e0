package sparkservice.bridge;

import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.QueryPlanningTracker;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.CommandExecutionMode;
import org.apache.spark.sql.execution.QueryExecution;

/** Spark's own, whose constructor differs between the lines. */
abstract class QueryExecutionBase extends QueryExecution {
    QueryExecutionBase(SparkSession session, LogicalPlan plan, QueryPlanningTracker tracker) {
        super(session, plan, tracker, CommandExecutionMode.ALL());
    }
}
