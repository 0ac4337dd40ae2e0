"""HTTP manners: connections, limits, headers."""

import re
import time

import pytest

from harness.http_client import request_bytes
from harness.service import query_body, query_bytes

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TARGET = "/api/spark/query/parquet"


def numbered(world, number):
    return {"sql": f"SELECT {number} AS a", "path": f"{world.data}/parquet/users"}


def test_connection_is_kept(service, world):
    with service.connect() as connection:
        for number in range(5):
            connection.send(query_bytes("parquet", **numbered(world, number)))
            assert connection.read_reply().body == b'[{"a":%d}]' % number


def test_connection_close_is_honoured(service):
    with service.connect() as connection:
        reply = connection.request("GET", "/livez", headers={"Connection": "close"})
        assert reply.status == 200
        assert connection.ended()


def test_http_1_0_closes(service):
    with service.connect() as connection:
        connection.send(b"GET /livez HTTP/1.0\r\n\r\n")
        assert connection.read_reply().status == 200
        assert connection.ended()


def test_pipelined_requests_are_answered_in_order(service, world):
    """The first one is the slowest: later answers wait for it."""
    slow = {"sql": "SELECT count(*) AS a FROM parquet_data a CROSS JOIN parquet_data b",
            "path": f"{world.data}/parquet/users"}
    with service.connect() as connection:
        connection.send(query_bytes("parquet", **slow)
                        + request_bytes("GET", "/livez")
                        + query_bytes("parquet", **numbered(world, 2))
                        + request_bytes("GET", "/nowhere"))
        assert connection.read_reply().body == b'[{"a":1000000}]'
        assert connection.read_reply().body == b"live\n"
        assert connection.read_reply().body == b'[{"a":2}]'
        assert connection.read_reply().status == 404


def test_small_answer_has_its_facts_in_headers(service, world):
    reply = service.query("parquet", **numbered(world, 1))
    headers = reply.headers
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == str(len(reply.body))
    assert "transfer-encoding" not in headers
    assert UUID.fullmatch(headers["query-id"])
    assert headers["query-engine"] == "spark"
    assert headers["result-truncated"] == "false"
    assert "Accept" in headers["vary"]
    assert re.fullmatch(r"queue;dur=[\d.]+, plan;dur=[\d.]+, run;dur=[\d.]+, write;dur=[\d.]+",
                        headers["server-timing"])


def test_problem_has_the_documented_members(service, world):
    reply = service.query("parquet", "SELECT nope FROM parquet_data",
                          path=f"{world.data}/parquet/users")
    problem = reply.json()
    assert reply.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "query_id", "sqlstate", "error_class",
            "line", "column", "retryable", "elapsed_ms"} <= set(problem)
    assert set(problem) <= {"type", "title", "status", "detail", "instance", "code", "query_id",
                            "sqlstate", "error_class", "line", "column", "retryable", "elapsed_ms"}
    assert problem["status"] == reply.status == 422
    assert problem["query_id"] == reply.headers["query-id"]
    assert "\tat " not in problem["detail"] and "Exception" not in problem["detail"]


def test_accept_with_weights(service, world):
    for accept in ("*/*", "application/*", "application/json;q=0.5, text/html",
                   "text/csv;q=0.1, application/json", "application/json; charset=utf-8"):
        reply = service.request("POST", TARGET, query_body(**numbered(world, 1)),
                                {"Accept": accept})
        assert reply.status == 200, accept


def test_content_type_with_charset(service, world):
    reply = service.request("POST", TARGET, query_body(**numbered(world, 1)),
                            {"Content-Type": "application/json; charset=utf-8"})
    assert reply.status == 200


def test_expect_continue_is_answered_before_the_body(service, world):
    body = query_body(**numbered(world, 7))
    with service.connect() as connection:
        connection.send(request_bytes("POST", TARGET, b"", {
            "Content-Length": str(len(body)), "Expect": "100-continue"}))
        assert connection.read_head()[0] == 100
        connection.send(body)
        assert connection.read_reply().body == b'[{"a":7}]'


def test_expect_continue_is_refused_before_the_body(service):
    with service.connect() as connection:
        connection.send(request_bytes("POST", TARGET, b"", {
            "Content-Length": "10", "Content-Type": "text/plain", "Expect": "100-continue"}))
        assert connection.read_head()[0] == 415


def test_other_expectation_is_417(service):
    reply = service.request("GET", "/livez", headers={"Expect": "tea"})
    assert reply.status == 417


def test_chunked_body_is_read(service, world):
    body = query_body(**numbered(world, 8))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                      for part in (body[:1], body[1:20], body[20:])) + b"0\r\n\r\n"
    with service.connect() as connection:
        connection.send(request_bytes("POST", TARGET, b"", {
            "Content-Length": None, "Transfer-Encoding": "chunked"}) + chunks)
        assert connection.read_reply().body == b'[{"a":8}]'


def test_request_sent_byte_by_byte(service, world):
    with service.connect() as connection:
        for byte in query_bytes("parquet", **numbered(world, 9)):
            connection.send(bytes([byte]))
        assert connection.read_reply().body == b'[{"a":9}]'


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_body_over_1_mib_is_413(service, chunked):
    with service.connect() as connection:
        if chunked:
            connection.send(request_bytes("POST", TARGET, b"", {
                "Content-Length": None, "Transfer-Encoding": "chunked"}))
            try:
                for _ in range(20):
                    connection.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass
        else:
            connection.send(request_bytes("POST", TARGET, b"", {"Content-Length": "1048577"}))
        reply = connection.read_reply()
        assert (reply.status, reply.code) == (413, "too_large")


def test_body_of_1_mib_is_read(service):
    body = b'{"sql":"SELECT 1","path":"/x"' + b" " * (1048576 - 30) + b"}"
    assert len(body) == 1048576
    assert service.request("POST", TARGET, body).status == 403


def test_long_target_is_414(service):
    reply = service.request("GET", "/" + "x" * 16384)
    assert (reply.status, reply.code) == (414, "too_large")


def test_large_headers_are_431(service):
    reply = service.request("GET", "/livez", headers={f"X-{n}": "y" * 1000 for n in range(17)})
    assert (reply.status, reply.code) == (431, "too_large")


def test_many_connections_at_once(service):
    connections = [service.connect() for _ in range(200)]
    for connection in connections:
        connection.send(request_bytes("GET", "/livez"))
    assert all(connection.read_reply().status == 200 for connection in connections)
    for connection in connections:
        connection.close()


def test_health_answers_at_once_beside_silent_connections(service):
    """Connections that say nothing, or half of a request, delay nobody."""
    silent = [service.connect() for _ in range(100)]
    for connection in silent[:50]:
        connection.send(b"POST /api/spark/query/parquet HTTP/1.1\r\nHost: x\r\nContent-Le")
    begin = time.monotonic()
    assert service.status_of("/livez") == 200
    assert time.monotonic() - begin < 0.5
    for connection in silent:
        connection.close()
