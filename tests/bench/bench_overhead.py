#!/usr/bin/env python3
"""What the service adds to Spark's own time.

From the last byte of the request to the last byte of a 1000-row answer given
to the kernel, less the span of the bridge's calls for that same request: the
service logs it per query as `overhead_us`. 500 queries one after the other on
one connection, behind 100 that warm up. Exit 1 when the p50 is over the bound.
"""

import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from harness import sample_data  # noqa: E402
from harness.paths import SPARK, wait_until  # noqa: E402
from harness.service import Service, query_bytes  # noqa: E402

WARM_UP = 100
MEASURED = 500
P50_BOUND_MS = 2.0
DONE = re.compile(r'msg="query done".* total_us=(\d+).* overhead_us=(-?\d+)')


def run_queries(service, data, count):
    """`count` queries of 1000 rows; every answer is checked."""
    expected = sample_data.users_json(sample_data.USERS)
    query = query_bytes("parquet", "SELECT * FROM parquet_data ORDER BY id",
                        path=str(data / "parquet" / "users"))
    with service.connect() as connection:
        for _ in range(count):
            connection.send(query)
            reply = connection.read_reply()
            if (reply.status, reply.body) != (200, expected):
                raise SystemExit(f"wrong answer: {reply.status} {reply.body[:300]!r}")


def measure(data):
    """(total, overhead) of each measured query, in milliseconds."""
    with Service(data) as service:
        service.wait_ready()
        run_queries(service, data, WARM_UP)
        offset = service.log_size()
        run_queries(service, data, MEASURED)
        wait_until(lambda: len(DONE.findall(service.log(offset))) >= MEASURED, 10,
                   "a log line for each query")
        return [(int(total) / 1000, int(overhead) / 1000)
                for total, overhead in DONE.findall(service.log(offset))[-MEASURED:]]


def percentile(values, share):
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main():
    data = pathlib.Path(tempfile.mkdtemp(prefix="spark-service-bench-"))
    try:
        sample_data.write_parquet_users(data / "parquet" / "users")
        spans = measure(data)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    print(f"Spark {SPARK}, {len(spans)} queries of {sample_data.USER_COUNT} rows, milliseconds")
    for name, values in (("total", [total for total, _ in spans]),
                         ("overhead", [overhead for _, overhead in spans])):
        print(f"{name:9} " + "  ".join(f"p{int(share * 100)} {percentile(values, share):.3f}"
                                       for share in (0.5, 0.9, 0.99)))
    p50 = percentile([overhead for _, overhead in spans], 0.5)
    if any(overhead < 0 for _, overhead in spans) or p50 > P50_BOUND_MS:
        print(f"missed: overhead p50 {p50:.3f} ms, bound {P50_BOUND_MS} ms")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
