"""Sessions of the direct engine that plain statements leave as they are, and rows that come as
text: the same bytes, and nothing of one caller's is left for the next; on MySQL and on MariaDB."""

import threading

import pytest

from harness.sanitized import SanitizedService
from harness.service import query_body

# Of the conformance tables: each type that text carries. The others are prepared each time.
EXACT = ("integers", "decimals", "strings", "bits", "binaries", "times", "documents", "people")
PREPARED = ("floats",)
RUNS = 4  # two are prepared, then it goes as text
ON_PEOPLE = (
    "1", "-1", "18446744073709551615", "99999999999999999999", "1.50", "'x'", "NULL", "X'C328'",
    "DATE '2024-02-29'", "TIME '25:00:00'", "TIMESTAMP '2024-01-31 09:57:06.5'", "1 = 1", "1 / 3",
    "CAST('7' AS UNSIGNED)", "CAST(1.005 AS DECIMAL(10,2))", "CAST('9:8:7' AS TIME(3))",
    "CONCAT(name, 1)", "HEX(name)", "UNHEX('FF')", "IF(age > 1, 'a', 2)", "COALESCE(NULL, age)",
    "ROUND(1.2345, 2)", "POW(2, 3)", "DATE_ADD('2024-01-31', INTERVAL 1 MONTH)", "1e0", "MD5(name)",
    "(SELECT MAX(age) FROM people)", "(SELECT AVG(age) FROM people)",
    "(SELECT GROUP_CONCAT(name ORDER BY id) FROM people)")


@pytest.fixture(scope="module", params=["mysql", "mariadb"])
def server(request, world):
    server = getattr(world, request.param)
    server.run("CREATE DATABASE sessions", "CREATE TABLE sessions.t (id INT PRIMARY KEY, v INT)",
               "INSERT INTO sessions.t VALUES (1, 10), (2, 20), (3, 30)",
               "CREATE VIEW sessions.locks AS SELECT id, GET_LOCK('of a view', 0) AS got"
               " FROM sessions.t WHERE id = 1",
               "CREATE FUNCTION sessions.counts() RETURNS INT READS SQL DATA"
               " RETURN (SELECT COUNT(*) FROM sessions.t)",
               "GRANT EXECUTE ON sessions.* TO reader@'127.0.0.1'")
    yield server
    server.run("DROP DATABASE sessions")


@pytest.fixture
def start(world):
    """Starts a service without a JVM; it ends with the test."""
    started = []

    def begin(**env):
        service = SanitizedService("asan", world.data, **world.service_env() | env)
        started.append(service)
        service.start()
        return service.wait_ready()

    yield begin
    for service in started:
        service.remove()


@pytest.fixture
def alone(start):
    """A service with one connection, so that each statement meets the session of the one before."""
    return start(SPARK_SERVICE_MYSQL_CONNECTIONS=1, SPARK_SERVICE_WORKERS=1,
                 SPARK_SERVICE_MYSQL_REUSE_MS=600000, SPARK_SERVICE_MYSQL_IDLE_MS=600000)


def as_text(service):
    return service.metric('mysql_statements_total{protocol="text"}')


def renewed(service):
    return service.metric('mysql_sessions_total{result="renewed"}')


def test_text_gives_the_same_bytes(alone, world, server):
    def arrow(sql):
        """Types, their names, and every value."""
        reply = alone.request("POST", "/api/spark/query/mysql",
                              query_body(sql, config=world.config(server), engine="direct"),
                              headers={"Accept": "application/vnd.apache.arrow.stream"})
        assert reply.status == 200, (sql, reply)
        return reply.body

    def text_runs_of(sql):
        before = as_text(alone)
        answers = {arrow(sql) for _ in range(RUNS)}
        assert len(answers) == 1, sql
        return as_text(alone) - before

    for table in EXACT:
        assert text_runs_of(f"SELECT * FROM {table} ORDER BY id") == RUNS - 2, table
    for table in PREPARED:
        assert text_runs_of(f"SELECT * FROM {table} ORDER BY id") == 0, table
    for expression in ON_PEOPLE:
        text_runs_of(f"SELECT {expression} AS v FROM people WHERE id = 1")


def test_nothing_is_left_for_the_next(alone, world, server):
    def ask(sql, **fields):
        reply = alone.query("mysql", sql, config=world.config(server, "sessions"), engine="direct",
                            **fields)
        assert reply.status == 200, (sql, reply)
        return reply.json()

    plain = "SELECT id, v FROM t WHERE v > 1"
    peeks = ("SELECT ROW_COUNT() AS n", "SELECT @seen AS n", "SELECT @@last_insert_id AS n",
             "SELECT @@sql_select_limit AS n")
    seen = {peek: ask(peek) for peek in peeks}
    for peek in peeks:
        for _ in range(RUNS):
            assert len(ask(plain, row_limit=2)) == 2
        assert ask(peek) == seen[peek], peek
    # A plain one after others: a variable, a lock, a function, a view that takes a lock.
    for other in ("SELECT @seen := 7 AS n", "SELECT GET_LOCK('x', 0) AS n", "SELECT counts() AS n",
                  "SELECT id, got FROM locks"):
        for _ in range(RUNS):
            ask(other)
            assert server.run("SELECT IS_FREE_LOCK('x') AND IS_FREE_LOCK('of a view')") == ((1,),)
        assert len(ask(plain)) == 3
    assert ask("SELECT @seen AS n") == seen["SELECT @seen AS n"]
    before = renewed(alone)
    text = as_text(alone)
    for v in range(20):
        assert len(ask(f"SELECT id, v FROM t WHERE v > {v % 10}")) == 3
    assert as_text(alone) - text >= 18
    assert renewed(alone) - before <= 3


def test_what_others_do_to_the_table_is_seen_at_once(alone, world, server):
    def ask(sql):
        reply = alone.query("mysql", sql, config=world.config(server, "sessions"), engine="direct")
        return reply.json() if reply.status == 200 else reply.code

    server.run("CREATE TABLE changing (id INT, v INT)", "INSERT INTO changing VALUES (1, 5)",
               database="sessions")
    sql, one = "SELECT * FROM changing WHERE id = 1", "SELECT v FROM changing WHERE id = 1"
    for _ in range(RUNS):
        assert ask(sql) == [{"id": 1, "v": 5}]
        assert ask(one) == [{"v": 5}]
    for change, wanted in (
            ("UPDATE changing SET v = 6", {"v": 6}),
            ("ALTER TABLE changing MODIFY v VARCHAR(9)", {"v": "6"}),
            ("ALTER TABLE changing MODIFY v DOUBLE", {"v": 6.0}),
            ("ALTER TABLE changing MODIFY v DECIMAL(5,2)", {"v": "6.00"}),
            ("ALTER TABLE changing ADD w INT DEFAULT 3", {"v": "6.00", "w": 3}),
            ("ALTER TABLE changing DROP w, MODIFY v BIGINT UNSIGNED", {"v": 6})):
        server.run(change, database="sessions")
        for _ in range(RUNS):
            assert ask(sql) == [{"id": 1} | wanted], change
            assert ask(one) == [{"v": wanted["v"]}], change
    server.run("DROP TABLE changing", database="sessions")
    assert ask(sql) == "sql_error"
    server.run("CREATE VIEW changing AS SELECT 1 AS id, 8 AS v", database="sessions")
    for _ in range(RUNS):
        assert ask(sql) == [{"id": 1, "v": 8}]
    server.run("DROP VIEW changing", database="sessions")


def test_parameters_beside_each_other(start, world, server):
    """Each gets its own rows, whoever else asks on the same connections."""
    service = start(SPARK_SERVICE_MYSQL_CONNECTIONS=2)
    wrong = []

    def ask(worker):
        for i in range(40):
            v = (worker + i) % 3 + 1
            fields = {"params": {"id": v}} if i % 2 else {}
            sql = f"SELECT id, v FROM t WHERE id = {':id' if fields else v}"
            reply = service.query("mysql", sql, config=world.config(server, "sessions"),
                                  engine="direct", **fields)
            if reply.status != 200 or reply.json() != [{"id": v, "v": v * 10}]:
                wrong.append(reply)

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert as_text(service) > 0
