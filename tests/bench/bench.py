#!/usr/bin/env python3
"""Every case beside its peers, in one run; writes RESULTS.md and the chart. Exit 1 when a bound is missed.

CASES and PEERS (names by comma) choose a part, TURNS (3) changes how often each is measured.
REPORT_ONLY=1: a missed bound is only reported. MERGE=1 keeps the cases of the run before that this
one doesn't measure: for work on one case, not for a result. OUT is the folder of what is written
(tests/bench). QUICK=1 only shows that all of it works: a few requests of each kind.
"""

import concurrent.futures
import contextlib
import datetime
import importlib.metadata
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import bounds  # noqa: E402
import chart  # noqa: E402
import figures  # noqa: E402
import questions  # noqa: E402
import report  # noqa: E402
from cases import CASES, WARM_BIG, WARM_MILLION, WARM_SMALL  # noqa: E402
from harness.database import MySqlServer  # noqa: E402
from harness.paths import BUILD, ROOT, SPARK  # noqa: E402
from peers import roster  # noqa: E402

DATA = BUILD / "bench-tables"
RESULTS = BUILD / "bench-results.json"
PASSWORD = "bench-password"
METHOD = (
    "Every peer on its own port of 127.0.0.1, the same tables, the same statements; its answer to "
    "each case is compared row by row before anything is timed.",
    f"Warmed with the same number of requests each: {WARM_SMALL} of each kind on a small table, "
    f"{WARM_BIG} on a million rows, {WARM_MILLION} of the million-row JSON. Measured in turns, one peer "
    "after the other; the next begins when the one before has come to rest, or after two seconds.",
    f"JVMs have a heap of {roster.HEAP} and every core. Peers have Spark's own settings, Delta's and "
    "Iceberg's extensions, no UI.",
    "HTTP is asked by `load_client.c` over keep-alive connections on the same cores; the loop, "
    "Spark Connect's and Thrift's clients and the MySQL client time themselves, within their process. "
    "It and the service reach MySQL over TLS.",
    f"Flask: gunicorn, one process (one session), {roster.FLASK_THREADS} threads, read, collect, jsonify. "
    "DuckDB: Starlette on uvicorn with uvloop and httptools, rows by orjson; more than 1 000 rows by "
    "COPY to a JSON file in memory, which isn't counted as its memory.",
    "Extra memory: the most resident memory of a process and its children within a round, sampled "
    "every 20 ms, less what it was at the round's start; the largest of all rounds, the warming one "
    "included.",
)


class Bench:
    """One run: the tables, the peers that were started so far, and what is left out."""

    def __init__(self, folder, turns, peers_wanted, is_quick):
        self.folder, self.turns, self._wanted = pathlib.Path(folder), turns, peers_wanted
        self.is_quick = is_quick
        self.data = DATA
        self.dialect = questions.Dialect(DATA)
        self.mysql_env = {}
        self.notes, self.left_out = {}, set()
        self._peers = {}
        self._running = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as running:
            self._load_mysql(running.enter_context(MySqlServer()))
            self._running = running.pop_all()
        return self

    def __exit__(self, *exc):
        self._running.close()

    def _load_mysql(self, server):
        server.run(
            "CREATE DATABASE bench CHARACTER SET utf8mb4",
            f"CREATE USER bench@'127.0.0.1' IDENTIFIED WITH mysql_native_password BY '{PASSWORD}'",
            "GRANT SELECT ON bench.* TO bench@'127.0.0.1'",
            "CREATE TABLE bench.small (id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL, age INT,"
            " city VARCHAR(100))")
        with server.connect(database="bench") as connection, connection.cursor() as cursor:
            cursor.executemany("INSERT INTO small VALUES (%s, %s, %s, %s)", [
                (questions.FIRST_ID + i, f"User number {i}", i * 7 % 90, f"City {i % 97}")
                for i in range(questions.SMALL_ROWS)])
        self.mysql_env = {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": str(server.port),
                          "MYSQL_USER": "bench", "MYSQL_PASSWORD": PASSWORD,
                          "MYSQL_DATABASE": "bench"}

    def is_wanted(self, name):
        if name == "service" or not self._wanted or name in self._wanted:
            return True
        self.left_out.add(name)
        return False

    def _make(self, name):
        if name in ("service", "flask"):
            kind = roster.SparkService if name == "service" else roster.Flask
            return kind(self.folder, self.dialect, self.mysql_env)
        if name == "mysql":
            return roster.PointQuery(self.folder, self.dialect, self.mysql_env)
        kind = {"loop": roster.Loop, "duckdb": roster.DuckDb, "connect": roster.Connect,
                "thrift": roster.Thrift}[name]
        return kind(self.folder, self.dialect)

    def started(self, peer):
        peer.start()
        peer.wait_ready()
        return peer

    def peers(self, *names):
        """The wanted ones of these, ready; those that don't run yet are started together."""
        names = [name for name in names if self.is_wanted(name)]
        new = [name for name in names if name not in self._peers]
        if new:
            self.say(f"starting {', '.join(new)}")
        for name in new:
            peer = self._peers[name] = self._make(name)
            self._running.callback(peer.stop)
            peer.start()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self._peers[name].wait_ready(), new))
        return [self._peers[name] for name in names]

    def few(self, requests):
        return min(requests, 3) if self.is_quick else requests

    def short(self, seconds):
        return seconds / 10 if self.is_quick else seconds

    def note(self, name, value):
        self.notes[name] = value

    @staticmethod
    def say(line):
        print(f"{datetime.datetime.now():%H:%M:%S} {line}", flush=True)


def versions():
    package = importlib.metadata.version
    java = subprocess.run([roster.java(), "-version"], capture_output=True, text=True, check=True)
    return {"Spark": SPARK, "PySpark": package("pyspark"), "Flask": package("flask"),
            "gunicorn": package("gunicorn"), "DuckDB": package("duckdb"),
            "uvicorn": package("uvicorn"), "MySQL": MySqlServer.name.split()[1],
            "Python": sys.version.split()[0],
            "Java": java.stderr.split('"')[1]}


def machine():
    return {"cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)}


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*"],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def command():
    parts = [f"{name}={os.environ[name]}"
             for name in ("CASES", "PEERS", "TURNS", "REPORT_ONLY", "MERGE", "QUICK") if name in os.environ]
    return " ".join(["make", "bench", *parts])


def measure(cases, turns, peers, is_quick):
    begin = time.monotonic()
    measured, failed = {}, {}
    with tempfile.TemporaryDirectory(prefix="spark-service-bench-", ignore_cleanup_errors=True) \
            as folder, Bench(folder, turns, peers, is_quick) as bench:
        for number, case in enumerate(cases, 1):
            bench.say(f"case {number} of {len(cases)}: {case}")
            try:
                turns_of = CASES[case](bench)
            except (SystemExit, AssertionError, OSError) as why:  # the others still tell something
                failed[case] = str(why)
                bench.say(f"{case} failed: {why}")
                continue
            measured |= {name: {series: figures.of_turns(of_series)
                                for series, of_series in found.items() if of_series}
                         for name, found in turns_of.items()}
        return {
            "date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
            "machine": machine(), "versions": versions(), "commit": commit(), "command": command(),
            "turns": turns, "minutes": round((time.monotonic() - begin) / 60, 1), "cases": cases,
            "peers_left_out": sorted(bench.left_out), "notes": bench.notes, "method": METHOD,
            "failed": failed, "measured": measured}


def merged(results):
    """With the cases of the run before, for who works on one case."""
    if RESULTS.exists():
        before = json.loads(RESULTS.read_text())
        results["measured"] = before["measured"] | results["measured"]
        results["cases"] = [case for case in CASES if case in before["cases"] + results["cases"]]
    return results


def names_of(variable):
    return [name for name in os.environ.get(variable, "").split(",") if name]


def end_in_order(*_):
    """SIGTERM as Ctrl-C: the peers are stopped."""
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, end_in_order)
    cases = names_of("CASES") or list(CASES)
    unknown = sorted(set(cases) - set(CASES))
    if unknown:
        raise SystemExit(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    results = measure(cases, int(os.environ.get("TURNS", "3")), names_of("PEERS"),
                      bool(os.environ.get("QUICK")))
    if os.environ.get("MERGE"):
        results = merged(results)
    RESULTS.write_text(json.dumps(results, indent=1))
    out = pathlib.Path(os.environ.get("OUT", HERE))
    (out / "RESULTS.md").write_text(report.markdown(results))
    (out / "results.svg").write_text(chart.svg(results))
    print(f"written: {out / 'RESULTS.md'}, {out / 'results.svg'}, {RESULTS}")
    missed = [verdict for verdict in bounds.judge(results["measured"]) if not verdict.is_met]
    for verdict in missed:
        bound = verdict.bound
        print(f"missed: {bound.text}: {bound.figure} {report.number(verdict.value)},"
              f" bound {bound.sense} {report.number(bound.limit)}")
    is_ok = not missed or os.environ.get("REPORT_ONLY")
    return 0 if is_ok and not results["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
