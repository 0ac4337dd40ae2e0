"""Parquet, Delta and Iceberg written to and read from s3a://, on a server beside the stack."""

import urllib.request

import pytest

from engine import Container, docker, wait_until
from stack import ACCESS_KEY, SECRET_KEY

PEOPLE = "SELECT * FROM VALUES (1, 'Ada'), (2, 'Grace'), (3, 'José') AS people (id, name)"
STATEMENTS = [
    f"INSERT OVERWRITE DIRECTORY 's3a://lake/parquet/people' USING parquet {PEOPLE}",
    f"CREATE TABLE delta.`s3a://lake/delta/people` USING delta AS {PEOPLE}",
    f"CREATE TABLE lake.people USING iceberg AS {PEOPLE}",
]
WRITER_SETTINGS = {
    "spark.hadoop.fs.s3a.endpoint": "http://object-store:5000",
    "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
    "spark.hadoop.fs.s3a.path.style.access": "true",
    "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.lake.type": "hadoop",
    "spark.sql.catalog.lake.warehouse": "s3a://lake/iceberg",
}
SECONDS_OF_AN_ATTEMPT = 1
MAKE_BUCKET = "import boto3; boto3.client('s3', endpoint_url='http://127.0.0.1:5000', " \
    "region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x')" \
    ".create_bucket(Bucket='lake')"


def listening(container):
    return "Running on" in container.logs()


@pytest.fixture(scope="module")
def lake(stack):
    """A bucket with three tables, written from another container through s3a."""
    wait_until(lambda: listening(stack.object_store), 60, stack.object_store.logs)
    stack.object_store.exec("/opt/moto/bin/python", "-c", MAKE_BUCKET)
    settings = [f"-D{name}={value}" for name, value in WRITER_SETTINGS.items()]
    writer = Container(f"{stack.name}-writer")
    said = docker("run", "--rm", "-i", "--name", writer.name, "--network", f"{stack.name}_default",
                  "--env", f"AWS_ACCESS_KEY_ID={ACCESS_KEY}",
                  "--env", f"AWS_SECRET_ACCESS_KEY={SECRET_KEY}", "--tmpfs", "/tmp:exec",
                  "--entrypoint", "sql-script", stack.env["SPARK_SERVICE_IMAGE"], *settings,
                  "--warehouse", "/tmp/warehouse", "-", input="\n".join(STATEMENTS), timeout=300)
    assert said.split() == ["ready", "ok", "ok", "ok"], said
    return stack


@pytest.mark.parametrize("source", ["parquet", "delta", "iceberg"])
def test_tables_in_the_object_store_answer(lake, source):
    reply = lake.query(source, f"SELECT id, name FROM {source}_data ORDER BY id",
                       path=f"s3a://lake/{source}/people")
    assert (reply.status, reply.json()) == (200, [
        {"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}, {"id": 3, "name": "José"}]), reply


def test_another_bucket_is_outside_the_roots(lake):
    reply = lake.query("parquet", "SELECT 1 FROM parquet_data", path="s3a://other/parquet/people")
    assert reply.status == 403, reply


def test_a_missing_table_is_404_and_names_no_key(lake):
    reply = lake.query("parquet", "SELECT 1 FROM parquet_data", path="s3a://lake/parquet/nothing")
    assert reply.status == 404, reply
    assert ACCESS_KEY.encode() not in reply.body


def test_keys_are_in_no_log_and_on_no_page(lake):
    page = urllib.request.urlopen(f"http://127.0.0.1:{lake.ui_port}/environment/").read().decode()
    assert "spark.hadoop.fs.s3a.endpoint" in page
    for text in (lake.service.logs(), page):
        assert ACCESS_KEY not in text and SECRET_KEY not in text


def test_a_store_that_does_not_answer_is_an_error_by_the_deadline(lake):
    # Connections are still taken, nothing is said.
    docker("pause", lake.object_store.name)
    try:
        reply = lake.query("parquet", "SELECT * FROM parquet_data", path="s3a://lake/parquet/people",
                           timeout_ms=3000)
        assert reply.status in (502, 504), reply
        assert reply.seconds < 3 + SECONDS_OF_AN_ATTEMPT, reply
        local = lake.users("parquet", "count(*) AS n")
        assert (local.status, local.json()) == (200, [{"n": 12}])
    finally:
        docker("unpause", lake.object_store.name)
    reply = lake.query("parquet", "SELECT count(*) AS n FROM parquet_data",
                       path="s3a://lake/parquet/people")
    assert (reply.status, reply.json()) == (200, [{"n": 3}]), reply
