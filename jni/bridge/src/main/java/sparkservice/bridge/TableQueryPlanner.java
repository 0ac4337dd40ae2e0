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
    private final KeptSources kept;
    private final PlanReuse reuse;
    private final InlineSession inline;

    TableQueryPlanner(SparkSession session, DataRoots roots, SqlLimits limits, KeptSources kept,
            KeptPlans plans, InlineSession inline) {
        this.session = session;
        this.roots = roots;
        this.limits = limits;
        this.kept = kept;
        this.reuse = new PlanReuse(session, inline, plans);
        this.inline = inline;
    }

    @Override
    public QueryPlan plan(QueryRequest request, boolean runs, Cancellation cancellation)
            throws Exception {
        SparkSession.setActiveSession(session);
        PlanReuse.Statement statement = PlanReuse.Statement.of(request, runs);
        QueryPlan known = reuse.find(statement,
                () -> new TableSource(session, roots, kept, request), cancellation);
        return known != null ? known : planned(statement, request, runs, cancellation);
    }

    private QueryPlan planned(PlanReuse.Statement statement, QueryRequest request, boolean runs,
            Cancellation cancellation) throws Exception {
        SqlBrackets.check(request.sql(), limits);
        LogicalPlan parsed = SparkLine.state(session).sqlParser().parsePlan(request.sql());
        TableSource tables = new TableSource(session, roots, kept, request);
        if (isDescribe(parsed)) {
            return describe((DescribeRelation) parsed, tables);
        }
        PlanSize.check(parsed, limits); // what shares its parts is walked as often as they are used
        PlanGate.check(parsed);
        LogicalPlan bound = new RelationBinder(tables).bind(parsed);
        PlanSize.check(bound, limits);
        cancellation.check();
        QueryPlan quick = runs ? inMemory(statement, request, parsed, tables, cancellation)
                : null;
        if (quick != null) {
            return quick;
        }
        SparkSession.setActiveSession(session);
        LogicalPlan limited = limited(bound, request.rowLimit());
        QueryExecution execution = planned(session, Parameters.bind(limited, request.params()),
                new AnalysedGate(tables.resolved(), roots), cancellation);
        LogicalPlan analysed = execution.analyzed();
        AnswerBasis basis = request.asOfTimestamp() != null ? AnswerBasis.NONE
                : AnswerBasis.of(parsed, analysed, tables.reads());
        // A plan over files would be in the way of the one over rows.
        boolean isInterim = SmallTable.suffices(parsed) && tables.named().stream()
                .anyMatch(named -> kept.mayTurnOutSmall(named.table()));
        return reuse.made(statement, parsed, new KeptPlans.Plan(tables.named(), analysed,
                execution.optimizedPlan(), SourceFacts.of(execution.executedPlan()), basis, false,
                null), execution, !isInterim, cancellation);
    }

    /**
     * The plan over rows in memory; null where that can't be: a table isn't small, the statement asks
     * for what rows don't have, or it is wrong, which the usual way tells in the usual words.
     */
    private QueryPlan inMemory(PlanReuse.Statement statement, QueryRequest request,
            LogicalPlan parsed, TableSource source, Cancellation cancellation) throws Exception {
        TablesInMemory tables = SmallTable.suffices(parsed) ? source.inMemory() : null;
        cancellation.check();
        if (tables == null) {
            return null;
        }
        SparkSession.setActiveSession(inline.session());
        try {
            LogicalPlan bound = limited(new RelationBinder(tables).bind(parsed),
                    request.rowLimit());
            QueryExecution execution = planned(inline.session(),
                    Parameters.bind(bound, request.params()),
                    new AnalysedGate(tables.relations(), roots), cancellation);
            AnswerBasis basis = AnswerBasis.of(parsed, execution.analyzed(), source.reads());
            if (!basis.repeatable() || !InlineTask.canRun(execution.executedPlan())) {
                return null;
            }
            return reuse.made(statement, parsed, new KeptPlans.Plan(source.named(),
                    execution.analyzed(), execution.optimizedPlan(), tables.facts(), basis, true,
                    RowPipeline.of(execution.executedPlan())), execution, true, cancellation);
        } catch (RuntimeException | BridgeException e) {
            cancellation.check();
            return null;
        }
    }

    private QueryExecution planned(SparkSession session, LogicalPlan plan, AnalysedGate gate,
            Cancellation cancellation) throws BridgeException {
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
