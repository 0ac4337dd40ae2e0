# baked: what the image promises, and a query, without a network. (After base/checks.py.)
import importlib.metadata

EXPECTED_ENVIRONMENT = {"SPARK_DRIVER_MEMORY": "2g", "SPARK_EXECUTOR_MEMORY": "4g", "SPARK_JARS_PACKAGES": ""}


@check("its environment, with no package list to download")
def _():
    equal({name: os.environ.get(name) for name in EXPECTED_ENVIRONMENT}, EXPECTED_ENVIRONMENT)
    for entry in os.environ["PYTHONPATH"].split(":"):
        os.stat(entry)


@check("Python 3.11.2 with the pinned packages")
def _():
    equal(sys.version.split()[0], "3.11.2")
    have = {name: importlib.metadata.version(name) for name in ("pyarrow", "boto3", "psycopg2-binary")}
    equal(have, {"pyarrow": "14.0.0", "boto3": "1.34.0", "psycopg2-binary": "2.9.9"})
    for module in ("pyarrow.parquet", "boto3", "psycopg2", "pyspark"):
        importlib.import_module(module)


@check("the pinned jars, in /opt/spark/jars")
def _():
    jars = os.listdir("/opt/spark/jars")
    for name in ("HADOOP_AWS", "SDK", "POSTGRESQL"):
        assert os.environ[name] in jars, f"{os.environ[name]} is missing"


spark = small_session()
check_classes(
    spark._jvm,
    {
        "S3A": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "the SDK's S3 client": "com.amazonaws.services.s3.AmazonS3Client",
        "PostgreSQL's driver": "org.postgresql.Driver",
    },
)


@check("a query over Parquet that it wrote, without a network")
def _():
    spark.range(1000).selectExpr("id", "id % 7 AS k").write.parquet("/tmp/numbers")
    row = spark.read.parquet("/tmp/numbers").where("k = 3").selectExpr("count(*)", "sum(id)").first()
    equal(tuple(row), (143, sum(range(3, 1000, 7))))


finish()
