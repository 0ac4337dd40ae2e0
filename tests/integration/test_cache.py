"""Kept answers of real tables: never after a commit of somebody else, also under constant polling."""

import json
import os
import shutil
import threading

import pyarrow
import pyarrow.parquet
import pytest

from harness.formats import ARROW, CSV, JSON, NDJSON_END
from harness.paths import wait_until

COMMITS = 500 if os.environ.get("LONG") else 12
POLLERS = 2
FILE_SOURCES = ("parquet", "delta", "iceberg")


def ask(service, source, sql, **fields):
    reply = service.query(source, sql, cache="use", **fields)
    assert reply.status == 200, reply
    return reply


def is_hit(reply):
    return reply.headers["cache-status"] == "spark-service; hit"


@pytest.mark.parametrize("source", FILE_SOURCES)
def test_second_answer_is_kept_and_equal(service, world, source):
    table, fields = world.users_query(source)
    sql = f"SELECT * FROM {table} ORDER BY id LIMIT 100"
    first = ask(service, source, sql, **fields)
    second = ask(service, source, sql, **fields)
    assert is_hit(second)
    assert second.body == first.body == ask(service, source, sql + " ", **fields).body


@pytest.mark.parametrize("accept", [JSON, NDJSON_END, CSV, ARROW])
@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_each_form_is_kept_apart(service, world, accept, coding):
    sql = "SELECT * FROM parquet_data ORDER BY id LIMIT 200"
    body = {"sql": sql, "path": f"{world.data}/parquet/users"}
    headers = {"Accept": accept, "Accept-Encoding": coding}
    first, second = (service.request("POST", "/api/spark/query/parquet", json_bytes(body), headers)
                     for _ in range(2))
    assert is_hit(second)
    assert second.body == first.body
    for name in ("content-type", "content-encoding", "result-truncated"):
        assert second.headers.get(name) == first.headers.get(name)


def test_what_a_clock_or_chance_decides_is_not_kept(service, world):
    table, fields = world.users_query("parquet")
    for expression in ("rand()", "now()", "current_date", "uuid()"):
        for _ in range(2):
            reply = ask(service, "parquet", f"SELECT {expression} AS v FROM {table} LIMIT 1", **fields)
            assert reply.headers["cache-status"] == \
                "spark-service; fwd=uri-miss; detail=not-deterministic"


@pytest.fixture
def folder(world):
    path = world.data / "kept"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def write_file(path, value):
    """A commit of Parquet is one rename."""
    table = pyarrow.table({"v": pyarrow.array([value], pyarrow.int64())})
    pyarrow.parquet.write_table(table, path.parent / f".{path.name}")
    (path.parent / f".{path.name}").rename(path)


class Pollers:
    """Clients that ask the same again and again; what one sees never goes back."""

    def __init__(self, service, source, sql, fields):
        self.service, self.source, self.sql, self.fields = service, source, sql, fields
        self.stop = threading.Event()
        self.hits = 0
        self.failures = []
        self.threads = [threading.Thread(target=self.poll) for _ in range(POLLERS)]

    def poll(self):
        last = -1
        while not self.stop.is_set():
            reply = self.service.query(self.source, self.sql, cache="use", **self.fields)
            if reply.status != 200:
                self.failures.append(reply)
                return
            value = reply.json()[0]["n"]
            if value < last:
                self.failures.append((last, value))
            last = value
            self.hits += is_hit(reply)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures[:5]


def check_freshness(service, source, sql, fields, commit):
    """After each commit the next answer has it; what didn't change is kept in between."""
    with Pollers(service, source, sql, fields) as pollers:
        for number in range(1, COMMITS + 1):
            commit(number)
            assert ask(service, source, sql, **fields).json() == [{"n": number}]
        before = pollers.hits
        wait_until(lambda: pollers.hits > before + 10 or pollers.failures, 10,
                   lambda: "kept answers once nobody writes any more")


def test_parquet_commits_are_seen_under_polling(service, folder):
    write_file(folder / "part-0.parquet", 0)
    check_freshness(service, "parquet", "SELECT max(v) AS n FROM parquet_data",
                    {"path": str(folder)},
                    lambda number: write_file(folder / f"part-{number % 7}.parquet", number))


@pytest.mark.expect_log("logger=BlockManager .*already exists on this machine")  # two read one state
def test_delta_commits_are_seen_under_polling(service, world, folder):
    service.deleted_delta_tables += 1
    table = f"delta.`{folder}/delta`"
    world.writer.run(f"CREATE TABLE {table} (v BIGINT) USING delta")
    check_freshness(service, "delta", f"SELECT count(*) AS n FROM {table}", {},
                    lambda number: world.writer.run(f"INSERT INTO {table} VALUES ({number})"))


def test_iceberg_commits_are_seen_under_polling(service, world):
    table = "local.samples.kept"
    world.writer.run(f"CREATE TABLE {table} (v BIGINT) USING iceberg")
    check_freshness(service, "iceberg", f"SELECT count(*) AS n FROM {table}", {},
                    lambda number: world.writer.run(f"INSERT INTO {table} VALUES ({number})"))
    world.writer.run(f"DROP TABLE {table} PURGE")


def json_bytes(body):
    return json.dumps(body).encode()
