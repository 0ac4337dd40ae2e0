package sparkservice.bridge;

import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat;
import org.apache.spark.sql.execution.datasources.parquet.ParquetOptions;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.collection.Seq;
import scala.collection.immutable.Map;

/**
 * Spark's Parquet, whose schema is found without a job ({@link ParquetSchema}). Made by Spark, by
 * its class name; the signature is that of Spark 3.5.
 */
public final class PlannedParquetFormat extends ParquetFileFormat {
    private static final long serialVersionUID = 1L;

    @Override
    public Option<StructType> inferSchema(SparkSession session, Map<String, String> options,
            Seq<FileStatus> files) {
        return new ParquetOptions(options, SparkLine.state(session).conf()).mergeSchema()
                ? super.inferSchema(session, options, files)
                : ParquetSchema.read(session, options, Scala.each(files));
    }
}
