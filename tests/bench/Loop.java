import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * {@code spark.sql(text).collect()} in a loop: a statement a line on standard input, nanoseconds and
 * rows on standard output. Spark's own settings but for those that are given as {@code name=value}.
 */
final class Loop {
    private Loop() {
    }

    public static void main(String[] settings) throws Exception {
        SparkSession.Builder builder = SparkSession.builder();
        for (String setting : settings) {
            String[] parts = setting.split("=", 2);
            builder.config(parts[0], parts[1]);
        }
        SparkSession spark = builder.getOrCreate();
        System.out.println("ready");
        BufferedReader statements = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String sql = statements.readLine(); sql != null; sql = statements.readLine()) {
            long begin = System.nanoTime();
            int rows = ((Row[]) spark.sql(sql).collect()).length;
            System.out.println((System.nanoTime() - begin) + " " + rows);
        }
        spark.stop();
    }
}
