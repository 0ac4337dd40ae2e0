package sparkservice.bridge.mysql;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Option;

/** A statement of the mysql endpoint as a relation of Spark. */
public final class MysqlPlanner {

    /** The relation to run, and the columns under the names that the caller sees. */
    public record Planned(LogicalPlan relation, StructType columns) {
    }

    private MysqlPlanner() {
    }

    /**
     * Checks the statement, connects and executes it.
     *
     * @param key names the statement until it is closed; unique
     * @param values of the question marks, in their order (StatementValues); may be null
     * @param usualQuotes refuse a session whose sql_mode reads quotes in another way
     * @param started told of the way to cancel before the statement can block
     */
    public static Planned plan(String key, Address address, String sql, JsonNode values,
            boolean usualQuotes, long timeoutMs,
            java.util.function.Consumer<Runnable> started) throws Exception {
        StatementGate.check(sql);
        RunningStatement statement = RunningStatement.connect(key, address, timeoutMs, started);
        if (usualQuotes) {
            statement.requireUsualQuotes();
        }
        statement.execute(sql, values, timeoutMs);
        List<Column> columns = statement.columns();
        LogicalPlan relation = DataSourceV2Relation.create(new StatementTable(key, columns),
                Option.empty(), Option.empty());
        return new Planned(relation, new StructType(
                columns.stream().map(Column::labelled).toArray(StructField[]::new)));
    }

    /** Ends the statement of that key, if it is still open. */
    public static void close(String key) {
        RunningStatement statement = RunningStatement.find(key);
        if (statement != null) {
            statement.close();
        }
    }
}
