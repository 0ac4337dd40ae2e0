"""Malformed requests and what has to become of each.

CASES is the table: every row of "framing" in the HTTP contract (RFC 9110, RFC
9112), truncations at every byte, oversize, and seeded variations of them. Each
ends within a second in the status named, followed by a close, or in a close
alone. Needs only a server that answers GET /livez with 200 and takes a body at
POST /api/spark/query/parquet.

By hand: python http_cases.py PORT [HOST]
"""

import dataclasses
import json
import random
import socket
import sys
import time

CLOSE = "close"
SECONDS = 1.0
SEED = 9112

GET = b"GET /livez HTTP/1.1\r\n"
POST = b"POST /api/spark/query/parquet HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
LAST = b"Connection: close\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    data: bytes
    expected: object  # a status, or CLOSE
    half_close: bool = False  # the client shuts its side behind the last byte


def case_bytes(case):
    return case.data


def head(*lines, start=GET, host=HOST):
    return start + host + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def chunked_post(body):
    return POST + HOST + JSON + CHUNKED + b"\r\n" + body


def chunked_get(body):
    return GET + HOST + LAST + CHUNKED + b"\r\n" + body


def framing_rows():
    """One case for each row of the contract, and the two CVEs of llhttp."""
    yield "te gzip, chunked", head(b"Transfer-Encoding: gzip, chunked", start=POST), 501
    yield "te gzip", head(b"Transfer-Encoding: gzip", start=POST), 501
    yield "te identity", head(b"Transfer-Encoding: identity", start=POST), 501
    yield "te xchunked", head(b"Transfer-Encoding: xchunked", start=POST), 501
    yield "te chunked, chunked", head(b"Transfer-Encoding: chunked, chunked", start=POST), 501
    yield "te chunked;q", head(b"Transfer-Encoding: chunked;a=b", start=POST), 501
    yield "te empty", head(b"Transfer-Encoding:", start=POST), 501
    yield "te quoted", head(b'Transfer-Encoding: "chunked"', start=POST), 501
    yield "te twice", head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked",
                           start=POST), 501
    yield "te in http/1.0", head(b"Transfer-Encoding: chunked",
                                 start=b"POST /api/spark/query/parquet HTTP/1.0\r\n"), 400
    for first, second in ((b"Transfer-Encoding: chunked", b"Content-Length: 5"),
                          (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
                          (b"Content-Length: 0", b"Transfer-Encoding: gzip")):
        yield "te and cl", head(first, second, start=POST) + b"0\r\n\r\n" + SMUGGLED, 400
    yield "two cl, differing", head(b"Content-Length: 5", b"Content-Length: 6",
                                    start=POST) + b"hello" + SMUGGLED, 400
    yield "two cl, equal", head(b"Content-Length: 5", b"Content-Length: 5",
                                start=POST) + b"hello", 400
    yield "cl list", head(b"Content-Length: 5, 5", start=POST) + b"hello", 400
    for value in (b"+5", b"-5", b"-0", b"0x5", b"5 5", b"5a", b"", b"5.0", b"5,", b"\xd9\xa5",
                  b'"5"', b"5;", b"1e1", b"5\x0b"):
        yield f"cl {value!r}", head(b"Content-Length: " + value, start=POST) + b"hello", 400
    for size in (b"0x5", b"+5", b" 5", b"-0", b"-5", b"5 junk", b"5 ", b"5\t", b"", b";a=b", b"g",
                 b"5 ;a=b", b"5;", b"5;=b", b"5;a=", b"5; a=b", b"5;a=b c", b'5;a="b', b"5,",
                 b"5;a\x00=b", b"5\x0b", b"\xef\xbc\x95", b"5;a=\"\x01\""):
        yield f"chunk size {size!r}", chunked_post(size + b"\r\nhello\r\n0\r\n\r\n"), 400
    yield "chunk size huge", chunked_post(b"fffffffffffffff0\r\nhello"), 413
    yield "chunk size overflow", chunked_post(b"1" + b"0" * 16 + b"5\r\nhello"), 413
    for end in (b"5\r\n", b"xx", b"\n", b"\r\r", b"\rx", b" \r\n"):
        yield f"chunk end {end!r}", chunked_post(b"5\r\nhello" + end + b"0\r\n\r\n"), 400
    yield "chunk extension", chunked_get(b"5;a=b\r\nhello\r\n0\r\n\r\n"), 200
    yield "chunk extensions", chunked_get(b'5;a;b=c;d="e;f"\r\nhello\r\n0;x=y\r\n\r\n'), 200
    yield "chunk extension too long", chunked_post(b"5;" + b"a" * 2000 + b"\r\n"), 400
    yield "trailer", chunked_get(b"5\r\nhello\r\n0\r\nDigest: x\r\n\r\n"), 200
    for line in (b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: evil", b"A : b",
                 b" folded", b"", b"A: \x00"):
        if line:
            yield f"trailer {line!r}", chunked_post(b"0\r\n" + line + b"\r\n\r\n"), 400
    yield "trailers too large", chunked_post(b"0\r\nA: " + b"a" * 20000 + b"\r\n\r\n"), 431
    yield "space before colon", head(b"Name : value"), 400
    yield "tab before colon", head(b"Name\t: value"), 400
    yield "empty name", head(b": value"), 400
    yield "no colon", head(b"Name"), 400
    yield "space in name", head(b"Na me: value"), 400
    yield "te with space before colon", head(b"Transfer-Encoding : chunked", start=POST), 400
    yield "cl with space before colon", head(b"Content-Length : 5", start=POST) + b"hello", 400
    yield "nul in value", head(b"Name: a\x00b"), 400
    yield "obs-fold", head(b"Name: a", b" b"), 400
    yield "obs-fold tab", head(b"Name: a", b"\tb"), 400
    yield "fold first", GET + b" Name: a\r\n" + HOST + b"\r\n", 400
    yield "no host", head(host=b""), 400
    yield "two hosts", head(b"Host: localhost"), 400
    yield "two differing hosts", head(b"Host: evil"), 400
    for value in (b"", b"a b", b"a/b", b"user@host", b"host:port", b"[::1", b"a,b c", b"h\xc3\xa4",
                  b"host:8000:1", b"http://host", b"[zz]", b"a?b", b"a#b"):
        yield f"host {value!r}", head(host=b"Host: " + value + b"\r\n"), 400
    yield "absolute form", head(b"Connection: close", start=b"GET http://localhost/livez HTTP/1.1\r\n"), 200
    yield "absolute form, upper case", head(b"Connection: close",
                                            start=b"GET HTTP://LOCALHOST/livez HTTP/1.1\r\n"), 200
    for target in (b"http://evil/livez", b"http:///livez", b"http://localhost:1/livez",
                   b"http://a@localhost/livez", b"ftp://localhost/livez", b"livez", b"*",
                   b"localhost:80", b"//", b"/a#b", b"http:/livez", b"?a=b"):
        expected = 404 if target == b"//" else 400
        yield f"target {target!r}", head(b"Connection: close",
                                         start=b"GET " + target + b" HTTP/1.1\r\n"), expected
    yield "body on get", head(b"Connection: close", b"Content-Length: 5") + b"hello", 200
    yield "body on head", head(b"Connection: close", b"Content-Length: 5",
                               start=b"HEAD /livez HTTP/1.1\r\n") + b"hello", 200
    yield "body on get too large", head(b"Content-Length: 99999999"), 413
    yield "known method, not routed", head(b"Connection: close",
                                           start=b"DELETE /livez HTTP/1.1\r\n"), 405
    yield "trace", head(b"Connection: close", start=b"TRACE /livez HTTP/1.1\r\n"), 405
    for method in (b"FOO", b"get", b"Get", b"GETT", b"PROPFIND", b"M-SEARCH", b"PRI", b"CONNECT",
                   b"DESCRIBE", b"A" * 64):
        yield f"method {method!r}", head(start=method + b" /livez HTTP/1.1\r\n"), 501
    yield "expect other", head(b"Expect: 200-ok"), 417
    yield "expect list", head(b"Expect: 100-continue, x"), 417
    yield "expect empty", head(b"Expect:"), 417
    for version in (b"HTTP/2.0", b"HTTP/0.9", b"HTTP/3.0", b"HTTP/9.9"):
        yield f"version {version!r}", head(start=b"GET /livez " + version + b"\r\n"), 505
    yield "h2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505
    for version in (b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/11", b"http/1.1", b"HTTP/1.1 ",
                    b"HTTP/1.1x", b"HTTP/1.10", b"XTTP/1.1", b"HTTP 1.1", b" HTTP/1.1", b"",
                    b"HTTP/1,1", b"HTTP/+1.1", b"HTTP/1.1\t", b"RTSP/1.0", b"HTTP/x.y"):
        yield f"version {version!r}", head(start=b"GET /livez " + version + b"\r\n"), 400
    yield "http/0.9", b"GET /livez\r\n\r\n", 400
    for start in (b"GET  /livez HTTP/1.1\r\n", b"GET\t/livez HTTP/1.1\r\n", b" GET /livez HTTP/1.1\r\n",
                  b"GET /livez\tHTTP/1.1\r\n", b"GET/livez HTTP/1.1\r\n", b"GET\r\n", b"\tGET / HTTP/1.1\r\n",
                  b"G(T /livez HTTP/1.1\r\n", b"/livez HTTP/1.1\r\n", b"\x00GET /livez HTTP/1.1\r\n",
                  b"\r\n\r\nGET /livez HTTP/1.1\r\n", b"\xef\xbb\xbfGET /livez HTTP/1.1\r\n"):
        yield f"request line {start!r}", head(start=start), 400
    yield "tls hello", bytes.fromhex("16030100c8010000c40303") + bytes(64), 400
    yield "cve-2023-30589", head(b"Dummy: x\rContent-Length: 41") + SMUGGLED, 400
    yield "cve-2023-30589, cr cr", GET + HOST + b"Dummy: x\r\rContent-Length: 41\r\n\r\n" + SMUGGLED, 400
    yield "cve-2024-27982", head(b" Content-Length: 41") + SMUGGLED, 400
    yield "cve-2024-27982, first", GET + b" Content-Length: 41\r\n" + HOST + b"\r\n" + SMUGGLED, 400
    yield "cve-2024-22019", chunked_post(b"1;" + b"a" * 65536), 400
    yield "upgrade is only an offer", head(b"Connection: close, Upgrade", b"Upgrade: h2c"), 200


def bare_line_ends():
    """CR or LF alone in place of each CRLF of a request with a chunked body."""
    whole = chunked_post(b"5\r\nhello\r\n0\r\nDigest: x\r\n\r\n")
    at = whole.find(b"\r\n")
    while at >= 0:
        for end in (b"\n", b"\r", b"\n\r", b"\r\r\n"):
            # Behind a bare CR nothing ends the line: say more, so that a line does end.
            yield f"{end!r} at {at}", whole[:at] + end + whole[at + 2:] + b"x\r\n\r\n", 400
        at = whole.find(b"\r\n", at + 2)


def bytes_out_of_place():
    """Every byte that may not stand there, in a name, a value and a target."""
    token = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for code in range(256):
        byte = bytes([code])
        if byte not in token and byte != b":":
            yield f"name with {byte!r}", head(b"X" + byte + b"Y: v"), 400
        if (code < 32 and byte != b"\t") or code == 127:
            yield f"value with {byte!r}", head(b"X: a" + byte + b"b"), 400
        if code <= 32 or code >= 127 or byte == b"#":
            yield f"target with {byte!r}", head(start=b"GET /a" + byte + b"b HTTP/1.1\r\n"), 400


def truncations():
    """A whole request less its last bytes, and no more to come."""
    for name, whole in (("get", head(b"Accept: */*")),
                        ("post", POST + HOST + JSON + b"Content-Length: 14\r\n\r\n" + b'{"sql":"x y z"'),
                        ("chunks", chunked_post(b"5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nDigest: x\r\n\r\n"))):
        for length in range(len(whole)):
            yield f"{name} cut at {length}", whole[:length], CLOSE


def oversize(chance):
    for _ in range(12):
        more = chance.randrange(1, 60000)
        yield "target", head(start=b"GET /" + b"a" * (16384 + more) + b" HTTP/1.1\r\n"), 414
        yield "target without an end", b"GET /" + b"a" * (16384 + 64 + more), 414
        yield "one header", head(b"A: " + b"a" * (16384 + more)), 431
        yield "header without an end", GET + HOST + b"A: " + b"a" * (16384 + more), 431
        line = b"A%d: b" % chance.randrange(1000)
        yield "many headers", head(*[line] * (16384 // len(line) + chance.randrange(100))), 431
        size = 1048576 + chance.randrange(1, 10**9)
        yield "content-length", head(b"Content-Length: %d" % size, start=POST), 413
        yield "content-length with a body", head(b"Content-Length: %d" % size,
                                                 start=POST) + b"a" * more, 413
        yield "chunk", chunked_post(b"%x\r\n" % size + b"a" * more), 413
        chunk = b"%x\r\n" % 60000 + b"a" * 60000 + b"\r\n"
        yield "chunks", chunked_post(chunk * 18 + b"%x\r\n" % more), 413
    yield "content-length beyond 64 bits", head(b"Content-Length: " + b"9" * 30, start=POST), 413


def variations(chance):
    """The rows again with other words in other places."""
    tokens = [b"X-%x" % chance.randrange(1 << 32) for _ in range(40)]
    for token in tokens:
        extra = [token + b": %d" % chance.randrange(10**6) for _ in range(chance.randrange(4))]
        size = chance.randrange(1, 4096)
        hexadecimal = b"%x" % size
        body = bytes(chance.randrange(32, 127) for _ in range(size))
        yield "sign", head(*extra, b"Content-Length: " + chance.choice([b"+", b"-"]) + b"%d" % size,
                           start=POST) + body, 400
        yield "two lengths", head(b"Content-Length: %d" % size, *extra,
                                  b"content-length: %d" % (size + 1), start=POST) + body, 400
        yield "both", head(b"CONTENT-LENGTH: %d" % size, *extra, b"transfer-encoding: Chunked",
                           start=POST) + body, 400
        yield "coding", head(*extra, b"Transfer-Encoding: " + token, start=POST) + body, 501
        yield "method", head(*extra, start=token + b" /livez HTTP/1.1\r\n"), 501
        yield "expect", head(*extra, b"Expect: " + token, start=POST), 417
        yield "junk", chunked_post(hexadecimal + b" " + token + b"\r\n" + body + b"\r\n0\r\n\r\n"), 400
        yield "short chunk", chunked_post(b"%x\r\n" % (size - 1) + body + b"\r\n0\r\n\r\n"), (
            400 if size > 1 else 400)
        yield "fold", head(*extra, token + b": a", chance.choice([b" ", b"\t"]) + b"b"), 400
        yield "host", head(*extra, b"Host: " + token), 400
        noise = bytes(chance.randrange(128, 256) for _ in range(size)) + b"\r\n"
        yield "noise", noise, 400


def make_cases():
    chance = random.Random(SEED)
    cases = []
    for group, rows in (("framing", framing_rows()), ("line end", bare_line_ends()),
                        ("byte", bytes_out_of_place()), ("truncated", truncations()),
                        ("oversize", oversize(chance)), ("variation", variations(chance))):
        cases += [Case(f"{group}: {name}", data, expected, expected == CLOSE)
                  for name, data, expected in rows]
    return list({case.data: case for case in cases}.values())


CASES = make_cases()


def exchange(host, port, case):
    """Everything the server says to `case`, until it closes. Raises TimeoutError."""
    deadline = time.monotonic() + SECONDS
    received = b""
    with socket.create_connection((host, port), timeout=SECONDS) as client:
        try:
            client.sendall(case.data)
            if case.half_close:
                client.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was all sent: the answer is there all the same
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            client.settimeout(left)
            try:
                piece = client.recv(65536)
            except ConnectionResetError:
                return received
            if not piece:
                return received
            received += piece


def observe(received, head_only):
    """CLOSE, or the status of the one answer in `received`; asserts that it is one."""
    if not received:
        return CLOSE
    head_bytes, separator, body = received.partition(b"\r\n\r\n")
    lines = head_bytes.split(b"\r\n")
    assert separator and lines[0].startswith(b"HTTP/1.1 "), f"not an answer: {received[:200]!r}"
    status = int(lines[0].split(b" ")[1])
    fields = dict(line.lower().split(b": ", 1) for line in lines[1:])
    length = 0 if head_only else int(fields[b"content-length"])
    assert len(body) == length, f"more or less than one answer: {received[:400]!r}"
    if status >= 400 and not head_only:
        assert fields[b"content-type"] == b"application/problem+json", lines
        assert json.loads(body)["status"] == status, body
    return status


def run_case(host, port, case):
    """Sends one case; returns what was observed, asserts that it is what has to be."""
    try:
        observed = observe(exchange(host, port, case), case.data.startswith(b"HEAD "))
    except TimeoutError:
        observed = "neither answer and close nor close"
    assert observed == case.expected, (
        f"{case.name}: {observed}, expected {case.expected}: {case.data[:120]!r}")
    return observed


def main(port, host="127.0.0.1"):
    failures = 0
    slowest = 0.0
    for case in CASES:
        started = time.monotonic()
        try:
            run_case(host, int(port), case)
        except AssertionError as failure:
            failures += 1
            print(failure)
        slowest = max(slowest, time.monotonic() - started)
    print(f"{len(CASES)} cases, {failures} failures, slowest {slowest * 1000:.0f} ms")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
