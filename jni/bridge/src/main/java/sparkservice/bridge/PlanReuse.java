package sparkservice.bridge;

import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.SparkPlan;

/** Statements that were planned before: the very same, and those that compare with other values. */
final class PlanReuse {
    private final SparkSession session;
    private final InlineSession inline;
    private final KeptPlans plans;

    /**
     * One statement.
     *
     * @param key null: nothing of it is kept
     * @param shape null: no statement like it
     */
    record Statement(KeptPlans.Key key, StatementShape shape) {
        static Statement of(QueryRequest request, boolean runs) {
            KeptPlans.Key key = runs ? KeptPlans.key(request) : null;
            return new Statement(key, key == null ? null : StatementShape.of(request.sql()));
        }

        KeptPlans.Key shapeKey() {
            return key.withShape(shape.text());
        }
    }

    /** The tables of the request, looked at anew. */
    interface Tables {
        TableSource open();
    }

    PlanReuse(SparkSession session, InlineSession inline, KeptPlans plans) {
        this.session = session;
        this.inline = inline;
        this.plans = plans;
    }

    /** Null: it isn't kept, or not of its tables as they are. */
    QueryPlan find(Statement statement, Tables tables, Cancellation cancellation)
            throws BridgeException {
        if (statement.key == null) {
            return null;
        }
        KeptPlans.Plan same = plans.find(statement.key, tables);
        if (same != null) {
            return again(same, same.optimised(), same.pipeline(), cancellation);
        }
        KeptPlans.Plan like = statement.shape == null ? null
                : plans.find(statement.shapeKey(), tables);
        if (like == null) {
            plans.countMiss();
            return null;
        }
        RowPipeline pipeline = like.pipeline() == null ? null
                : like.pipeline().filled(statement.shape);
        // A pipeline has its values; what plans rows hides them, and scans want to see them.
        LogicalPlan optimised = pipeline != null ? like.optimised()
                : BlindPlan.filled(like.optimised(), statement.shape, like.inline());
        return again(like, optimised, pipeline, cancellation);
    }

    private QueryPlan again(KeptPlans.Plan kept, LogicalPlan optimised, RowPipeline pipeline,
            Cancellation cancellation) {
        SparkSession owner = kept.inline() ? inline.session() : session;
        SparkSession.setActiveSession(owner);
        QueryExecution execution = new ReusedExecution(owner, kept.analysed(), optimised,
                new CancellableTracker(cancellation));
        SourceFacts facts = kept.facts() != null ? kept.facts()
                : SourceFacts.of(execution.executedPlan());
        return plan(kept, execution, facts, pipeline);
    }

    private QueryPlan plan(KeptPlans.Plan made, QueryExecution execution, SourceFacts facts,
            RowPipeline pipeline) {
        return new QueryPlan(session.sparkContext(), execution, made.analysed().schema(), facts,
                made.basis(), made.inline() ? new QueryPlan.Inline(inline.settings(), pipeline)
                : null);
    }

    /**
     * The plan that was made for a statement, and from its second like on that of all that are like
     * it.
     *
     * @param keeps false: a better one is to come
     */
    QueryPlan made(Statement statement, LogicalPlan parsed, KeptPlans.Plan made,
            QueryExecution execution, boolean keeps, Cancellation cancellation)
            throws BridgeException {
        if (keeps && statement.key != null && !keptForAll(statement, parsed, made, cancellation)) {
            plans.keep(statement.key, made);
        }
        return plan(made, execution, made.facts(), made.pipeline());
    }

    private boolean keptForAll(Statement statement, LogicalPlan parsed, KeptPlans.Plan made,
            Cancellation cancellation) throws BridgeException {
        if (statement.shape == null || !plans.isAskedAgain(statement.shapeKey())) {
            return false;
        }
        KeptPlans.Plan forAll = null;
        try {
            forAll = made.inline() || statement.key.source() == QueryRequest.Source.PARQUET
                    ? forAll(statement.shape, parsed, made, cancellation) : null;
        } catch (RuntimeException e) {
            cancellation.check();
        }
        if (forAll == null) {
            plans.refuse(statement.shapeKey());
            return false;
        }
        return plans.keep(statement.shapeKey(), forAll);
    }

    /** Null: the values matter. (To Delta's optimizer they always do: it chooses the files.) */
    private KeptPlans.Plan forAll(StatementShape shape, LogicalPlan parsed, KeptPlans.Plan made,
            Cancellation cancellation) throws BridgeException {
        LogicalPlan blind = BlindPlan.of(parsed, made.analysed(), shape);
        if (blind == null) {
            return null;
        }
        SparkSession owner = made.inline() ? inline.session() : session;
        CancellableTracker tracker = new CancellableTracker(cancellation);
        LogicalPlan optimised = SparkLine.state(owner).optimizer()
                .executeAndTrack((LogicalPlan) blind.clone(), tracker);
        RowPipeline pipeline = null;
        if (made.inline()) {
            SparkPlan physical = new ReusedExecution(owner, blind, optimised, tracker)
                    .executedPlan();
            if (!InlineTask.canRun(physical)) {
                return null;
            }
            pipeline = RowPipeline.of(physical);
        }
        // Which files are read depends on the values.
        return new KeptPlans.Plan(made.tables(), made.analysed(), optimised,
                made.inline() ? made.facts() : null, made.basis(), made.inline(), pipeline);
    }
}
