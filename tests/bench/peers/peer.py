"""A peer: a process of its own, started, asked, looked at and stopped by its own pid."""

import collections
import http.client
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

from figures import Run
from harness.paths import BUILD, free_port, wait_until

TOOLS = BUILD / "obj" / "plain" / "bench"
START_SECONDS = 120
STOP_SECONDS = 20
SETTLE_SECONDS = 2
IDLE_SHARE = 0.05  # of a core
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGESIZE")


class Process:
    """One program with its children; what it says goes to a log below `folder`."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None

    def launch(self, command, env=None, **streams):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], cwd=self.folder, env=os.environ | (env or {}),
                **({"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log} | streams))

    def log_end(self):
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def check_alive(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.name} ended with {self.process.returncode}:\n{self.log_end()}")

    def pids(self):
        """The process and all below it."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    waiting += map(int, children.read_text().split())
                except OSError:  # a thread that has ended
                    continue
        return found

    def resident_bytes(self):
        return sum(int(fields[1]) for fields in self._facts("statm")) * PAGE_BYTES

    def cpu_seconds(self):
        return sum(int(fields[13]) + int(fields[14])
                   for fields in self._facts("stat")) / TICKS_PER_SECOND

    def _facts(self, file):
        for pid in self.pids():
            try:
                text = pathlib.Path(f"/proc/{pid}/{file}").read_text()
            except OSError:
                continue
            # A program's name may hold blanks; it stands in the second field.
            head, _, tail = text.rpartition(") ")
            yield ([head, ""] if head else []) + tail.split()

    def settle(self):
        """Returns when compilers and collectors have come to rest, at the latest after SETTLE_SECONDS."""
        end = time.monotonic() + SETTLE_SECONDS
        spent = self.cpu_seconds()
        while time.monotonic() < end:
            begin = time.monotonic()
            time.sleep(0.2)
            before, spent = spent, self.cpu_seconds()
            if spent - before <= IDLE_SHARE * (time.monotonic() - begin):
                return

    def stop(self):
        if self.process is None:
            return
        pids = self.pids() if self.process.poll() is None else []
        if pids:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in pids[1:]:  # its own children, which may outlive it
            try:
                wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), STOP_SECONDS, "")
            except AssertionError:
                os.kill(pid, signal.SIGKILL)


class Peer(Process):
    """What the cases know of a peer."""

    title = ""

    def __init__(self, name, folder):
        super().__init__(name, folder)
        self.warmed = collections.Counter()  # requests of each kind

    def start(self):
        """Starts; doesn't wait."""
        raise NotImplementedError

    def wait_ready(self):
        raise NotImplementedError

    def rows(self, question):
        raise NotImplementedError

    def run(self, questions, connections=1, seconds=0.0, minimum=1):
        """Asks them in turn: all of them, or until `seconds` are over and `minimum` answered."""
        raise NotImplementedError


class HttpPeer(Peer):
    """Asked by the load client. `request_of` makes a question's bytes."""

    def __init__(self, name, folder, request_of):
        super().__init__(name, folder)
        self.request_of = request_of
        self.port = free_port()

    def wait_ready(self):
        wait_until(self.answers, START_SECONDS, lambda: f"{self.name} answers:\n{self.log_end()}")

    def answers(self):
        self.check_alive()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", self.ready_target)
            return connection.getresponse().status in self.ready_statuses
        except OSError:
            return False
        finally:
            connection.close()

    ready_target = "/"
    ready_statuses = (200,)

    def body(self, question):
        """The whole answer; None when it isn't 200, or nobody listens yet."""
        head, _, body = self.request_of(question).partition(b"\r\n\r\n")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request("POST", head.split()[1].decode(), body,
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
            return answer if response.status == 200 else None
        except OSError:
            return None
        finally:
            connection.close()

    def rows(self, question):
        body = self.body(question)
        if body is None:
            raise SystemExit(f"{self.name} has no answer to {question}:\n{self.log_end()}")
        return json.loads(body)

    def run(self, questions, connections=1, seconds=0.0, minimum=1):
        return self.load([self.request_of(question) for question in questions], connections,
                         seconds, minimum, len(questions))

    def repeat(self, request, connections, seconds, minimum=1, maximum=1 << 40):
        """The same request over and over."""
        return self.load([request], connections, seconds, minimum, maximum)

    def load(self, requests, connections, seconds, minimum, maximum):
        text = b"".join(b"%d\n" % len(request) + request for request in requests)
        done = subprocess.run(
            [TOOLS / "load_client", *map(str, (self.port, connections, seconds, minimum, maximum))],
            input=text, capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{self.name}: {done.stderr.decode()}\n{self.log_end()}")
        return Run(**json.loads(done.stdout))


class LinePeer(Peer):
    """Takes statements as lines and times them itself: what it costs to ask isn't counted."""

    def __init__(self, name, folder, sql_of):
        super().__init__(name, folder)
        self.sql_of = sql_of
        self.lock = threading.Lock()

    def launch_client(self, command, env=None):
        with open(self.folder / "log", "ab") as log:
            self.launch(command, env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                        text=True, encoding="utf-8")

    def wait_ready(self):
        if self.process.stdout.readline() != "ready\n":
            self.process.wait(10)
            self.check_alive()
            raise SystemExit(f"{self.name} isn't ready:\n{self.log_end()}")

    def _ask(self, command, question):
        with self.lock:
            self.process.stdin.write(f"{command} {self.sql_of(question)}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} has no answer to {question}:\n{self.log_end()}")
        return line

    def rows(self, question):
        return json.loads(self._ask("rows", question))

    def run(self, questions, connections=1, seconds=0.0, minimum=1):
        assert connections == 1
        latencies, begin = [], time.monotonic()
        for question in questions:
            latencies.append(int(self._ask("time", question)))
            if time.monotonic() - begin >= seconds and len(latencies) >= minimum:
                break
        return Run(sum(latencies) / 1e9, latencies)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.stdin.close()
        super().stop()
