package sparkservice.bridge;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkThrowable;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.QueryPlanningTracker;
import org.apache.spark.sql.catalyst.analysis.NameParameterizedQuery;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Statistics;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedWith;
import org.apache.spark.sql.catalyst.plans.physical.SinglePartition$;
import org.apache.spark.sql.execution.CommandExecutionMode;
import org.apache.spark.sql.execution.FileSourceScanExec;
import org.apache.spark.sql.execution.LogicalRDD;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.datasources.FileStatusWithMetadata;
import org.apache.spark.sql.execution.datasources.PartitionDirectory;
import org.apache.spark.sql.internal.SessionState;
import org.apache.spark.sql.types.CalendarIntervalType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.unsafe.types.CalendarInterval;
import scala.Option;
import scala.Tuple2;
import scala.math.BigInt;

/** What differs between the two Spark lines: this one is 3.5. */
final class SparkLine {
    static final String LINE = "3.5";

    /** A CTE definition to another one. */
    interface CteMapper {
        SubqueryAlias map(String name, SubqueryAlias definition, boolean recursive);
    }

    /** 4.1 has an Arrow type for it, which C writes in the same form. */
    private static final TextValues.Form CALENDAR_INTERVAL = new TextValues.Form(null,
            value -> CalendarIntervalText.of((CalendarInterval) value));

    private SparkLine() {
    }

    static SessionState state(SparkSession session) {
        return ((org.apache.spark.sql.SparkSession) session).sessionState();
    }

    static QueryExecution execution(SparkSession session, LogicalPlan plan) {
        return state(session).executePlan(plan, CommandExecutionMode.ALL());
    }

    static QueryExecution execution(SparkSession session, LogicalPlan plan,
            QueryPlanningTracker tracker) {
        return new QueryExecution((org.apache.spark.sql.SparkSession) session, plan,
                tracker, CommandExecutionMode.ALL());
    }

    /** Rows as a relation of one partition. */
    static LogicalPlan onePartition(SparkSession session, List<Attribute> columns,
            RDD<InternalRow> rows, long bytes) {
        return new LogicalRDD(Scala.seq(columns), rows, SinglePartition$.MODULE$,
                Scala.seq(List.<SortOrder>of()), false, session,
                Option.apply(Statistics.apply(BigInt.apply(bytes), Option.empty(),
                        Statistics.apply$default$3(), false)), Option.empty());
    }

    static LogicalPlan analyzed(Dataset<Row> rows) {
        return ((org.apache.spark.sql.Dataset<Row>) rows).queryExecution().analyzed();
    }

    /** How values of a type without an Arrow type are written; null for all others. */
    static TextValues.Form textForm(DataType type) {
        return type instanceof CalendarIntervalType ? CALENDAR_INTERVAL : null;
    }

    /** Number and bytes of the files that the scan will read: it lists them here, and once. */
    static long[] selectedFiles(FileSourceScanExec scan) {
        long[] sum = new long[2];
        for (PartitionDirectory partition : scan.selectedPartitions()) {
            for (FileStatusWithMetadata file : Scala.each(partition.files())) {
                sum[0]++;
                sum[1] += file.getLen();
            }
        }
        return sum;
    }

    static String errorClass(SparkThrowable e) {
        return e.getErrorClass();
    }

    static UnresolvedWith mapCteRelations(UnresolvedWith with, CteMapper mapper) {
        List<Tuple2<String, SubqueryAlias>> mapped = new ArrayList<>();
        for (Tuple2<String, SubqueryAlias> cte : Scala.list(with.cteRelations())) {
            mapped.add(new Tuple2<>(cte._1(), mapper.map(cte._1(), cte._2(), false)));
        }
        return with.copy(with.child(), Scala.seq(mapped));
    }

    static UnresolvedWith withChild(UnresolvedWith with, LogicalPlan child) {
        return with.copy(child, with.cteRelations());
    }

    static LogicalPlan parameterized(LogicalPlan plan, Map<String, Expression> values) {
        return new NameParameterizedQuery(plan, Scala.map(values));
    }

    /** Flags of java.util.regex.Pattern for an expression of a pattern; this line has no collations. */
    static int patternFlags(Expression expression) {
        return 0;
    }
}
