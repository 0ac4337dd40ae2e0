package sparkservice.bridge;

import java.util.List;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.execution.ColumnarToRowExec;
import org.apache.spark.sql.execution.FileSourceScanExec;
import org.apache.spark.sql.execution.InputAdapter;
import org.apache.spark.sql.execution.ProjectExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.WholeStageCodegenExec;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * A plan that only reads columns of files, whichever and in whatever order: Spark's vectorised reader
 * has them as columns, and the answer is columns, so that no row needs to be made.
 */
final class ColumnScan {
    private final FileSourceScanExec scan;
    private final int[] ordinals;

    private ColumnScan(FileSourceScanExec scan, int[] ordinals) {
        this.scan = scan;
        this.ordinals = ordinals;
    }

    /** Null: the plan does more than that, or has a column that can't be copied as a whole. */
    static ColumnScan of(SparkPlan plan, StructType columns) {
        SparkPlan node = plan instanceof WholeStageCodegenExec ? childOf(plan) : plan;
        List<? extends NamedExpression> wanted = Scala.list(node.output());
        if (node instanceof ProjectExec project) {
            wanted = Scala.list(project.projectList());
            node = childOf(project);
        }
        SparkPlan source = node instanceof ColumnarToRowExec ? childOf(node) : null;
        if (source instanceof InputAdapter) {
            source = childOf(source);
        }
        int[] ordinals = source instanceof FileSourceScanExec
                ? ordinals(wanted, Scala.list(source.output()), columns) : null;
        return ordinals == null ? null : new ColumnScan((FileSourceScanExec) source, ordinals);
    }

    private static SparkPlan childOf(SparkPlan plan) {
        return (SparkPlan) plan.children().head();
    }

    private static int[] ordinals(List<? extends NamedExpression> wanted, List<Attribute> read,
            StructType columns) {
        int[] ordinals = new int[wanted.size()];
        for (int i = 0; i < ordinals.length; i++) {
            Expression column = wanted.get(i) instanceof Alias alias ? alias.child()
                    : (Expression) wanted.get(i);
            ordinals[i] = -1;
            for (int j = 0; j < read.size() && column instanceof Attribute attribute; j++) {
                if (read.get(j).exprId().equals(attribute.exprId())) {
                    ordinals[i] = j;
                }
            }
            if (ordinals[i] < 0 || !column.dataType().equals(columns.fields()[i].dataType())
                    || !ColumnCopier.canCopy(column.dataType())) {
                return null;
            }
        }
        return ordinals.length == columns.length() ? ordinals : null;
    }

    /** Where each column of the answer is in a batch. */
    int[] ordinals() {
        return ordinals.clone();
    }

    RDD<ColumnarBatch> execute() {
        return scan.executeColumnar();
    }
}
