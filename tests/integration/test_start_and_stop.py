"""Start, drain and stop; each test has a process of its own."""

import subprocess
import time

import pytest

from harness.paths import SERVICE_BIN, wait_until
from harness.slow import slow_query

pytestmark = pytest.mark.fresh

# In Spark about 5 s of work, so that it is under way when the signal comes.
MIDDLING = ("SELECT sum(hash(a.n, x.x)) IS NOT NULL AS done FROM parquet_data a"
            " LATERAL VIEW explode(sequence(1, 2000)) x AS x")


def test_starting_answers_503_and_term_ends_it(start_service, world):
    service = start_service().wait_listening()
    assert service.status_of("/livez") == 200
    for target in ("/readyz", "/startupz"):
        reply = service.request("GET", target)
        assert (reply.status, reply.body) == (503, b"starting\n")
    health = service.request("GET", "/api/spark/health")
    assert (health.status, health.json()["status"]) == (503, "starting")
    reply = service.query("parquet", "SELECT 1 AS a", path=f"{world.data}/parquet/users")
    assert (reply.status, reply.code) == (503, "starting")
    assert int(reply.headers["retry-after"]) >= 1
    for what, code in (("live", 0), ("ready", 1)):
        done = subprocess.run([SERVICE_BIN, "probe", what], env=service.env, timeout=20,
                              capture_output=True)
        assert done.returncode == code
    service.terminate()
    assert service.wait_ended(60) == 0
    assert not service.loud_lines()


def test_its_own_queries_come_first(start_service):
    service = start_service(SPARK_SERVICE_WARM_UP_MS=600_000).wait_ready()
    made = {path.parent.name for path in service.temp_files() if "warm-up" in path.parts}
    assert {"PARQUET", "_delta_log", "metadata"} <= made
    assert service.health()["slots"]["busy"] == 0
    assert not service.loud_lines()


def test_term_drains_and_exits_0(start_service, world):
    service = start_service().wait_ready()
    users = {"path": f"{world.data}/parquet/users"}
    assert service.query("parquet", "SELECT 1 AS a", **users).status == 200
    with service.begin_query("parquet", MIDDLING, path=f"{world.data}/parquet/numbers") as running:
        service.wait_slots_busy(1)
        service.terminate()
        wait_until(lambda: service.status_of("/readyz") == 503, 5, "readiness red")
        assert service.request("GET", "/readyz").body == b"draining\n"
        assert service.health()["status"] == "draining"
        refused = service.query("parquet", "SELECT 1 AS a", **users)
        assert (refused.status, refused.code) == (503, "draining")
        assert int(refused.headers["retry-after"]) >= 1
        answer = running.read_reply()
        assert (answer.status, answer.body) == (200, b'[{"done":true}]')
    assert service.wait_ended(60) == 0
    assert not list((service.state_dir / "scratch").rglob("*"))
    assert not service.loud_lines()


def test_drain_has_an_end(start_service, world):
    """What still runs after DRAIN_MS is answered with 503 and cancelled."""
    service = start_service(SPARK_SERVICE_DRAIN_MS=2000).wait_ready()
    source, fields = slow_query(world)
    with service.begin_query(source, timeout_ms=600_000, **fields) as running:
        service.wait_slots_busy(1)
        begin = time.monotonic()
        service.terminate()
        answer = running.read_reply()
        assert (answer.status, answer.code) == (503, "draining")
        assert 1.9 <= time.monotonic() - begin <= 4
    assert service.wait_ended(30) == 0
    assert all("drain time is over" in line for line in service.loud_lines())


def test_second_term_ends_it_now(start_service, world):
    service = start_service().wait_ready()
    source, fields = slow_query(world)
    with service.begin_query(source, timeout_ms=600_000, **fields):
        service.wait_slots_busy(1)
        service.terminate()
        wait_until(lambda: service.status_of("/readyz") == 503, 5, "draining")
        begin = time.monotonic()
        service.terminate()
        service.wait_ended(5)
        assert time.monotonic() - begin <= 2
