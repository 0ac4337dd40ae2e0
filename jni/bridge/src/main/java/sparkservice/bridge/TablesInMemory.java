package sparkservice.bridge;

import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/**
 * The tables of one request as rows in memory.
 *
 * @param byName as the statement names them
 */
record TablesInMemory(Map<List<String>, SmallTable> byName) implements RelationBinder.Relations {

    @Override
    public LogicalPlan find(List<String> nameParts) {
        SmallTable table = byName.get(nameParts);
        return table == null ? null : table.relation();
    }

    List<LogicalPlan> relations() {
        return byName.values().stream().map(SmallTable::relation).toList();
    }

    SourceFacts facts() {
        return SourceFacts.sum(byName.values().stream().distinct().map(SmallTable::facts).toList());
    }
}
