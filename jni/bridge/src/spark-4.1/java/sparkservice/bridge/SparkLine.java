package sparkservice.bridge;

import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkThrowable;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.QueryPlanningTracker;
import org.apache.spark.sql.catalyst.analysis.NameParameterizedQuery$;
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
import org.apache.spark.sql.internal.SessionState;
import org.apache.spark.sql.catalyst.util.CollationSupport;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.VariantType;
import org.apache.spark.types.variant.Variant;
import org.apache.spark.unsafe.types.VariantVal;
import scala.Option;
import scala.math.BigInt;
import scala.Tuple3;

/** What differs between the two Spark lines: this one is 4.1. */
final class SparkLine {
    static final String LINE = "4.1";

    /** A CTE definition to another one. */
    interface CteMapper {
        SubqueryAlias map(String name, SubqueryAlias definition, boolean recursive);
    }

    private static final TextValues.Form VARIANT =
            new TextValues.Form(ResultSchema.VARIANT_JSON, SparkLine::variantJson);

    private SparkLine() {
    }

    static SessionState state(SparkSession session) {
        return ((org.apache.spark.sql.classic.SparkSession) session).sessionState();
    }

    static QueryExecution execution(SparkSession session, LogicalPlan plan) {
        return state(session).executePlan(plan, CommandExecutionMode.ALL());
    }

    static QueryExecution execution(SparkSession session, LogicalPlan plan,
            QueryPlanningTracker tracker) {
        return new QueryExecution((org.apache.spark.sql.classic.SparkSession) session, plan,
                tracker, CommandExecutionMode.ALL(),
                QueryExecution.$lessinit$greater$default$5(),
                QueryExecution.$lessinit$greater$default$6());
    }

    static LogicalPlan analyzed(Dataset<Row> rows) {
        return ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().analyzed();
    }

    /** Rows as a relation of one partition. */
    static LogicalPlan onePartition(SparkSession session, List<Attribute> columns,
            RDD<InternalRow> rows, long bytes) {
        return new LogicalRDD(Scala.seq(columns), rows, SinglePartition$.MODULE$,
                Scala.seq(List.<SortOrder>of()), false, Option.empty(),
                (org.apache.spark.sql.classic.SparkSession) session,
                Option.apply(Statistics.apply(BigInt.apply(bytes), Option.empty(),
                        Statistics.apply$default$3(), false)), Option.empty());
    }

    /** How values of a type without an Arrow type are written; null for all others. */
    static TextValues.Form textForm(DataType type) {
        return type instanceof VariantType ? VARIANT : null;
    }

    /** Number and bytes of the files that the scan will read: it lists them here, and once. */
    static long[] selectedFiles(FileSourceScanExec scan) {
        return new long[] {scan.selectedPartitions().totalNumberOfFiles(),
            scan.selectedPartitions().totalFileSize()};
    }

    static String errorClass(SparkThrowable e) {
        return e.getCondition();
    }

    static UnresolvedWith mapCteRelations(UnresolvedWith with, CteMapper mapper) {
        List<Tuple3<String, SubqueryAlias, Option<Object>>> mapped = new ArrayList<>();
        for (Tuple3<String, SubqueryAlias, Option<Object>> cte : Scala.list(with.cteRelations())) {
            mapped.add(new Tuple3<>(cte._1(),
                    mapper.map(cte._1(), cte._2(), with.allowRecursion()), cte._3()));
        }
        return with.copy(with.child(), Scala.seq(mapped), with.allowRecursion());
    }

    static UnresolvedWith withChild(UnresolvedWith with, LogicalPlan child) {
        return with.copy(child, with.cteRelations(), with.allowRecursion());
    }

    static LogicalPlan parameterized(LogicalPlan plan, Map<String, Expression> values) {
        return NameParameterizedQuery$.MODULE$.apply(plan, Scala.map(values));
    }

    private static String variantJson(Object value) {
        VariantVal variant = (VariantVal) value;
        return new Variant(variant.getValue(), variant.getMetadata()).toJson(ZoneOffset.UTC);
    }

    /** Flags of java.util.regex.Pattern for an expression of a pattern, by the collation of its text. */
    static int patternFlags(Expression expression) {
        DataType type = Scala.<Expression>list(expression.children()).get(0).dataType();
        return type instanceof StringType text
                ? CollationSupport.collationAwareRegexFlags(text.collationId()) : 0;
    }
}
