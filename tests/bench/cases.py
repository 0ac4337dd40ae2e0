"""The cases: what is asked of whom. Each measures in turns, one peer after the other, so that all
see the same machine; before that the answers are compared and the peers warmed.

A case gives {measurement: {series: [figures of a turn, …]}}.
"""

import concurrent.futures
import subprocess
import threading
import time

import figures
import questions
from harness.paths import wait_until
from peers import roster

MANY_CLIENTS = 64
HEAVIES = 4
WARM_SMALL = 60
WARM_BIG = 20
WARM_MILLION = 3
TABLE_KINDS = ("parquet", "delta", "iceberg")


def _say(bench, name, peer, turn):
    bench.say(f"{name:18} {peer:10} p50 {turn['p50_ms']:10.3f} ms  {turn['per_second']:10.1f}/s"
              f"  {turn['requests']} requests, {turn['errors']} errors")


def _measure(bench, name, ways):
    """`ways`: series -> function that gives the Run of one turn, and the process to wait for."""
    series = {peer: [] for peer in ways}
    for _ in range(bench.turns):
        for peer, (process, run) in ways.items():
            series[peer].append(figures.turn(run()))
            _say(bench, name, peer, series[peer][-1])
            process.settle()
    return {name: series}


def _compare(bench, peers, question):
    """Ends the whole run when two peers answer different rows."""
    wanted = None
    for peer in peers:
        found = figures.digest(peer.rows(question))
        if found[0] == 0:
            raise SystemExit(f"{peer.name} has no row for {question}")
        if wanted not in (None, found):
            raise SystemExit(f"{peer.name} answers other rows than {peers[0].name}: {question}")
        wanted = found


def _warm(bench, peers, kind, make, count):
    """Every peer the same number of requests of each kind, all at once."""
    def warm(peer):
        missing = bench.few(count) - peer.warmed[kind]
        if missing > 0:
            peer.run([make() for _ in range(missing)], seconds=1e9)
            peer.warmed[kind] += missing

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(warm, peers))
    for peer in peers:
        peer.settle()


def _one_client(bench, name, kind, peers, make, warm, seconds=1.5, minimum=20, maximum=400):
    """Latencies of one client; `make` gives a turn's next question."""
    bench.say(f"{name}: warming {', '.join(peer.name for peer in peers)}")
    _compare(bench, peers, make())
    _warm(bench, peers, kind, make, warm)
    return _measure(bench, name, {
        peer.name: (peer, lambda peer=peer: peer.run([make() for _ in range(maximum)],
                                                     seconds=bench.short(seconds),
                                                     minimum=bench.few(minimum)))
        for peer in peers})


def cached(bench):
    """Ten rows that nobody has changed, 64 clients."""
    found = {}
    for kind in TABLE_KINDS:
        service, *others = peers = bench.peers("service", "flask")
        question = questions.ten_rows(kind, cache="use")
        bench.say(f"cached-{kind}: warming")
        _compare(bench, peers, question)
        _warm(bench, peers, ("small", kind), lambda kind=kind: questions.ten_rows(kind), WARM_SMALL)
        ways = {service.name: (service, lambda: service.repeat(
            service.request_of(question), MANY_CLIENTS, bench.short(1.5)))}
        for peer in others:
            # One request of each client: seconds each, where the service answers at once.
            ways[peer.name] = (peer, lambda peer=peer: peer.repeat(
                peer.request_of(question), MANY_CLIENTS, 1e9,
                maximum=bench.few(MANY_CLIENTS)))
        found |= _measure(bench, f"cached-{kind}", ways)
    return found


def hit(bench):
    """A kept answer beside what the HTTP server does at best."""
    service, = bench.peers("service")
    ten, thousand = (questions.ten_rows("parquet", "use"), questions.whole_small("parquet", "use"))
    body = service.body(thousand)
    static = bench.started(roster.StaticServer(bench.folder, body))
    try:
        service.body(ten)

        def asks(peer, request):
            return peer, lambda: peer.repeat(request, MANY_CLIENTS,
                                              bench.short(1.5))

        found = _measure(bench, "hit-10", {"livez": asks(service, questions.get("/livez")),
                                           "service": asks(service, service.request_of(ten))})
        found |= _measure(bench, "hit-1000", {
            "static": asks(static, questions.get("/")),
            "service": asks(service, service.request_of(thousand))})
        bench.note("bytes of the 1000 rows", len(body))
    finally:
        static.stop()
    return found


def _each_kind(bench, name, warmed, make):
    """One client asks each kind of table what `make(kind)` makes."""
    found = {}
    for kind in TABLE_KINDS:
        peers = bench.peers("service", "loop", *(("flask", "connect", "thrift", "duckdb")
                                                 if kind == "parquet" else ()))
        found |= _one_client(bench, f"{name}-{kind}", (warmed, kind), peers,
                             lambda kind=kind: make(kind), WARM_SMALL)
    return found


def same(bench):
    """The same statement, cache off, one client."""
    return _each_kind(bench, "same", "small", questions.ten_rows)


def literals(bench):
    """New literals each time, small sources, one client."""
    return _each_kind(bench, "literals", "new small", questions.new_ten_rows)


def big(bench):
    """New literals each time, a million rows, one client."""
    found = {}
    for name, make in (("point", questions.new_point), ("group", questions.new_group)):
        found |= _one_client(bench, f"big-{name}", ("big", name),
                             bench.peers("service", "loop", "duckdb"),
                             lambda make=make: make("parquet"), WARM_BIG, minimum=15, maximum=200)
    return found


def clients16(bench):
    """16 clients, cache off, a small source."""
    peers = bench.peers("service", "flask")
    question = questions.ten_rows("parquet")
    _compare(bench, peers, question)
    _warm(bench, peers, ("small", "parquet"), lambda: question, WARM_SMALL)
    return _measure(bench, "clients16", {
        peer.name: (peer, lambda peer=peer: peer.repeat(peer.request_of(question), 16,
                                                         bench.short(3.0), bench.few(16)))
        for peer in peers})


def mysql(bench):
    """A point query on MySQL, and what an empty answer costs over HTTP."""
    peers = bench.peers("service", "flask", "mysql")
    found = _one_client(bench, "mysql", "mysql", peers, questions.new_mysql_point, WARM_SMALL,
                        maximum=4000)
    service = peers[0]
    return found | _measure(bench, "mysql-livez", {"livez": (
        service, lambda: service.load([questions.get("/livez")], 1, bench.short(1.0), 1, 4000))})


class _Memory:
    """The most that a process and its children held, above what they held at first."""

    def __init__(self, peer):
        self.peer = peer
        self.before = self.peak = peer.resident_bytes()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        self.thread.join()

    def _watch(self):
        while not self.over.wait(0.02):
            self.peak = max(self.peak, self.peer.resident_bytes())

    def extra_mib(self):
        return (self.peak - self.before) / (1 << 20)


def million(bench):
    """A million rows as JSON, one client; and the memory it takes."""
    peers = bench.peers("service", "flask", "duckdb")
    question = questions.whole_big()
    extra, series = {peer.name: 0.0 for peer in peers}, {peer.name: [] for peer in peers}
    wanted = None
    # The first rounds warm; the very first compares.
    warming = 1 if bench.is_quick else WARM_MILLION
    for number in range(warming + bench.turns):
        for peer in peers:
            peer.settle()
            with _Memory(peer) as memory:
                if number == 0:
                    found = figures.digest(peer.rows(question))
                    if wanted not in (None, found):
                        raise SystemExit(f"{peer.name} answers other rows: {question}")
                    wanted = found
                else:
                    run = peer.run([question])
            extra[peer.name] = max(extra[peer.name], memory.extra_mib())
            if number >= warming:
                turn = figures.turn(run)
                turn["rows_per_second"] = questions.BIG_ROWS / run.seconds
                series[peer.name].append(turn)
                _say(bench, "million", peer.name, turn)
    for name, turns in series.items():
        for turn in turns:
            turn["extra_mib"] = extra[name]
    return {"million": series}


def start(bench):
    """From exec to the first real answer; everything else is idle."""
    question = questions.ten_rows("parquet")
    starters = {"service": lambda: _until_answer(bench, question, roster.SparkService(
                    bench.folder, bench.dialect, bench.mysql_env, "service-start")),
                "flask": lambda: _until_answer(bench, question, roster.Flask(
                    bench.folder, bench.dialect, bench.mysql_env, "flask-start")),
                "spark-sql": lambda: _until_printed(bench, question)}
    series = {name: [] for name in starters if bench.is_wanted(name)}
    for _ in range(bench.turns):
        for name, turns in series.items():
            seconds = starters[name]()
            turns.append({"seconds": seconds})
            bench.say(f"start              {name:10} {seconds:10.2f} s")
    return {"start": series}


def _until_answer(bench, question, peer):
    begin = time.monotonic()
    try:
        peer.start()
        wait_until(lambda: peer.body(question) is not None, 120, peer.log_end, interval=0.01)
        return time.monotonic() - begin
    finally:
        peer.stop()


def _until_printed(bench, question):
    folder = bench.folder / "spark-sql"
    folder.mkdir(exist_ok=True)
    begin = time.monotonic()
    with open(folder / "log", "wb") as log, subprocess.Popen(
            roster.spark_sql_command(bench.data, bench.dialect.spark_sql(question)), cwd=folder,
            env=roster.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=log) as process:
        line = process.stdout.readline()
        seconds = time.monotonic() - begin
        process.stdout.read()
    if not line.startswith(str(questions.FIRST_ID + 100).encode()):
        raise SystemExit(f"spark-sql printed {line!r}: {(folder / 'log').read_text()[-2000:]}")
    return seconds


def beside(bench):
    """Small queries alone, and beside four heavy ones that never end."""
    service, = bench.peers("service")
    small = questions.ten_rows("parquet")
    _warm(bench, [service], ("small", "parquet"), lambda: small, WARM_SMALL)
    _warm(bench, [service], ("big", "heavy"), questions.heavy, 3)

    def run_small():
        return service.repeat(service.request_of(small), 1, bench.short(3.0), bench.few(30))

    def run_beside():
        over = threading.Event()

        def go_on():
            errors = 0
            while not over.is_set():
                errors += service.run([questions.heavy()]).errors
            return errors

        with concurrent.futures.ThreadPoolExecutor() as pool:
            heavies = [pool.submit(go_on) for _ in range(HEAVIES)]
            try:
                wait_until(lambda: service.busy_slots() >= HEAVIES, 10, "the heavy queries run")
                run = run_small()
            finally:
                over.set()
        if any(of_one.result() for of_one in heavies):
            raise SystemExit("a heavy query failed")
        return run

    return _measure(bench, "beside", {"alone": (service, run_small),
                                      "beside": (service, run_beside)})


CASES = {case.__name__: case for case in (cached, hit, same, literals, big, clients16, mysql,
                                          million, start, beside)}
