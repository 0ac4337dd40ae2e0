package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.spark.sql.catalyst.analysis.RelationTimeTravel;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Sample;

/**
 * What an answer rests on: with it, C decides for how long the rows may be told again.
 *
 * @param reads every table that the plan reads
 * @param repeatable whether the same statement over the same tables has the same answer; true only
 *     when nothing in it draws lots or looks at a clock
 */
record AnswerBasis(List<TableRead> reads, boolean repeatable) {
    static final AnswerBasis NONE = new AnswerBasis(List.of(), false);

    /** Written without parentheses these are columns until the analyser finds none. */
    private static final Set<String> CLOCKS = Set.of("now", "curdate", "current_date",
            "current_time", "current_timestamp", "localtimestamp", "unix_timestamp",
            "to_unix_timestamp", "current_user", "session_user", "user");
    private static final Set<String> CLOCK_EXPRESSIONS = Set.of("Now", "LocalTimestamp");
    /** The end of a window's frame, no clock. */
    private static final String CURRENT_ROW = "CurrentRow$";

    /**
     * One table.
     *
     * @param layout {@code files}, {@code delta} or {@code iceberg}: where its state is
     * @param asked as the statement, the request or the catalog names it
     * @param location the same without links, where it was read
     */
    record TableRead(String layout, String asked, String location) {
    }

    /** @param parsed before the analyser puts a value in the place of what it can evaluate */
    static AnswerBasis of(LogicalPlan parsed, LogicalPlan analysed, List<TableRead> reads)
            throws BridgeException {
        Inspection inspection = new Inspection();
        PlanTree.walk(parsed, inspection);
        PlanTree.walk(analysed, inspection);
        return new AnswerBasis(reads, inspection.repeatable);
    }

    private static final class Inspection implements PlanTree.Visitor {
        private boolean repeatable = true;

        @Override
        public void plan(LogicalPlan node) {
            repeatable &= !(node instanceof Sample);
            // Which version a time stands for is told by modification times, which anybody can set.
            repeatable &= !(node instanceof RelationTimeTravel travel
                    && travel.timestamp().isDefined());
        }

        @Override
        public void expression(Expression node) {
            if (node instanceof UnresolvedFunction function) {
                repeatable &= !isClock(Scala.list(function.nameParts()));
            } else if (node instanceof UnresolvedAttribute attribute) {
                repeatable &= !isClock(Scala.list(attribute.nameParts()));
            } else if (node.resolved()) {
                String name = node.getClass().getSimpleName();
                boolean clock = name.startsWith("Current") && !name.equals(CURRENT_ROW)
                        || CLOCK_EXPRESSIONS.contains(name);
                repeatable &= node.deterministic() && !clock;
            }
        }

        private static boolean isClock(List<String> name) {
            return CLOCKS.contains(name.get(name.size() - 1).toLowerCase(Locale.ROOT));
        }
    }

    void addTo(ObjectNode answer) {
        answer.put("repeatable", repeatable);
        ArrayNode tables = answer.putArray("reads");
        for (TableRead read : reads) {
            tables.addObject().put("layout", read.layout).put("asked", read.asked)
                    .put("location", read.location);
        }
    }
}
