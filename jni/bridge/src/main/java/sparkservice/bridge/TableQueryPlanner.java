package sparkservice.bridge;

import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.types.DataTypes;

/**
 * A statement of the parquet, delta and iceberg endpoints: parse, first gate, bind, analyse, second
 * gate, plan.
 */
final class TableQueryPlanner implements Query.Planner {
    private final SparkSession session;
    private final DataRoots roots;

    TableQueryPlanner(SparkSession session, DataRoots roots) {
        this.session = session;
        this.roots = roots;
    }

    @Override
    public QueryPlan plan(QueryRequest request) throws Exception {
        LogicalPlan parsed = SparkLine.state(session).sqlParser().parsePlan(request.sql());
        PlanGate.check(parsed);
        TableSource tables = new TableSource(session, roots, request);
        LogicalPlan bound = new RelationBinder(tables).bind(parsed);
        return execution(limited(bound, request.rowLimit()));
    }

    private QueryPlan execution(LogicalPlan plan) {
        QueryExecution execution = SparkLine.execution(session, plan);
        execution.assertAnalyzed();
        execution.executedPlan();
        return new QueryPlan(session.sparkContext(), execution, execution.analyzed().schema(), null);
    }

    /** One row more than wanted, so that C can tell that rows were cut. */
    private static LogicalPlan limited(LogicalPlan plan, long rowLimit) {
        if (rowLimit < 0 || rowLimit >= Integer.MAX_VALUE - 1) {
            return plan;
        }
        Literal count = new Literal((int) rowLimit + 1, DataTypes.IntegerType);
        return new GlobalLimit(count, new LocalLimit(count, plan));
    }
}
