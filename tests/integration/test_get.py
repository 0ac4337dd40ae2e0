"""GET and HEAD on the query endpoints."""

import json
from urllib.parse import quote, urlencode

import pytest

SOURCES = ("mysql", "parquet", "delta", "iceberg")


def short_read(world, source):
    """A query with a parameter, as fields that a target can hold."""
    if source == "mysql":  # the source of MYSQL_*
        return {"sql": "SELECT id, name FROM people WHERE id >= :least ORDER BY id",
                "params": {"least": 2}}
    table, fields = world.users_query(source)
    return {"sql": f"SELECT id, name, 'ü + \"x\" & 50%' AS t FROM {table} WHERE age > :least"
                   " ORDER BY id LIMIT 20", "params": {"least": 40}} | fields


def target_of(source, fields):
    texts = {name: json.dumps(value) if isinstance(value, dict) else value
             for name, value in fields.items()}
    return f"/api/spark/query/{source}?{urlencode(texts)}"


@pytest.mark.parametrize("source", SOURCES)
def test_get_gives_what_post_gives(source, service, world):
    fields = short_read(world, source) | {"row_limit": 2}
    for accept in ("application/json", "text/csv", "application/x-ndjson;end=1"):
        got = service.request("GET", target_of(source, fields), headers={"Accept": accept})
        posted = service.request("POST", f"/api/spark/query/{source}", json.dumps(fields).encode(),
                                 headers={"Accept": accept})
        assert (got.status, posted.status) == (200, 200), got
        assert got.body == posted.body and len(got.body) > 20
        assert got.headers["result-truncated"] == "true"


@pytest.mark.parametrize("source", SOURCES)
def test_head_has_the_headers_of_get(source, service, world):
    target = target_of(source, short_read(world, source))
    asked = {"Accept": "text/csv"}
    head, got = (service.request(method, target, headers=asked) for method in ("HEAD", "GET"))
    assert (head.status, got.status) == (200, 200)
    assert head.body == b"" and got.body
    for name in ("content-type", "vary", "query-engine"):
        assert head.headers[name] == got.headers[name]
    assert "content-length" not in head.headers


def test_head_runs_nothing(service, world):
    """What fails on the data, or would run for minutes, is only planned."""
    where = {"path": f"{world.data}/parquet/users"}
    for sql in ("SELECT 1 / (id - id) AS a FROM parquet_data",
                "SELECT count(*) AS n FROM parquet_data a CROSS JOIN parquet_data b"
                " CROSS JOIN parquet_data c CROSS JOIN parquet_data d"):
        target = target_of("parquet", where | {"sql": sql, "timeout_ms": 20000})
        assert service.request("HEAD", target).status == 200
    target = target_of("mysql", {"sql": "SELECT SLEEP(600) AS a", "timeout_ms": 5000})
    assert service.request("HEAD", target).status == 200


@pytest.mark.parametrize("sql, status", [("SHOW TABLES", 200), ("DESCRIBE people", 200),
                                         ("SHOW NOTHING", 403), ("DROP TABLE people", 403)])
def test_head_of_a_statement_without_a_plan(service, sql, status):
    target = target_of("mysql", {"sql": sql})
    assert service.request("HEAD", target).status == status
    assert service.request("GET", target).status == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_refusals(method, service, world):
    path = f"{world.data}/parquet/users"
    sql = quote("SELECT id FROM parquet_data")

    def status(query):
        return service.request(method, f"/api/spark/query/parquet?{query}").status

    assert status(f"path={path}") == 400
    assert status(f"path={path}&sql={sql}&sqll=1") == 400
    assert status(f"path={path}&sql={sql}&config=%7B%7D") == 400
    assert status(f"path={path}&sql=%") == 400
    assert status(f"path={path}&sql={sql}&row_limit=x") == 400
    assert status(f"path={path}&sql={sql}&params=%5B%5D") == 400
    assert status(f"path=/etc&sql={sql}") == 403
    assert status(f"path={path}/absent&sql={sql}") == 404
    assert status(f"path={path}&sql={quote('SELECT nope FROM parquet_data')}") == 422
    assert status(f"path={path}&sql={quote('DROP TABLE x')}") == 403
    assert status(f"path={path}&sql={quote('SELECT ' + 'x' * 16384)}") == 414
