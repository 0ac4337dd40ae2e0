"""Beside an S3-compatible server, in the baked image: `before` puts two files there, `after` reads what the job
made of them."""

import io
import os
import sys

import boto3
import pyarrow.parquet

s3 = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT"], region_name="us-east-1")


def before():
    for bucket in ("raw", "bronze"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="raw", Key="events/a.json", Body=b'{"id": 1, "kind": "made"}\n{"id": 2, "kind": "sold"}\n')
    s3.put_object(Bucket="raw", Key="events/b.json", Body=b'{"id": 3, "kind": "made"}\n')


def after():
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="bronze", Prefix="events/")["Contents"]]
    assert "events/_SUCCESS" in keys, keys
    rows = []
    for key in keys:
        if key.endswith(".parquet"):
            body = io.BytesIO(s3.get_object(Bucket="bronze", Key=key)["Body"].read())
            # Without threads of its own: one that still runs when Python ends aborts it.
            rows += pyarrow.parquet.ParquetFile(body).read(use_threads=False).to_pylist()
    found = sorted((row["id"], row["kind"], os.path.basename(row["source_file"])) for row in rows)
    assert found == [(1, "made", "a.json"), (2, "sold", "a.json"), (3, "made", "b.json")], found
    assert all(row["ingested_at"] for row in rows)


if __name__ == "__main__":
    {"before": before, "after": after}[sys.argv[1]]()
