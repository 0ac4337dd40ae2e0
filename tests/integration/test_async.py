"""Queries that go asynchronous, on the real engine: handles, kept results, expiry, restart."""

import concurrent.futures
import csv
import datetime
import hashlib
import io
import json
import signal

import pyarrow.ipc
import pytest

from harness.paths import wait_until
from harness.sample_data import BIG_ROWS, big_json
from harness.service import Service, new_query_id, query_body
from harness.slow import slow_query

TTL_SECONDS = 20
QUERIES = "/api/spark/queries"
ALL = "SELECT n, s FROM parquet_data ORDER BY n"


@pytest.fixture(scope="module")
def keeper(world):
    """A service whose kept results go away soon."""
    with Service(world.data, SPARK_SERVICE_SPOOL_TTL_S=TTL_SECONDS,
                 **world.service_env()) as service:
        yield service.wait_ready()


def big(world):
    return {"path": f"{world.data}/parquet/big"}


def status(service, query_id):
    reply = service.request("GET", f"{QUERIES}/{query_id}")
    assert reply.status == 200, reply
    return reply.json()


def wait_state(service, query_id, state, seconds=60):
    wait_until(lambda: status(service, query_id)["state"] == state, seconds,
               lambda: f"{state}: {status(service, query_id)}", interval=0.05)
    return status(service, query_id)


def results(service, query_id, accept=None, **parameters):
    suffix = "".join(f"?{name}={value}" for name, value in parameters.items())
    return service.request("GET", f"{QUERIES}/{query_id}/results{suffix}",
                           headers={"Accept": accept} if accept else None)


def begin(service, source, sql, **fields):
    """Sends a query that goes asynchronous at once; gives its id."""
    reply = service.query(source, sql, wait_ms=0, **fields)
    assert reply.status == 202, reply
    handle = reply.json()
    assert reply.headers["location"] == f"{QUERIES}/{handle['query_id']}"
    assert int(reply.headers["retry-after"]) > 0
    return handle["query_id"]


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")


def test_handle_survives_a_client_that_reconnects(keeper, world):
    source, fields = slow_query(world, "scan_loop")
    query_id = begin(keeper, source, **fields, timeout_ms=60000, tags=["reconnect"])
    running = wait_state(keeper, query_id, "RUNNING")
    assert (running["ended_at"], running["chunks"], running["error"]) == (None, None, None)
    assert results(keeper, query_id).status == 202
    wait_until(lambda: status(keeper, query_id)["progress"], 20, "Spark tells its progress")
    progress = status(keeper, query_id)["progress"]
    assert 0 <= progress["tasks_done"] <= progress["tasks"]
    listed = keeper.request("GET", f"{QUERIES}?state=RUNNING&tag=reconnect").json()
    assert [query["query_id"] for query in listed["queries"]] == [query_id]
    reply = keeper.request("DELETE", f"{QUERIES}?tag=reconnect")
    assert (reply.status, reply.json()) == (202, {"cancelled": [query_id]})
    wait_state(keeper, query_id, "CANCELLED")
    assert results(keeper, query_id).status == 409
    keeper.wait_slots_busy(0)


def test_timeout_goes_on_after_the_202(keeper, world):
    source, fields = slow_query(world, "scan_loop")
    query_id = begin(keeper, source, **fields, timeout_ms=1500)
    ended = wait_state(keeper, query_id, "TIMED_OUT", 15)
    assert moment(ended["ended_at"]) - moment(ended["started_at"]) >= datetime.timedelta(
        seconds=1.5)
    assert results(keeper, query_id).json()["code"] == "timeout"


def test_prefer_and_wait(keeper, world):
    body = query_body("SELECT count(*) AS n FROM parquet_data", **big(world))
    for prefer, status_code in (("respond-async", 202), ("respond-async, wait=60", 200),
                                ("wait=60", 200)):
        reply = keeper.request("POST", "/api/spark/query/parquet", body,
                               {"Content-Type": "application/json", "Prefer": prefer})
        assert reply.status == status_code, (prefer, reply)
        applied = prefer if status_code == 202 else "wait=60"
        assert reply.headers["preference-applied"] == applied
    source, fields = slow_query(world, "scan_loop")
    reply = keeper.query(source, **fields, wait_ms=300, on_wait="cancel")
    assert (reply.status, reply.json()["code"]) == (504, "timeout")
    keeper.wait_slots_busy(0)


def test_chunks_are_the_whole_and_repeat(keeper, world):
    query_id = begin(keeper, "parquet", ALL, **big(world))
    done = wait_state(keeper, query_id, "SUCCEEDED")
    assert done["rows"] == BIG_ROWS and done["chunks"] > 1
    numbers = []
    for chunk in range(done["chunks"]):
        first = results(keeper, query_id, chunk=chunk)
        assert (first.status, first.complete) == (200, True)
        assert first.body == results(keeper, query_id, chunk=chunk).body
        numbers += [row["n"] for row in first.json()]
    assert numbers == list(range(BIG_ROWS))
    assert results(keeper, query_id, chunk=done["chunks"]).status == 404

    expected = hashlib.sha256(b"".join(big_json())).hexdigest()
    with concurrent.futures.ThreadPoolExecutor(3) as readers:
        for reply in readers.map(lambda _: results(keeper, query_id), range(3)):
            assert (reply.status, reply.complete) == (200, True)
            assert hashlib.sha256(reply.body).hexdigest() == expected
    wait_state(keeper, query_id, "EXPIRED", TTL_SECONDS + 10)
    gone = results(keeper, query_id)
    assert (gone.status, gone.json()["code"]) == (410, "gone")
    assert not [path for path in keeper.temp_files() if path.parent.name == "results"]


def test_every_format_of_kept_rows(keeper, world):
    rows = [{"n": n, "s": f"row {n}"} for n in range(10, 15)]
    query_id = begin(keeper, "parquet", "SELECT n, s FROM parquet_data WHERE n >= 10 AND n < 15"
                     " ORDER BY n", **big(world))
    wait_state(keeper, query_id, "SUCCEEDED")
    assert results(keeper, query_id).json() == rows
    lines = results(keeper, query_id, "application/x-ndjson").body.decode().splitlines()
    assert [json.loads(line) for line in lines] == rows
    table = csv.DictReader(io.StringIO(results(keeper, query_id, "text/csv").body.decode()))
    assert [{"n": int(row["n"]), "s": row["s"]} for row in table] == rows
    arrow = results(keeper, query_id, "application/vnd.apache.arrow.stream").body
    assert pyarrow.ipc.open_stream(arrow).read_all().to_pylist() == rows
    envelope = results(keeper, query_id, "application/vnd.spark-service.result+json").json()
    assert envelope["data"] == rows and envelope["query_id"] == query_id


def test_direct_engine_goes_async_too(keeper, world):
    query_id = begin(keeper, "mysql", "SELECT 7 AS n", config=world.config(world.mysql))
    wait_state(keeper, query_id, "SUCCEEDED")
    assert results(keeper, query_id).body == b'[{"n":7}]'


def test_restart_makes_handles_gone(keeper, world):
    """Last in this file: the service is killed."""
    kept = begin(keeper, "parquet", "SELECT count(*) AS n FROM parquet_data", **big(world))
    wait_state(keeper, kept, "SUCCEEDED")
    source, fields = slow_query(world, "scan_loop")
    running = begin(keeper, source, **fields, timeout_ms=60000)
    keeper.process.send_signal(signal.SIGKILL)
    keeper.wait_ended(20)
    keeper.start()
    keeper.wait_listening()  # handles are told before Spark is up
    for query_id in (kept, running):
        for reply in (keeper.request("GET", f"{QUERIES}/{query_id}"), results(keeper, query_id)):
            assert (reply.status, reply.json()["code"]) == (410, "gone")
            assert "restarted" in reply.json()["detail"]
    assert keeper.request("GET", f"{QUERIES}/{new_query_id()}").status == 404
