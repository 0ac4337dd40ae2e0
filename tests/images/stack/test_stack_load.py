"""64 clients with small, large and million-row answers inside 4 GB.

Every reply is right, or a 503 that says when to come back; nothing is killed,
health stays green.
"""

import http.client
import itertools
import threading
import time

from engine import LONG

CLIENTS = 64
SECONDS = 180 if LONG else 30
# Of the clients: so many only ask for a million rows; of the others' answers one in so many is large.
MILLION_CLIENTS = 4
SMALL_PER_LARGE = 7
LARGE_ROWS = 100_000
MILLION_ROWS = 1_000_000
# Run time: 64 clients share eight workers and the machine's cores. Waiting stays at its default.
PATIENT = {"timeout_ms": 120_000}
BUSY = ("queue_full", "queue_timeout")
MANY_ROWS = ("SELECT id, name, age, city, created_at, balance, n FROM parquet_data"
             " LATERAL VIEW explode(sequence(1, {times})) numbers AS n LIMIT {rows}")
ROW = b'{"id":'


def judge(reply, good, what):
    """How a reply counts: "ok", "busy", or a fault as text."""
    if reply.status == 200:
        return "ok" if good(reply) else f"wrong {what}: {reply}"
    if reply.status == 503 and reply.json()["code"] in BUSY and int(reply.headers["Retry-After"]) > 0:
        return "busy"
    return f"{what}: {reply}"


def ask_small(stack, number):
    source = ("mysql", "parquet", "delta", "iceberg")[number % 4]
    reply = stack.query(source, f"SELECT id, name FROM {'users' if source == 'mysql' else source + '_data'}"
                        " WHERE id = 7", **PATIENT,
                        **({} if source == "mysql" else {"path": f"/data/{source}/users"}))
    return judge(reply, lambda it: it.json() == [{"id": 7, "name": "Margaret Hamilton"}], source)


def ask_rows(stack, rows):
    """A long answer, read as it comes and kept nowhere."""
    sql = MANY_ROWS.format(times=rows // 12 + 100, rows=rows)
    found, tail = 0, b""

    def look(part):
        nonlocal found, tail
        found += (tail + part).count(ROW) - tail.count(ROW)
        tail = (tail + part)[1 - len(ROW):]

    reply = stack.query("parquet", sql, path="/data/parquet/users", read=look, **PATIENT)
    return judge(reply, lambda it: found == rows and tail[-2:] == b"}]", f"{rows} rows")


class Clients:
    def __init__(self, stack):
        self.stack = stack
        self.counts = {f"{kind} {outcome}": 0 for kind in ("small", "large", "million")
                       for outcome in ("ok", "busy")}
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

    def one(self, client, end):
        for turn in itertools.count(client):
            if time.monotonic() > end or self.faults:
                return
            if client < MILLION_CLIENTS:
                kind = "million"
            else:
                kind = "large" if turn % (SMALL_PER_LARGE + 1) == 0 else "small"
            outcome = self.ask(kind, turn)
            with self.lock:
                if outcome in ("ok", "busy"):
                    self.counts[f"{kind} {outcome}"] += 1
                else:
                    self.faults.append(outcome)
            if outcome == "busy":
                time.sleep(1)  # as Retry-After says

    def ask(self, kind, turn):
        try:
            if kind == "small":
                return ask_small(self.stack, turn)
            return ask_rows(self.stack, LARGE_ROWS if kind == "large" else MILLION_ROWS)
        except (OSError, http.client.HTTPException) as error:
            return f"{kind}: {error!r}"


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
    assert clients.counts["small ok"] >= CLIENTS and clients.counts["large ok"] >= MILLION_CLIENTS
    assert clients.counts["million ok"] >= MILLION_CLIENTS
    assert memory["oom_kill"] == 0 and memory["limit"] == 4 << 30
    assert (state["OOMKilled"], state["StartedAt"]) == (False, before)
    stack.service.wait_healthy(30)
