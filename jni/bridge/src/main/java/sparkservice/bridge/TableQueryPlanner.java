package sparkservice.bridge;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableOrView;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.plans.logical.DescribeRelation;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * A statement of the parquet, delta and iceberg endpoints: parse, first gate, bind, analyse, second
 * gate, plan.
 */
final class TableQueryPlanner implements Query.Planner {
    private static final StructType DESCRIPTION = new StructType()
            .add("col_name", DataTypes.StringType, false)
            .add("data_type", DataTypes.StringType, false)
            .add("comment", DataTypes.StringType, true);

    private final SparkSession session;
    private final DataRoots roots;
    private final SqlLimits limits;

    TableQueryPlanner(SparkSession session, DataRoots roots, SqlLimits limits) {
        this.session = session;
        this.roots = roots;
        this.limits = limits;
    }

    @Override
    public QueryPlan plan(QueryRequest request, Cancellation cancellation) throws Exception {
        SparkSession.setActiveSession(session);
        SqlBrackets.check(request.sql(), limits);
        LogicalPlan parsed = SparkLine.state(session).sqlParser().parsePlan(request.sql());
        TableSource tables = new TableSource(session, roots, request);
        if (isDescribe(parsed)) {
            return describe((DescribeRelation) parsed, tables);
        }
        PlanSize.check(parsed, limits); // what shares its parts is walked as often as they are used
        PlanGate.check(parsed);
        LogicalPlan bound = new RelationBinder(tables).bind(parsed);
        PlanSize.check(bound, limits);
        cancellation.check();
        LogicalPlan limited = limited(bound, request.rowLimit());
        QueryExecution execution = planned(Parameters.bind(limited, request.params()),
                new AnalysedGate(tables.resolved(), roots), cancellation);
        LogicalPlan analysed = execution.analyzed();
        AnswerBasis basis = request.asOfTimestamp() != null ? AnswerBasis.NONE
                : AnswerBasis.of(parsed, analysed, tables.reads());
        return new QueryPlan(session.sparkContext(), execution, analysed.schema(), basis);
    }

    private QueryExecution planned(LogicalPlan plan, AnalysedGate gate, Cancellation cancellation)
            throws BridgeException {
        QueryExecution execution = SparkLine.execution(session, plan,
                new CancellableTracker(cancellation));
        FenceExtension.forCaller(gate, execution::assertAnalyzed);
        // The rule sees it without the parts of a WITH that nothing uses.
        gate.check(execution.analyzed());
        limits.checkRows(OutputEstimate.rows(execution.analyzed()));
        cancellation.check();
        execution.executedPlan();
        return execution;
    }

    /** One row more than wanted, so that C can tell that rows were cut. */
    static LogicalPlan limited(LogicalPlan plan, long rowLimit) {
        if (rowLimit < 0 || rowLimit >= Integer.MAX_VALUE - 1) {
            return plan;
        }
        Literal count = new Literal((int) rowLimit + 1, DataTypes.IntegerType);
        return new GlobalLimit(count, new LocalLimit(count, plan));
    }

    /** DESCRIBE of a name without EXTENDED, PARTITION or a column; the rest is a command. */
    private static boolean isDescribe(LogicalPlan parsed) {
        return parsed instanceof DescribeRelation describe && !describe.isExtended()
                && describe.partitionSpec().isEmpty()
                && describe.relation() instanceof UnresolvedTableOrView;
    }

    private QueryPlan describe(DescribeRelation describe, TableSource tables)
            throws BridgeException {
        List<String> name = Scala.list(
                ((UnresolvedTableOrView) describe.relation()).multipartIdentifier());
        LogicalPlan table = tables.find(name);
        if (table == null) {
            throw new BridgeException(BridgeException.Code.SQL_ERROR,
                    "The table or view `" + String.join("`.`", name) + "` cannot be found.",
                    "42P01", "TABLE_OR_VIEW_NOT_FOUND", 0, 0, null);
        }
        List<Row> rows = new ArrayList<>();
        for (StructField field : table.schema().fields()) {
            rows.add(RowFactory.create(field.name(), field.dataType().simpleString(),
                    field.getComment().filter(comment -> !comment.isEmpty()).getOrElse(() -> null)));
        }
        LogicalPlan answer = SparkLine.analyzed(session.createDataFrame(rows, DESCRIPTION));
        return new QueryPlan(session.sparkContext(), SparkLine.execution(session, answer),
                DESCRIPTION, AnswerBasis.NONE);
    }
}
