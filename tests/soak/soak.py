#!/usr/bin/env python3
"""20 000 mixed requests, and what of them stays in the process.

All four sources, every format and coding, kept answers, errors, cancels, asynchronous queries and
clients that leave, from CLIENTS threads. Behind each wave of WAVE requests, when nobody asks any more
and a full collection is over, it is looked what the process holds. Printed: each look, then the
least-squares slope of each figure per 10 000 requests over the looks behind the warm-up. Exit 1 when a
slope is over its bound or an answer is wrong.

The heap is fixed and touched before the start, so that resident memory moves only by what lies outside.

SOAK_REQUESTS=n   requests behind the warm-up (default 20 000); below 10 000 the slopes of memory are
                  printed but not judged
SOAK_WARM_UP=n    requests before the first look that counts (default: a quarter of them, at least 1000)
SOAK_SECONDS=n    no further wave behind that time (default: as long as it takes)
"""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from harness import process_facts, sample_data  # noqa: E402
from harness.database import MySqlServer  # noqa: E402
from harness.formats import ARROW, CSV, ENVELOPE, JSON, NDJSON  # noqa: E402
from harness.paths import BUILD, SPARK, wait_until  # noqa: E402
from harness.service import Service, new_query_id, query_body, query_bytes  # noqa: E402
from harness.slow import SPARK_QUERIES  # noqa: E402
from harness.world import PASSWORD, READER, add_reader  # noqa: E402

REQUESTS = int(os.environ.get("SOAK_REQUESTS", "20000"))
WARM_UP = int(os.environ.get("SOAK_WARM_UP", str(max(1000, REQUESTS // 4))))
WAVE = max(200, REQUESTS // 20)
JUDGED_SPAN = 0.9  # of 10 000 requests
SECONDS = float(os.environ.get("SOAK_SECONDS", "inf"))
CLIENTS = 4
HEAP = "768m"
SEED = 7
DATA = BUILD / "sample"
USERS = DATA / "parquet" / "soak-users"
NUMBERS = DATA / "parquet" / "soak-numbers"
HANDLE_SECONDS = 5
MIB = 1 << 20

# Figure, its unit, and what it may grow by in 10 000 requests.
BOUNDS = (("heap", "MiB", 0.5), ("metaspace", "MiB", 0.1), ("rss", "MiB", 2.0), ("threads", "", 0.0),
          ("descriptors", "", 0.0), ("temp_files", "", 0.0), ("busy", "", 0.0))
WHOLE = 1.0  # a count is a whole number: the line through the looks rises by less than one


@dataclasses.dataclass
class Look:
    requests: int
    heap: float
    metaspace: float
    rss: float
    threads: int
    descriptors: int
    temp_files: int
    busy: int


class Client:
    """One thread's requests; each kind checks its own answer."""

    def __init__(self, service, mysql, seed):
        self.service, self.mysql, self.dice = service, mysql, random.Random(seed)
        self.connection = None
        kinds = {self.small: 40, self.kept: 16, self.shuffle: 6, self.mysql_direct: 10,
                 self.mysql_spark: 5, self.refused: 8, self.explain: 2, self.cancelled: 3,
                 self.asynchronous: 4, self.leaver: 2, self.other_pages: 4}
        self.kinds, self.weights = list(kinds), list(kinds.values())

    def run(self, count):
        for _ in range(count):
            self.dice.choices(self.kinds, self.weights)[0]()
        self.close()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def ask(self, method, target, body=b"", headers=None):
        if self.connection is None:
            self.connection = self.service.connect(120)
        reply = self.connection.request(method, target, body, headers)
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def query(self, source, sql, headers=None, **fields):
        return self.ask("POST", f"/api/spark/query/{source}", query_body(sql, **fields), headers)

    def want(self, reply, status, what):
        if reply.status != status:
            raise SystemExit(f"{what}: {reply.status}, not {status}: {reply.body[:400]!r}")
        return reply

    def table(self):
        source = self.dice.choice(("parquet", "delta", "iceberg"))
        return source, f"{source}_data", {"path": str(DATA / source / "users")}

    def form(self):
        return {"Accept": self.dice.choice((JSON, JSON, ENVELOPE, NDJSON, CSV, ARROW)),
                "Accept-Encoding": self.dice.choice(("identity", "gzip", "zstd"))}

    def small(self):
        """A statement that nobody has asked before."""
        source, table, fields = self.table()
        bound = self.dice.randrange(13, 1 << 40)
        sql = self.dice.choice((
            f"SELECT id, name, city FROM {table} WHERE id < {bound} ORDER BY id LIMIT 10",
            f"SELECT * FROM {table} WHERE id <> {bound}",
            f"SELECT upper(name) AS n, age + {bound} AS a FROM {table} WHERE city LIKE '%o%'",
        ))
        self.want(self.query(source, sql, self.form(), **fields), 200, sql)

    def kept(self):
        """One of a few statements, answered from memory when its table is unchanged."""
        source, table, fields = self.table()
        number = self.dice.randrange(12) + 1
        reply = self.query(source, f"SELECT id FROM {table} WHERE id = {number}", cache="use", **fields)
        if self.want(reply, 200, "kept").json() != [{"id": number}]:
            raise SystemExit(f"kept: wrong rows {reply.body!r}")

    def shuffle(self):
        low = self.dice.randrange(1, 900)
        sql = (f"SELECT age, count(*) AS n, sum(id) AS s FROM parquet_data WHERE id >= {low}"
               " GROUP BY age ORDER BY age")
        rows = self.want(self.query("parquet", sql, path=str(USERS)), 200, sql).json()
        if sum(row["n"] for row in rows) != 1001 - low:
            raise SystemExit(f"shuffle: wrong rows {rows}")

    def mysql_query(self, engine):
        number = self.dice.randrange(1, 1001)
        reply = self.query("mysql", "SELECT id, name FROM users WHERE id = :id", params={"id": number},
                           config=self.mysql, engine=engine)
        if self.want(reply, 200, "mysql").json() != [{"id": number, "name": sample_data.user(number)["name"]}]:
            raise SystemExit(f"mysql {engine}: wrong rows {reply.body!r}")

    def mysql_direct(self):
        self.mysql_query("direct")

    def mysql_spark(self):
        self.mysql_query("spark")

    def refused(self):
        source, table, fields = self.table()
        sql, status, fields = self.dice.choice((
            (f"SELECT nope_{self.dice.randrange(1 << 30)} FROM {table}", 422, fields),
            ("SELECT FROM WHERE", 422, fields),
            (f"DROP TABLE {table}", 403, fields),
            (f"SELECT * FROM {table}", 404, {"path": str(DATA / f"gone-{self.dice.randrange(1 << 30)}")}),
            (f"SELECT * FROM {table}", 403, {"path": "/etc"}),
            (f"SELECT 1 / (id - id) AS x FROM {table}", 422, fields),
            ("", 400, fields),
        ))
        self.want(self.query(source, sql, **fields), status, sql)

    def explain(self):
        source, table, fields = self.table()
        body = json.dumps({"sql": f"SELECT * FROM {table} WHERE id > {self.dice.randrange(1 << 30)}"} | fields)
        self.want(self.ask("POST", f"/api/spark/explain/{source}", body.encode()), 200, "explain")

    def slow(self):
        return {"sql": SPARK_QUERIES[self.dice.choice(("scan_loop", "shuffle", "many_rows"))],
                "path": str(NUMBERS)}

    def cancelled(self):
        query_id = new_query_id()
        with self.service.begin_query("parquet", query_id=query_id, timeout_ms=60000,
                                      **self.slow()) as running:
            target = f"/api/spark/queries/{query_id}"
            wait_until(lambda: self.ask("GET", target).status == 200, 60, "the query is known", 0.01)
            time.sleep(self.dice.random() * 0.2)  # cancelled at any moment of its life
            self.want(self.ask("DELETE", target), 202, "cancel")
            self.want(running.read_reply(), 409, "cancelled")

    def asynchronous(self):
        source, table, fields = self.table()
        reply = self.want(self.query(source, f"SELECT * FROM {table} WHERE id < {self.dice.randrange(50, 1 << 30)}",
                                     wait_ms=0, **fields), 202, "asynchronous")
        target = reply.headers["location"]
        wait_until(lambda: self.ask("GET", target).json()["state"] == "SUCCEEDED", 60, "it is done", 0.02)
        rows = self.want(self.ask("GET", f"{target}/results"), 200, "results").json()
        if len(rows) != 12:
            raise SystemExit(f"asynchronous: {len(rows)} rows")

    def leaver(self):
        with self.service.connect(60) as connection:
            connection.send(query_bytes("parquet", **self.slow()))
            time.sleep(self.dice.random() * 0.1)  # it leaves at any moment
            connection.reset()

    def other_pages(self):
        self.want(self.ask("GET", self.dice.choice(("/metrics", "/api/spark/health", "/api/spark/queries",
                                                    "/openapi.json", "/readyz"))), 200, "page")


def jcmd(pid, *words):
    return subprocess.run(["jcmd", str(pid), *words], check=True, capture_output=True, text=True,
                          timeout=120).stdout


def look(service, requests):
    """What the process holds when nobody asks any more."""
    wait_until(lambda: service.health()["slots"]["busy"] == 0, 60, "no slot is busy")
    wait_until(lambda: service.metric("handles") == 0, 60, "kept results have expired", 0.2)
    for _ in range(2):  # what the first finds is freed by Spark's cleaner, then by the second
        jcmd(service.pid, "GC.run")
        time.sleep(0.5)
    heap = process_facts.heap_used_bytes(service.pid)
    metaspace = int(re.search(r"Metaspace\s+used (\d+)K", jcmd(service.pid, "GC.heap_info"))[1])
    return Look(requests, heap / MIB, metaspace / 1024, process_facts.resident_bytes(service.pid) / MIB,
                sum(service.threads().values()), sum(service.descriptors().values()),
                len(service.temp_files()), service.health()["slots"]["busy"])


def slope(looks, name):
    """Least squares, per 10 000 requests."""
    xs, ys = [one.requests for one in looks], [getattr(one, name) for one in looks]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return 10_000 * (sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys))
                     / sum((x - middle_x) ** 2 for x in xs))


def print_look(one):
    print(f"{one.requests:8}" + "".join(f"{getattr(one, name):12.2f}" for name, _, _ in BOUNDS), flush=True)


def soak(service, mysql):
    """Waves until all requests are made; gives the looks."""
    print(f"{'requests':>8}" + "".join(f"{name:>12}" for name, _, _ in BOUNDS))
    looks, made, wave, begin = [], 0, 0, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        while made < WARM_UP + REQUESTS and time.monotonic() - begin < SECONDS:
            wave += 1
            each = WAVE // CLIENTS
            running = [pool.submit(Client(service, mysql, f"{SEED}-{wave}-{number}").run, each)
                       for number in range(CLIENTS)]
            for future in running:
                future.result()
            made += each * CLIENTS
            looks.append(look(service, made))
            print_look(looks[-1])
    return looks


def judge(looks):
    """Prints the slopes; what is over its bound."""
    counted = [one for one in looks if one.requests >= WARM_UP]
    if len(counted) < 3:
        raise SystemExit("too few looks behind the warm-up for a slope")
    print(f"\nslope per 10 000 requests, {len(counted)} looks behind {WARM_UP} requests")
    span = (counted[-1].requests - counted[0].requests) / 10_000
    broken = []
    for name, unit, bound in BOUNDS:
        value = slope(counted, name)
        judged = not unit or span >= JUDGED_SPAN
        if judged and (value > bound if unit else value * span >= WHOLE):
            broken.append(name)
        print(f"{name:12}{value:10.3f} {unit:4} bound {bound}{'' if judged else ' (not judged)'}")
    return broken


def main():
    if not USERS.exists():
        sample_data.write_parquet_users(USERS)
    if not NUMBERS.exists():
        sample_data.write_numbers(NUMBERS)
    with MySqlServer() as server:
        sample_data.load_mysql_users(server)
        add_reader(server)
        mysql = {"host": "127.0.0.1", "port": server.port, "user": READER, "password": PASSWORD,
                 "database": "samples"}
        with Service(DATA, SPARK_SERVICE_HEAP=HEAP, SPARK_SERVICE_SPOOL_TTL_S=HANDLE_SECONDS,
                     SPARK_SERVICE_MYSQL_HOSTS=f"127.0.0.1:{server.port}", SPARK_SERVICE_HISTORY_LENGTH=200,
                     SPARK_SERVICE_MYSQL_IDLE_MS=1000, SPARK_SERVICE_ACCESS_LOG=0,
                     JAVA_TOOL_OPTIONS=f"-Xms{HEAP} -XX:+AlwaysPreTouch") as service:
            service.wait_ready()
            print(f"Spark {SPARK}, {WARM_UP} + {REQUESTS} requests, {CLIENTS} clients, heap {HEAP}")
            looks = soak(service, mysql)
    broken = judge(looks)
    if broken:
        print("over the bound: " + ", ".join(broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
