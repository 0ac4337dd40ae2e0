"""What callers must not get: every statement of tests/corpora/sql/hostile-*.sql on every endpoint,
as it is and disguised, is refused; no file is read, nobody is called, nothing is started."""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.http_client import ConnectionEnded, request_bytes
from harness.process_facts import children_ever
from harness.service import query_body
from harness.sql_corpus import DISGUISES, hostile

CANARY = "kanarienvogel-7f3a"
CALLERS = 8
REFUSED = {400, 403, 422}
# Without LONG=1 each statement goes to each endpoint in so many of its disguises.
SOME_DISGUISES = 2
LONG = os.environ.get("LONG") == "1"


class Listener:
    """A port that counts who calls."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def close(self):
        self.socket.close()


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def secret(world):
    path = world.folder / "secret.txt"
    path.write_text(CANARY + "\n")
    return path


def corpus(world, listener, secret):
    """(endpoint, statement, fields of the request) of each attempt that must be refused."""
    values = {"SECRET": secret, "HOME": world.folder, "DATA": world.data,
              "LISTENER": listener.port}
    spark = hostile("hostile-spark.sql", **values)
    assert len(spark) >= 300 and len({each.family for each in spark}) == 12
    for endpoint in ("parquet", "delta", "iceberg"):
        for each in spark:
            yield endpoint, each, world.users_query(endpoint)[1]
    for engine in ("direct", "spark"):
        for each in hostile("hostile-mysql.sql", **values):
            yield "mysql", each, world.users_query("mysql")[1] | {"engine": engine}
    for each in spark:
        if each.family != "bombs" and each.sql not in MYSQL_TOO:
            yield "mysql", each, world.users_query("mysql")[1]


# Harmless there.
MYSQL_TOO = ("SELECT session_user()",)
# What nothing asks for is never made, nor looked at by MySQL: as the rows of EXISTS or of an unused
# WITH a bomb, or a function that MySQL doesn't have, is a statement like any other.
NEVER_ASKED = ("EXISTS", "an unused WITH", "a union")


class Caller:
    """Requests one after another on a connection that is made anew when it ends."""

    def __init__(self, service):
        self.service = service
        self.connection = None

    def ask(self, endpoint, sql, fields):
        body = query_body(sql, timeout_ms=20_000, **fields)
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = self.service.connect(timeout=60)
            try:
                self.connection.send(request_bytes("POST", f"/api/spark/query/{endpoint}", body))
                reply = self.connection.read_reply()
            except (ConnectionEnded, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
                continue
            if reply.headers.get("connection") == "close":
                self.connection.close()
                self.connection = None
            return reply


def ask_all(service, attempts):
    """Gives (attempt, reply) of all, asked over several connections."""
    local = threading.local()

    def ask(attempt):
        if not hasattr(local, "caller"):
            local.caller = Caller(service)
        return attempt, local.caller.ask(*attempt)

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(ask, attempts))


def is_refused(attempt, reply):
    """By the service; or by MySQL, which has no such database or gives its account no right."""
    return reply.status in REFUSED or (
        attempt[0] == "mysql" and reply.status == 502
        and any(words in reply.json()["detail"] for words in ("denied access", "Unknown database")))


def not_refused(answers):
    return [(attempt[0], attempt[1][:200], reply.status, reply.body[:200])
            for attempt, reply in answers if not is_refused(attempt, reply)]


def sample_answers(service, world):
    """What settings, functions and tables a statement sees."""
    questions = ["SELECT current_timezone(), abs(-1), typeof(1.0), 'A' = 'a', to_json(struct(1))",
                 "SELECT count(*), min(name) FROM {table}", "SELECT CAST('x' AS INT)",
                 "SELECT * FROM v", "SELECT * FROM t"]
    answers = []
    for source in ("parquet", "delta", "iceberg"):
        table, fields = world.users_query(source)
        for question in questions:
            reply = service.query(source, question.format(table=table), **fields)
            answers.append(reply.body if reply.status == 200 else (reply.status, reply.code))
    return answers


@pytest.mark.expect_log(r"msg=\"query ended\"|msg=request|WARN|level=warn")
def test_hostile_statements(service, world, listener, secret):
    offset = service.log_size()
    children = children_ever(service.pid)
    before = sample_answers(service, world)
    files = sorted(path for path in world.folder.rglob("*") if "mysql" not in str(path))
    attempts = []
    for number, (endpoint, each, fields) in enumerate(corpus(world, listener, secret)):
        attempts.append((endpoint, each.sql, fields))
        disguises = list(DISGUISES.items())
        if not LONG:
            at = number * SOME_DISGUISES % len(disguises)
            disguises = (disguises + disguises)[at:at + SOME_DISGUISES]
        for name, disguise in disguises:
            if name not in NEVER_ASKED or endpoint != "mysql" and each.family != "bombs":
                attempts.append((endpoint, disguise(each.sql), fields))
    answers = ask_all(service, attempts)
    print(f"{len(answers)} hostile statements")

    assert not (passed := not_refused(answers)), f"{len(passed)} passed: {passed[:30]}"
    told = [answer for answer in answers if CANARY.encode() in answer[1].body]
    assert not told
    assert CANARY not in service.log(offset)
    assert listener.calls == 0
    assert children_ever(service.pid) == children, "the service started a process"
    assert sample_answers(service, world) == before
    assert sorted(path for path in world.folder.rglob("*") if "mysql" not in str(path)) == files


@pytest.mark.expect_log(r"msg=\"query ended\"|msg=request")
def test_plain_refusals_name_what_is_refused(service, world, listener, secret):
    """As they stand, without disguise: 403, or an error of Spark's parser."""
    attempts = [(endpoint, each.sql, fields)
                for endpoint, each, fields in corpus(world, listener, secret)
                if endpoint == "parquet"]
    for (_, sql, _), reply in ask_all(service, attempts):
        problem = reply.json()
        if reply.status == 403:
            assert "not allowed" in problem["detail"] or "outside" in problem["detail"] \
                or "must be absolute" in problem["detail"], (sql, problem)
        else:
            assert reply.status == 422 and problem["sqlstate"][:2] in ("42", "0A", "54"), \
                (sql, problem)
