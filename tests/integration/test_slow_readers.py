"""Clients that read slowly, late or never: what they hold, and what they get."""

import time

import pytest

from harness.paths import wait_until
from harness.sample_data import big_json
from harness.service import new_query_id

STOPPED = 12
# All rows come from one partition, the one with this user, and take it half a minute.
LONG_PARTITION = ("SELECT x.n, aggregate(sequence(1, 400), 0D, (a, y) -> a + sqrt(y * x.n)) AS v"
                  " FROM parquet_data LATERAL VIEW explode(sequence(1, 1000000)) x AS n"
                  " WHERE id = 1")
NUMBERS = 1200
ALL_PAIRS = ("SELECT a.n AS n, b.n AS m FROM slow.numbers a CROSS JOIN slow.numbers b"
             " ORDER BY a.n, b.n")


def big(world):
    return {"path": f"{world.data}/parquet/big"}


def begin_stopped(service, world, sql="SELECT n, s FROM parquet_data ORDER BY n", **fields):
    connection = service.begin_query("parquet", sql, **big(world), **fields)
    connection.head = connection.read_head()
    assert connection.head[0] == 200
    return connection


def wait_nothing_streams(service):
    for name in ("streams_open", "stream_bytes", "spool_bytes"):
        wait_until(lambda: service.metric(name) == 0, 10, lambda: f"{name} is 0")


def test_stopped_reader_holds_no_slot_and_gets_its_rows_in_order(service, world):
    with begin_stopped(service, world) as slow:
        service.wait_slots_busy(0, seconds=30)
        assert service.metric("streams_open") == 1
        assert service.metric("spool_bytes") > 0
        assert 0 < service.metric("stream_bytes") <= 5 << 20
        reply = slow.read_body(*slow.head)
    assert reply.complete and reply.body == b"".join(big_json())
    assert reply.trailers["result-truncated"] == "false"
    wait_nothing_streams(service)


def test_stopped_readers_keep_nobody_waiting(service, world):
    """More of them than workers; the small query behind them doesn't wait for any to read."""
    stopped = [service.begin_query("parquet", "SELECT n, s FROM parquet_data", **big(world))
               for _ in range(STOPPED)]
    begin = time.monotonic()
    reply = service.query("parquet", "SELECT count(*) AS n FROM parquet_data",
                          path=f"{world.data}/parquet/users")
    assert (reply.status, reply.body) == (200, b'[{"n":1000}]')
    assert time.monotonic() - begin < 30
    service.wait_slots_busy(0, seconds=60)
    for connection in stopped:
        connection.reset()
    wait_nothing_streams(service)


def test_first_bytes_leave_before_the_first_partition_is_done(service, world):
    query_id = new_query_id()
    with service.begin_query("parquet", LONG_PARTITION, query_id=query_id, timeout_ms=120_000,
                             path=f"{world.data}/parquet/users") as connection:
        assert connection.read_head()[0] == 200
        status = service.request("GET", f"/api/spark/queries/{query_id}").json()
        assert status["state"] == "RUNNING"
        assert status["progress"]["tasks_done"] < status["progress"]["tasks"]
        connection.reset()
    service.wait_slots_busy(0, seconds=10)


def test_delete_ends_a_delivery(service, world):
    query_id = new_query_id()
    with begin_stopped(service, world, query_id=query_id) as slow:
        service.wait_slots_busy(0, seconds=30)
        assert service.cancel(query_id).status == 202
        assert not slow.read_body(*slow.head).complete
    wait_nothing_streams(service)
    assert service.cancel(query_id).status == 409


@pytest.fixture(scope="module")
def numbers(world):
    world.mysql.run("CREATE DATABASE slow", "CREATE TABLE slow.numbers (n INT PRIMARY KEY)",
                    "INSERT INTO slow.numbers VALUES "
                    + ",".join(f"({n})" for n in range(NUMBERS)))
    yield
    world.mysql.run("DROP DATABASE slow")


@pytest.mark.parametrize("engine", ["direct", "spark"])
def test_slow_reader_of_mysql_holds_no_slot(service, world, numbers, engine):
    fields = {"config": world.config(world.mysql), "engine": engine}
    with service.begin_query("mysql", ALL_PAIRS, **fields) as slow:
        head = slow.read_head()
        service.wait_slots_busy(0, seconds=60)
        assert service.metric("spool_bytes") > 0
        reply = slow.read_body(*head)
    assert reply.complete
    assert reply.body == ("[" + ",".join(f'{{"n":{n},"m":{m}}}' for n in range(NUMBERS)
                                         for m in range(NUMBERS)) + "]").encode()
    wait_nothing_streams(service)
