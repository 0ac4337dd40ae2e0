import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The floor: {@code spark.sql(text).collect()} in a loop within the JVM, Spark's own settings. */
final class Loop implements Statements.Peer<List<Row>> {
    private final SparkSession spark;

    private Loop(SparkSession spark) {
        this.spark = spark;
    }

    /** Arguments: {@code name=value} settings. */
    public static void main(String[] args) throws Exception {
        SparkSession.Builder builder = SparkSession.builder().appName("loop");
        for (String setting : args) {
            int equals = setting.indexOf('=');
            builder.config(setting.substring(0, equals), setting.substring(equals + 1));
        }
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        SparkSession spark = builder.getOrCreate();
        Statements.serve(new Loop(spark), out);
        spark.stop();
    }

    @Override
    public List<Row> run(String sql) {
        return spark.sql(sql).collectAsList();
    }

    @Override
    public String json(List<Row> rows) {
        return rows.stream().map(Row::json).collect(Collectors.joining(",", "[", "]"));
    }
}
