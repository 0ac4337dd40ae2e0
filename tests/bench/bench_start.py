#!/usr/bin/env python3
"""From exec to the first real answer: ten rows of a Parquet file.

Beside the service, turn by turn: `spark-sql -e` of the same statement (pyspark's own, of the same
version, Delta and Iceberg not even configured), exec to exit, as that is when a script has its rows.
Medians, and the processor time that each has used by then. The steps of the service's start are from its
log. Then what a query takes right behind readiness: the 1st, 2nd, 10th and 100th statement of each
source, new literals each.

START_TURNS=n turns (default 3). PYSPARK=folder: a pyspark package to take. Exit 1 when the service takes
more than half of spark-sql's time.
"""

import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from harness.http_client import ConnectionEnded  # noqa: E402
from harness.paths import BUILD, SPARK  # noqa: E402
from harness.service import Service, query_bytes  # noqa: E402

TURNS = int(os.environ.get("START_TURNS", "3"))
SPARK_SQL_BOUND = 0.5
DATA = BUILD / "sample"
SQL = "SELECT id, name, city FROM {table} WHERE id < {bound} ORDER BY id LIMIT 10"
HEAP = "1g"
LOOKS = (1, 2, 10, 100)
STEP = re.compile(r'msg=(?:starting step="?([^"]*?)"?|ready\S*) ms=(\d+)')
TICKS = os.sysconf("SC_CLK_TCK")


def spark_sql():
    """The spark-sql of an installed pyspark; None without one."""
    folder = os.environ.get("PYSPARK")
    if folder is None:
        found = sorted(pathlib.Path(sys.prefix).glob("lib/python*/site-packages/pyspark"))
        folder = found[0] if found else None
    return pathlib.Path(folder) / "bin" / "spark-sql" if folder else None


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def query(source, bound):
    return query_bytes(source, SQL.format(table=f"{source}_data", bound=bound),
                       path=str(DATA / source / "users"))


def first_answer(service):
    """Asks until it answers; gives the body."""
    while service.alive():
        try:
            with service.connect(60) as connection:
                connection.send(query("parquet", 1000))
                reply = connection.read_reply()
                if reply.status == 200:
                    return reply.json()
                if reply.code != "starting":
                    raise SystemExit(f"{reply.status} {reply.body[:300]!r}")
        except (ConnectionRefusedError, ConnectionEnded):
            pass
        time.sleep(0.01)


def service_turn(found):
    """One start; what came behind readiness goes to `found`."""
    begin = time.perf_counter()
    with Service(DATA, SPARK_SERVICE_HEAP=HEAP) as service:
        rows = first_answer(service)
        span, cpu = time.perf_counter() - begin, cpu_seconds(service.pid)
        if len(rows) != 10:
            raise SystemExit(f"wrong rows: {rows}")
        steps = [line for line in service.log().splitlines() if "msg=starting" in line or "msg=ready" in line]
    with Service(DATA, SPARK_SERVICE_HEAP=HEAP) as service:
        service.wait_ready()
        for source in ("parquet", "delta", "iceberg"):
            with service.connect(60) as connection:
                for number in range(1, max(LOOKS) + 1):
                    at = time.perf_counter()
                    connection.send(query(source, 1000 + number))
                    assert connection.read_reply().status == 200
                    if number in LOOKS:
                        found.setdefault((source, number), []).append((time.perf_counter() - at) * 1000)
    return span, cpu, steps


def spark_sql_turn(program):
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        table = f"parquet.`{DATA}/parquet/users`"
        done = subprocess.run([program, "--master", "local[2]", "--driver-memory", HEAP, "-e",
                               SQL.format(table=table, bound=1000)], cwd=scratch, capture_output=True,
                              text=True, timeout=120,
                              env={"PATH": os.environ["PATH"], "SPARK_LOCAL_IP": "127.0.0.1",
                                   "PYSPARK_PYTHON": sys.executable, "HOME": scratch})
    span = time.perf_counter() - begin
    if len(done.stdout.splitlines()) != 10:
        raise SystemExit(f"spark-sql: {done.stdout[-500:]}{done.stderr[-2000:]}")
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return span, now.ru_utime + now.ru_stime - children.ru_utime - children.ru_stime


def main():
    program = spark_sql()
    found, ours, theirs, steps = {}, [], [], []
    for number in range(TURNS):
        print(f"turn {number + 1} of {TURNS}", file=sys.stderr, flush=True)
        span, cpu, steps = service_turn(found)
        ours.append((span, cpu))
        if program:
            theirs.append(spark_sql_turn(program))
    print(f"Spark {SPARK}, {len(os.sched_getaffinity(0))} cores, medians of {TURNS} turns")
    print(f"{'from exec to ten rows':24}{'s':>8}{'cpu s':>8}")
    for name, turns in (("spark-service", ours), ("spark-sql -e", theirs)):
        if turns:
            print(f"{name:24}" + "".join(f"{statistics.median(part):8.2f}" for part in zip(*turns)))
    print("\nits last start:", *steps, sep="\n  ")
    print(f"\n{'ms behind readiness':24}" + "".join(f"{f'no. {look}':>10}" for look in LOOKS))
    for source in ("parquet", "delta", "iceberg"):
        print(f"{source:24}" + "".join(f"{statistics.median(found[source, look]):10.1f}" for look in LOOKS))
    if not theirs:
        print("\nspark-sql: no pyspark is installed")
        return 0
    ratio = statistics.median(mine[0] / other[0] for mine, other in zip(ours, theirs))
    print(f"\nagainst spark-sql -e: {ratio:.2f}, bound {SPARK_SQL_BOUND}")
    return 0 if ratio <= SPARK_SQL_BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
