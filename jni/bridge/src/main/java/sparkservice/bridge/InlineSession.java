package sparkservice.bridge;

import java.util.List;
import java.util.Properties;
import org.apache.spark.sql.SparkSession;

/**
 * The session in which statements over rows in memory are planned: the same functions, rules and
 * meaning; plans that are interpreted in place, since compiling one takes longer than its rows.
 */
final class InlineSession {
    private final SparkSession session;
    private final Properties settings = new Properties();

    InlineSession(SparkSession parent, SqlLimits limits) {
        session = parent.newSession();
        session.experimental().extraOptimizations_$eq(Scala.seq(List.of(new CancelCheckRule())));
        GuardedFunctions.install(session, limits);
        session.conf().set("spark.sql.adaptive.enabled", "false");
        session.conf().set("spark.sql.codegen.wholeStage", "false");
        session.conf().set("spark.sql.codegen.factoryMode", "NO_CODEGEN");
        session.conf().set("spark.sql.shuffle.partitions", "1");
        for (var setting : Scala.each(session.conf().getAll())) {
            settings.setProperty(setting._1(), setting._2());
        }
    }

    SparkSession session() {
        return session;
    }

    /** As a task sees them. */
    Properties settings() {
        return settings;
    }
}
