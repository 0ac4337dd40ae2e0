"""The waiting room: one worker and one place to wait."""

import time

import pytest

from harness.paths import wait_until
from harness.service import Service, new_query_id
from harness.slow import slow_query


@pytest.fixture(scope="module")
def narrow(world):
    env = world.service_env() | {"SPARK_SERVICE_WORKERS": 1, "SPARK_SERVICE_QUEUE_LENGTH": 1}
    with Service(world.data, **env) as service:
        yield service.wait_ready()


@pytest.fixture
def occupied(narrow, world):
    """The only worker is busy; free again when the test is over."""
    source, fields = slow_query(world)
    holder = narrow.begin_query(source, timeout_ms=600_000, **fields)
    narrow.wait_slots_busy(1)
    yield holder
    holder.close()
    narrow.wait_slots_busy(0)
    wait_until(lambda: narrow.health()["queue"]["length"] == 0, 10, "an empty queue")


def small(world):
    return {"sql": "SELECT count(*) AS n FROM parquet_data", "path": f"{world.data}/parquet/users"}


def waiting(narrow, world, **fields):
    connection = narrow.begin_query("parquet", **small(world), **fields)
    wait_until(lambda: narrow.health()["queue"]["length"] == 1, 10, "one waiting query")
    return connection


def test_full_queue_is_503_with_retry_after(narrow, world, occupied):
    with waiting(narrow, world) as waiter:
        begin = time.monotonic()
        reply = narrow.query("parquet", **small(world))
        assert (reply.status, reply.code) == (503, "queue_full")
        assert int(reply.headers["retry-after"]) >= 1
        assert reply.json()["retryable"] is True
        assert time.monotonic() - begin < 1
        occupied.close()
        answer = waiter.read_reply()
        assert (answer.status, answer.body) == (200, b'[{"n":1000}]')


def test_waiting_too_long_is_503_queue_timeout(narrow, world, occupied):
    begin = time.monotonic()
    reply = narrow.query("parquet", queue_timeout_ms=400, **small(world))
    assert (reply.status, reply.code) == (503, "queue_timeout")
    assert int(reply.headers["retry-after"]) >= 1
    assert 0.39 <= time.monotonic() - begin < 1.5


def test_cancelled_while_waiting_is_409(narrow, world, occupied):
    query_id = new_query_id()
    with waiting(narrow, world, query_id=query_id) as waiter:
        reply = narrow.cancel(query_id)
        assert (reply.status, reply.json()) == (202, {"cancelled": [query_id]})
        answer = waiter.read_reply()
        assert (answer.status, answer.code) == (409, "cancelled")
    wait_until(lambda: narrow.health()["queue"]["length"] == 0, 2, "an empty queue")


@pytest.mark.parametrize("leave", ["close", "reset", "half_close"])
def test_client_gone_while_waiting_leaves_the_queue(narrow, world, occupied, leave):
    waiter = waiting(narrow, world)
    getattr(waiter, leave)()
    wait_until(lambda: narrow.health()["queue"]["length"] == 0, 2, "an empty queue")
    waiter.close()


def test_order_of_arrival_is_kept_and_nothing_is_lost(narrow, world):
    """One after the other through one slot: each gets its own rows."""
    for number in (3, 1, 2):
        reply = narrow.query("parquet", f"SELECT id FROM parquet_data WHERE id = {number}",
                             path=f"{world.data}/parquet/users")
        assert reply.body == b'[{"id":%d}]' % number
