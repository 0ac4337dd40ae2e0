"""Queries cancelled at random instants: before they start, in planning, while they
run, just after they ended. LONG=1: five hundred, else a quarter of that.

Each asks for a nonce of its own, so that an answer meant for another is seen,
and each connection is looked at for a second answer when it is over.
"""

import concurrent.futures
import os
import random
import time

import pytest

from harness.sample_data import USERS
from harness.service import new_query_id, query_bytes

CLIENTS = 10
TURNS = 50 if os.environ.get("LONG") == "1" else 12
# A few files and a shuffle: 50 to 200 ms of planning and work to hit.
SQL = ("SELECT '{nonce}' AS nonce, count(DISTINCT age) AS ages FROM parquet_data"
       " WHERE id % 7 = {seventh}")
FIRST_SPAN = 0.3  # seconds; a guess of how long a query takes, then what was seen
AGES = [len({user["age"] for user in USERS if user["id"] % 7 == seventh}) for seventh in range(7)]


class Caller:
    def __init__(self, service, world, number):
        self.service = service
        self.path = f"{world.data}/parquet/users"
        self.dice = random.Random(number)
        self.answered = self.cancelled = 0
        self.span = FIRST_SPAN

    def run(self):
        with self.service.connect() as asking, self.service.connect() as cancelling:
            for _ in range(TURNS):
                self.race(asking, cancelling)
            for connection in (asking, cancelling):
                connection.half_close()
                assert connection.ended(), "an answer too many"
        return self

    def race(self, asking, cancelling):
        query_id, seventh = new_query_id(), self.dice.randrange(7)
        asking.send(query_bytes("parquet", SQL.format(nonce=query_id, seventh=seventh),
                                path=self.path, query_id=query_id))
        time.sleep(self.dice.random() * self.span)  # the instant, at random
        deleted = cancelling.request("DELETE", f"/api/spark/queries/{query_id}")
        reply = asking.read_reply()
        assert reply.complete
        # 202 promises that the waiting request hears of it; any other that it does not.
        if deleted.status == 202:
            assert (reply.status, reply.code) == (409, "cancelled"), reply
            assert reply.json()["query_id"] == query_id, reply
            self.cancelled += 1
            self.span *= 1.2  # so that about as many come too late as in time
        else:
            # 404: the DELETE was read first.
            assert deleted.status in (404, 409) and reply.status == 200, (deleted, reply)
            assert reply.json() == [{"nonce": query_id, "ages": AGES[seventh]}], reply
            self.answered += 1
            self.span *= 0.8


# What an interrupt is told of: compiling generated code, reading a shuffle or a file.
@pytest.mark.expect_log("falling back to interpreter mode")
@pytest.mark.expect_log("Store broadcast .* fail, remove all pieces")
@pytest.mark.expect_log("Error occurred while fetching local blocks")
@pytest.mark.expect_log("IOException thrown while closing Closeable")
def test_cancels_hit_nobody_else(service, world, spark_ui):
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        callers = [future.result() for future in
                   [pool.submit(Caller(service, world, number).run) for number in range(CLIENTS)]]
    answered = sum(caller.answered for caller in callers)
    cancelled = sum(caller.cancelled for caller in callers)
    assert answered + cancelled == CLIENTS * TURNS
    assert cancelled > CLIENTS * TURNS / 5 and answered > CLIENTS * TURNS / 20, (answered, cancelled)
    service.wait_slots_busy(0)
    assert service.health()["slots"]["lost"] == 0
    spark_ui.wait_idle(5)
