"""Explain: how a statement would run, without running it; and what an answer tells of its source."""

import json
import time

import pytest

from harness.service import query_body
from harness.world import PASSWORD, READER

ENVELOPE = "application/vnd.spark-service.result+json"


def explain(service, source, sql, **fields):
    return service.request("POST", f"/api/spark/explain/{source}", query_body(sql, **fields))


def explained(service, source, sql, **fields):
    reply = explain(service, source, sql, **fields)
    assert reply.status == 200, reply
    assert reply.headers["content-type"] == "application/json"
    assert "query-id" in reply.headers
    return reply.json()


def bytes_below(folder):
    return sum(file.stat().st_size for file in folder.glob("*.parquet"))


def test_parquet(service, world):
    folder = world.data / "parquet" / "users"
    told = explained(service, "parquet", "SELECT id, name, balance FROM parquet_data"
                     " WHERE id > :least AND upper(name) <> 'X'", path=str(folder),
                     params={"least": 10})
    assert list(told) == ["plan", "schema", "source", "pushed_filters", "unpushed_filters",
                          "files_read", "files_total", "bytes_read", "bytes_total"]
    assert told["schema"] == [
        {"name": "id", "type": "BIGINT", "nullable": True},
        {"name": "name", "type": "STRING", "nullable": True},
        {"name": "balance", "type": "DECIMAL(12,2)", "nullable": True}]
    assert told["source"] == {"kind": "parquet"}
    assert "(id > 10L)" in told["pushed_filters"]
    assert told["unpushed_filters"] == [
        {"filter": "(NOT (upper(name) = 'X'))", "reason": "the source has no form for it"}]
    assert (told["files_read"], told["files_total"]) == (4, 4)
    assert told["bytes_read"] == told["bytes_total"] == bytes_below(folder)
    assert "Scan parquet" in told["plan"]


@pytest.mark.parametrize("source", ["delta", "iceberg"])
def test_tables_with_versions(service, world, source):
    table, fields = world.users_query(source)
    everything = explained(service, source, f"SELECT * FROM {table}", **fields)
    nothing = explained(service, source, f"SELECT * FROM {table} WHERE id > 1000000", **fields)
    assert everything["files_read"] == everything["files_total"] > 0
    assert everything["bytes_read"] == everything["bytes_total"] > 0
    assert nothing["files_read"] == nothing["bytes_read"] == 0
    assert nothing["files_total"] == everything["files_total"]
    assert everything["source"]["kind"] == source
    assert everything["source"]["version"].isdigit()


def test_the_statement_does_not_run(service, world):
    began = time.monotonic()
    told = explained(service, "parquet", "SELECT count(*) FROM range(0, 1000000000000) WHERE"
                     " pow(id, 0.5) + sin(id) < -2", path=str(world.data / "parquet" / "users"))
    assert "Range" in told["plan"]
    assert time.monotonic() - began < 60  # it would take a day


@pytest.mark.parametrize("server", ["mysql", "mariadb"])
def test_mysql_explains_itself(service, world, server):
    config = world.config(getattr(world, server), "samples")
    told = explained(service, "mysql", "SELECT id, name, SLEEP(600) AS s FROM users"
                     " WHERE id = :id OR name = :name", config=config,
                     params={"id": 7, "name": "x' OR '1"})
    assert list(told) == ["plan", "schema", "source"]
    assert told["source"] == {"kind": "mysql"}
    assert [column["name"] for column in told["schema"]] == ["id", "name", "s"]
    assert told["schema"][0]["type"] == "BIGINT"
    # Not parsed: MariaDB writes a quote within a value as \', which isn't JSON.
    assert '"query_block"' in told["plan"]
    assert PASSWORD not in json.dumps(told) and READER not in json.dumps(told)


def test_mysql_refusals(service, world):
    config = world.config(world.mysql, "samples")
    assert explain(service, "mysql", "DELETE FROM users", config=config).status == 403
    assert explain(service, "mysql", "SELECT nope FROM users", config=config).status == 422
    assert explain(service, "mysql", "SHOW TABLES", config=config).status == 422
    # The connection is as good as new afterwards.
    assert service.query("mysql", "SELECT 1 AS n", config=config).json() == [{"n": 1}]


def test_the_envelope_tells_the_source(service, world):
    for source in ("parquet", "delta", "iceberg"):
        table, fields = world.users_query(source)
        # With a sub-query it reads files, whatever is kept in memory.
        sql = f"SELECT id FROM {table} WHERE id < (SELECT 1000) LIMIT 1"
        reply = service.request("POST", f"/api/spark/query/{source}", query_body(sql, **fields),
                                headers={"Accept": ENVELOPE})
        assert reply.status == 200, reply
        told = explained(service, source, sql, **fields)
        answer = reply.json()
        assert answer["source"] == told["source"]
        for name in ("files_read", "files_total", "bytes_read"):
            assert answer["stats"][name] == told[name]
