package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

/** What the settings make of the session. */
class SessionSettingsTest {
    @Test
    void aTaskAsksNobodyForClasses() throws Exception {
        TestEngine.start();
        List<String> loaders = SparkSession.active().range(1)
                .map((MapFunction<Long, String>) row -> classLoaders(), Encoders.STRING())
                .collectAsList();
        assertFalse(loaders.get(0).contains("ExecutorClassLoader"), loaders.get(0));
    }

    private static String classLoaders() {
        StringBuilder names = new StringBuilder();
        for (ClassLoader loader = Thread.currentThread().getContextClassLoader(); loader != null;
                loader = loader.getParent()) {
            names.append(loader.getClass().getName()).append(' ');
        }
        return names.toString();
    }
}
