"""Statements that fill the heap: each ends as a defined error, or with the process, which is back
and ready soon; whoever asks for little is answered before and after."""

import os
import time

import pytest

from harness.http_client import ConnectionEnded
from harness.memory_group import MemoryGroup
from harness.paths import wait_until

LONG = os.environ.get("LONG") == "1"
HEAP = "768m"
READY_SECONDS = 40
OUT_OF_MEMORY = 3  # exit code, README
DEFINED = {422, 504, 507}
ANSWERED = (200, b'[{"one":1}]')  # by small()

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
SOME = ("collect_list", "replace")
# Slow to grow, as each row takes long: there is time to end it.
SLOW_BOMB = ("SELECT size(collect_list(concat(repeat('x', 2000), aggregate(sequence(1, 1000), id,"
             " (a, x) -> a + x * id)))) FROM range(100000000)")


def users(service):
    return f"{service.data_root}/parquet/users"


def small(service, seconds=30):
    """One who asks for little."""
    reply = service.query("parquet", "SELECT 1 AS one", timeout=seconds, path=users(service))
    return reply.status, reply.body


def outcome_of(service, sql, timeout_ms=30_000):
    """("answered", status, class of the error) or ("ended", None, None)."""
    try:
        reply = service.query("parquet", sql, timeout_ms=timeout_ms, timeout=timeout_ms / 1000 + 60,
                              path=users(service))
        if reply.complete:
            return "answered", reply.status, reply.json().get("error_class") \
                if reply.status != 200 else None
    except (ConnectionEnded, ConnectionResetError, BrokenPipeError):
        pass
    assert service.wait_ended(15) == OUT_OF_MEMORY, service.log()[-2000:]
    return "ended", None, None


def goes_on(service):
    """Whether it is idle again and answers; False: the process ended behind its answer."""
    try:
        wait_until(lambda: service.health()["slots"]["busy"] == 0, 30, service.health)
        assert small(service) == ANSWERED
        return True
    except (ConnectionEnded, OSError):
        assert service.wait_ended(15) == OUT_OF_MEMORY, service.log()[-2000:]
        return False


def drop_bombs(service, names, started=lambda: None):
    """Asks for each in turn and starts the service again, as its restart policy would."""
    for name in names:
        outcome = outcome_of(service, BOMBS[name])
        begin = time.monotonic()
        if outcome[0] == "answered":
            assert outcome[1] in DEFINED | {200}, (name, outcome)
        if outcome[0] == "ended" or not goes_on(service):
            service.start()
            started()
            wait_until(lambda: service.status_of("/readyz") == 200, READY_SECONDS, "ready again",
                       interval=0.1)
        print(name, *outcome, f"{time.monotonic() - begin:.1f} s", flush=True)
        assert small(service) == ANSWERED, (name, outcome)


def test_memory_bombs(start_service):
    service = start_service(SPARK_SERVICE_HEAP=HEAP, SPARK_SERVICE_SPARK_MASTER="local[8]")
    service.wait_ready()
    assert outcome_of(service, SLOW_BOMB, 240_000) == ("answered", 422, "LIMIT_EXCEEDED.MEMORY")
    assert small(service) == ANSWERED
    assert service.alive()
    drop_bombs(service, SOME)


@pytest.fixture
def group():
    try:
        with MemoryGroup(4 << 30) as group:
            yield group
    except OSError as error:
        pytest.skip(f"no cgroup: {error}")


@pytest.mark.skipif(not LONG, reason="LONG=1")
def test_all_memory_bombs_in_four_gigabytes(group, start_service):
    service = start_service(SPARK_SERVICE_HEAP="2g", SPARK_SERVICE_SPARK_MASTER="local[8]")
    group.add(service.pid)
    service.wait_ready()
    drop_bombs(service, BOMBS, lambda: group.add(service.pid))
    assert group.kills() == 0
    service.remove()
