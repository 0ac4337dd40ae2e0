"""Sixteen clients with small and large answers inside 4 GB: nothing is killed, health stays green."""

import itertools
import threading
import time

from engine import LONG

CLIENTS = 16
SECONDS = 180 if LONG else 30
SMALL_PER_LARGE = 4
LARGE_ROWS = 100_000
# Sixteen clients share eight workers and the machine's cores: they may wait, but are answered.
PATIENT = {"queue_timeout_ms": 120_000, "timeout_ms": 120_000}
LARGE = ("SELECT id, name, age, city, created_at, balance, n FROM parquet_data"
         " LATERAL VIEW explode(sequence(1, 8400)) numbers AS n LIMIT 100000")


def ask_small(stack, number):
    source = ("mysql", "parquet", "delta", "iceberg")[number % 4]
    reply = stack.query(source, f"SELECT id, name FROM {'users' if source == 'mysql' else source + '_data'}"
                        " WHERE id = 7", **PATIENT,
                        **({} if source == "mysql" else {"path": f"/data/{source}/users"}))
    good = reply.status == 200 and reply.json() == [{"id": 7, "name": "Margaret Hamilton"}]
    return None if good else f"{source}: {reply}"


def ask_large(stack):
    reply = stack.query("parquet", LARGE, path="/data/parquet/users", **PATIENT)
    good = reply.status == 200 and reply.body.count(b'{"id":') == LARGE_ROWS and reply.body[-2:] == b"}]"
    return None if good else f"large: {reply}"


class Clients:
    def __init__(self, stack):
        self.stack = stack
        self.counts = {"small": 0, "large": 0}
        self.faults = []
        self.lock = threading.Lock()

    def run(self, seconds):
        end = time.monotonic() + seconds
        threads = [threading.Thread(target=self.one, args=(number, end)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            health = self.stack.get("/readyz")
            if health.status != 200:
                self.faults.append(f"readyz: {health}")
            time.sleep(0.5)  # the pace of looking, not a wait for something

    def one(self, first, end):
        for number in itertools.count(first):
            if time.monotonic() > end or self.faults:
                return
            kind = "large" if number % (SMALL_PER_LARGE + 1) == 0 else "small"
            try:
                fault = ask_large(self.stack) if kind == "large" else ask_small(self.stack, number)
            except OSError as error:
                fault = f"{kind}: {error}"
            with self.lock:
                self.counts[kind] += 1
                if fault:
                    self.faults.append(fault)


def test_load_stays_inside_the_memory_limit(stack, record_property):
    before = stack.service.state()["StartedAt"]
    clients = Clients(stack)
    clients.run(SECONDS)
    memory = stack.service.memory()
    state = stack.service.state()
    for name, value in (clients.counts | memory).items():
        record_property(name, value)
    print(f"{CLIENTS} clients, {SECONDS} s: {clients.counts}, "
          + ", ".join(f"{name} {memory[name] >> 20} MiB" for name in ("rss", "peak", "limit")))
    assert clients.faults == []
    assert min(clients.counts.values()) >= CLIENTS
    assert memory["oom_kill"] == 0 and memory["limit"] == 4 << 30
    assert (state["OOMKilled"], state["StartedAt"]) == (False, before)
    stack.service.wait_healthy(30)
