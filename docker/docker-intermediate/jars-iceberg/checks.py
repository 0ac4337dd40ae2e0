# jars-iceberg: a table made, changed, and read as it was. Environment: ICEBERG. (After base/checks.py.)
spark = small_session(
    {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.local": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.local.type": "hadoop",
        "spark.sql.catalog.local.warehouse": "/tmp/iceberg",
    }
)


@check("Iceberg's version")
def _():
    equal(spark._jvm.org.apache.iceberg.IcebergBuild.version(), os.environ["ICEBERG"])


@check("an Iceberg table: written, changed, and read as of its first snapshot")
def _():
    spark.sql("CREATE TABLE local.db.t (id BIGINT, name STRING) USING iceberg")
    spark.sql("INSERT INTO local.db.t VALUES (1, 'one'), (2, 'two')")
    first = spark.sql("SELECT snapshot_id FROM local.db.t.snapshots").first()[0]
    spark.sql("MERGE INTO local.db.t USING (SELECT 2L AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE")
    equal(spark.sql("SELECT id, name FROM local.db.t").collect(), [(1, "one")])
    equal(spark.sql(f"SELECT count(*) FROM local.db.t VERSION AS OF {first}").first()[0], 2)


@check("Iceberg's S3FileIO makes a client of the SDK that is there")
def _():
    files = spark._jvm.org.apache.iceberg.aws.s3.S3FileIO()
    options = spark._jvm.java.util.HashMap()
    for name, value in {
        "client.region": "us-east-1",
        "s3.access-key-id": "key",
        "s3.secret-access-key": "secret",
        "s3.endpoint": "http://127.0.0.1:9",
    }.items():
        options.put(name, value)
    files.initialize(options)
    equal(files.client().serviceName(), "s3")


finish()
