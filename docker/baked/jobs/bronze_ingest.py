"""bronze_ingest.py SOURCE TARGET: JSON lines as they came in, to Parquet, each with its file and the time of the run.

S3A is set up by S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. The target is replaced as a whole, so a
run that failed may be run again.
"""

import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import current_timestamp, input_file_name


def main(source, target):
    builder = SparkSession.builder.appName("bronze-ingest")
    endpoint = os.environ.get("S3_ENDPOINT")
    if endpoint:
        builder = (
            builder.config("spark.hadoop.fs.s3a.endpoint", endpoint)
            .config("spark.hadoop.fs.s3a.path.style.access", "true")
            .config("spark.hadoop.fs.s3a.connection.ssl.enabled", str(endpoint.startswith("https:")).lower())
        )
    spark = builder.getOrCreate()
    rows = spark.read.json(source).withColumn("source_file", input_file_name())
    rows.withColumn("ingested_at", current_timestamp()).write.mode("overwrite").parquet(target)
    print(f"bronze-ingest: {spark.read.parquet(target).count()} rows in {target}")
    spark.stop()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
