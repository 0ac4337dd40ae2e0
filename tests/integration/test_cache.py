"""Kept answers of real tables: never after a commit of somebody else, also under constant polling."""

import json
import shutil

import pyarrow
import pyarrow.parquet
import pytest

from harness import commits
from harness.formats import ARROW, CSV, JSON, NDJSON_END
from harness.paths import wait_until

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


def check_freshness(service, table):
    hits = []

    def number():
        reply = ask(service, table.source, table.sql, **table.fields)
        hits.append(is_hit(reply))
        (row,) = reply.json()
        assert list(row) == ["n"]
        return row["n"]

    commits.check_freshness(table, number, lambda: sum(hits), 10, 10,
                            "kept answers once nobody writes any more")


def test_parquet_commits_are_seen_under_polling(service, folder):
    check_freshness(service, commits.parquet(folder))


@pytest.mark.expect_log("logger=BlockManager .*already exists on this machine")  # two read one state
def test_delta_commits_are_seen_under_polling(service, world, folder):
    service.deleted_delta_tables += 1
    check_freshness(service, commits.written_by(world.writer, "delta", f"delta.`{folder}/delta`"))


def test_iceberg_commits_are_seen_under_polling(service, world):
    name = "local.samples.kept"
    check_freshness(service, commits.written_by(world.writer, "iceberg", name))
    world.writer.run(f"DROP TABLE {name} PURGE")


def write_long_table(path, first):
    """Five megabytes of JSON; in place with one rename."""
    hidden = path.parent / f".{path.name}"
    pyarrow.parquet.write_table(pyarrow.table({"v": pyarrow.array(range(first, first + 400_000))}), hidden)
    hidden.rename(path)


def test_long_answer_is_kept_on_disk(service, folder):
    """Read without a run from the second time on, and never again once somebody has committed."""
    fields = {"sql": "SELECT v FROM parquet_data", "path": str(folder)}
    write_long_table(folder / "part-0.parquet", 0)

    def ask_until_kept():
        made = [ask(service, "parquet", **fields)]
        wait_until(lambda: made.append(ask(service, "parquet", **fields)) or is_hit(made[-1]), 30, "a hit")
        return made[-2], made[-1]

    made, kept = ask_until_kept()
    assert made.headers["cache-status"] == "spark-service; fwd=uri-miss"
    assert kept.body == made.body
    assert [row["v"] for row in kept.json()] == list(range(400_000))
    assert service.metric("cache_disk_bytes") >= len(kept.body)

    write_long_table(folder / "part-0.parquet", 1_000_000)
    anew = ask(service, "parquet", **fields)
    assert anew.headers["cache-status"] == "spark-service; fwd=stale"
    assert [row["v"] for row in anew.json()] == list(range(1_000_000, 1_400_000))
    made, kept = ask_until_kept()
    assert made.body == kept.body == anew.body


def json_bytes(body):
    return json.dumps(body).encode()
