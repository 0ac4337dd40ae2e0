"""PySpark behind Flask: one SparkSession for the life of the process, every query read, collected
and made JSON. Its settings come by SPARK_CONF, `name=value` lines."""

import os

from flask import Flask, jsonify, request
from pyspark.sql import SparkSession

builder = SparkSession.builder.appName("flask").config("spark.sql.shuffle.partitions", "4")
for line in os.environ["SPARK_CONF"].splitlines():
    builder = builder.config(*line.split("=", 1))
spark = builder.getOrCreate()

app = Flask(__name__)
app.json.sort_keys = False


def answer(frame):
    return jsonify([row.asDict() for row in frame.collect()])


@app.post("/api/spark/query/parquet")
def query_parquet():
    body = request.get_json()
    spark.read.parquet(body["path"]).createOrReplaceTempView("parquet_data")
    return answer(spark.sql(body["sql"]))


@app.post("/api/spark/query/delta")
@app.post("/api/spark/query/iceberg")
def query_table():
    return answer(spark.sql(request.get_json()["sql"]))


@app.post("/api/spark/query/mysql")
def query_mysql():
    config = {name: os.environ[f"MYSQL_{name.upper()}"]
              for name in ("host", "port", "user", "password", "database")}
    return answer(spark.read.format("jdbc").options(
        url="jdbc:mysql://{host}:{port}/{database}".format(**config), user=config["user"],
        password=config["password"], query=request.get_json()["sql"]).load())


@app.get("/api/spark/health")
def health():
    return jsonify(status="healthy", spark_version=spark.version)
