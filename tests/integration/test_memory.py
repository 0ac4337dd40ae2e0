"""A large answer to a slow reader, and another to one that stops for good: memory
stays where it was, and other clients hardly notice.

The heap is fixed and touched before the start, so that it is resident whatever
it holds: what the process grows by beyond it is direct and C memory. To that
comes what the heap holds behind a garbage collection.

LONG=1: a gigabyte at 1 MiB/s (17 minutes, alone on the machine) and the others'
p99 as well; else 100 MB at 16 MiB/s.
"""

import os
import socket
import threading
import time

import pytest

from harness import process_facts
from harness.paths import wait_until
from harness.sample_data import BIG_ROWS
from harness.service import query_bytes

LONG = os.environ.get("LONG") == "1"
HEAP = "768m"
GROWTH_BYTES = 64 << 20
SLOWER_TIMES = 2
RATE_BYTES = (1 << 20) if LONG else (16 << 20)
REPEATS = 40 if LONG else 4  # of the big table: about 27 MB each
LOOKS = 20 if LONG else 4
SMALL_QUERIES = 1000 if LONG else 40
SHARE = 0.99
WARM_UP_QUERIES = 3
# Compiled code, stacks and arenas of a service that has worked for a while.
SETTLED_BYTES = 8 << 20
WARM_UP_TURNS = 8
PATIENT = {"timeout_ms": 3_600_000, "queue_timeout_ms": 60_000}
PART_BYTES = 64 << 10


def large_query(world, repeats):
    sql = ("SELECT n, s, r.r FROM parquet_data"
           f" LATERAL VIEW explode(sequence(1, {repeats})) r AS r")
    return query_bytes("parquet", sql, path=f"{world.data}/parquet/big", **PATIENT)


class SlowReader(threading.Thread):
    """Reads an answer at a bounded rate and counts its rows."""

    def __init__(self, service, query, rate):
        super().__init__(daemon=True)
        self.query, self.rate = query, rate
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PART_BYTES)
        self.socket.connect(("127.0.0.1", service.port))
        self.socket.settimeout(60)
        self.rows = self.bytes = 0
        self.tail = b""

    def run(self):
        self.socket.sendall(self.query)
        begin = time.monotonic()
        while not self.tail.endswith(b"\r\n\r\n") or b"\r\n0\r\n" not in self.tail:
            part = self.socket.recv(PART_BYTES)
            if not part:
                return
            self.rows += (self.tail[-4:] + part).count(b'{"n":')
            self.bytes += len(part)
            self.tail = (self.tail + part)[-512:]
            ahead = self.bytes / self.rate - (time.monotonic() - begin)
            if ahead > 0:
                time.sleep(ahead)  # the rate itself


def stopped_reader(service, query):
    """A connection that asked, read the head and reads no more."""
    connection = service.connect()
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PART_BYTES)
    connection.send(query)
    status, headers = connection.read_head()
    assert (status, headers["transfer-encoding"]) == (200, "chunked")
    return connection


def small_query_time(service, world):
    """The SHARE quantile of small queries, one after the other on one connection."""
    query = query_bytes("parquet", "SELECT count(*) AS n FROM parquet_data",
                        path=f"{world.data}/parquet/users")
    spans = []
    with service.connect() as connection:
        for _ in range(SMALL_QUERIES):
            begin = time.monotonic()
            connection.send(query)
            assert connection.read_reply().body == b'[{"n":1000}]'
            spans.append(time.monotonic() - begin)
    return sorted(spans)[int(len(spans) * SHARE)]


def held_bytes(service):
    """Direct and C memory (all but the heap, which never changes) and what the heap holds."""
    return process_facts.heap_used_bytes(service.pid) + process_facts.resident_bytes(service.pid)


def warm_up_turn(service, world):
    for _ in range(WARM_UP_QUERIES):
        reader = SlowReader(service, large_query(world, 1), 1 << 40)
        reader.run()
        assert reader.rows == BIG_ROWS
        stopped_reader(service, large_query(world, REPEATS)).close()
        service.wait_slots_busy(0, 30)
    small_query_time(service, world)


def warm_up(service, world):
    """Turns until one adds next to nothing; gives what is held then."""
    held = 0
    for _ in range(WARM_UP_TURNS):
        warm_up_turn(service, world)
        before, held = held, held_bytes(service)
        if held - before < SETTLED_BYTES:
            break
    return held


@pytest.mark.only("4.1")
@pytest.mark.timeout(3600)
def test_memory_is_flat_while_readers_are_slow(world, start_service, record_property):
    service = start_service(
        SPARK_SERVICE_HEAP=HEAP, SPARK_SERVICE_QUERY_TIMEOUT_MAX_MS=3_600_000,
        SPARK_SERVICE_STREAM_STALL_MS=3_600_000,
        JAVA_TOOL_OPTIONS=f"-Xms{HEAP} -XX:+AlwaysPreTouch").wait_ready()
    idle = warm_up(service, world)
    alone = small_query_time(service, world)

    slow = SlowReader(service, large_query(world, REPEATS), RATE_BYTES)
    slow.start()
    with stopped_reader(service, large_query(world, REPEATS)):
        looks = []
        while slow.is_alive() and len(looks) < LOOKS:
            slow.join(REPEATS * 27e6 / RATE_BYTES / LOOKS / 4)
            looks.append(held_bytes(service) - idle)
        assert slow.is_alive(), "the slow reader was not slow"
        beside = small_query_time(service, world)
        slow.join()
    alone = max(alone, small_query_time(service, world))
    wait_until(lambda: service.health()["slots"]["busy"] == 0, 10, "no slot busy")

    for name, value in (("growth_mib", max(looks) / (1 << 20)), ("alone_ms", alone * 1000),
                        ("beside_ms", beside * 1000)):
        record_property(name, round(value, 1))
        print(f"{name} {value:.1f}")
    assert slow.rows == BIG_ROWS * REPEATS
    assert max(looks) <= GROWTH_BYTES, [look >> 20 for look in looks]
    if LONG:
        assert beside <= SLOWER_TIMES * alone
