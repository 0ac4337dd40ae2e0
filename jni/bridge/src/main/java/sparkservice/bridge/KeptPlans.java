package sparkservice.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2ScanRelation;

/**
 * Statements as the optimizer left them, for as long as their tables are the same. What runs is
 * planned anew from it each time, since physical plans hold the state of their run; and names are
 * resolved anew, so that a path is inside the roots each time and leads to the same table.
 *
 * <p>The statement that was used longest ago goes first.
 */
final class KeptPlans {
    /** The list of files of a scan is part of its plan. */
    private static final long MAX_FILES = 1000;

    /** All of a request that decides its plan; params as they were given, in their order. */
    record Key(QueryRequest.Source source, String sql, boolean isShape, String path, String table,
            JsonNode params, long asOfVersion, String asOfSnapshotId, long rowLimit) {

        /** Of all statements of a shape. */
        Key withShape(String shape) {
            return new Key(source, shape, true, path, table, params, asOfVersion, asOfSnapshotId,
                    rowLimit);
        }
    }

    /**
     * One statement.
     *
     * @param tables what each name of it stands for
     * @param optimised of a shape: with placeholders
     * @param facts null: they depend on values
     * @param inline over rows in memory
     * @param pipeline what runs over them, if it is as simple as that
     */
    record Plan(List<TableSource.Named> tables, LogicalPlan analysed, LogicalPlan optimised,
            SourceFacts facts, AnswerBasis basis, boolean inline, RowPipeline pipeline) {

        /** Whether its tables are known, and it has the same answer as long as they are the same. */
        boolean canBeKept() {
            return basis.repeatable() && (facts == null || facts.filesRead() <= MAX_FILES)
                    && tables.stream().allMatch(named -> named.table().isKept())
                    && !holdsState(optimised);
        }

        /** A built scan of the DSv2 kind is told the values of run-time filters, and keeps them. */
        private static boolean holdsState(LogicalPlan plan) {
            boolean[] holds = {false};
            Unchecked.call(() -> {
                PlanTree.walk(plan, new PlanTree.Visitor() {
                    @Override
                    public void plan(LogicalPlan node) {
                        holds[0] |= node instanceof DataSourceV2ScanRelation;
                    }

                    @Override
                    public void expression(Expression node) {
                        return;
                    }
                });
                return null;
            });
            return holds[0];
        }
    }

    private final int max;
    private final Map<Key, Plan> plans = new LinkedHashMap<>(16, 0.75f, true);
    /** Shapes of statements; whether there can be a plan for all of one. */
    private final Map<Key, Boolean> shapes = new LinkedHashMap<>(16, 0.75f, true);
    private long hits;
    private long misses;

    KeptPlans(int max) {
        this.max = max;
    }

    /** Null when it can't be kept. */
    static Key key(QueryRequest request) {
        return request.asOfTimestamp() != null ? null : new Key(request.source(), request.sql(),
                false, request.path(), request.table(), request.params(), request.asOfVersion(),
                request.asOfSnapshotId(), request.rowLimit());
    }

    /** Null: not kept, or a name stands for another table, or another state of it, by now. */
    Plan find(Key key, PlanReuse.Tables tables) throws BridgeException {
        Plan known = get(key);
        if (known == null) {
            return null;
        }
        TableSource source = tables.open();
        for (TableSource.Named named : known.tables) {
            if (source.table(named.name()) != named.table()) {
                remove(key, known);
                return null;
            }
        }
        countHit();
        return known;
    }

    private synchronized Plan get(Key key) {
        return plans.get(key);
    }

    private synchronized void remove(Key key, Plan plan) {
        plans.remove(key, plan);
    }

    private synchronized void countHit() {
        hits++;
    }

    synchronized void countMiss() {
        misses++;
    }

    /** Whether a statement of the shape was planned before, and not in vain. */
    synchronized boolean isAskedAgain(Key shape) {
        Boolean isLikely = shapes.putIfAbsent(shape, true);
        if (shapes.size() > max) {
            shapes.remove(shapes.keySet().iterator().next());
        }
        return isLikely != null && isLikely;
    }

    /** There is no plan for all of the shape. */
    synchronized void refuse(Key shape) {
        shapes.replace(shape, false);
    }

    /** False: it can't be kept. */
    synchronized boolean keep(Key key, Plan plan) {
        if (max == 0 || !plan.canBeKept()) {
            return false;
        }
        plans.put(key, plan);
        if (!plan.canBeKept()) { // a table of it was dropped just now
            plans.remove(key);
        } else if (plans.size() > max) {
            plans.remove(plans.keySet().iterator().next());
        }
        return plans.containsKey(key);
    }

    /** The table has changed, or its rows are no longer kept. */
    synchronized void forget(KeptSources.Source table) {
        plans.values().removeIf(plan ->
                plan.tables.stream().anyMatch(named -> named.table() == table));
    }

    synchronized void addTo(ObjectNode facts) {
        facts.put("kept_plans", plans.size());
        facts.put("plan_hits", hits);
        facts.put("plan_misses", misses);
    }
}
