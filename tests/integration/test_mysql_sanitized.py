"""The direct engine against a real server under AddressSanitizer and ThreadSanitizer.

The program has the scripted engine in Spark's place: sanitizers can't watch a JVM.
"""

import concurrent.futures
import random
import re

import pytest

from harness.paths import wait_until
from harness.sanitized import SanitizedService
from harness.service import new_query_id
from harness.world import READER

REPORT = re.compile(r"(Address|Thread|Leak|UndefinedBehavior)Sanitizer|runtime error:")
CLIENTS = 8
TURNS = 30


@pytest.fixture(params=["asan", "tsan"])
def sanitized(request, world):
    # Fewer connections than slots, so that queries wait for one, too.
    env = world.service_env() | {
        "SPARK_SERVICE_SPARK_LINE": "4.1.0", "SPARK_SERVICE_WORKERS": 6,
        "SPARK_SERVICE_MYSQL_CONNECTIONS": 3, "SPARK_SERVICE_MYSQL_IDLE_MS": 100}
    with SanitizedService(request.param, world.data, **env) as service:
        yield service.wait_ready()


def read_tables(service, config, dice):
    for table in ("integers", "floats", "decimals", "strings", "bits", "binaries", "times",
                  "documents", "places"):
        assert service.query("mysql", f"SELECT * FROM {table}", config=config).status == 200


def bind(service, config, dice):
    number = dice.randrange(1000)
    reply = service.query("mysql", "SELECT :n AS n, :s AS s", config=config,
                          params={"n": number, "s": "x" * number})
    assert reply.json() == [{"n": number, "s": "x" * number}]


def fail(service, config, dice):
    assert service.query("mysql", "SELECT (SELECT id FROM people)", config=config).status == 422
    wrong = config | {"password": "wrong"}
    assert service.query("mysql", "SELECT 1", config=wrong).status == 502


def time_out(service, config, dice):
    reply = service.query("mysql", "SELECT SLEEP(5) AS s", config=config,
                          timeout_ms=dice.randrange(1, 60))
    assert reply.status == 504, reply


def stop_reading(service, config, dice):
    rows = dice.randrange(1, 5)
    reply = service.query("mysql", "SELECT a.id FROM people a, people b, people c", config=config,
                          row_limit=rows)
    assert len(reply.json()) == rows


def leave(service, config, dice):
    connection = service.begin_query("mysql", "SELECT SLEEP(5) AS s", config=config)
    if dice.random() < 0.5:
        service.health()
    getattr(connection, dice.choice(("close", "reset")))()


def delete(service, config, dice):
    query_id = new_query_id()
    with service.begin_query("mysql", "SELECT SLEEP(5) AS s", config=config,
                             query_id=query_id) as connection:
        while service.cancel(query_id).status == 404:
            pass
        assert connection.read_reply().status == 409


ACTIONS = (read_tables, bind, bind, fail, time_out, stop_reading, leave, delete)


def client(service, world, number):
    dice = random.Random(number)
    for _ in range(TURNS):
        config = world.config(dice.choice((world.mysql, world.mariadb)))
        dice.choice(ACTIONS)(service, config, dice)


@pytest.mark.timeout(300)
def test_nothing_reported(sanitized, world):
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(client, sanitized, world, number) for number in range(CLIENTS)]:
            done.result()
    sanitized.wait_slots_busy(0, 20)
    for server in (world.mysql, world.mariadb):
        wait_until(lambda: not server.threads_of(READER), 10,
                   lambda: f"no connection: {server.threads_of(READER)}")
    sanitized.terminate()
    assert sanitized.wait_ended(60) == 0, sanitized.log()[-4000:]
    assert not REPORT.search(sanitized.log()), sanitized.log()[-8000:]
