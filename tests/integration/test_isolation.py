"""Slow queries don't stand in the way of small ones."""

import statistics
import time

from harness.slow import slow_query

# Two busy queries take both cores of the machine, so that a small query gets
# half of one: twice as long at best. The bound leaves room for the scheduler;
# a small query that waited for a slow one's task would be minutes late.
ALLOWED_RATIO = 6
ALLOWED_EXTRA_SECONDS = 0.5


def small_query_seconds(service, world):
    spans = []
    for number in range(1, 16):
        begin = time.monotonic()
        reply = service.query("parquet", f"SELECT name FROM parquet_data WHERE id = {number}",
                              path=f"{world.data}/parquet/users")
        spans.append(time.monotonic() - begin)
        assert reply.body == f'[{{"name":"Üser 😀 {number}"}}]'.encode()
    return statistics.median(spans)


def test_two_slow_queries_do_not_delay_a_small_one(service, world):
    alone = small_query_seconds(service, world)
    source, fields = slow_query(world)
    with service.begin_query(source, **fields), service.begin_query(source, **fields):
        service.wait_slots_busy(2)
        beside = small_query_seconds(service, world)
    service.wait_slots_busy(0)
    assert beside <= alone * ALLOWED_RATIO + ALLOWED_EXTRA_SECONDS, (alone, beside)
