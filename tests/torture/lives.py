"""Starting and stopping, with each call that can fail failing: a life is a function of the service,
whose start or stop is watched, that gives back what it came to."""

import contextlib
import subprocess

from harness.http_client import ConnectionEnded
from harness.paths import wait_until

EXIT_BAD_SETTING, EXIT_NO_JVM = 2, 70
SECONDS = 15.0

ALL = []


class NotDefined(Exception):
    """An end that nobody has defined."""


def life(over_tls=False, **settings):
    """Of a service with these settings; over TLS it has the files of files.py too."""
    def add(function):
        ALL.append(function)
        function.over_tls = over_tls
        function.settings = settings
        return function

    return add


def _is_ready(service):
    """Or at its end. Who asks meanwhile may be let go in any way."""
    if service.process.poll() is not None:
        return True
    try:
        return service.status_of("/readyz") == 200
    except (OSError, ValueError, ConnectionEnded):
        return False


# What its threads may hold is left to the end of the process, which is the next that happens.
AT_THE_START = {"ASAN_OPTIONS": "quarantine_size_mb=4:detect_leaks=0"}


@life(**AT_THE_START)
def start(service, arm, disarm):
    """It serves, or says with its exit code that it can't."""
    arm()
    service.start()
    try:
        wait_until(lambda: _is_ready(service), SECONDS, "ready, or an end", interval=0.02)
    except AssertionError as error:
        raise NotDefined(str(error)[-1000:]) from error
    finally:
        disarm()
    code = service.process.poll()
    if code is None:
        stop_well(service)
    elif code not in (EXIT_BAD_SETTING, EXIT_NO_JVM):
        raise NotDefined(f"exit code {code} at the start")


@life(over_tls=True, **AT_THE_START)
def start_over_tls(service, arm, disarm):
    """OpenSSL makes much of what it needs but once."""
    start(service, arm, disarm)


@life(SPARK_SERVICE_DRAIN_MS=200)
def stop(service, arm, disarm):
    """With one query under way, one kept result and an idle connection."""
    service.start()
    service.wait_ready()
    begin_async(service, "rows 200")
    with service.begin_query("parquet", "sleep 60000", path=str(service.root)), service.connect():
        service.wait_slots_busy(1, SECONDS)
        arm()
        try:
            stop_well(service)
        finally:
            disarm()


def begin_async(service, sql):
    reply = service.query("parquet", sql, path=str(service.root), wait_ms=0)
    wait_until(lambda: service.request("GET", reply.headers["location"]).json()["state"] == "SUCCEEDED",
               SECONDS, "a kept result", interval=0.01)


def stop_well(service):
    service.terminate()
    try:
        code = service.wait_ended(SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NotDefined(f"no end within {SECONDS} s") from error
    if code != 0:
        raise NotDefined(f"exit code {code} at the stop")


def run(service, function, arm, disarm):
    """Gives the log; the service is gone behind it."""
    try:
        function(service, arm, disarm)
        return service.log()
    finally:
        with contextlib.suppress(ProcessLookupError):
            if service.process.poll() is None:
                service.process.kill()
                service.process.wait()
