# What every layer has from spark-k8s, in one JVM. Environment: HADOOP, AWS_SDK, SPARK. (After base/checks.py.)
import importlib.metadata


@check("Python 3.11 with the packages, not as root")
def _():
    equal(sys.version_info[:2], (3, 11))
    equal(os.getuid(), 185)
    for package in ("pandas", "numpy", "pyarrow", "kubernetes"):
        importlib.metadata.version(package)
        importlib.import_module(package)


@check("SPARK_HOME and every entry of PYTHONPATH are there")
def _():
    equal(os.environ["SPARK_HOME"], "/opt/spark")
    for entry in os.environ["PYTHONPATH"].split(":"):
        os.stat(entry)


spark = small_session(
    {"spark.sql.warehouse.dir": "/tmp/warehouse", "spark.sql.execution.arrow.pyspark.enabled": "true"}
)
jvm = spark._jvm


@check("the versions of Spark, Hadoop and the SDK")
def _():
    equal(spark.version, os.environ["SPARK"])
    equal(jvm.org.apache.hadoop.util.VersionInfo.getVersion(), os.environ["HADOOP"])
    equal(jvm.software.amazon.awssdk.core.util.VersionInfo.SDK_VERSION, os.environ["AWS_SDK"])


@check("no second Hadoop and no SDK v1 beside them")
def _():
    jars = os.listdir("/opt/spark/jars")
    others = [jar for jar in jars if jar.startswith("hadoop-client") and os.environ["HADOOP"] not in jar]
    equal(others + [jar for jar in jars if jar.startswith("aws-java-sdk")], [])


check_classes(
    jvm,
    {
        "S3A": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "the SDK's S3 client": "software.amazon.awssdk.services.s3.S3Client",
        "PostgreSQL's driver": "org.postgresql.Driver",
        "Oracle's driver": "oracle.jdbc.OracleDriver",
        "Vertica's driver": "com.vertica.jdbc.Driver",
        "Kafka's source": "org.apache.spark.sql.kafka010.KafkaSourceProvider",
        "Kafka's token provider": "org.apache.spark.kafka010.KafkaTokenUtil",
        "Spark on Kubernetes": "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend",
    },
)


@check("a query over Parquet that it wrote")
def _():
    spark.range(1000).selectExpr("id", "id % 7 AS k").write.parquet("/tmp/numbers")
    spark.read.parquet("/tmp/numbers").createOrReplaceTempView("numbers")
    rows = spark.sql("SELECT k, count(*) AS n, max(id) AS top FROM numbers GROUP BY k ORDER BY k LIMIT 2").collect()
    equal([tuple(row) for row in rows], [(0, 143, 994), (1, 143, 995)])


@check("rows go through pandas and Arrow, to Python and back")
def _():
    def doubled(frames):
        for frame in frames:
            yield frame.assign(id=frame["id"] * 2)

    frame = spark.range(4).mapInPandas(doubled, "id long").toPandas()
    equal(list(frame["id"]), [0, 2, 4, 6])


def refusal_of(function):
    """The text of the exception and of its causes."""
    try:
        function()
    except Exception as error:
        return str(getattr(error, "java_exception", error)) + str(error)
    raise AssertionError("nothing listens there, and yet it answered")


@check("S3A gets as far as the network")
def _():
    conf = spark._jsc.hadoopConfiguration()
    for name, value in {
        "endpoint": "http://127.0.0.1:9",
        "endpoint.region": "us-east-1",
        "access.key": "key",
        "secret.key": "secret",
        "path.style.access": "true",
        "attempts.maximum": "1",
        "retry.limit": "0",
    }.items():
        conf.set("fs.s3a." + name, value)
    refusal = refusal_of(lambda: spark.read.text("s3a://bucket/file").count())
    assert "Connection refused" in refusal, refusal


@check("Kafka gets as far as the network")
def _():
    reader = spark.read.format("kafka").option("kafka.bootstrap.servers", "127.0.0.1:9").option("subscribe", "t")
    for name in ("request.timeout.ms", "default.api.timeout.ms"):
        reader = reader.option("kafka." + name, "2000")
    refusal = refusal_of(lambda: reader.load().count())
    assert "TimeoutException" in refusal, refusal


finish()
