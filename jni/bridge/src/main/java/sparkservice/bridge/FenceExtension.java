package sparkservice.bridge;

import java.util.function.Function;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.execution.ColumnarRule;
import scala.Function1;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/**
 * The second gate as a rule of the session: every plan that is analysed on a thread that works for a
 * caller passes it, whoever asked for the analysis. Delta's and Iceberg's own plans are analysed
 * before the mark is set, or on threads without one.
 *
 * <p>Named in {@code spark.sql.extensions}, a static setting: no statement can take it away.
 */
public final class FenceExtension extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {
    private static final ThreadLocal<AnalysedGate> CALLER = new ThreadLocal<>();

    /** What is analysed for a caller. */
    interface Analysis {
        void run() throws BridgeException;
    }

    /** Runs an analysis with the caller's mark on this thread, and on no other. */
    static void forCaller(AnalysedGate gate, Analysis analysis) throws BridgeException {
        CALLER.set(gate);
        try {
            analysis.run();
        } finally {
            CALLER.remove();
        }
    }

    @Override
    public BoxedUnit apply(SparkSessionExtensions extensions) {
        extensions.injectCheckRule((Function1<SparkSession, Function1<LogicalPlan, BoxedUnit>>)
                session -> FenceExtension::check);
        extensions.injectPostHocResolutionRule((Function1<SparkSession, Rule<LogicalPlan>>)
                session -> new GuardRule(GuardedPattern::pushedDown));
        extensions.injectColumnar((Function1<SparkSession, ColumnarRule>)
                session -> new HiddenLiteralRule());
        // A LIKE that became a prefix needs no guard, and can be pushed into a scan.
        extensions.injectOptimizerRule((Function1<SparkSession, Rule<LogicalPlan>>) session ->
                new GuardRule(guard -> guard.isNeeded() ? guard : guard.wrapped));
        return BoxedUnit.UNIT;
    }

    private static BoxedUnit check(LogicalPlan analysed) {
        AnalysedGate gate = CALLER.get();
        if (gate != null) {
            Unchecked.call(() -> {
                gate.check(analysed);
                return null;
            });
        }
        return BoxedUnit.UNIT;
    }

    /** Puts something else in the place of some guards. */
    static final class GuardRule extends Rule<LogicalPlan> {
        private final Function<GuardedPattern, Expression> replacement;

        GuardRule(Function<GuardedPattern, Expression> replacement) {
            this.replacement = replacement;
        }

        @Override
        public LogicalPlan apply(LogicalPlan plan) {
            return plan.transformAllExpressions(Scala.onEach(GuardedPattern.class, replacement));
        }
    }
}
