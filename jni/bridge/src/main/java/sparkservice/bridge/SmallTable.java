package sparkservice.bridge;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import org.apache.spark.sql.catalyst.plans.logical.Generate;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.SQLExecution;
import org.apache.spark.sql.execution.SparkPlan;
import scala.Option;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * The rows of a small table as its scan gives them, all columns and in its order, as a relation of
 * one partition: filters, aggregates and sorts over it need no exchange.
 */
final class SmallTable {
    private static final ClassTag<UnsafeRow[]> ROWS = ClassTag$.MODULE$.apply(UnsafeRow[].class);
    private static final ClassTag<InternalRow> ROW = ClassTag$.MODULE$.apply(InternalRow.class);
    /** Plans of small tables are interpreted, at some microseconds a row. */
    static final int MAX_ROWS = 20_000;
    private static final long ROW_OVERHEAD_BYTES = 64;

    private final LogicalPlan relation;
    private final SourceFacts facts;
    private final long bytes;

    private SmallTable(LogicalPlan relation, SourceFacts facts, long bytes) {
        this.relation = relation;
        this.facts = facts;
        this.bytes = bytes;
    }

    static long bytesOf(UnsafeRow row) {
        return row.getSizeInBytes() + ROW_OVERHEAD_BYTES;
    }

    /** Null: it isn't small. */
    static SmallTable decode(SparkSession session, LogicalPlan table, long maxBytes) {
        QueryExecution execution = SparkLine.execution(session, table);
        SparkPlan plan = execution.executedPlan();
        SourceFacts facts = SourceFacts.of(plan);
        if (facts.bytesRead() < 0 || facts.bytesRead() > maxBytes) {
            return null;
        }
        UnsafeRow[][] parts = SQLExecution.withNewExecutionId(execution, Option.empty(),
                () -> partsOf(session.sparkContext(), plan.execute(), maxBytes));
        List<InternalRow> rows = new ArrayList<>();
        long bytes = 0;
        for (UnsafeRow[] part : parts) {
            bytes += part == null ? 0 : Arrays.stream(part).mapToLong(SmallTable::bytesOf).sum();
            if (part == null || bytes > maxBytes || rows.size() + part.length > MAX_ROWS) {
                return null;
            }
            rows.addAll(List.of(part));
        }
        List<Attribute> columns = new ArrayList<>();
        Scala.<Attribute>list(table.output()).forEach(column -> columns.add(column.newInstance()));
        RDD<InternalRow> data = session.sparkContext().parallelize(Scala.seq(rows), 1, ROW);
        return new SmallTable(SparkLine.onePartition(session, columns, data, bytes), facts, bytes);
    }

    private static UnsafeRow[][] partsOf(SparkContext context, RDD<InternalRow> rows, long maxBytes) {
        return rows.getNumPartitions() == 0 ? new UnsafeRow[0][]
                : (UnsafeRow[][]) context.runJob(rows, new RowCollector(maxBytes), ROWS);
    }

    LogicalPlan relation() {
        return relation;
    }

    /** Of the files that the rows were read from. */
    SourceFacts facts() {
        return facts;
    }

    long bytes() {
        return bytes;
    }

    /**
     * Whether a statement over one relation asks for no more than rows have: no column of a file's
     * metadata, which all begin with an underscore; and for nothing that takes jobs anyway.
     */
    static boolean suffices(LogicalPlan parsed) throws BridgeException {
        Demand demand = new Demand();
        PlanTree.walk(parsed, demand);
        return demand.relations == 1 && demand.isSimple;
    }

    private static final class Demand implements PlanTree.Visitor {
        private int relations;
        private boolean isSimple = true;

        @Override
        public void plan(LogicalPlan node) {
            relations += node instanceof UnresolvedRelation ? 1 : 0;
            isSimple &= !(node instanceof Join || node instanceof Generate
                    || node instanceof UnresolvedTableValuedFunction);
        }

        @Override
        public void expression(Expression node) {
            isSimple &= !(node instanceof SubqueryExpression)
                    && !(node instanceof UnresolvedAttribute attribute
                    && Scala.<String>list(attribute.nameParts()).stream()
                            .anyMatch(part -> part.startsWith("_")));
        }
    }
}
