"""Statements that fill the heap: each ends as a defined error, or with the process, which is back
and ready soon; whoever asks for little is answered before and after."""

import os
import time

import pytest

from harness.http_client import ConnectionEnded
from harness.paths import wait_until

LONG = os.environ.get("LONG") == "1"
HEAP = "768m"
READY_SECONDS = 40
OUT_OF_MEMORY = 3  # exit code, README
DEFINED = {422, 504, 507}

_DOUBLED = "SELECT concat(repeat('x', 1000), id) AS a FROM range(2)"
for _ in range(24):
    _DOUBLED = f"SELECT concat(a, a) AS a FROM ({_DOUBLED})"

BOMBS = {
    "collect_list": "SELECT size(collect_list(concat(id, repeat('x', 1000)))) FROM range(100000000)",
    "collect_set": "SELECT size(collect_set(concat(id, repeat('x', 1000)))) FROM range(100000000)",
    "percentile": "SELECT percentile(id, 0.5) FROM range(2000000000)",
    "window": "SELECT max(size(l)) FROM (SELECT collect_list(repeat('x', 1000)) OVER (ORDER BY id) AS l"
              " FROM range(10000000))",
    "doubled": _DOUBLED,
    "replace": "SELECT length(replace(concat(repeat('a', 60000000), id), 'a', repeat('b', 1000)))"
               " FROM range(2)",
    "groups": "SELECT count(*) FROM (SELECT id % 1000000 AS g, collect_list(repeat('x', 10000)) AS l"
              " FROM range(100000000) GROUP BY 1)",
    "aggregate": "SELECT length(aggregate(sequence(1, 31), 'xxxx', (a, x) -> concat(a, a))), id"
                 " FROM range(2)",
    "map": "SELECT size(map_from_entries(collect_list(struct(id, repeat('x', 1000))))) FROM range(100000000)",
    "json": "SELECT length(to_json(collect_list(struct(id, repeat('x', 1000))))) FROM range(100000000)",
    "flatten": "SELECT size(flatten(array_repeat(sequence(1, 8000000 + id), 100))) FROM range(2)",
    "transform": "SELECT size(transform(sequence(1, 4000000 + id), x -> repeat('x', 100000))) FROM range(2)",
    "array_join": "SELECT length(array_join(array_repeat(repeat('x', 60000000), 100 + CAST(id AS INT)), ','))"
                  " FROM range(2)",
    "histogram": "SELECT histogram_numeric(id, 100000000) FROM range(1000000000)",
    "top": "SELECT id, repeat('x', 1000000) AS s FROM range(100000000) ORDER BY s, id LIMIT 90000",
    "sketch": "SELECT count_min_sketch(id, 0.0000001D, 0.99D, 1) IS NULL FROM range(1000)",
    "cross": "SELECT count(*) FROM range(100000) a, range(100000) b"
             " WHERE concat(repeat('x', 100000), a.id) = concat(repeat('x', 100000), b.id)",
    "distinct": "SELECT count(DISTINCT repeat(CAST(id AS STRING), 5000)) FROM range(100000000)",
    "map_agg": "SELECT size(aggregate(sequence(1, 4000000 + id), map(0L, repeat('x', 10)),"
               " (m, x) -> map_concat(m, map(x, repeat('x', 100))))) FROM range(2)",
    "struct": "SELECT max(struct(id, repeat('x', 60000000), repeat('y', 60000000))) FROM range(1000)",
}
SOME = ("collect_list", "replace", "doubled")


def small(service, seconds=30):
    """One who asks for little."""
    reply = service.query("parquet", "SELECT 1 AS one", timeout=seconds)
    return reply.status, reply.body


def outcome_of(service, sql):
    """("answered", status, code) or ("ended", seconds until it is ready again)."""
    try:
        reply = service.query("parquet", sql, timeout_ms=30_000, timeout=90)
        if reply.complete:
            return "answered", reply.status, reply.json().get("error_class") \
                if reply.status != 200 else None
    except (ConnectionEnded, ConnectionResetError, BrokenPipeError):
        pass
    assert service.wait_ended(15) == OUT_OF_MEMORY, service.log()[-2000:]
    begin = time.monotonic()
    service.start()  # as a restart policy does
    wait_until(lambda: service.status_of("/readyz") == 200, READY_SECONDS, "ready again",
               interval=0.1)
    return "ended", time.monotonic() - begin


def test_memory_bombs(start_service):
    service = start_service(SPARK_SERVICE_HEAP=HEAP, SPARK_SERVICE_SPARK_MASTER="local[8]")
    service.wait_ready()
    seen = {}
    for name in BOMBS if LONG else SOME:
        outcome = seen[name] = outcome_of(service, BOMBS[name])
        print(name, outcome, flush=True)
        if outcome[0] == "answered":
            assert outcome[1] in DEFINED | {200}, (name, outcome)
            # Bytes of the last query may still be garbage; its slot must be free.
            wait_until(lambda: service.health()["slots"]["busy"] == 0, 30, service.health)
        assert small(service) == (200, b'[{"one":1}]'), (name, outcome)
    assert any(outcome[0] == "answered" and outcome[2] == "LIMIT_EXCEEDED.MEMORY"
               for outcome in seen.values()), seen


@pytest.mark.skipif(not LONG, reason="LONG=1")
def test_the_neighbour_is_spared(start_service):
    """The query that fills the heap is ended, not one that runs beside it."""
    service = start_service(SPARK_SERVICE_HEAP=HEAP, SPARK_SERVICE_SPARK_MASTER="local[8]")
    service.wait_ready()
    neighbour = service.begin_query("parquet", "SELECT max(hash(id)) AS m FROM range(20000000000)",
                                    timeout_ms=120_000)
    reply = service.query("parquet", BOMBS["collect_list"], timeout_ms=60_000, timeout=90)
    assert reply.json()["error_class"] == "LIMIT_EXCEEDED.MEMORY", reply
    states = service.request("GET", "/api/spark/queries?state=RUNNING").json()["queries"]
    assert len(states) == 1 and states[0]["sql"].startswith("SELECT max(hash"), states
    neighbour.close()
