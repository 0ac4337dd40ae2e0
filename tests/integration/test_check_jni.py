"""-Xcheck:jni over queries, errors and cancels: no warning with a frame of ours."""

import re

import pytest

from conftest import warm_up
from harness.service import new_query_id
from harness.slow import slow_query

pytestmark = pytest.mark.fresh

WARNING = re.compile(r"^(WARNING(?: in native method)?: .*|FATAL ERROR in native method: .*)$")
FRAME = re.compile(r"^\s+at (\S+?)\(")

# Top frame -> why its warning isn't ours.
NOT_OURS = {"jdk.internal.loader.NativeLibraries.load": "a library's JNI_OnLoad; we have none"}


def jni_warnings(log):
    """Each warning with the Java frames under it, innermost first."""
    found = []
    for line in log.splitlines():
        if WARNING.match(line):
            found.append((line, []))
        elif found and (frame := FRAME.match(line)):
            found[-1][1].append(frame[1])
    return found


def is_ours(frames):
    """No Java frame: C called from the bottom of a thread, and that C is ours."""
    if frames and frames[0] in NOT_OURS:
        return False
    return not frames or any(frame.startswith("sparkservice.") for frame in frames)


def test_no_warning_is_ours(start_service, world):
    service = start_service(SPARK_SERVICE_CHECK_JNI=1).wait_ready()
    warm_up(service, world)
    for source, sql in (("parquet", "SELECT nope FROM parquet_data"), ("parquet", "SELEC"),
                        ("parquet", "SELECT 1 / (id - id) FROM parquet_data"),
                        ("parquet", "SELECT TRANSFORM (id) USING 'cat' FROM parquet_data")):
        reply = service.query(source, sql, path=f"{world.data}/parquet/users")
        assert reply.status in (403, 422)
    reply = service.query("parquet", "SELECT n, s FROM parquet_data", path=f"{world.data}/parquet/big",
                          timeout_ms=120_000)
    assert reply.complete and reply.status == 200
    for name in ("scan_loop", "mysql_sleep_spark"):
        query_id = new_query_id()
        source, fields = slow_query(world, name)
        with service.begin_query(source, query_id=query_id, **fields) as connection:
            service.wait_slots_busy(1)
            assert service.cancel(query_id).status == 202
            assert connection.read_reply().status == 409
        service.wait_slots_busy(0)
    service.terminate()
    assert service.wait_ended(90) == 0
    ours = [(line, frames[:5]) for line, frames in jni_warnings(service.log()) if is_ours(frames)]
    assert not ours, ours[:10]


def test_the_reader_of_warnings_finds_them():
    log = ("WARNING in native method: JNI call made without checking exceptions when required to"
           " from CallVoidMethod\n\tat sparkservice.bridge.X.y(Native Method)\n"
           "time=2024 level=info\n"
           "WARNING: JNI local refs: 33, exceeds capacity: 32\n"
           "\tat java.lang.System.initProperties(java.base@17/Native Method)\n"
           "WARNING in native method: nothing below\nother\n")
    warnings = jni_warnings(log)
    assert [is_ours(frames) for _, frames in warnings] == [True, False, True]
