"""Where things are: the repository, its build folder, the line under test."""

import os
import pathlib
import socket
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build"
CONFORMANCE = ROOT / "tests" / "conformance"
SQL = ROOT / "sql"

SPARK = os.environ.get("SPARK", "4.1.0")
SPARK_HOME = BUILD / "lib" / f"spark-{SPARK}"
SERVICE_BIN = pathlib.Path(os.environ.get("SPARK_SERVICE_BIN", BUILD / "bin" / "spark-service"))


def free_port():
    """A port nobody listens on now; the caller takes it at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what, interval=0.05):
    """Polls `condition` until it is true and gives its value; fails after `seconds`.

    `what` is text, or a function that describes the state at the end.
    """
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(interval)
