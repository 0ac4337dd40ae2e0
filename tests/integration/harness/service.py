"""One running spark-service: the real program on a port and folders of its own."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

from . import process_facts
from .http_client import Connection, ConnectionEnded
from .paths import SERVICE_BIN, SPARK, free_port, wait_until

START_SECONDS = 120
LOUD_LINE = re.compile(r"\blevel=(warn|error)\b|^(WARN|ERROR)\b|\s(WARN|ERROR)\s")


class Service:
    program = SERVICE_BIN

    def __init__(self, data_root, **env):
        self.port = free_port()
        self.data_root = data_root
        self.deleted_delta_tables = 0  # read once and gone since, but still in Delta's cache
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spark-service-test-"))
        self.state_dir = self.folder / "state"
        self.log_path = self.folder / "service.log"
        self.process = None
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("SPARK_SERVICE_", "MYSQL_"))}
        self.env |= {
            "SPARK_SERVICE_LISTEN": f"127.0.0.1:{self.port}",
            "SPARK_SERVICE_STATE_DIR": str(self.state_dir),
            "SPARK_SERVICE_DATA_ROOTS": str(data_root),
            "SPARK_SERVICE_ICEBERG_WAREHOUSE": str(data_root / "iceberg"),
            "SPARK_SERVICE_SPARK_LINE": SPARK,
        }
        self.env |= {name: str(value) for name, value in env.items()}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.remove()

    # ---- life ----

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.program], env=self.env, cwd=self.folder,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_ready(self):
        wait_until(lambda: self.alive() and self.status_of("/readyz") == 200, START_SECONDS,
                   lambda: f"ready; the log ends:\n{self.log()[-4000:]}")
        return self

    def wait_listening(self):
        wait_until(lambda: self.alive() and self.status_of("/livez") == 200, 10,
                   lambda: f"listening; the log ends:\n{self.log()[-4000:]}", interval=0.01)
        return self

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the service ended with {self.process.returncode}; log:\n"
                                 + self.log()[-4000:])
        return True

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait_ended(self, seconds):
        return self.process.wait(seconds)

    def reload_sources(self):
        """SIGHUP; returns when the sources file was read."""
        offset = self.log_size()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "setting=SOURCES_FILE" in self.log(offset), 10, "the sources are reloaded")

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        keep = os.environ.get("KEEP_LOGS")
        if keep:
            pathlib.Path(keep).mkdir(parents=True, exist_ok=True)
            shutil.copy(self.log_path, pathlib.Path(keep) / f"service-{self.port}.log")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    # ---- requests ----

    def connect(self, timeout=60):
        return Connection(self.port, timeout)

    def request(self, method, target, body=b"", headers=None, timeout=60):
        with self.connect(timeout) as connection:
            return connection.request(method, target, body, headers)

    def query(self, source, sql, timeout=330, **fields):
        """Runs one query and waits for its reply."""
        return self.request("POST", f"/api/spark/query/{source}", query_body(sql, **fields),
                            timeout=timeout)

    def begin_query(self, source, sql, timeout=330, **fields):
        """Sends a query and gives the connection on which its reply will come."""
        connection = self.connect(timeout)
        connection.send(query_bytes(source, sql, **fields))
        return connection

    def cancel(self, query_id):
        return self.request("DELETE", f"/api/spark/queries/{query_id}")

    def health(self):
        return self.request("GET", "/api/spark/health").json()

    def status_of(self, target):
        try:
            return self.request("GET", target, timeout=10).status
        except (ConnectionRefusedError, ConnectionEnded, TimeoutError):
            return None

    def wait_slots_busy(self, count, seconds=10):
        """Waits until exactly `count` workers are busy; gives the seconds it took."""
        begin = time.monotonic()
        wait_until(lambda: self.health()["slots"]["busy"] == count, seconds,
                   lambda: f"{count} slots busy: {self.health()}", interval=0.02)
        return time.monotonic() - begin

    # ---- facts ----

    def log(self, offset=0):
        if not self.log_path.exists():
            return ""
        with open(self.log_path, "rb") as file:
            file.seek(offset)
            return file.read().decode("utf-8", "replace")

    def log_size(self):
        return self.log_path.stat().st_size

    def loud_lines(self, offset=0):
        """WARN and ERROR lines."""
        return [line for line in self.log(offset).splitlines() if LOUD_LINE.search(line)]

    def descriptors(self):
        return process_facts.descriptors(self.pid)

    def threads(self):
        return process_facts.threads(self.pid)

    def temp_files(self):
        return process_facts.files_below(self.state_dir) - self.kept_answers()

    def kept_answers(self):
        """Files of the result cache, which outlive their query."""
        return set(self.state_dir.glob("results/answer-*.body"))

    def metric(self, name):
        """`name` without the service's prefix; of a family with labels with these, as the page has them."""
        page = self.request("GET", "/metrics").body.decode()
        return int(next(line for line in page.splitlines()
                        if line.startswith(f"spark_service_{name} ")).split(" ")[1])

    def shuffles_after_gc(self):
        """Shuffles that a garbage collection leaves."""
        process_facts.collect_garbage(self.pid)
        return process_facts.shuffles(self.pid, self.state_dir)


def query_body(sql, cache="off", **fields):
    """The same statement is to run each time, unless a test is about the cache."""
    return json.dumps({"sql": sql, "cache": cache} | {name: value for name, value in fields.items()
                                      if value is not None}).encode()


def query_bytes(source, sql, **fields):
    body = query_body(sql, **fields)
    return (f"POST /api/spark/query/{source} HTTP/1.1\r\nHost: test\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def new_query_id():
    return str(uuid.uuid4())
