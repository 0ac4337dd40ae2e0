"""A hundred clients at once over all four sources: every answer right, none lost."""

import concurrent.futures
import os
import random

import pytest

from harness.sample_data import USER_COUNT, USERS, users_json
from harness.service import query_bytes

CLIENTS = 100
REQUESTS = int(os.environ.get("LOAD_REQUESTS", "20"))
SOURCES = ("parquet", "delta", "iceberg", "mysql")
BUSY = {(503, "queue_timeout"), (503, "queue_full"), (504, "timeout")}


def client(service, world, number, **timeouts):
    """One client's requests on one connection; gives how each went."""
    dice = random.Random(number)
    outcomes = []
    with service.connect(timeout=330) as connection:
        for turn in range(REQUESTS):
            source = SOURCES[(number + turn) % len(SOURCES)]
            outcomes.append(one_request(connection, world, source, dice, timeouts))
    return outcomes


def one_request(connection, world, source, dice, timeouts):
    table, fields = world.users_query(source)
    low = dice.randrange(1, USER_COUNT - 50)
    high = low + dice.randrange(50)
    connection.send(query_bytes(
        source, f"SELECT * FROM {table} WHERE id BETWEEN {low} AND {high} ORDER BY id",
        **fields, **timeouts))
    reply = connection.read_reply()
    if reply.status == 200:
        right = reply.complete and reply.body == users_json(USERS[low - 1:high])
        return "right" if right else f"wrong: {source} {low} {high} {reply.body[:300]!r}"
    if (reply.status, reply.code) in BUSY:
        return "busy"
    return f"{reply.status}: {source} {reply.body[:500]!r}"


def all_clients(service, world, **timeouts):
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(client, service, world, number, **timeouts)
                   for number in range(CLIENTS)]
        return [outcome for future in running for outcome in future.result()]


@pytest.mark.timeout(900)
def test_every_answer_is_right_with_patient_clients(service, world):
    outcomes = all_clients(service, world, timeout_ms=300_000, queue_timeout_ms=300_000)
    assert len(outcomes) == CLIENTS * REQUESTS
    wrong = [outcome for outcome in outcomes if outcome != "right"]
    assert not wrong, wrong[:5]
    assert service.health()["slots"]["lost"] == 0


@pytest.mark.timeout(900)
def test_every_answer_is_right_or_a_documented_refusal_with_default_timeouts(service, world):
    outcomes = all_clients(service, world)
    assert len(outcomes) == CLIENTS * REQUESTS
    wrong = [outcome for outcome in outcomes if outcome not in ("right", "busy")]
    assert not wrong, wrong[:5]
    assert outcomes.count("right") > 0
    assert service.health()["slots"]["lost"] == 0
