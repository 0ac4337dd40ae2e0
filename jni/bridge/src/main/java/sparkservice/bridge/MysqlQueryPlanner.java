package sparkservice.bridge;

import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.QueryExecution;
import sparkservice.bridge.mysql.MysqlPlanner;

/** A statement of the mysql endpoint: MySQL's own SQL, run there as it is. */
final class MysqlQueryPlanner implements Query.Planner {
    private static final long DEFAULT_TIMEOUT_MS = 30_000;

    private final SparkSession session;

    MysqlQueryPlanner(SparkSession session) {
        this.session = session;
    }

    @Override
    public QueryPlan plan(QueryRequest request, boolean runs, Cancellation cancellation) throws Exception {
        if (request.mysql() == null) {
            throw BridgeException.badRequest("The query has no MySQL address.");
        }
        SparkSession.setActiveSession(session);
        long timeoutMs = request.timeoutMs() > 0 ? request.timeoutMs() : DEFAULT_TIMEOUT_MS;
        MysqlPlanner.Planned planned = MysqlPlanner.plan(request.tag(), request.mysql(),
                request.sql(), request.params(), request.mysqlUsualQuotes(), timeoutMs,
                cancellation::onCancel);
        cancellation.check();
        QueryExecution execution = SparkLine.execution(session,
                TableQueryPlanner.limited(planned.relation(), request.rowLimit()));
        execution.executedPlan();
        return new QueryPlan(session.sparkContext(), execution, planned.columns(),
                AnswerBasis.NONE);
    }

    @Override
    public void end(QueryRequest request) {
        MysqlPlanner.close(request.tag());
    }
}
