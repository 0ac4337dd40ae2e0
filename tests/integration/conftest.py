"""Fixtures: the world, the shared service, and the look after every test."""

import contextlib
import re
import time

import pytest

from harness.paths import SERVICE_BIN, SPARK, free_port, wait_until
from harness.process_facts import more_than
from harness.service import Service
from harness.spark_ui import SparkUi
from harness.world import World

SETTLE_SECONDS = 10


def pytest_collection_modifyitems(items):
    for item in items:
        mark = item.get_closest_marker("only")
        if mark and not SPARK.startswith(mark.args[0]):
            item.add_marker(pytest.mark.skip(reason=f"Spark {mark.args[0]} only"))


@pytest.fixture(scope="session")
def world():
    assert SERVICE_BIN.exists(), f"no program at {SERVICE_BIN}; run `make build` first"
    with World() as world:
        yield world


@pytest.fixture(scope="session")
def ui_port():
    return free_port()


@pytest.fixture(scope="session")
def shared_service(request, world, ui_port):
    service = Service(world.data, SPARK_SERVICE_SPARK_UI=1, SPARK_SERVICE_SPARK_UI_PORT=ui_port,
                      **world.service_env())
    with service:
        service.wait_ready()
        service.start_log = service.log()
        warm_up(service, world)
        SparkUi(ui_port).active_stages()  # its web part loads at first use, with warnings
        service.baseline = Baseline(service)
        request.session.shared_service = service
        yield service
        request.session.shared_service = None


@pytest.fixture
def service(shared_service):
    """The service most tests share."""
    return shared_service


@pytest.fixture
def spark_ui(service, ui_port):
    return SparkUi(ui_port)


@pytest.fixture
def start_service(world):
    """Starts services with settings of their own; they end with the test."""
    started = []

    def start(**env):
        service = Service(world.data, **world.service_env() | env)
        started.append(service)
        service.start()
        return service

    yield start
    for service in started:
        service.remove()


def warm_up(service, world):
    """Each source and engine once: pools, clients and caches of the JVM are made at first use."""
    for source, engine in (("mysql", {"engine": "direct"}), ("mysql", {"engine": "spark"}),
                           ("parquet", {}), ("delta", {}), ("iceberg", {})):
        table, fields = world.users_query(source)
        reply = service.query(source, f"SELECT count(*) AS n FROM {table}", **fields, **engine)
        assert (reply.status, reply.body) == (200, b'[{"n":1000}]'), reply


class Baseline:
    """What a service held when nothing ran."""

    def __init__(self, service):
        self.pid = service.pid
        self.descriptors = service.descriptors()
        self.threads = service.threads()
        self.temp_files = service.temp_files()

    def differences(self, service):
        found = {
            "descriptors": more_than(service.descriptors(), self.descriptors),
            "threads": more_than(service.threads(), self.threads),
            "temp files": sorted(map(str, service.temp_files() - self.temp_files)),
            "kept answers": unaccounted(service),
        }
        health = service.health()
        if health["slots"]["busy"] or health["slots"]["lost"] or health["queue"]["length"]:
            found["health"] = health
        return {name: what for name, what in found.items() if what}


def unaccounted(service):
    """Files of kept answers that are more than the service knows of."""
    kept, held = service.kept_answers(), 0
    for path in kept:
        with contextlib.suppress(FileNotFoundError):  # evicted meanwhile
            held += path.stat().st_size
    return sorted(map(str, kept)) if kept and held > service.metric("cache_disk_bytes") else []


@pytest.fixture(autouse=True, scope="module")
def leaves_no_shuffle(request):
    """After every file of tests: no shuffle outlives its query.

    Delta keeps the state of each table it has read, a shuffle each, in a cache
    of bounded size; so does the planner of each version that it knows.
    """
    yield
    service = getattr(request.session, "shared_service", None)
    if service is None:
        return
    kept_by_delta = len(list(service.data_root.rglob("_delta_log"))) + service.deleted_delta_tables
    bound = kept_by_delta + service.metric("engine_kept_sources")
    wait_until(lambda: len(service.shuffles_after_gc()) <= bound, SETTLE_SECONDS,
               lambda: f"at most {bound} shuffles: {service.shuffles_after_gc()}", interval=0.5)


@pytest.fixture(autouse=True)
def leaves_nothing(request):
    """After every test: same process, nothing held, nothing loud in the log."""
    if "service" not in request.fixturenames:
        yield
        return
    service = request.getfixturevalue("shared_service")
    offset = service.log_size()
    yield
    service.alive()
    assert service.pid == service.baseline.pid
    end = time.monotonic() + SETTLE_SECONDS
    while (held := service.baseline.differences(service)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not held, f"still held {SETTLE_SECONDS} s after the test: {held}"
    expected = [mark.args[0] for mark in request.node.iter_markers("expect_log")]
    loud = [line for line in service.loud_lines(offset)
            if not any(re.search(pattern, line) for pattern in expected)]
    assert not loud, "unexpected in the log:\n" + "\n".join(loud)
