"""What callers may ask: the query shapes of TPC-H and TPC-DS, and every kind of function in every
place of a query; none of them is refused."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import analytic_data
from harness.http_client import request_bytes
from harness.paths import SPARK
from harness.service import query_body
from harness.sql_corpus import hostile as statements
from harness.sql_corpus import queries

LONG = os.environ.get("LONG") == "1"
# Without LONG=1 one of so many of the composed queries is asked, and of these few are run.
EVERY = 1 if LONG else 6
RUN_EVERY = 1 if LONG else 4
CALLERS = 4

ROWS = """(SELECT CAST(id AS INT) AS i, id * 10 AS l, id + 0.5D AS d, elt(CAST(id + 1 AS INT), 'abc', 'aec', 'xyz') AS s,
  id > 0 AS b, date_add(DATE '2024-01-30', CAST(id AS INT)) AS dt,
  timestamp_seconds(1700000000 + id * 86400) AS ts, CAST(NULL AS INT) AS n, array(1, 2, CAST(id AS INT)) AS a,
  map('a', 1, 'b', 2) AS m, named_struct('f', id, 'g', 'x') AS st FROM range(3))"""
SCALAR_PLACES = [
    "WITH t AS {rows} SELECT {e} AS x FROM t",
    "WITH t AS {rows} SELECT i, count(*) AS c FROM (SELECT i, {e} AS x FROM t) GROUP BY i",
    "WITH t AS {rows} SELECT i FROM (SELECT i, {e} AS x FROM t) WHERE x IS NOT NULL ORDER BY i",
    "WITH t AS {rows} SELECT i, CASE WHEN x IS NULL THEN 0 ELSE 1 END AS y FROM"
    " (SELECT i, {e} AS x FROM t) WHERE i IN (SELECT i FROM t)",
]
AGGREGATE_PLACES = [
    "WITH t AS {rows} SELECT {e} AS x FROM t",
    "WITH t AS {rows} SELECT b, {e} AS x FROM t GROUP BY b HAVING count(*) > 0 ORDER BY b",
    "WITH t AS {rows} SELECT b, i, {e} AS x FROM t GROUP BY GROUPING SETS ((b), (i), ())",
    "WITH t AS {rows} SELECT b, {e} AS x FROM t GROUP BY CUBE(b, i)",
]
MIN_QUERIES = 1000


def composed():
    """Each expression in each place where one of its kind may stand."""
    for each in statements("legal-expressions.txt"):
        places = SCALAR_PLACES if each.family == "scalar" else AGGREGATE_PLACES
        for place in places:
            yield place.format(rows=ROWS, e=each.sql.replace("{t}", "t"))


def ask_all(service, asks):
    """(path, sql, fields) of each; gives (sql, reply)."""
    def ask_some(part):
        with service.connect(timeout=120) as connection:
            answers = []
            for path, sql, fields in part:
                connection.send(request_bytes("POST", path, query_body(sql, timeout_ms=60_000, **fields)))
                answers.append((sql, connection.read_reply()))
            return answers

    with ThreadPoolExecutor(CALLERS) as pool:
        parts = [asks[i::CALLERS] for i in range(CALLERS)]
        return [answer for part in pool.map(ask_some, parts) for answer in part]


def check(answers):
    bad = [(sql, reply.status, reply.body[:300]) for sql, reply in answers if reply.status != 200]
    assert not bad, f"{len(bad)} of {len(answers)}: {bad[:5]}"


@pytest.fixture(scope="module")
def analytic_tables(world):
    world.writer.run(*analytic_data.create_statements())
    yield
    world.writer.run(*analytic_data.drop_statements())


def test_star_queries(service, analytic_tables):
    asks = [("/api/spark/query/iceberg", sql, {}) for name in ("tpch.sql", "tpcds.sql")
            for sql in queries(name)]
    assert len(asks) >= 44
    check(ask_all(service, asks if LONG else asks[::2]))
    check(ask_all(service, [("/api/spark/explain/iceberg", sql, {})
                            for _, sql, _ in ([] if LONG else asks[1::2])]))


def test_analytic_queries(service, world):
    fields = world.users_query("parquet")[1]
    asks = [("/api/spark/query/parquet", sql, fields) for sql in composed() if SPARK >= "4" or
            not needs_4(sql)]
    assert len(asks) + 44 >= MIN_QUERIES
    some = asks[::EVERY]
    run = some[::RUN_EVERY]
    check(ask_all(service, run))
    check(ask_all(service, [("/api/spark/explain/parquet", sql, fields)
                            for i, (_, sql, _) in enumerate(some) if i % RUN_EVERY != 0]))


def needs_4(sql):
    """What only Spark 4.1 has."""
    return any(word in sql for word in ("::",))
