# jars-rapids: the plugin plans for a GPU without one (its own explain-only mode). Environment: RAPIDS, SHIM, SPARK.
# (After base/checks.py.)
from pyspark.sql import SparkSession

jars = [jar for jar in os.listdir("/opt/spark/jars") if jar.startswith("rapids-4-spark_")]


@check("one plugin of the version asked for, with cudf in it")
def _():
    import zipfile

    equal(len(jars), 1)
    assert os.environ["RAPIDS"] in jars[0], jars
    with zipfile.ZipFile(os.path.join("/opt/spark/jars", jars[0])) as jar:
        names = jar.namelist()
    assert "ai/rapids/cudf/ColumnVector.class" in names
    assert any(name.endswith("libcudf.so") for name in names)


def session(**more):
    builder = SparkSession.builder.master("local[1]").config("spark.driver.host", "localhost")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.plugins": "com.nvidia.spark.SQLPlugin",
        "spark.rapids.sql.mode": "explainOnly",
        "spark.rapids.sql.explain": "NONE",
        "spark.rapids.skipGpuArchitectureCheck": "true",  # 25.04 looks for a GPU all the same
        **more,
    }.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


@check("it has no shim for this Spark, and says so")
def _():
    try:
        session().stop()
    except Exception as error:
        assert os.environ["SPARK"] in str(error), error
    else:
        raise AssertionError("it started: versions.env names a shim that is no longer needed")


shim = f"com.nvidia.spark.rapids.shims.{os.environ['SHIM']}.SparkShimServiceProvider"


@check(f"with the nearest shim, {os.environ['SHIM']}, it plans a query for a GPU")
def _():
    spark = session(**{"spark.rapids.shims-provider-override": shim})
    spark.range(100).write.parquet("/tmp/numbers")
    frame = spark.read.parquet("/tmp/numbers").groupBy().sum("id")
    plan = spark._jvm.com.nvidia.spark.rapids.ExplainPlan.explainPotentialGpuPlan(frame._jdf, "ALL")
    assert "will run on GPU" in plan, plan


finish()
