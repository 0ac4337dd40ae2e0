"""A MySQL server that stops, dies and comes back."""

import os
import time

import pytest

from harness.bad_line import BadLine
from harness.conformance import MYSQL_ENGINES
from harness.database import MySqlServer
from harness.paths import wait_until
from harness.world import add_reader

DEADLINE_MS = 3000
TURNS = 3 if os.environ.get("LONG") else 1  # of a bad line


@pytest.fixture(scope="module")
def fragile(world):
    with MySqlServer(world.fragile_port) as server:
        server.run("CREATE DATABASE types", "CREATE TABLE types.one (a INT)",
                   "INSERT INTO types.one VALUES (1)")
        add_reader(server)
        yield server


@pytest.fixture(params=MYSQL_ENGINES)
def engine(request):
    return request.param


def ask(service, world, fragile, engine):
    return service.query("mysql", "SELECT a FROM one", config=world.config(fragile),
                         timeout_ms=DEADLINE_MS, engine=engine)


def assert_answers(service, world, fragile, engine):
    reply = ask(service, world, fragile, engine)
    assert (reply.status, reply.body) == (200, b'[{"a":1}]')


def assert_fails_in_time(service, world, fragile, engine):
    begin = time.monotonic()
    reply = ask(service, world, fragile, engine)
    assert (reply.status, reply.code) in ((504, "timeout"), (502, "source_error")), reply
    assert time.monotonic() - begin <= DEADLINE_MS / 1000 + 1


@pytest.mark.parametrize("turn", range(3))
def test_stopped_server_fails_in_time_and_heals(service, world, fragile, engine, turn):
    assert_answers(service, world, fragile, engine)
    fragile.pause()
    try:
        assert_fails_in_time(service, world, fragile, engine)
        service.wait_slots_busy(0, 10)
        reply = service.query("parquet", "SELECT 1 AS a", path=f"{world.data}/parquet/users")
        assert reply.status == 200
    finally:
        fragile.go_on()
    assert_answers(service, world, fragile, engine)


@pytest.mark.parametrize("turn", range(3))
def test_killed_server_fails_in_time_and_heals(service, world, fragile, engine, turn):
    assert_answers(service, world, fragile, engine)
    fragile.kill()
    assert_fails_in_time(service, world, fragile, engine)
    fragile.start()
    assert_answers(service, world, fragile, engine)


def test_killed_under_a_running_query(service, world, fragile, engine):
    with service.begin_query("mysql", "SELECT SLEEP(600) AS s", config=world.config(fragile),
                             timeout_ms=60_000, engine=engine) as connection:
        service.wait_slots_busy(1)
        time_limit = time.monotonic() + 10
        while not [row for row in fragile.threads_of("reader") if "SLEEP" in (row[3] or "")]:
            assert time.monotonic() < time_limit
        fragile.kill()
        reply = connection.read_reply()
        assert (reply.status, reply.code) == (502, "source_error"), reply
    fragile.start()
    assert_answers(service, world, fragile, engine)


@pytest.fixture
def line(world):
    with BadLine(world.rogue_port, world.mysql.port) as line:
        yield line


@pytest.mark.parametrize("turn", range(TURNS))
def test_line_that_is_cut(service, world, line, engine, turn):
    """Under a running query, and under an idle connection of the pool."""
    config = world.config(line)
    with service.begin_query("mysql", "SELECT SLEEP(600) AS s", config=config, timeout_ms=60_000,
                             engine=engine) as connection:
        wait_until(lambda: [row for row in world.mysql.threads_of("reader")
                            if "SLEEP" in (row[3] or "")], 10, "it runs")
        line.reset()
        reply = connection.read_reply()
        assert (reply.status, reply.code) == (502, "source_error"), reply
    service.wait_slots_busy(0, 10)
    assert service.query("mysql", "SELECT 1 AS a", config=config, engine=engine).status == 200
    line.reset()
    assert service.query("mysql", "SELECT 1 AS a", config=config, engine=engine).status == 200


@pytest.mark.parametrize("turn", range(TURNS))
def test_line_that_falls_silent(service, world, line, engine, turn):
    config = world.config(line)
    assert service.query("mysql", "SELECT 1 AS a", config=config, engine=engine).status == 200
    line.silent.set()
    begin = time.monotonic()
    reply = service.query("mysql", "SELECT 1 AS a", config=config, engine=engine,
                          timeout_ms=DEADLINE_MS)
    assert (reply.status, reply.code) in ((504, "timeout"), (502, "source_error")), reply
    assert time.monotonic() - begin <= DEADLINE_MS / 1000 + 1
    service.wait_slots_busy(0, 10)
    line.heal()
    line.reset()
    assert service.query("mysql", "SELECT 1 AS a", config=config, engine=engine).status == 200


def test_line_that_is_slow(service, world, line, engine):
    line.delay = 0.05
    reply = service.query("mysql", "SELECT 1 AS a", config=world.config(line), engine=engine)
    assert (reply.status, reply.body) == (200, b'[{"a":1}]'), reply
    reply = service.query("parquet", "SELECT 1 AS a", path=f"{world.data}/parquet/users",
                          timeout_ms=DEADLINE_MS)
    assert reply.status == 200
