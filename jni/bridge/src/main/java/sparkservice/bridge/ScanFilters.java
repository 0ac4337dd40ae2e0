package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.iceberg.spark.source.IcebergFilters;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.PlanExpression;
import org.apache.spark.sql.catalyst.expressions.PrettyAttribute;
import org.apache.spark.sql.execution.FileSourceScanExec;
import org.apache.spark.sql.execution.FilterExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.datasources.DataSourceStrategy$;
import org.apache.spark.sql.execution.datasources.DataSourceUtils$;
import org.apache.spark.sql.execution.datasources.v2.BatchScanExec;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Strategy$;

/**
 * Which conditions of a statement its sources apply while they read, and which are left to Spark,
 * row by row, and why.
 *
 * <p>A source may apply a pushed condition to whole files or row groups only; Spark then looks at
 * the rows again, and the condition still counts as pushed.
 */
final class ScanFilters {
    private static final String SUB_QUERY = "its sub-query has no value before the query runs";
    private static final String NOT_DETERMINISTIC = "it is not deterministic";
    private static final String ABOVE_THE_SCAN = "it needs a column that the source doesn't have";
    private static final String NOT_EXPRESSIBLE = "the source has no form for it";

    private final Set<String> pushed = new LinkedHashSet<>();
    private final Map<String, String> unpushed = new LinkedHashMap<>();
    private final List<AttributeSet> scanned = new ArrayList<>();
    private final List<AttributeSet> iceberg = new ArrayList<>();

    private ScanFilters() {
    }

    static ScanFilters of(SparkPlan plan) {
        ScanFilters filters = new ScanFilters();
        PhysicalPlan.walk(plan, filters::lookAtScan);
        PhysicalPlan.walk(plan, filters::lookAtFilter);
        return filters;
    }

    private void lookAtScan(SparkPlan node) {
        if (node instanceof FileSourceScanExec scan) {
            scanned.add(scan.outputSet());
            Scala.<Expression>list(scan.partitionFilters()).forEach(filter -> add(filter, true));
            boolean nested = DataSourceUtils$.MODULE$
                    .supportNestedPredicatePushdown(scan.relation());
            Scala.<Expression>list(scan.dataFilters()).forEach(filter -> add(filter,
                    DataSourceStrategy$.MODULE$.translateFilter(filter, nested).isDefined()));
        } else if (node instanceof BatchScanExec scan) {
            scanned.add(scan.outputSet());
            if (IcebergFilters.isIceberg(scan.scan())) {
                iceberg.add(scan.outputSet());
                pushed.addAll(IcebergFilters.pushed(scan.scan()));
            }
        }
    }

    /** What no scan has told of: conditions on other columns, and what Iceberg didn't take. */
    private void lookAtFilter(SparkPlan node) {
        if (node instanceof FilterExec filter) {
            for (Expression part : parts(HiddenLiteralRule.shown(filter.condition()))) {
                if (!isTakenByIceberg(part)) {
                    add(part, false);
                }
            }
        }
    }

    /** The scan has told of it in its own words; Spark looks at the rows again. */
    private boolean isTakenByIceberg(Expression part) {
        if (iceberg.stream().noneMatch(part.references()::subsetOf)) {
            return false;
        }
        var predicate = DataSourceV2Strategy$.MODULE$.translateFilterV2(part);
        return predicate.isDefined() && IcebergFilters.canPush(predicate.get());
    }

    private void add(Expression filter, boolean isPushed) {
        String text = text(filter);
        if (filter instanceof CancelCheck || pushed.contains(text)) {
            return;
        }
        if (!isPushed || holdsSubQuery(filter)) {
            unpushed.putIfAbsent(text, reason(filter));
        } else {
            pushed.add(text);
        }
    }

    /** As SQL, without qualifiers and ids. */
    private static String text(Expression filter) {
        return filter.transformUp(Scala.<Expression, AttributeReference>onEach(
                AttributeReference.class, PrettyAttribute::new)).sql();
    }

    private String reason(Expression filter) {
        if (holdsSubQuery(filter)) {
            return SUB_QUERY;
        } else if (!filter.deterministic()) {
            return NOT_DETERMINISTIC;
        } else if (scanned.stream().noneMatch(filter.references()::subsetOf)) {
            return ABOVE_THE_SCAN;
        }
        return NOT_EXPRESSIBLE;
    }

    private static boolean holdsSubQuery(Expression expression) {
        return expression instanceof PlanExpression<?>
                || Scala.<Expression>list(expression.children()).stream()
                        .anyMatch(ScanFilters::holdsSubQuery);
    }

    private static List<Expression> parts(Expression condition) {
        if (!(condition instanceof And and)) {
            return List.of(condition);
        }
        List<Expression> parts = new ArrayList<>(parts(and.left()));
        parts.addAll(parts(and.right()));
        return parts;
    }

    /** Sets {@code pushed_filters} and {@code unpushed_filters}. */
    void addTo(ObjectNode json) {
        ArrayNode texts = json.putArray("pushed_filters");
        pushed.forEach(texts::add);
        ArrayNode rest = json.putArray("unpushed_filters");
        unpushed.forEach((filter, reason) -> rest.addObject().put("filter", filter)
                .put("reason", reason));
    }
}
