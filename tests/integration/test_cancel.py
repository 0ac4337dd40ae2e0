"""Timeout, DELETE and a client that leaves: the slot comes back, no task stays.

Bounds of the contract: slot back within 2 s (of each of twenty, so their p99),
where Spark is slow to look within 5 s, and 5 s later no Spark task and no MySQL
thread of the query. LONG=1 deletes each kind of query twenty times.
"""

import os
import random
import time

import pytest

from harness.paths import wait_until
from harness.service import new_query_id
from harness.slow import SLOW_NAMES, STREAMING, slow_query, twenty
from harness.world import READER

# What an interrupt is told of: compiling generated code, or storing a broadcast.
pytestmark = [pytest.mark.expect_log("falling back to interpreter mode"),
              pytest.mark.expect_log("Store broadcast .* fail, remove all pieces")]

SLOT_BACK_SECONDS = 2.0
SLOT_BACK_LATER = {"planning": 5.0, "jdbc_stream": 5.0, "nested_loop_join": 5.0}
TASKS_GONE_SECONDS = 5.0
DELETES = 20 if os.environ.get("LONG") == "1" else 8


def begin_slow(service, world, name, **more):
    source, fields = slow_query(world, name)
    connection = service.begin_query(source, **fields, **({"timeout_ms": 600_000} | more))
    service.wait_slots_busy(1)
    return connection


def wait_working(world, spark_ui, name):
    """Until the query's own work is under way, not only its slot taken."""
    if name.startswith("mysql_sleep"):
        wait_until(lambda: at_work(world), 10, "SLEEP in MySQL")
    elif name == "planning":
        time.sleep(random.random())  # an instant of its minute, at random
    else:
        wait_until(spark_ui.active_stages, 20, "an active stage")


def at_work(world):
    """MySQL's threads that run a slow query."""
    return [row for row in world.mysql.threads_of(READER)
            if any(part in (row[3] or "") for part in ("SLEEP", "FROM users a"))]


def assert_all_gone(service, world, spark_ui, begin=None):
    """Slot back, then the work itself gone in time; gives the slot's seconds since `begin`."""
    begin = begin or time.monotonic()
    service.wait_slots_busy(0, 30)
    seconds = time.monotonic() - begin
    end = time.monotonic() + TASKS_GONE_SECONDS
    spark_ui.wait_idle(max(0.1, end - time.monotonic()))
    wait_until(lambda: not at_work(world), max(0.1, end - time.monotonic()),
               lambda: f"no thread in MySQL: {at_work(world)}")
    return seconds


def assert_within_bound(spans):
    late = [(name, seconds) for name, seconds in spans
            if seconds > SLOT_BACK_LATER.get(name, SLOT_BACK_SECONDS)]
    assert not late, f"slot back later than {SLOT_BACK_SECONDS} s: {late}"


def test_timeout_is_504_and_frees_the_slot(service, world, spark_ui):
    spans = []
    for name in twenty():
        begin = time.monotonic()
        with begin_slow(service, world, name, timeout_ms=1500) as connection:
            reply = connection.read_reply()
            waited = time.monotonic() - begin
            assert (reply.status, reply.code) == (504, "timeout"), (name, reply)
            assert 1.4 <= waited <= 3.5, (name, waited)
            spans.append((name, assert_all_gone(service, world, spark_ui)))
    assert_within_bound(spans)


@pytest.mark.parametrize("name", [*SLOW_NAMES, "planning", *STREAMING])
def test_delete_is_202_and_frees_the_slot(service, world, spark_ui, record_property, name):
    spans = []
    for _ in range(DELETES):
        query_id = new_query_id()
        with begin_slow(service, world, name, query_id=query_id) as connection:
            head = connection.read_head() if name in STREAMING else None
            wait_working(world, spark_ui, name)
            begin = time.monotonic()
            reply = service.cancel(query_id)
            assert (reply.status, reply.json()) == (202, {"cancelled": [query_id]})
            if head is None:
                answer = connection.read_reply()
                assert (answer.status, answer.code) == (409, "cancelled"), (name, answer)
            spans.append((name, assert_all_gone(service, world, spark_ui, begin)))
            if head is not None:
                assert head[0] == 200 and not connection.read_body(*head).complete
    record_property("slowest_s", round(max(seconds for _, seconds in spans), 3))
    assert_within_bound(spans)


def test_client_gone_frees_the_slot(service, world, spark_ui):
    spans = []
    for turn, name in enumerate(twenty()):
        connection = begin_slow(service, world, name)
        wait_working(world, spark_ui, name)
        getattr(connection, ("close", "reset", "half_close")[turn % 3])()
        spans.append((name, assert_all_gone(service, world, spark_ui)))
        connection.close()
    assert_within_bound(spans)


@pytest.mark.parametrize("leave", ["close", "reset"])
def test_client_gone_while_reading_frees_the_slot(service, world, spark_ui, leave):
    connection = service.begin_query("parquet", "SELECT n, s FROM parquet_data",
                                     path=f"{world.data}/parquet/big")
    status, headers = connection.read_head()
    assert (status, headers["transfer-encoding"]) == (200, "chunked")
    getattr(connection, leave)()
    assert service.wait_slots_busy(0) <= SLOT_BACK_SECONDS
    spark_ui.wait_idle(TASKS_GONE_SECONDS)


def test_delete_of_a_finished_query_is_409(service, world):
    query_id = new_query_id()
    reply = service.query("parquet", "SELECT 1 AS a", path=f"{world.data}/parquet/users",
                          query_id=query_id)
    assert reply.status == 200
    again = service.cancel(query_id)
    assert (again.status, again.code) == (409, "conflict")


@pytest.mark.parametrize("query_id", ["7d0c1b1e-0000-4000-8000-000000000000", "x", "a" * 200])
def test_delete_of_an_unknown_query_is_404(service, query_id):
    reply = service.cancel(query_id)
    assert (reply.status, reply.code) == (404, "not_found")


def test_delete_twice_hits_nobody_else(service, world):
    """The second DELETE finds the first one's work or nothing, never the neighbour."""
    query_id, neighbour_id = new_query_id(), new_query_id()
    source, fields = slow_query(world)
    with service.begin_query(source, query_id=query_id, **fields) as first, \
            service.begin_query(source, query_id=neighbour_id, **fields) as neighbour:
        service.wait_slots_busy(2)
        assert service.cancel(query_id).status == 202
        assert first.read_reply().status == 409
        assert service.cancel(query_id).status in (202, 409)
        service.wait_slots_busy(1)
        assert service.cancel(neighbour_id).status == 202
        assert neighbour.read_reply().code == "cancelled"


def test_query_id_in_flight_is_409(service, world):
    query_id = new_query_id()
    source, fields = slow_query(world)
    with service.begin_query(source, query_id=query_id, **fields):
        service.wait_slots_busy(1)
        reply = service.query("parquet", "SELECT 1 AS a", path=f"{world.data}/parquet/users",
                              query_id=query_id)
        assert (reply.status, reply.code) == (409, "conflict")
        upper = service.query("parquet", "SELECT 1 AS a", path=f"{world.data}/parquet/users",
                              query_id=query_id.upper())
        assert (upper.status, upper.code) == (409, "conflict")


def test_query_id_may_be_used_again(service, world):
    query_id = new_query_id()
    for _ in range(2):
        reply = service.query("parquet", "SELECT 1 AS a", path=f"{world.data}/parquet/users",
                              query_id=query_id)
        assert reply.status == 200
        assert reply.headers["query-id"] == query_id
