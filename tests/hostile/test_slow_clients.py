"""A thousand clients that send or read a byte now and then: the service answers others at once, and
each of them is gone by its deadline. LONG=1: with the deadlines as they come."""

import asyncio
import collections
import concurrent.futures
import multiprocessing
import os
import resource
import socket
import statistics
import time

import pytest

from harness.http_client import Connection
from harness.paths import wait_until
from harness.process_facts import more_than

CLIENTS = 1000
LONG = bool(os.environ.get("LONG"))
HEADER_MS, BODY_MS, STALL_MS = (10_000, 30_000, 60_000) if LONG else (2_000, 3_000, 2_000)
DRIP_SECONDS = 1.0 if LONG else 0.4
LATE_SECONDS = 1.0
HEALTH_P99_SECONDS = 0.2
RSS_BYTES = 64 * 1024 * 1024
FLOOD_BYTES = 64 * 1024 * 1024
FLOOD_RSS_BYTES = 1024 * 1024

HEAD = b"Host: test\r\n"
GET = b"GET /livez HTTP/1.1\r\n" + HEAD + b"\r\n"
PAGE = b"GET /openapi.json HTTP/1.1\r\n" + HEAD + b"\r\n"

# First bytes, what is dripped afterwards, bytes read at a time, deadline.
MODES = {
    "header": (b"GET /livez HTTP/1.1\r\n" + HEAD, b"X: y\r\n", 65536, HEADER_MS),
    "body": (b"POST /api/spark/query/parquet HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
             b"Content-Length: 100000\r\n\r\n", b" ", 65536, BODY_MS),
    "read": (PAGE * 100, b"", 0, STALL_MS),
}


def probe_health(port, ends):
    """Seconds of each look at the health, until told to end. In a process of its own, so that the
    attack doesn't slow the clock."""
    seconds = []
    while not ends.is_set():
        began = time.monotonic()
        with Connection(port, timeout=10) as connection:
            assert connection.request("GET", "/api/spark/health").status == 200
        seconds.append(time.monotonic() - began)
        time.sleep(0.01)
    return seconds


async def drip(port, mode, begins):
    """Seconds from the first byte until the server gave up on us."""
    first, more, read_bytes, deadline_ms = MODES[mode]
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        if mode == "read":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.sleep(begins)
        await loop.sock_connect(client, ("127.0.0.1", port))
        began = time.monotonic()
        await loop.sock_sendall(client, first)
        limit = began + deadline_ms / 1000 + 10 * LATE_SECONDS
        while time.monotonic() < limit:
            try:
                if read_bytes:
                    if await asyncio.wait_for(loop.sock_recv(client, read_bytes), DRIP_SECONDS) == b"":
                        break
                else:
                    # Nothing is read, so only writing tells.
                    await asyncio.sleep(DRIP_SECONDS)
                    client.send(GET)
            except TimeoutError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                break
            except BlockingIOError:
                pass
            try:
                if more:
                    client.send(more)
            except (ConnectionResetError, BrokenPipeError):
                break
        return time.monotonic() - began


async def attack(service, mode):
    """Each client's seconds, and the most memory that the service had meanwhile."""
    tasks = [asyncio.create_task(drip(service.port, mode, number / CLIENTS)) for number in range(CLIENTS)]
    most = 0
    while not all(task.done() for task in tasks):
        most = max(most, service.resident_bytes())
        await asyncio.sleep(0.1)
    return [task.result() for task in tasks], most


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.timeout(300)
def test_slow_clients_harm_nobody(start_fake, mode):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * CLIENTS), hard))
    service = start_fake("plain", SPARK_SERVICE_HEADER_TIMEOUT_MS=HEADER_MS,
                         SPARK_SERVICE_BODY_TIMEOUT_MS=BODY_MS, SPARK_SERVICE_STREAM_STALL_MS=STALL_MS,
                         SPARK_SERVICE_MAX_CONNECTIONS=CLIENTS + 20)
    service.status_of("/openapi.json")
    resident, descriptors = service.resident_bytes(), service.descriptors()
    with multiprocessing.Manager() as manager, concurrent.futures.ProcessPoolExecutor(1) as pool:
        ends = manager.Event()
        health = pool.submit(probe_health, service.port, ends)
        try:
            lives, most = asyncio.run(attack(service, mode))
        finally:
            ends.set()
        looks = health.result(30)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    p99 = statistics.quantiles(looks, n=100)[98]
    print(f"{mode}: {len(looks)} looks, p99 {p99 * 1000:.1f} ms, most {max(looks) * 1000:.1f} ms; lives "
          f"{min(lives):.1f} to {max(lives):.1f} s; RSS {(most - resident) / 2**20:+.1f} MiB")
    deadline = MODES[mode][3] / 1000
    # The drip tells of the end up to one drip late.
    assert max(lives) <= deadline + DRIP_SECONDS + LATE_SECONDS
    assert p99 <= HEALTH_P99_SECONDS
    assert most - resident <= RSS_BYTES
    reasons = collections.Counter(line.split("msg=")[-1] for line in service.loud_lines())
    assert not reasons, reasons
    assert service.alive()
    wait_until(lambda: not more_than(service.descriptors(), descriptors), 5,
               lambda: f"{descriptors} descriptors: {service.descriptors()}")


def test_a_busy_connection_is_not_read_ahead(start_fake):
    """64 MiB of further requests behind one that runs: they stay in the kernel."""
    service = start_fake("plain")
    body = b'{"path":"%s","sql":"sleep 2500"}' % str(service.root).encode()
    for _ in range(2):  # the first makes buffers that stay
        resident = service.resident_bytes()
        with service.connect() as connection:
            connection.send(b"POST /api/spark/query/parquet HTTP/1.1\r\n" + HEAD
                            + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            service.wait_slots_busy(1)
            sent, end = 0, time.monotonic() + 1.5
            connection.socket.setblocking(False)
            flood, most = GET * 1000, 0
            while sent < FLOOD_BYTES and time.monotonic() < end:
                try:
                    sent += connection.socket.send(flood)
                except BlockingIOError:
                    time.sleep(0.01)
                most = max(most, service.resident_bytes())
        service.wait_slots_busy(0)
    print(f"{sent / 2**20:.1f} MiB taken by the kernel, RSS {(most - resident) / 1024:+.0f} KiB")
    assert most - resident <= FLOOD_RSS_BYTES
    assert service.status_of("/livez") == 200
