"""What a client does, in small steps: each function is one scenario on a running service. A scenario
doesn't say how it ends: whatever comes has to be answers of defined statuses, the last one perhaps
broken off, and an end."""

import itertools
import json
import signal
import socket
import ssl
import time
import uuid

import peer

SECONDS = 5.0
# Beside what a client can bring about: the failures themselves.
STATUSES = peer.STATUSES | {401, 500, 502, 507}

SETTINGS = {
    "SPARK_SERVICE_WORKERS": 2,
    "SPARK_SERVICE_CANARY_INTERVAL_MS": 60000,
    "SPARK_SERVICE_CANARY_MAX_AGE_MS": 600000,
    "SPARK_SERVICE_SPOOL_TTL_S": 1,
    "SPARK_SERVICE_MAX_HANDLES": 100000,
    "SPARK_SERVICE_HISTORY_LENGTH": 10,
    "SPARK_SERVICE_STREAM_PATIENCE_MS": 0,
    "SPARK_SERVICE_SLOT_LOST_MS": 4000,
}

ALL = []


def scenario(function):
    ALL.append(function)
    function.over_tls = False
    return function


def tls_scenario(function):
    """On a service that speaks TLS, wants a token and has files to read anew: see files.py."""
    scenario(function).over_tls = True
    return function


class Refused(Exception):
    """The connection ended before an answer: a fine end when a call fails."""


# ---- a client that can be told no ----

def connect(service):
    client = socket.create_connection(("127.0.0.1", service.port), timeout=SECONDS)
    if service.files is None:
        return client
    try:
        return service.files.context.wrap_socket(client, server_hostname="127.0.0.1")
    except TimeoutError:
        client.close()
        raise
    except OSError as error:
        client.close()
        raise Refused from error


def send(service, data):
    client = connect(service)
    try:
        client.sendall(data)
    except OSError as error:
        client.close()
        raise Refused from error
    return client


def receive(client):
    """All until the end, at most SECONDS for it."""
    end, received = time.monotonic() + SECONDS, b""
    with client:
        while True:
            client.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = client.recv(262144)
            except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
                break
            if not data:
                break
            received += data
    return received


def answers(received, head=False):
    """The whole answers; one that was broken off is left out."""
    try:
        found = peer.parse_answers(received, head)
    except peer.NotAnAnswer as broken:
        if not received.startswith(b"HTTP/1.1 "):
            raise AssertionError(f"neither an answer nor a close: {received[:300]!r}") from broken
        raise Refused from broken
    for answer in found:
        assert answer.status in STATUSES, answer
        if answer.status >= 400 and answer.body:
            assert json.loads(answer.body)["status"] == answer.status, answer
    if not found:
        raise Refused
    return found


def request(method, target, body=None, headers="", close=True):
    text = f"{method} {target} HTTP/1.1\r\nHost: test\r\n{headers}"
    if close:
        text += "Connection: close\r\n"
    if body is not None:
        text += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return text.encode() + b"\r\n" + (body or b"")


def ask(service, method, target, body=None, headers=""):
    return answers(receive(send(service, request(method, target, body, headers))), method == "HEAD")[-1]


def body_of(service, sql, **fields):
    return json.dumps({"path": str(service.root), "sql": sql} | fields).encode()


def query(service, sql, headers="", source="parquet", **fields):
    return ask(service, "POST", f"/api/spark/query/{source}", body_of(service, sql, **fields), headers)


# ---- pages ----

for _name, _target in {"health": "/api/spark/health", "livez": "/livez", "readyz": "/readyz", "startupz": "/startupz",
                       "metrics": "/metrics", "openapi": "/openapi.json", "console": "/", "list_none": "/api/spark/queries",
                       "no_route": "/nowhere", "no_query": f"/api/spark/queries/{uuid.UUID(int=7)}"}.items():
    def _page(service, target=_target):
        ask(service, "GET", target)

    _page.__name__ = _name
    scenario(_page)


@scenario
def wrong_method(service):
    ask(service, "DELETE", "/livez")


@scenario
def head_request(service):
    ask(service, "HEAD", "/api/spark/health")


@scenario
def pipelined_requests(service):
    data = request("GET", "/livez", close=False) * 3 + request("GET", "/livez")
    answers(receive(send(service, data)))


@scenario
def kept_connection(service):
    client = send(service, request("GET", "/livez", close=False))
    with client:
        try:
            assert client.recv(65536)[:9] in (b"HTTP/1.1 ", b"")
            client.sendall(request("GET", "/readyz"))
            received = client.recv(65536)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Refused from error
        assert received[:9] in (b"HTTP/1.1 ", b"")


# ---- malformed ----

@scenario
def malformed_line(service):
    answers(receive(send(service, b"GET\t/livez HTTP/1.1\r\n\r\n")))


@scenario
def malformed_chunk(service):
    answers(receive(send(service, b"POST /api/spark/query/parquet HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n")))


@scenario
def malformed_json(service):
    ask(service, "POST", "/api/spark/query/parquet", b'{"sql":')


@scenario
def unknown_field(service):
    query(service, "rows 1", sqll="x")


@scenario
def headers_too_large(service):
    answers(receive(send(service, b"GET / HTTP/1.1\r\nHost: test\r\nA: " + b"a" * 20000 + b"\r\n\r\n")))


@scenario
def body_too_large(service):
    answers(receive(send(service, b"POST /api/spark/query/parquet HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 99999999\r\n\r\n")))


@scenario
def expects_continue(service):
    body = body_of(service, "rows 1")
    answers(receive(send(service, request("POST", "/api/spark/query/parquet", body, "Expect: 100-continue\r\n"))))


# ---- queries ----

FORMATS = {"json": "application/json", "envelope": "application/vnd.spark-service.result+json",
           "ndjson": "application/x-ndjson;end=1", "csv": "text/csv", "arrow": "application/vnd.apache.arrow.stream"}

for _format, _coding in itertools.product(FORMATS, ("identity", "gzip", "zstd")):
    def _coded(service, accept=FORMATS[_format], coding=_coding):
        query(service, "rows 300", f"Accept: {accept}\r\nAccept-Encoding: {coding}, identity;q=0\r\n"
              if coding != "identity" else f"Accept: {accept}\r\n")

    _coded.__name__ = f"query_{_format}_{_coding}"
    scenario(_coded)


@scenario
def query_by_get(service):
    ask(service, "GET", f"/api/spark/query/parquet?sql=rows%203&path={service.root}&params=%7B%22a%22%3A1%7D")


@scenario
def query_by_head(service):
    ask(service, "HEAD", f"/api/spark/query/parquet?sql=rows%203&path={service.root}")


@scenario
def query_with_everything(service):
    query(service, "source 7 rows 3", params={"a": 1, "b": [1, "x"], "c": {"type": "DATE", "value": "2024-01-31"}},
          tags=["a", "b"], query_id=str(uuid.uuid4()), row_limit=2, byte_limit=1000, timeout_ms=3000, numbers="string")


@scenario
def query_with_error(service):
    query(service, "fail sql_error")


@scenario
def query_with_late_error(service):
    query(service, "rows 2000 fail source_error", "Accept: application/x-ndjson;end=1\r\n")


@scenario
def query_outside_roots(service):
    ask(service, "POST", "/api/spark/query/parquet", json.dumps({"path": "/etc", "sql": "rows 1"}).encode())


@scenario
def query_of_nothing_there(service):
    ask(service, "POST", "/api/spark/query/parquet",
        json.dumps({"path": f"{service.root}/gone", "sql": "rows 1"}).encode())


@scenario
def query_times_out(service):
    query(service, "sleep 60000", timeout_ms=20)


@scenario
def query_waits_and_is_refused(service):
    with send(service, request("POST", "/api/spark/query/parquet", body_of(service, "sleep 60", timeout_ms=500))), \
            send(service, request("POST", "/api/spark/query/parquet", body_of(service, "sleep 60", timeout_ms=500))):
        query(service, "rows 1", queue_timeout_ms=5)


@scenario
def query_to_mysql_without_source(service):
    ask(service, "POST", "/api/spark/query/mysql", b'{"sql":"SELECT 1"}')


@scenario
def query_to_forbidden_mysql(service):
    ask(service, "POST", "/api/spark/query/mysql",
        b'{"sql":"SELECT 1","config":{"host":"db.example","user":"u","password":"p"}}')


@scenario
def query_delta(service):
    query(service, "rows 3", source="delta", as_of={"version": 3})


@scenario
def query_iceberg(service):
    ask(service, "POST", "/api/spark/query/iceberg", b'{"sql":"rows 3","table":"local.db.t"}')


@scenario
def large_answer(service):
    query(service, "rows 200000")


@scenario
def long_answer_kept_on_disk(service):
    """Made and kept, and then, unless something failed, sent from disk."""
    for cache in ("refresh", "use"):
        query(service, f"reads {service.root} rows 120000", cache=cache)


@scenario
def spooled_answer(service):
    """A client that reads late: with no patience the rows go to disk."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(SECONDS)
    client.connect(("127.0.0.1", service.port))
    client.sendall(request("POST", "/api/spark/query/parquet", body_of(service, "rows 400000")))
    end = time.monotonic() + 0.15
    try:
        while time.monotonic() < end:
            time.sleep(0.05)
            client.recv(1024)
    except ConnectionResetError as error:
        raise Refused from error
    finally:
        if client.fileno() >= 0 and time.monotonic() < end:
            client.close()
    receive(client)


# ---- clients that leave, cancels ----

@scenario
def client_leaves(service):
    send(service, request("POST", "/api/spark/query/parquet", body_of(service, "sleep 60000"))).close()


@scenario
def client_resets_a_stream(service):
    client = send(service, request("POST", "/api/spark/query/parquet", body_of(service, "rows 500000")))
    with client:
        try:
            client.recv(100)
        except ConnectionResetError as error:
            raise Refused from error
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@scenario
def cancel_by_id(service):
    query_id = str(uuid.uuid4())
    client = send(service, request("POST", "/api/spark/query/parquet",
                                   body_of(service, "sleep 60000", query_id=query_id, timeout_ms=1000)))
    with client:
        ask(service, "DELETE", f"/api/spark/queries/{query_id}")
        answers(receive(client))


@scenario
def cancel_by_tag(service):
    client = send(service, request("POST", "/api/spark/query/parquet",
                                   body_of(service, "sleep 60000", tags=["t"], timeout_ms=1000)))
    with client:
        ask(service, "DELETE", "/api/spark/queries?tag=t")
        answers(receive(client))


# ---- lists, plans, asynchronous queries ----

@scenario
def list_some(service):
    ask(service, "GET", "/api/spark/queries?state=SUCCEEDED,FAILED&limit=5")


@scenario
def list_badly(service):
    ask(service, "GET", "/api/spark/queries?state=NOSUCH")


@scenario
def explain(service):
    ask(service, "POST", "/api/spark/explain/parquet", body_of(service, "source 3 rows 1"))


@scenario
def explain_fails(service):
    ask(service, "POST", "/api/spark/explain/parquet", body_of(service, "fail sql_error"))


def begin_async(service, sql):
    """Its handle; Refused when it wasn't taken on."""
    answer = query(service, sql, "Prefer: respond-async\r\n", timeout_ms=1500)
    if answer.status != 202:
        raise Refused
    return answer.fields["location"]


@scenario
def async_query(service):
    ask(service, "GET", begin_async(service, "sleep 1 rows 10"))


@scenario
def async_results(service):
    location = begin_async(service, "sleep 1 rows 10")
    end = time.monotonic() + SECONDS
    while ask(service, "GET", f"{location}/results").status == 202:
        if time.monotonic() > end:
            raise TimeoutError


@scenario
def async_chunk_coded(service):
    location = begin_async(service, "sleep 1 rows 1000")
    end = time.monotonic() + SECONDS
    while ask(service, "GET", f"{location}/results?chunk=0", headers="Accept-Encoding: gzip\r\n").status == 202:
        if time.monotonic() > end:
            raise TimeoutError


@scenario
def async_failure(service):
    location = begin_async(service, "sleep 1 fail source_error")
    end = time.monotonic() + SECONDS
    while ask(service, "GET", f"{location}/results").status == 202:
        if time.monotonic() > end:
            raise TimeoutError


@scenario
def async_cancel(service):
    ask(service, "DELETE", begin_async(service, "sleep 60000"))


@scenario
def wait_then_cancel(service):
    query(service, "sleep 60000", wait_ms=10, on_wait="cancel")


@scenario
def waits_long_enough(service):
    query(service, "rows 20", wait_ms=3000)


# ---- over TLS, with tokens ----

def token(service):
    return f"Authorization: Bearer {service.files.token}\r\n"


@tls_scenario
def tls_page(service):
    ask(service, "GET", "/livez")


@tls_scenario
def tls_query(service):
    query(service, "rows 20", token(service))


@tls_scenario
def tls_large_answer(service):
    query(service, "rows 60000", token(service))


@tls_scenario
def tls_kept_connection(service):
    data = request("GET", "/livez", close=False) + request("GET", "/livez")
    answers(receive(send(service, data)))


@tls_scenario
def tls_without_token(service):
    query(service, "rows 20")


@tls_scenario
def tls_wrong_token(service):
    query(service, "rows 20", "Authorization: Bearer sps_000000000000_nobody\r\n")


@tls_scenario
def tls_to_one_who_speaks_none(service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=SECONDS) as client:
        client.sendall(request("GET", "/livez"))
        answered = receive(client)
    assert not answered.startswith(b"HTTP"), answered
    raise Refused


@tls_scenario
def tls_handshake_broken_off(service):
    hello = ssl.MemoryBIO()
    half = service.files.context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="127.0.0.1")
    try:
        half.do_handshake()
    except ssl.SSLWantReadError:
        pass
    with socket.create_connection(("127.0.0.1", service.port), timeout=SECONDS) as client:
        client.sendall(hello.read()[:100])


def reload(service):
    """What was in force stays in force, or the same comes in its place: either way we get in."""
    service.process.send_signal(signal.SIGHUP)
    ask(service, "GET", "/livez")
    query(service, "rows 20", token(service))


@tls_scenario
def files_read_anew(service):
    reload(service)


@tls_scenario
def files_broken_when_read_anew(service):
    with service.files.broken():
        reload(service)
