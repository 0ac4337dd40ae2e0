"""Results that don't fit one page: chunks, trailers, limits, failures midway."""

import hashlib
import json

import pytest

from harness.sample_data import BIG_ROWS, big_json


def big(world):
    return {"path": f"{world.data}/parquet/big"}


def test_a_million_rows_stream_with_trailers(service, world):
    reply = service.query("parquet", "SELECT n, s FROM parquet_data ORDER BY n", **big(world))
    assert (reply.status, reply.complete) == (200, True)
    assert reply.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in reply.headers
    announced = {name.strip() for name in reply.headers["trailer"].split(",")}
    assert announced == {"Server-Timing", "Result-Truncated"}
    assert set(reply.trailers) == {"server-timing", "result-truncated"}
    assert reply.trailers["result-truncated"] == "false"
    expected = hashlib.sha256()
    for part in big_json():
        expected.update(part)
    assert hashlib.sha256(reply.body).hexdigest() == expected.hexdigest()


def test_file_order_is_kept_without_a_sort(service, world):
    reply = service.query("parquet", "SELECT n, s FROM parquet_data", **big(world))
    assert reply.body == b"".join(big_json())


def test_row_limit_cuts_a_stream_and_says_so(service, world):
    limit = 300_001
    reply = service.query("parquet", "SELECT n FROM parquet_data ORDER BY n", row_limit=limit,
                          **big(world))
    assert (reply.status, reply.complete) == (200, True)
    assert reply.trailers["result-truncated"] == "true"
    assert [row["n"] for row in reply.json()] == list(range(limit))


@pytest.mark.parametrize("limit", [100, 65_536, 3_000_000])
def test_byte_limit_cuts_between_rows_and_says_so(service, world, limit):
    reply = service.query("parquet", "SELECT n, s FROM parquet_data ORDER BY n", byte_limit=limit,
                          **big(world))
    assert (reply.status, reply.complete) == (200, True)
    truncated = reply.headers.get("result-truncated", reply.trailers.get("result-truncated"))
    assert truncated == "true"
    rows = json.loads(reply.body)
    assert rows == [{"n": n, "s": f"row {n}"} for n in range(len(rows))]
    one_more = len(json.dumps({"n": len(rows), "s": f"row {len(rows)}"}, separators=(",", ":"))) + 1
    assert len(reply.body) <= limit < len(reply.body) + one_more


def test_limit_that_is_just_reached_is_not_a_cut(service, world):
    reply = service.query("parquet", "SELECT n FROM parquet_data ORDER BY n", row_limit=BIG_ROWS,
                          **big(world))
    assert reply.trailers["result-truncated"] == "false"


def test_failure_midway_ends_without_the_last_chunk(service, world):
    """The very last row divides by zero, long after the first page has left."""
    reply = service.query("parquet", "SELECT n, s, 1 / (n - 999999) AS q FROM parquet_data",
                          **big(world))
    assert reply.status == 200
    assert reply.headers["transfer-encoding"] == "chunked"
    assert not reply.complete
    assert not reply.trailers
    with pytest.raises(ValueError):
        reply.json()


def test_slow_reader_holds_nobody_else_and_gets_everything(service, world):
    with service.begin_query("parquet", "SELECT n, s FROM parquet_data", **big(world)) as slow:
        head = slow.read_head()
        for _ in range(5):
            reply = service.query("parquet", "SELECT count(*) AS n FROM parquet_data",
                                  path=f"{world.data}/parquet/users")
            assert reply.body == b'[{"n":1000}]'
        reply = slow.read_body(*head)
    assert reply.complete and reply.body == b"".join(big_json())
