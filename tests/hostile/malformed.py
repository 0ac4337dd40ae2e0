"""Malformed requests without end: the hand-written table of http_cases, and whole requests changed
in one to four places. The same seed gives the same requests."""

import json
import random

import http_cases

SEED = 9110

NASTY = [b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b";", b",", b"%", b"%00", b"%2e%2e",
         b"..", b"/", b"\\", b"?", b"#", b"*", b'"', b"'", b"{", b"}", b"[", b"]", b"<", b"\x7f", b"\x80",
         b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"+", b"-", b"0x", b"-1", b"0" * 20,
         b"9" * 20, b"18446744073709551616", b"1e999", b"null", b"\\u0000", b"\\ud800", b"A" * 300]
LINES = [b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Content-Length: 0",
         b"Content-Length: 7", b"Content-Length: 7, 7", b"Host: other", b"Host:", b"Expect: 100-continue",
         b"Connection: keep-alive, close", b"Connection: Transfer-Encoding", b"Upgrade: websocket",
         b"TE: trailers", b"Trailer: Host", b"Content-Type: text/plain", b"Content-Encoding: gzip",
         b"Accept: */*;q=0", b"Accept-Encoding: *;q=0", b"Prefer: wait=-1", b"Range: bytes=0-",
         b"Cookie: " + b"a=b; " * 50, b"X: \xff\xfe", b" folded", b": nameless", b"nocolon",
         b"traceparent: 00-0-0-0", b"Content-Length: 99999999999999999999", b"Max-Forwards: -1"]


def templates(folder):
    """Whole requests of every kind, each ending its connection."""
    host = b"Host: localhost\r\n"
    last = b"Connection: close\r\n"
    body = json.dumps({"path": str(folder), "sql": "rows 3", "row_limit": 2, "timeout_ms": 900,
                       "params": {"a": 1, "b": {"type": "DATE", "value": "2024-01-31"}},
                       "tags": ["x"]}).encode()
    json_type = b"Content-Type: application/json\r\n"
    for target in (b"/livez", b"/api/spark/health", b"/metrics", b"/openapi.json", b"/", b"/nowhere",
                   b"/api/spark/queries?state=RUNNING&limit=2&tag=a%20b",
                   b"/api/spark/query/parquet?sql=rows%203&path=" + str(folder).encode(),
                   b"/api/spark/queries/0f6dbb63-3f6b-4b7b-9d7f-6d2c4f0b9c1e/results?chunk=0"):
        for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS"):
            yield method + b" " + target + b" HTTP/1.1\r\n" + host + last + b"Accept: */*\r\n\r\n"
    for source in (b"parquet", b"delta", b"iceberg", b"mysql"):
        for path in (b"query/", b"explain/"):
            start = b"POST /api/spark/" + path + source + b" HTTP/1.1\r\n" + host + json_type + last
            yield start + b"Content-Length: %d\r\n\r\n" % len(body) + body
            yield (start + b"Transfer-Encoding: chunked\r\n\r\n%x;a=b\r\n" % len(body) + body
                   + b"\r\n0\r\nDigest: x\r\n\r\n")
    yield b"GET /livez HTTP/1.0\r\n" + host + b"Connection: keep-alive\r\n\r\n"
    yield (b"POST /api/spark/query/parquet HTTP/1.1\r\n" + host + json_type + last
           + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def change(dice, data, others):
    kind = dice.randrange(10)
    at = dice.randrange(len(data))
    if kind == 0:
        return data[:at] + bytes([dice.randrange(256)]) + data[at + 1:]
    if kind == 1:
        return data[:at] + dice.choice(NASTY) + data[at:]
    if kind == 2:
        return data[:at] + data[at + dice.randrange(1, 20):]
    if kind == 3:
        return data[:at] + dice.choice(NASTY) + data[at + dice.randrange(1, 8):]
    lines = data.split(b"\r\n")
    line = dice.randrange(len(lines))
    if kind == 4:
        lines.insert(line, dice.choice(LINES))
    elif kind == 5:
        lines.insert(line, dice.choice(lines))
    elif kind == 6:
        del lines[line]
    elif kind == 7:
        other = dice.randrange(len(lines))
        lines[line], lines[other] = lines[other], lines[line]
    elif kind == 8:
        lines[line] = lines[line].swapcase()
    else:
        rest = dice.choice(others).split(b"\r\n")
        return b"\r\n".join(lines[:line + 1] + rest[dice.randrange(len(rest)):])
    return b"\r\n".join(lines)


def requests(folder, count):
    """`count` distinct requests; most of them are malformed, those that aren't must be answered too."""
    dice = random.Random(SEED)
    whole = list(templates(folder))
    found = {case.data: None for case in http_cases.CASES}
    while len(found) < count:
        data = dice.choice(whole)
        for _ in range(dice.randrange(1, 5)):
            data = change(dice, data, whole) or b"\r\n"
        found[data] = None
    return list(found)[:count]
