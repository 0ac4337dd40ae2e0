#!/usr/bin/env python3
"""One setting at a time against the service as it is, in the same run.

A group of services runs side by side: the one with the settings as they stand, and one for each
variant. They take turns, statement by statement, so that all see the same machine. Printed for each
variant and statement: median over the turns of its time divided by that of the service as it is, then
the same of processor time (all threads, the JIT's too), which other load on the machine hardly moves;
apart for the first turns behind readiness. Every answer must be the same bytes in all services.

TUNING=name,name   which variants (default: all; `list` prints them)
TUNING_TURNS=n     turns behind the cold ones (default 12)
TUNING_SECONDS=n   a group begins no further turn behind that time (default 600)
TUNING_CASES=word  only the statements with this word in their name
TUNING_SIDE=n      variants beside the default at once (default 3)
TUNING_MYSQL=1     MySQL through Spark as well
"""

import contextlib
import dataclasses
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402

from harness import sample_data  # noqa: E402
from harness.database import MySqlServer  # noqa: E402
from harness.paths import BUILD, SPARK  # noqa: E402
from harness.service import Service, query_bytes  # noqa: E402
from harness.world import PASSWORD, READER, add_reader  # noqa: E402

TURNS = int(os.environ.get("TUNING_TURNS", "12"))
SECONDS = float(os.environ.get("TUNING_SECONDS", "600"))
COLD_TURNS = 3
SIDE = int(os.environ.get("TUNING_SIDE", "3"))
SMALL_REQUESTS = 4  # of one turn; of a statement over a million rows: one
HEAP = "1g"
DATA = BUILD / "sample"
MILLION = DATA / "parquet" / "tuning-million"
MANY_FILES = DATA / "parquet" / "tuning-files"
NO_DIRECTIVES = DATA / "no.directives"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Variant:
    conf: dict = dataclasses.field(default_factory=dict)
    jvm: str = ""
    env: dict = dataclasses.field(default_factory=dict)


def conf(**pairs):
    return Variant(conf={key.replace("__", "."): value for key, value in pairs.items()})


VARIANTS = {
    "same": Variant(),  # the noise of a comparison
    "c1 only": Variant(jvm="-XX:TieredStopAtLevel=1"),
    "c2 for all": Variant(jvm=f"-XX:CompilerDirectivesFile={NO_DIRECTIVES}"),
    "c2 early": Variant(jvm="-XX:Tier4InvocationThreshold=5000 -XX:Tier4MinInvocationThreshold=600"
                            " -XX:Tier4CompileThreshold=15000"),
    "tier 3 later": Variant(jvm="-XX:Tier3InvocationThreshold=2000 -XX:Tier3MinInvocationThreshold=1000"
                                " -XX:Tier3CompileThreshold=20000"),
    "serial gc": Variant(jvm="-XX:-UseParallelGC -XX:+UseSerialGC"),
    "g1": Variant(jvm="-XX:-UseParallelGC -XX:+UseG1GC"),
    "fixed heap": Variant(jvm=f"-Xms{HEAP}"),
    "compilers as needed": Variant(jvm="-XX:+UseDynamicNumberOfCompilerThreads"),
    "compiler beside all": Variant(env={"SPARK_SERVICE_COMPILER_NICE": "0"}),
    "artifact isolation": conf(spark__sql__artifact__isolation__enabled="true"),
    "no aqe": conf(spark__sql__adaptive__enabled="false"),
    "no whole-stage codegen": conf(spark__sql__codegen__wholeStage="false"),
    "no codegen": Variant(conf={"spark.sql.codegen.wholeStage": "false",
                                "spark.sql.codegen.factoryMode": "NO_CODEGEN"}),
    "codegen cache 1000": conf(spark__sql__codegen__cache__maxEntries="1000"),
    "delta snapshot 1": conf(spark__databricks__delta__snapshotPartitions="1"),
    "delta snapshot 50": conf(spark__databricks__delta__snapshotPartitions="50"),
    "delta stats off": conf(spark__databricks__delta__stats__skipping="false"),
    "shuffle 1": conf(spark__sql__shuffle__partitions="1"),
    "shuffle 2": conf(spark__sql__shuffle__partitions="2"),
    "shuffle 200": conf(spark__sql__shuffle__partitions="200"),
    "two file partitions": conf(spark__sql__files__minPartitionNum="2"),
    "cheap files": conf(spark__sql__files__openCostInBytes="65536"),
    "plan text simple": conf(spark__sql__ui__explainMode="simple"),
    "plan text none": Variant(conf={"spark.sql.ui.explainMode": "simple",
                                    "spark.sql.maxPlanStringLength": "256"}),
    "no compression within": Variant(conf={"spark.broadcast.compress": "false",
                                           "spark.shuffle.compress": "false",
                                           "spark.shuffle.spill.compress": "false"}),
    "no locality wait": conf(spark__locality__wait="0"),
    "small pages": conf(spark__buffer__pageSize="262144"),
    "no metrics polling": Variant(conf={"spark.executor.heartbeatInterval": "60s",
                                        "spark.network.timeout": "600s",
                                        "spark.metrics.staticSources.enabled": "false"}),
    "no tracking": Variant(conf={"spark.ui.retainedJobs": "1", "spark.ui.retainedStages": "1",
                                 "spark.ui.retainedTasks": "1",
                                 "spark.sql.ui.retainedExecutions": "1"}),
    "ui": Variant(env={"SPARK_SERVICE_SPARK_UI": "1"}),
    "kryo": conf(spark__serializer="org.apache.spark.serializer.KryoSerializer"),
    "row-wise parquet": conf(spark__sql__parquet__enableVectorizedReader="false"),
    "no nested-rule checks": conf(spark__sql__planChangeValidation="false"),
    "no fast hash map": conf(spark__sql__codegen__aggregate__map__twolevel__enabled="false"),
}


@dataclasses.dataclass
class Case:
    source: str
    sql: str  # {n}: a new literal each time
    fields: dict
    requests: int = SMALL_REQUESTS


def cases(mysql_config):
    users = {source: {"path": str(DATA / source / "users")} for source in ("parquet", "delta", "iceberg")}
    found = {}
    for source in users:
        table = f"{source}_data"
        found[f"{source} same"] = Case(source, f"SELECT id, name, city FROM {table} WHERE age > 30"
                                       " ORDER BY id LIMIT 10", users[source])
        found[f"{source} new"] = Case(source, f"SELECT id, name, city FROM {table} WHERE id < {{n}}"
                                      " ORDER BY id LIMIT 10", users[source])
    found["group new"] = Case("parquet", "SELECT age, count(*) AS n, sum(id) FROM parquet_data"
                              " WHERE id <> {n} GROUP BY age ORDER BY age", users["parquet"])
    found["16 files new"] = Case("parquet", "SELECT max(n) AS m FROM parquet_data WHERE n <> {n}",
                                 {"path": str(MANY_FILES)})
    if mysql_config:
        found["mysql new"] = Case("mysql", "SELECT id, name FROM users WHERE id < {n} ORDER BY id LIMIT 10",
                                  {"config": mysql_config, "engine": "spark"})
    found["1M group new"] = Case("parquet", "SELECT g, count(*) AS n, sum(v), avg(v), max(s) FROM parquet_data"
                                 " WHERE v <> {n} GROUP BY g ORDER BY g", {"path": str(MILLION)}, 1)
    word = os.environ.get("TUNING_CASES", "")
    return {name: case for name, case in found.items() if word in name}


def make_tables():
    """Rows by formula, once; and compiler directives that say nothing, as none is a syntax error."""
    NO_DIRECTIVES.write_text('[{match: ["no/such/Class.method"], c2: {Exclude: true}}]')
    if not MILLION.exists():
        MILLION.mkdir(parents=True)
        rows = range(sample_data.BIG_ROWS)
        table = pyarrow.table({"v": pyarrow.array(rows, pyarrow.int64()),
                               "g": pyarrow.array([n % 100 for n in rows], pyarrow.int32()),
                               "s": pyarrow.array([f"text {n % 1000}" for n in rows])})
        pyarrow.parquet.write_table(table, MILLION / "rows.parquet", row_group_size=125_000)
    if not MANY_FILES.exists():
        MANY_FILES.mkdir(parents=True)
        for part in range(16):
            table = pyarrow.table({"n": pyarrow.array(range(part * 100, part * 100 + 100), pyarrow.int64())})
            pyarrow.parquet.write_table(table, MANY_FILES / f"part-{part:02}.parquet")


@contextlib.contextmanager
def mysql():
    """The config of a MySQL request; None when it isn't asked for."""
    if os.environ.get("TUNING_MYSQL") != "1":
        yield None
        return
    with MySqlServer() as server:
        sample_data.load_mysql_users(server)
        add_reader(server)
        yield {"host": "127.0.0.1", "port": server.port, "user": READER, "password": PASSWORD,
               "database": "samples"}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Contender:
    """One service with its settings, and what its turns took."""

    def __init__(self, name, variant, mysql_port):
        self.name = name
        env = {"SPARK_SERVICE_HEAP": HEAP, "SPARK_SERVICE_MYSQL_HOSTS": f"127.0.0.1:{mysql_port}",
               **variant.env}
        if variant.conf:
            env["SPARK_SERVICE_SPARK_CONF"] = ",".join(f"{key}={value}" for key, value in variant.conf.items())
        if variant.jvm:
            env["_JAVA_OPTIONS"] = variant.jvm  # behind jvm.options, so that it has the last word
        self.service = Service(DATA, **env)
        self.spans = {}  # (case, cold) -> seconds of each turn
        self.cpu = {}

    def turn(self, name, case, literal, cold):
        """Bodies of one turn."""
        bodies = []
        cpu, begin = cpu_seconds(self.service.pid), time.perf_counter()
        with self.service.connect(120) as connection:
            for number in range(case.requests):
                connection.send(query_bytes(case.source, case.sql.replace("{n}", str(literal + number)),
                                            **case.fields))
                reply = connection.read_reply()
                if reply.status != 200:
                    raise SystemExit(f"{self.name}, {name}: {reply.status} {reply.body[:300]!r}")
                bodies.append(reply.body)
        key = (name, cold)
        self.spans.setdefault(key, []).append(time.perf_counter() - begin)
        self.cpu[key] = self.cpu.get(key, 0) + cpu_seconds(self.service.pid) - cpu
        return bodies


def run(names, of_cases, mysql_port):
    """The default and these variants, measured."""
    contenders = [Contender(name, VARIANTS[name], mysql_port) for name in ("same", *names)]
    contenders[0].name = "as it is"
    with contextlib.ExitStack() as stack:
        for contender in contenders:
            stack.enter_context(contender.service)
        for contender in contenders:
            contender.service.wait_ready()
        literal, begin = 1000, time.monotonic()
        for number in range(COLD_TURNS + TURNS):
            if number > COLD_TURNS and time.monotonic() - begin > SECONDS:
                break
            for name, case in of_cases.items():
                bodies = [contender.turn(name, case, literal, number < COLD_TURNS)
                          for contender in contenders[number % 2:] + contenders[:number % 2]]
                if any(other != bodies[0] for other in bodies):
                    raise SystemExit(f"{name}: the answers differ")
                literal += case.requests
            print(f"turn {number + 1} of {COLD_TURNS + TURNS}", file=sys.stderr, flush=True)
    return contenders


def ratio(contender, base, key):
    """Of a cold turn the sum, as no two are alike."""
    if key[1]:
        return sum(contender.spans[key]) / sum(base.spans[key])
    return statistics.median(mine / its for mine, its in zip(contender.spans[key], base.spans[key]))


def print_table(contenders, of_cases):
    base = contenders[0]
    columns = [(name, cold) for cold in (True, False) for name in of_cases]
    for cold in (True, False):
        keys = [key for key in columns if key[1] == cold]
        title = f"the first {COLD_TURNS} turns" if cold else f"{len(base.spans[keys[0]])} turns behind them"
        print(f"\n{title}: ms a request, then time/processor time against it")
        print(f"{'':24}" + "".join(f"{name:>15}" for name, _ in keys) + f"{'all':>15}")
        line = "".join(f"{statistics.median(base.spans[key]) * 1000 / of_cases[key[0]].requests:15.1f}"
                       for key in keys)
        print(f"{base.name:24}{line}")
        for contender in contenders[1:]:
            ratios = [(ratio(contender, base, key), contender.cpu[key] / max(base.cpu[key], 1 / TICKS))
                      for key in keys]
            ratios.append(tuple(statistics.geometric_mean(part) for part in zip(*ratios)))
            print(f"{contender.name:24}" + "".join(f"{span:9.2f}/{cpu:5.2f}" for span, cpu in ratios))


def main():
    wanted = os.environ.get("TUNING", "")
    if wanted == "list":
        print("\n".join(VARIANTS))
        return 0
    names = wanted.split(",") if wanted else list(VARIANTS)
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise SystemExit("no such variant: " + ", ".join(unknown))
    make_tables()
    print(f"Spark {SPARK}, {len(os.sched_getaffinity(0))} cores, heap {HEAP}")
    with mysql() as config:
        of_cases = cases(config)
        for first in range(0, len(names), SIDE):
            port = config["port"] if config else 3306
            print_table(run(names[first:first + SIDE], of_cases, port), of_cases)
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
