package sparkservice.bridge;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.TaskContextImpl;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.BasePredicate;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.Predicate;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.execution.CollectLimitExec;
import org.apache.spark.sql.execution.FilterExec;
import org.apache.spark.sql.execution.GlobalLimitExec;
import org.apache.spark.sql.execution.LocalLimitExec;
import org.apache.spark.sql.execution.ProjectExec;
import org.apache.spark.sql.execution.RDDScanExec;
import org.apache.spark.sql.execution.SparkPlan;
import scala.collection.Iterator;
import scala.runtime.AbstractFunction1;

/**
 * A physical plan of filters, projections and limits over rows in memory, without the state of a
 * run: it can be kept and run many times at once. The rows are unsafe ones already, so that nothing
 * is converted before a filter has had its look.
 */
final class RowPipeline {

    /** What one node of the plan does with the rows of its child. */
    private interface Step {
        Iterator<InternalRow> rows(Iterator<InternalRow> below);

        Step filled(StatementShape shape);
    }

    private record Filtering(Expression condition, scala.collection.immutable.Seq<Attribute> input)
            implements Step {
        @Override
        public Iterator<InternalRow> rows(Iterator<InternalRow> below) {
            BasePredicate predicate = Predicate.create(condition, input);
            predicate.initialize(0);
            return below.filter(new AbstractFunction1<>() {
                @Override
                public Object apply(InternalRow row) {
                    return predicate.eval(row);
                }
            });
        }

        @Override
        public Step filled(StatementShape shape) {
            return new Filtering(condition.transform(BlindPlan.filling(shape, true)), input);
        }
    }

    private record Projecting(scala.collection.immutable.Seq<Expression> columns,
            scala.collection.immutable.Seq<Attribute> input) implements Step {
        @Override
        public Iterator<InternalRow> rows(Iterator<InternalRow> below) {
            UnsafeProjection projection = UnsafeProjection.create(columns, input);
            projection.initialize(0);
            return below.map(new AbstractFunction1<>() {
                @Override
                public InternalRow apply(InternalRow row) {
                    return projection.apply(row);
                }
            });
        }

        @Override
        public Step filled(StatementShape shape) {
            return this; // placeholders are in filters alone
        }
    }

    private record Limiting(int limit) implements Step {
        @Override
        public Iterator<InternalRow> rows(Iterator<InternalRow> below) {
            return below.take(limit);
        }

        @Override
        public Step filled(StatementShape shape) {
            return this;
        }
    }

    private final RDD<InternalRow> table;
    private final List<Step> steps;

    private RowPipeline(RDD<InternalRow> table, List<Step> steps) {
        this.table = table;
        this.steps = steps;
    }

    /** Null: the plan has another node. */
    static RowPipeline of(SparkPlan plan) {
        List<Step> steps = new ArrayList<>();
        RDD<InternalRow> table = add(plan, steps);
        return table == null ? null : new RowPipeline(table, List.copyOf(steps));
    }

    /** The steps from the table up; null: there is another one. */
    private static RDD<InternalRow> add(SparkPlan plan, List<Step> steps) {
        if (plan instanceof RDDScanExec scan) {
            return scan.rdd();
        }
        Step step = stepOf(plan);
        RDD<InternalRow> table = step == null ? null
                : add((SparkPlan) plan.children().head(), steps);
        steps.add(step);
        return table;
    }

    private static Step stepOf(SparkPlan plan) {
        if (plan instanceof FilterExec filter) {
            return new Filtering(filter.condition(), input(plan));
        } else if (plan instanceof ProjectExec project) {
            List<Expression> columns = new ArrayList<>();
            Scala.<NamedExpression>list(project.projectList())
                    .forEach(column -> columns.add((Expression) column));
            return columns.stream().anyMatch(RowPipeline::holdsPlaceholder) ? null
                    : new Projecting(Scala.seq(columns), input(plan));
        } else if (plan instanceof LocalLimitExec limit && limit.limit() >= 0) {
            return new Limiting(limit.limit());
        } else if (plan instanceof GlobalLimitExec limit && limit.offset() == 0
                && limit.limit() >= 0) {
            return new Limiting(limit.limit());
        } else if (plan instanceof CollectLimitExec limit && limit.offset() == 0
                && limit.limit() >= 0) {
            return new Limiting(limit.limit());
        }
        return null;
    }

    private static boolean holdsPlaceholder(Expression expression) {
        return expression.exists(part -> part instanceof Placeholder);
    }

    private static scala.collection.immutable.Seq<Attribute> input(SparkPlan plan) {
        return Scala.seq(Scala.list(((SparkPlan) plan.children().head()).output()));
    }

    /** With the values of a statement. */
    RowPipeline filled(StatementShape shape) {
        return new RowPipeline(table, steps.stream().map(step -> step.filled(shape)).toList());
    }

    /** Within a task: its settings and its cancel. */
    Iterator<InternalRow> rows(TaskContextImpl context) {
        Iterator<InternalRow> rows = table.iterator(table.partitions()[0], context);
        for (Step step : steps) {
            rows = step.rows(rows);
        }
        return rows;
    }
}
