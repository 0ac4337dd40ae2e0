#!/usr/bin/env python3
"""Queries that no kept answer helps: the service over HTTP with `cache: off`, one client, beside
`spark.sql(text).collect()` in a loop inside a JVM with Spark's own settings and the same options.

The two take turns, statement by statement, on the same cores; medians behind a warm-up. Exit 1 when a
ratio is over its bound.

SMALL_TURNS, SMALL_WARM_UP and SMALL_SOURCES (parquet,delta,iceberg,big) change a run.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from harness.paths import BUILD, SPARK  # noqa: E402
from harness.service import Service, query_body  # noqa: E402

TURNS = int(os.environ.get("SMALL_TURNS", "60"))
WARM_UP_TURNS = int(os.environ.get("SMALL_WARM_UP", "120"))
SOURCES = os.environ.get("SMALL_SOURCES", "parquet,delta,iceberg,big").split(",")

DATA = BUILD / "bench-small"
LIB = BUILD / "lib" / f"spark-{SPARK}"
MAKE = """
CREATE NAMESPACE IF NOT EXISTS local.bench;
INSERT OVERWRITE DIRECTORY '${root}/big' USING parquet SELECT /*+ COALESCE(8) */ id,
    concat('User number ', id) AS name, concat('City ', id % 97) AS city,
    CAST(id * 7 % 90 AS INT) AS age, id / 4D AS score FROM range(0, 1000000, 1, 8);
INSERT OVERWRITE DIRECTORY '${root}/parquet' USING parquet
    SELECT /*+ COALESCE(1) */ * FROM parquet.`${root}/big` WHERE id < 1000;
CREATE TABLE delta.`${root}/delta` USING delta AS SELECT * FROM parquet.`${root}/parquet`;
CREATE TABLE local.bench.small USING iceberg AS SELECT * FROM parquet.`${root}/parquet`;
"""
# Source of the endpoint, its fields, the table's name there and in the loop.
TABLES = {
    "parquet": ("parquet", {"path": f"{DATA}/parquet"}, "parquet_data", f"parquet.`{DATA}/parquet`"),
    "delta": ("delta", {"path": f"{DATA}/delta"}, "delta_data", f"delta.`{DATA}/delta`"),
    "iceberg": ("iceberg", {"table": "bench.small"}, "iceberg_data", "local.bench.small"),
    "big": ("parquet", {"path": f"{DATA}/big"}, "parquet_data", f"parquet.`{DATA}/big`"),
}
SMALL = (
    ("same statement", lambda turn: "SELECT id, name, city FROM $ WHERE age > 30 LIMIT 10", 0.4),
    ("new literals", lambda turn: f"SELECT id, name, age + {turn} AS a FROM $ WHERE id < {turn + 10}",
     0.2),
    ("new literals, group", lambda turn: f"SELECT city, count(*) AS n FROM $ WHERE id > {turn}"
     " GROUP BY city", None),
)
BIG = (
    ("new literals, point", lambda turn: f"SELECT id, name FROM $ WHERE id = {turn * 97}", 0.6),
    ("new literals, group", lambda turn: "SELECT city, count(*) AS n, sum(score) AS s FROM $"
     f" WHERE id > {turn * 97} GROUP BY city", 0.6),
)
DELTA_SAME = 0.1


def java(*arguments, **options):
    home = (LIB / "java-home").read_text().strip()
    flags = [line for line in (LIB / "jvm.options").read_text().splitlines()
             if line and not line.startswith("#") and line != "-Xrs"]
    jars = ":".join(sorted(str(jar) for jar in (LIB / "jars").glob("*.jar")))
    return subprocess.Popen([f"{home}/bin/java", *flags, "-Xmx1g", "-cp", jars, *arguments],
                            stderr=subprocess.DEVNULL, text=True, **options)


def make_tables():
    """The rows, once: they are a formula, so every machine has the same."""
    if (DATA / ".made").exists():
        return
    DATA.mkdir(parents=True, exist_ok=True)
    (DATA / "make.sql").write_text(MAKE)
    if java("sparkservice.bridge.SqlScript", "--warehouse", f"{DATA}/iceberg", "--set",
            f"root={DATA}", f"{DATA}/make.sql").wait() != 0:
        raise SystemExit("the tables could not be made")
    (DATA / ".made").touch()


class Loop:
    """The other JVM."""

    SETTINGS = {
        "spark.master": f"local[{len(os.sched_getaffinity(0))}]",
        "spark.ui.enabled": "false",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension,"
                                "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalog.local": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.local.type": "hadoop",
        "spark.sql.catalog.local.warehouse": f"{DATA}/iceberg",
    }

    def __enter__(self):
        self.process = java(str(pathlib.Path(__file__).with_name("Loop.java")),
                            *(f"{name}={value}" for name, value in self.SETTINGS.items()),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=DATA)
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit("the loop did not start")
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, sql):
        """(seconds, rows)"""
        self.process.stdin.write(sql + "\n")
        self.process.stdin.flush()
        nanos, rows = self.process.stdout.readline().split()
        return int(nanos) / 1e9, int(rows)


def ask(connection, source, sql, fields):
    begin = time.perf_counter()
    reply = connection.request("POST", f"/api/spark/query/{source}", query_body(sql, **fields))
    seconds = time.perf_counter() - begin
    if reply.status != 200:
        raise SystemExit(f"{sql}: {reply}")
    return seconds, len(reply.json())


def compare(connection, loop, table, statement):
    source, fields, here, there = TABLES[table]
    ours, theirs = [], []
    for turn in range(WARM_UP_TURNS + TURNS):
        sql = statement(turn)
        mine, rows = ask(connection, source, sql.replace("$", here), fields)
        other, other_rows = loop.ask(sql.replace("$", there))
        if rows != other_rows:
            raise SystemExit(f"{sql}: {rows} rows, and {other_rows} in the loop")
        if turn >= WARM_UP_TURNS:
            ours.append(mine * 1000)
            theirs.append(other * 1000)
    return statistics.median(ours), statistics.median(theirs)


def main():
    make_tables()
    failed = False
    with Service(DATA) as service, Loop() as loop:
        service.wait_ready()
        print(f"{'':34}{'service':>10}{'loop':>10}{'ratio':>8}")
        with service.connect(60) as connection:
            for table in SOURCES:
                for name, statement, bound in BIG if table == "big" else SMALL:
                    if (table, name) == ("delta", "same statement"):
                        bound = DELTA_SAME
                    ours, theirs = compare(connection, loop, table, statement)
                    over = bound is not None and ours > bound * theirs
                    failed |= over
                    print(f"{table + ', ' + name:34}{ours:7.1f} ms{theirs:7.1f} ms"
                          f"{ours / theirs:8.2f}{f'  over {bound}' if over else ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
