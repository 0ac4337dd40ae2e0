"""Every call that can fail, failing: curl's and SQLite's way of looking for what nobody tried.

A scenario is run once to count the fallible calls in it (allocations, and what is done with sockets
and files), then once for each of them with that call failing, and once more with all from that call
on failing. Whatever fails: the client gets a defined answer or a close within 5 s, and afterwards
the process is the same, serves, and holds nothing: no slot, no query, no descriptor, and at its end
no memory. A start or a stop under the same conditions ends in one of the defined ways.

    torture.py [--share 0.1] [--seconds N] [--only NAME]...

--share takes that part of the calls, chosen by the month, so that a year of runs sees all of them.
"""

import argparse
import collections
import contextlib
import datetime
import mmap
import pathlib
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent / ".." / folder) for folder in ("hostile", "integration")]

import lives  # noqa: E402
import scenarios  # noqa: E402
from conftest import REPORT, FakeService  # noqa: E402
from files import Files  # noqa: E402
from harness.paths import BUILD, wait_until  # noqa: E402

PROGRAM = BUILD / "obj" / "asan" / "bin" / "torture-service"
HANG_SECONDS = 5.0
FOR_GOOD_SECONDS = 0.5
COUNTING_RUNS = 3
CALLS_MAX = 20_000  # a scenario with more is no scenario
CHOSEN_MAX = 1000  # of a scenario's calls in one run: OpenSSL alone makes thousands


class Order:
    """struct faults_order of faults.h, shared with the service."""

    FORMAT = "<6q64s"

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="torture-")
        self.file.truncate(4096)
        self.map = mmap.mmap(self.file.fileno(), 4096)

    @property
    def path(self):
        return self.file.name

    def _put(self, at, value):
        struct.pack_into("<q", self.map, at * 8, value)

    def arm(self, fail_at, for_good):
        self._put(0, 0)
        struct.pack_into(self.FORMAT, self.map, 0, 0, 0, fail_at, for_good, 0, 0, b"")
        self._put(0, 1)

    def disarm(self):
        self._put(0, 0)

    @property
    def count(self):
        return struct.unpack_from("<q", self.map, 8)[0]

    def first_failure(self):
        """"malloc at 0x1234", or None when nothing failed."""
        *_, failed, caller, name = struct.unpack_from(self.FORMAT, self.map)
        return f"{name.rstrip(bytes(1)).decode()} at {caller:#x}" if failed else None


class TortureService(FakeService):
    def __init__(self, order, files=None, **settings):
        super().__init__(**scenarios.SETTINGS | settings, **files.settings if files else {},
                         TORTURE_FILE=order.path)
        self.program = PROGRAM
        self.files = files

    def connect(self, timeout=60):
        connection = super().connect(timeout)
        if self.files is not None:
            connection.socket = self.files.context.wrap_socket(connection.socket,
                                                               server_hostname="127.0.0.1")
        return connection


class Failure(Exception):
    pass


class Torture:
    def __init__(self):
        self.order = Order()
        self.files = Files(PROGRAM)
        self.service = None
        self.failures = []
        self.runs = 0

    # ---- the process ----

    def start(self, over_tls):
        self.service = TortureService(self.order, self.files if over_tls else None)
        self.service.start()
        self.service.wait_ready()
        for scenario in scenarios.ALL:  # what is made once is made
            if scenario.over_tls == over_tls:
                with contextlib.suppress(scenarios.Refused):
                    scenario(self.service)
        self.settle()
        self.descriptors = self.service.descriptor_count()

    def end(self, what):
        service, self.service = self.service, None
        try:
            if service.process.poll() is not None:
                raise Failure(f"the process ended with {service.process.returncode}")
            service.terminate()
            if service.wait_ended(60) != 0:
                raise Failure(f"exit code {service.process.returncode}")
            if REPORT.search(service.log()):
                raise Failure("a sanitizer has something to say")
        except (Failure, subprocess.TimeoutExpired) as failure:
            self.failures.append(f"{what}: {failure}\n{report_of(service.log())}")
        finally:
            service.remove()

    def settle(self):
        """Waits until nothing runs any more."""
        def idle():
            health = self.service.health()
            return (health["slots"]["busy"], health["slots"]["lost"], health["queue"]["length"]) == (0, 0, 0)

        wait_until(idle, HANG_SECONDS, lambda: f"idle: {self.service.health()}", interval=0.005)

    def check_after(self):
        try:
            self.service.alive()
            self.settle()
            wait_until(lambda: self.service.descriptor_count() <= self.descriptors, HANG_SECONDS,
                       lambda: f"{self.descriptors} descriptors: {self.service.descriptors()}",
                       interval=0.005)
        except (AssertionError, OSError, ValueError, KeyError, EOFError) as failure:
            raise Failure(str(failure)[-1500:]) from failure

    # ---- one scenario ----

    def run_once(self, scenario, fail_at, for_good):
        """Gives the count of calls; Failure when something is not as it has to be."""
        self.runs += 1
        began = time.monotonic()
        self.order.arm(fail_at, for_good)
        # A client that can't be accepted can only wait: what must be is that it needn't for long
        # once there is memory again.
        relief = threading.Timer(FOR_GOOD_SECONDS, self.order.disarm) if for_good else None
        if relief:
            relief.start()
        try:
            scenario(self.service)
        except scenarios.Refused:
            pass
        except (socket.timeout, TimeoutError):
            self.order.disarm()
            raise Failure(f"the client waited for {HANG_SECONDS} s") from None
        finally:
            if relief:
                relief.cancel()
            self.order.disarm()
        if time.monotonic() - began > 2 * HANG_SECONDS:
            raise Failure("it took too long")
        count = self.order.count
        self.check_after()
        return count

    def torture(self, scenario, choose):
        name = scenario.__name__
        if self.service is not None and (self.service.files is not None) != scenario.over_tls:
            self.end("all of them")
        if self.service is None:
            self.start(scenario.over_tls)
        calls = max(self.run_once(scenario, 0, False) for _ in range(COUNTING_RUNS))
        assert 0 < calls <= CALLS_MAX, f"{name}: {calls} calls"
        chosen = choose(calls)
        for fail_at in chosen:
            for for_good in (False, True):
                what = f"{name}, call {fail_at} of {calls}{' and all behind it' if for_good else ''}"
                try:
                    self.run_once(scenario, fail_at, for_good)
                except Failure as failure:
                    self.failures.append(f"{what} ({self.order.first_failure()}): {failure}")
                    print(self.failures[-1][:600], flush=True)
                    self.end(what)
                    if len(self.failures) > 40:
                        return calls
                    self.start(scenario.over_tls)
        return calls

    # ---- one start, one stop ----

    def live_once(self, life, fail_at, for_good):
        self.runs += 1
        service = TortureService(self.order, self.files if life.over_tls else None, **life.settings)
        relief = threading.Timer(FOR_GOOD_SECONDS, self.order.disarm) if for_good else None

        def arm():
            self.order.arm(fail_at, for_good)
            if relief:
                relief.start()

        try:
            log = lives.run(service, life, arm, self.order.disarm)
            if REPORT.search(log):
                raise Failure("a sanitizer has something to say\n" + report_of(log))
        except lives.NotDefined as failure:
            raise Failure(f"{failure}\n{report_of(service.log())}") from None
        finally:
            if relief:
                relief.cancel()
            self.order.disarm()
            service.remove()
        return self.order.count

    def torture_life(self, life, choose):
        name = life.__name__
        calls = max(self.live_once(life, 0, False) for _ in range(COUNTING_RUNS))
        assert calls > 0, f"{name}: no calls"
        for fail_at in choose(calls):
            for for_good in (False, True):
                what = f"{name}, call {fail_at} of {calls}{' and all behind it' if for_good else ''}"
                try:
                    self.live_once(life, fail_at, for_good)
                except Failure as failure:
                    self.failures.append(f"{what} ({self.order.first_failure()}): {failure}")
                    print(self.failures[-1][:600], flush=True)
                    if len(self.failures) > 40:
                        return calls
        return calls


def report_of(log):
    at = REPORT.search(log)
    return log[max(0, at.start() - 200):][:4000] if at else log[-2000:]


def month_chooser(share):
    """Every call when share is 1 and they aren't too many; else that share of them, by the month."""
    dice = random.Random(datetime.date.today().strftime("%Y-%m"))

    def choose(calls):
        count = max(1, round(min(calls, CHOSEN_MAX) * share))
        return sorted(dice.sample(range(1, calls + 1), count))

    return choose


def run(share=1.0, only=(), seconds=None, most=None):
    """Failures, and for each scenario its count of calls."""
    torture, counts = Torture(), collections.OrderedDict()
    choose = month_chooser(share)
    chosen, chosen_lives = ([each for each in group if not only or each.__name__ in only]
                            for group in (scenarios.ALL, lives.ALL))
    if share < 1:
        random.Random(datetime.date.today().strftime("%m-%Y")).shuffle(chosen)
    chosen = sorted(chosen[:most], key=lambda scenario: scenario.over_tls)
    end = time.monotonic() + seconds if seconds else None
    for scenario in chosen:
        if end and time.monotonic() > end:
            break
        counts[scenario.__name__] = torture.torture(scenario, choose)
        if len(torture.failures) > 40:
            break
        if share >= 1:
            print(f"{scenario.__name__}: {counts[scenario.__name__]} calls, {torture.runs} runs so far",
                  flush=True)
            torture.end(scenario.__name__)  # leaks are told with the scenario that made them
    if torture.service is not None:
        torture.end("all of them")
    for life in chosen_lives:
        if len(torture.failures) <= 40 and not (end and time.monotonic() > end):
            counts[life.__name__] = torture.torture_life(life, choose)
            print(f"{life.__name__}: {counts[life.__name__]} calls", flush=True)
    return torture, counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    torture, counts = run(options.share, options.only, options.seconds)
    print(f"{len(counts)} scenarios, {sum(counts.values())} calls, {torture.runs} runs, "
          f"{len(torture.failures)} failures")
    for failure in torture.failures:
        print(failure)
    return 1 if torture.failures else 0


if __name__ == "__main__":
    sys.exit(main())
