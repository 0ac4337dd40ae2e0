"""Fixtures: the service with the scripted engine, under AddressSanitizer unless a test asks otherwise."""

import pathlib
import re
import tempfile

import pytest

from harness.paths import BUILD
from harness.process_facts import resident_bytes
from harness.service import Service

REPORT = re.compile(r"(Address|Thread|Leak|UndefinedBehavior)Sanitizer|runtime error:")


class FakeService(Service):
    def __init__(self, mode="asan", **env):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="spark-service-data-"))
        # What is freed must be free: resident memory is looked at.
        env = {"SPARK_SERVICE_SPARK_LINE": "4.1.0", "SPARK_SERVICE_LOG_LEVEL": "warn",
               "ASAN_OPTIONS": "quarantine_size_mb=4:malloc_context_size=5"} | env
        super().__init__(self.root, **env)
        self.program = BUILD / "obj" / mode / "bin" / "fake-service"

    def resident_bytes(self):
        return resident_bytes(self.pid)

    def descriptor_count(self):
        return sum(self.descriptors().values())

    def end(self):
        """SIGTERM; exit code 0, and no sanitizer has anything to say, leaks included."""
        self.terminate()
        assert self.wait_ended(60) == 0, self.log()[-4000:]
        assert not REPORT.search(self.log()), self.log()[-8000:]

    def remove(self):
        super().remove()
        self.root.rmdir()


@pytest.fixture
def start_fake():
    """Starts services; each has to end well with its test."""
    started = []

    def start(mode="asan", **env):
        service = FakeService(mode, **env)
        started.append(service)
        service.start()
        return service.wait_ready()

    yield start
    try:
        for service in started:
            service.alive()
            service.end()
    finally:
        for service in started:
            service.remove()
