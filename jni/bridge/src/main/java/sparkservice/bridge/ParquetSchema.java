package sparkservice.bridge;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.parquet.hadoop.Footer;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.FileSourceOptions;
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat$;
import org.apache.spark.sql.execution.datasources.parquet.ParquetToSparkSchemaConverter;
import org.apache.spark.sql.internal.SessionState;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.collection.immutable.Map;

/**
 * The schema of a Parquet path out of the one footer that tells it, read where the query is planned:
 * Spark starts a job for it, which waits behind the tasks of other queries.
 *
 * <p>Which footer, how it is read and what it means are Spark's (ParquetUtils.inferSchema without
 * mergeSchema).
 */
final class ParquetSchema {
    /** Where two files could tell, in Spark's order. */
    private static final List<String> SUMMARIES = List.of(
            ParquetFileWriter.PARQUET_COMMON_METADATA_FILE, ParquetFileWriter.PARQUET_METADATA_FILE);

    private ParquetSchema() {
    }

    /** Nothing when there is no file, or when it is corrupt and such files are to be ignored. */
    static Option<StructType> read(SparkSession session, Map<String, String> options,
            Iterable<FileStatus> files) {
        FileStatus teller = teller(files);
        if (teller == null) {
            return Option.empty();
        }
        SessionState state = SparkLine.state(session);
        Configuration conf = state.newHadoopConfWithOptions(options);
        List<Footer> footers = Scala.list(ParquetFileFormat$.MODULE$.readParquetFootersInParallel(
                conf, Scala.seq(List.of(teller)),
                new FileSourceOptions(options).ignoreCorruptFiles()));
        return footers.isEmpty() ? Option.empty()
                : Option.apply(ParquetFileFormat$.MODULE$.readSchemaFromFooter(footers.get(0),
                        new ParquetToSparkSchemaConverter(state.conf())));
    }

    /** The first summary file, else the first data file; null of none. */
    private static FileStatus teller(Iterable<FileStatus> files) {
        List<FileStatus> sorted = new ArrayList<>();
        files.forEach(sorted::add);
        sorted.sort(Comparator.comparing(file -> file.getPath().toString()));
        for (String summary : SUMMARIES) {
            for (FileStatus file : sorted) {
                if (file.getPath().getName().equals(summary)) {
                    return file;
                }
            }
        }
        return sorted.isEmpty() ? null : sorted.get(0);
    }
}
