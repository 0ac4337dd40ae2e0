"""The direct engine: its pool, its sessions, its cancels; and without a JVM."""

import concurrent.futures
import time

import pytest

from harness.paths import wait_until
from harness.service import new_query_id
from harness.world import READER

POOL_BOUND = 8  # MYSQL_CONNECTIONS
BIG = ("SELECT a.n, b.n FROM big.numbers a CROSS JOIN big.numbers b CROSS JOIN big.numbers c"
       " CROSS JOIN big.numbers d")


@pytest.fixture(scope="module", params=["mysql", "mariadb"])
def server(request, world):
    server = getattr(world, request.param)
    server.run("CREATE DATABASE big", "CREATE TABLE big.numbers (n INT PRIMARY KEY)",
               "INSERT INTO big.numbers VALUES " + ",".join(f"({n})" for n in range(1000)))
    yield server
    server.run("DROP DATABASE big")


@pytest.fixture
def config(world, server):
    return world.config(server)


def ask(service, config, sql, **fields):
    return service.query("mysql", sql, config=config, engine="direct", **fields)


def rows(service, config, sql, **fields):
    reply = ask(service, config, sql, **fields)
    assert reply.status == 200, reply
    return reply.json()


def busy_threads(server):
    return [row for row in server.threads_of(READER) if row[1] != "Sleep"]


def wait_nothing_runs(server):
    wait_until(lambda: not busy_threads(server), 5, lambda: f"idle: {busy_threads(server)}")


def wait_running(server, count=1):
    wait_until(lambda: len(busy_threads(server)) == count, 10,
               lambda: f"{count} running: {busy_threads(server)}")


# ---- row_limit ----

def connection_id(service, config):
    return rows(service, config, "SELECT CONNECTION_ID() AS id")[0]["id"]


def test_row_limit_ends_the_statement_on_the_server(service, server, config):
    before = connection_id(service, config)
    reply = ask(service, config, BIG, row_limit=10)
    assert len(reply.json()) == 10
    assert reply.headers["result-truncated"] == "true"
    # A statement that is killed takes its connection with it; this one came to its end.
    assert connection_id(service, config) == before


def test_row_limit_counts_rows_of_the_answer_only(service, server, config):
    def limited(sql, row_limit):
        reply = ask(service, config, sql, row_limit=row_limit)
        return len(reply.json()), reply.headers["result-truncated"]

    inner = "SELECT a.n FROM big.numbers a CROSS JOIN big.numbers b"
    assert ask(service, config, f"SELECT count(*) AS c FROM ({inner}) AS t",
               row_limit=3).json() == [{"c": 1_000_000}]
    assert ask(service, config, f"SELECT (SELECT max(n) FROM ({inner}) AS t) AS m",
               row_limit=1).json() == [{"m": 999}]
    numbers = "SELECT n FROM big.numbers"
    assert limited(f"{numbers} UNION ALL {numbers}", 1500) == (1500, "true")
    assert limited(f"{numbers} UNION ALL {numbers}", 2000) == (2000, "false")
    assert limited(f"{numbers} ORDER BY n DESC", 0) == (0, "true")
    assert limited(f"{numbers} LIMIT 20", 10) == (10, "true")
    assert limited(f"{numbers} LIMIT 5", 10) == (5, "false")
    assert limited("SHOW TABLES FROM big", 1) == (1, "false")
    assert ask(service, config, f"{numbers} ORDER BY n DESC", row_limit=2).json() == [
        {"n": 999}, {"n": 998}]
    assert len(rows(service, config, numbers)) == 1000  # the next one is not limited


# ---- cancels reach the server ----

def test_timeout_kills_on_the_server(service, server, config):
    begin = time.monotonic()
    reply = ask(service, config, "SELECT SLEEP(600) AS s", timeout_ms=1000)
    assert (reply.status, reply.code) == (504, "timeout")
    assert time.monotonic() - begin <= 2
    assert service.wait_slots_busy(0) <= 2
    wait_nothing_runs(server)


def test_delete_kills_on_the_server(service, server, config):
    query_id = new_query_id()
    with service.begin_query("mysql", "SELECT SLEEP(600) AS s", config=config,
                             query_id=query_id) as connection:
        wait_running(server)
        assert service.cancel(query_id).status == 202
        assert connection.read_reply().code == "cancelled"
    assert service.wait_slots_busy(0) <= 2
    wait_nothing_runs(server)


@pytest.mark.parametrize("leave", ["close", "reset", "half_close"])
def test_client_gone_kills_on_the_server(service, server, config, leave):
    connection = service.begin_query("mysql", "SELECT SLEEP(600) AS s", config=config)
    wait_running(server)
    getattr(connection, leave)()
    assert service.wait_slots_busy(0) <= 2
    wait_nothing_runs(server)
    connection.close()


def test_reader_that_stops_holds_no_rows(service, server, config):
    """A billion rows: the client reads a head and leaves; the rest is never fetched."""
    connection = service.begin_query("mysql", BIG, config=config)
    assert connection.read_head()[0] == 200
    connection.close()
    assert service.wait_slots_busy(0) <= 2
    wait_nothing_runs(server)


def test_row_limit_ends_a_long_result(service, server, config):
    begin = time.monotonic()
    assert len(rows(service, config, BIG, row_limit=10)) == 10
    assert time.monotonic() - begin <= 5
    wait_nothing_runs(server)


def test_cancels_hit_nobody_else(service, server, config):
    """Cancelled and counted side by side, on connections that are used again and again."""
    def one(turn):
        if turn % 2:
            return ask(service, config, "SELECT SLEEP(5) AS s", timeout_ms=20 + turn).status
        return rows(service, config, f"SELECT {turn} AS n, SLEEP(0.02) AS s")[0]["n"] == turn

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        told = list(pool.map(one, range(120)))
    assert set(told[1::2]) == {504}
    assert all(told[0::2])
    wait_nothing_runs(server)


# ---- the session ----

def test_session_is_read_only_and_utc(service, config):
    reply = ask(service, config, "SELECT @@session.time_zone AS z, @@session.autocommit AS a,"
                " @@session.character_set_client AS c")
    assert reply.json() == [{"z": "+00:00", "a": 1, "c": "utf8mb4"}]


def test_session_leaves_nothing_to_the_next(service, config):
    """User variables and locks end with their query, though the connection lives on."""
    assert rows(service, config, "SELECT @left := 7 AS v")[0]["v"] == 7
    assert rows(service, config, "SELECT GET_LOCK('left', 0) AS l")[0]["l"] == 1
    connection_id = rows(service, config, "SELECT CONNECTION_ID() AS c")
    for _ in range(POOL_BOUND):
        assert rows(service, config, "SELECT @left AS v") == [{"v": None}]
        assert rows(service, config, "SELECT IS_FREE_LOCK('left') AS l") == [{"l": 1}]
    assert rows(service, config, "SELECT CONNECTION_ID() AS c") == connection_id


def test_sql_mode_of_the_server_counts(service, world, server, config):
    before = server.run("SELECT @@GLOBAL.sql_mode")[0][0]
    fields = config | {"database": "big"}  # another source: no connection is open yet
    server.run("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
    try:
        assert rows(service, fields, "SELECT '\\' AS \"a\", \"n\" AS \"b:c\", :p AS p FROM numbers"
                    " WHERE n = 1", params={"p": 5}) == [{"a": "\\", "b:c": 1, "p": 5}]
        refused = ask(service, fields, "SELECT '\\' INTO OUTFILE '/tmp/x' -- '")
        assert (refused.status, refused.code) == (403, "forbidden")
        # Where the two readings differ, the other engine says so instead of guessing.
        told = service.query("mysql", "SELECT '\\' :p ' AS a", config=fields, engine="spark")
        assert (told.status, told.code) == (400, "bad_request")
    finally:
        server.run(f"SET GLOBAL sql_mode = '{before}'")


def test_changed_password_is_another_pool(service, server, config):
    server.run("CREATE USER changer@'127.0.0.1' IDENTIFIED BY 'one'",
               "GRANT SELECT ON types.* TO changer@'127.0.0.1'")
    try:
        one = config | {"user": "changer", "password": "one"}
        two = config | {"user": "changer", "password": "two"}
        assert rows(service, one, "SELECT 1 AS a") == [{"a": 1}]
        assert ask(service, two, "SELECT 1 AS a").code == "source_error"
        server.run("ALTER USER changer@'127.0.0.1' IDENTIFIED BY 'two'")
        assert rows(service, two, "SELECT 1 AS a") == [{"a": 1}]
    finally:
        server.run("DROP USER changer@'127.0.0.1'")


# ---- the pool ----

def test_pool_heals_after_its_connections_were_killed(service, server, config):
    assert rows(service, config, "SELECT 1 AS a") == [{"a": 1}]
    for thread in server.threads_of(READER):
        server.run(f"KILL {thread[0]}")
    assert rows(service, config, "SELECT 1 AS a") == [{"a": 1}]


def test_idle_connections_are_closed(service, server, config):
    assert rows(service, config, "SELECT 1 AS a") == [{"a": 1}]
    wait_until(lambda: not server.threads_of(READER), 10,
               lambda: f"no connection: {server.threads_of(READER)}")


@pytest.mark.timeout(300)
def test_pool_at_its_bound_waits_and_ends(start_service, world):
    """Two connections, four slots: the third query waits for one, or for its deadline."""
    server = world.mariadb
    config = world.config(server)
    service = start_service(SPARK_SERVICE_MYSQL_CONNECTIONS=2, SPARK_SERVICE_WORKERS=4)
    service.wait_listening()
    holders = [service.begin_query("mysql", "SELECT SLEEP(600) AS s", config=config)
               for _ in range(2)]
    try:
        wait_running(server, 2)
        late = ask(service, config, "SELECT 1 AS a", timeout_ms=500)
        assert (late.status, late.code) == (504, "timeout")
        assert len(busy_threads(server)) == 2
        query_id = new_query_id()
        with service.begin_query("mysql", "SELECT 2 AS a", config=config,
                                 query_id=query_id) as waiting:
            service.wait_slots_busy(3)
            assert service.cancel(query_id).status == 202
            assert waiting.read_reply().code == "cancelled"
        service.wait_slots_busy(2)
        with service.begin_query("mysql", "SELECT 3 AS a", config=config) as waiting:
            service.wait_slots_busy(3)
            holders.pop().close()
            assert waiting.read_reply().body == b'[{"a":3}]'
    finally:
        for holder in holders:
            holder.close()
    wait_nothing_runs(server)


# ---- without a JVM ----

def test_answers_while_the_jvm_starts(start_service, world):
    service = start_service().wait_listening()
    reply = ask(service, world.config(world.mysql), "SELECT name FROM people WHERE id = :id",
                params={"id": 1})
    assert service.status_of("/readyz") == 503, "too late: the JVM is up"
    assert (reply.status, reply.body) == (200, b'[{"name":"Ada"}]')
    other = service.query("mysql", "SELECT 1 AS a", config=world.config(world.mysql),
                          engine="spark")
    assert (other.status, other.code) == (503, "starting")
    sleeping = service.query("mysql", "SELECT SLEEP(600) AS s", timeout_ms=300,
                             config=world.config(world.mysql))
    assert (sleeping.status, sleeping.code) == (504, "timeout")
    service.wait_ready()
    for engine in ("spark", "direct"):
        assert service.query("mysql", "SELECT 1 AS a", engine=engine,
                             config=world.config(world.mysql)).body == b'[{"a":1}]'
