#!/usr/bin/env python3
"""A million rows to a client that only reads: rows a second in each format.

DuckDB copies the same rows from the same file to a JSON file, turn by turn
with the service, on the same cores; what it takes without a disk (/dev/shm) is
shown beside it. Medians over the turns, behind a warm-up long enough for the
JVM's compiler to come to rest. Exit 1 when a figure is under its bound.

STREAM_TURNS, STREAM_WARM_UP, STREAM_FORMATS (names by comma) change a run.
"""

import dataclasses
import os
import pathlib
import socket
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import duckdb  # noqa: E402

from harness.paths import BUILD, SPARK  # noqa: E402
from harness.service import Service, query_body  # noqa: E402

ROWS = 1_000_000
TURNS = int(os.environ.get("STREAM_TURNS", "7"))
WARM_UP_TURNS = int(os.environ.get("STREAM_WARM_UP", "40"))
CORES = len(os.sched_getaffinity(0))

JSON_ROWS_PER_SECOND = 600_000
ARROW_ROWS_PER_SECOND = 1_000_000
FIRST_BYTE_SHARE = 0.25

DATA = BUILD / "bench-data"
TABLE = DATA / "stream"
DUCKDB = {"duckdb": DATA / "duckdb.json",
          "duckdb shm": pathlib.Path(f"/dev/shm/spark-service-bench-{os.getpid()}.json")}
MAKE_ROWS = f"""
COPY (SELECT 1000000 + i AS id,
             'user ' || i AS name,
             CAST(i % 90 AS INTEGER) AS age,
             i / 7.0::DOUBLE AS score,
             make_timestamptz(1706695026123456 + i * 1000003) AS created_at,
             CAST(i % 10000000 * 1.37 AS DECIMAL(10, 2)) AS price,
             i % 3 = 0 AS active
      FROM range({ROWS}) AS numbers(i))
TO '{{file}}' (FORMAT parquet, ROW_GROUP_SIZE 122880)"""

# Name in the table, Accept, Accept-Encoding.
FORMATS = (
    ("json", "application/json", None),
    ("envelope", "application/vnd.spark-service.result+json", None),
    ("ndjson", "application/x-ndjson", None),
    ("csv", "text/csv", None),
    ("arrow", "application/vnd.apache.arrow.stream", None),
    ("json gzip", "application/json", "gzip"),
    ("json zstd", "application/json", "zstd"),
)


@dataclasses.dataclass
class Turn:
    seconds: float
    first_byte: float
    body_bytes: int


class FastReader:
    """Takes a chunked answer off a socket as fast as it comes and keeps nothing of it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.buffer = bytearray(4 << 20)
        self.view = memoryview(self.buffer)
        self.start = self.end = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def ask(self, request):
        """(Turn, trailers) of one query."""
        begin = time.perf_counter()
        self.socket.sendall(request)
        self._fill()
        first_byte = time.perf_counter() - begin
        head = self._until(b"\r\n\r\n").decode("latin-1").lower()
        if not head.startswith("http/1.1 200 ") or "transfer-encoding: chunked" not in head:
            raise SystemExit(f"not a stream: {head}{bytes(self.view[self.start:self.end])[:500]}")
        body_bytes = 0
        while size := int(self._until(b"\r\n"), 16):
            body_bytes += size
            self._skip(size + 2)
        trailers = self._until(b"\r\n\r\n").decode("latin-1").lower()
        return Turn(time.perf_counter() - begin, first_byte, body_bytes), trailers

    def _fill(self):
        if self.start == self.end:
            self.start = self.end = 0
        elif self.end == len(self.buffer):  # a line may be cut by the buffer's end
            rest = bytes(self.view[self.start:self.end])
            self.view[:len(rest)] = rest
            self.start, self.end = 0, len(rest)
        count = self.socket.recv_into(self.view[self.end:])
        if count == 0:
            raise SystemExit("the stream ended without its last chunk")
        self.end += count

    def _until(self, mark):
        while (at := self.buffer.find(mark, self.start, self.end)) < 0:
            self._fill()
        text = bytes(self.view[self.start:at + len(mark)])
        self.start = at + len(mark)
        return text

    def _skip(self, count):
        while count > self.end - self.start:
            count -= self.end - self.start
            self.start = self.end
            self._fill()
        self.start += count


def make_table():
    """The rows, once: they are a formula, so every machine has the same."""
    if TABLE.exists():
        return
    scratch = DATA / "stream.new"
    scratch.mkdir(parents=True, exist_ok=True)
    duckdb.sql("SET TimeZone = 'UTC'")
    duckdb.sql(MAKE_ROWS.format(file=scratch / "rows.parquet"))
    scratch.rename(TABLE)


def request(accept, encoding):
    body = query_body("SELECT * FROM parquet_data", path=str(TABLE))
    coding = f"Accept-Encoding: {encoding}\r\n" if encoding else ""
    return (f"POST /api/spark/query/parquet HTTP/1.1\r\nHost: bench\r\nAccept: {accept}\r\n{coding}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def is_offered(service, accept):
    body = query_body("SELECT 1 AS a", path=str(TABLE))
    return service.request("POST", "/api/spark/query/parquet", body, {"Accept": accept}).status == 200


def check_rows(service):
    """One whole answer is read and looked at before any is timed."""
    rows = service.query("parquet", "SELECT * FROM parquet_data", path=str(TABLE)).json()
    first, last = rows[0], rows[-1]
    assert len(rows) == ROWS and [row["id"] for row in rows] == [*range(1000000, 1000000 + ROWS)]
    assert first == {"id": 1000000, "name": "user 0", "age": 0, "score": 0,
                     "created_at": "2024-01-31T09:57:06.123456Z", "price": "0.00", "active": True}
    assert last["name"] == "user 999999" and last["price"] == "1369998.63"


def duckdb_turn(connection, file):
    begin = time.perf_counter()
    connection.execute(f"COPY (SELECT * FROM read_parquet('{TABLE}/*.parquet')) TO '{file}'"
                       " (FORMAT json, ARRAY true)")
    return Turn(time.perf_counter() - begin, 0, 0)


def one_turn(reader, connection, name, formats):
    if name in DUCKDB:
        return duckdb_turn(connection, DUCKDB[name])
    turn, trailers = reader.ask(request(*formats[name]))
    assert "result-truncated: false" in trailers, trailers
    return turn


def measure(service, formats):
    """Turns of each contender, one after the other, so that all see the same machine."""
    turns = {name: [] for name in (*DUCKDB, *formats)}
    connection = duckdb.connect(config={"threads": CORES})
    with FastReader(service.port) as reader:
        for _ in range(WARM_UP_TURNS):
            one_turn(reader, connection, next(iter(formats)), formats)
        for number in range(1 + TURNS):
            for name, of_name in turns.items():
                turn = one_turn(reader, connection, name, formats)
                if number > 0:
                    of_name.append(turn)
    for file in DUCKDB.values():
        file.unlink()
    return turns


def median(turns, field):
    return statistics.median(getattr(turn, field) for turn in turns)


def print_table(turns):
    print(f"{ROWS} rows of 7 columns, Spark {SPARK}, {CORES} cores, medians of {TURNS} turns")
    print(f"{'':12}{'M rows/s':>10}{'total s':>10}{'best s':>10}{'first s':>10}{'share':>8}{'MB':>8}")
    for name, of_name in turns.items():
        total, first = median(of_name, "seconds"), median(of_name, "first_byte")
        best = min(turn.seconds for turn in of_name)
        line = f"{name:12}{ROWS / total / 1e6:10.3f}{total:10.3f}{best:10.3f}"
        if name not in DUCKDB:
            line += f"{first:10.3f}{first / total:8.1%}{median(of_name, 'body_bytes') / 1e6:8.1f}"
        print(line)


def missed(turns):
    """What of the bounds is not reached, as text."""
    found = []

    def want(name, value, bound, unit):
        print(f"{name}: {value:.3f} {unit}, bound {bound:.3f}")
        if value < bound:
            found.append(name)

    for name, bound in (("json", JSON_ROWS_PER_SECOND), ("arrow", ARROW_ROWS_PER_SECOND)):
        if name in turns:
            want(f"{name} speed", ROWS / median(turns[name], "seconds") / 1e6, bound / 1e6, "M rows/s")
    if "json" in turns:
        # Of each turn, so that what else the machine did weighs on both alike.
        ratio = statistics.median(duck.seconds / ours.seconds for duck, ours
                                  in zip(turns["duckdb"], turns["json"]))
        want("json against DuckDB", ratio, 1.0, "times as fast")
        share = statistics.median(turn.first_byte / turn.seconds for turn in turns["json"])
        want("rest behind the first byte", 1 - share, 1 - FIRST_BYTE_SHARE, "of the time")
    return found


def main():
    wanted = os.environ.get("STREAM_FORMATS", ",".join(name for name, _, _ in FORMATS)).split(",")
    make_table()
    with Service(DATA) as service:
        service.wait_ready()
        check_rows(service)
        names = {name: (accept, encoding) for name, accept, encoding in FORMATS if name in wanted}
        refused = [name for name, (accept, _) in names.items() if not is_offered(service, accept)]
        turns = measure(service, {name: how for name, how in names.items() if name not in refused})
    print_table(turns)
    failed = missed(turns) + [f"{name} is not offered" for name in refused]
    if failed:
        print("missed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
