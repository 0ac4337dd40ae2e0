package sparkservice.bridge;

import java.util.concurrent.CancellationException;
import org.apache.spark.sql.catalyst.QueryPlanningTracker;
import scala.Option;

/**
 * Looks for a cancel after each rule of the analyser and the optimizer, which tell every rule they
 * have applied and look at nothing themselves: a large plan can take them a minute.
 */
final class CancellableTracker extends QueryPlanningTracker {
    private final Cancellation cancellation;

    CancellableTracker(Cancellation cancellation) {
        super(Option.empty());
        this.cancellation = cancellation;
    }

    @Override
    public void recordRuleInvocation(String rule, long timeNs, boolean effective) {
        super.recordRuleInvocation(rule, timeNs, effective);
        try {
            cancellation.check();
        } catch (BridgeException e) {
            throw (CancellationException) new CancellationException(e.getMessage()).initCause(e);
        }
    }
}
