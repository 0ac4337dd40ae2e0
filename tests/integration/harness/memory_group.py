"""A memory limit around a process: a cgroup of its own, version 1 or 2, where root may make one."""

import pathlib
import time

_V1 = pathlib.Path("/sys/fs/cgroup/memory")
_V2 = pathlib.Path("/sys/fs/cgroup")


class MemoryGroup:
    def __init__(self, limit_bytes):
        self.is_v2 = (_V2 / "cgroup.controllers").exists()
        self.folder = (_V2 if self.is_v2 else _V1) / f"spark-service-test-{time.time_ns()}"
        self.limit_bytes = limit_bytes

    def __enter__(self):
        """OSError where none can be made."""
        self.folder.mkdir()
        try:
            self._write("memory.max" if self.is_v2 else "memory.limit_in_bytes", self.limit_bytes)
        except OSError:
            self.folder.rmdir()
            raise
        return self

    def __exit__(self, *exc):
        self.folder.rmdir()

    def add(self, pid):
        self._write("cgroup.procs", pid)

    def kills(self):
        """Processes that the kernel has ended for want of memory."""
        name = "memory.events" if self.is_v2 else "memory.oom_control"
        counts = dict(line.split() for line in (self.folder / name).read_text().splitlines())
        return int(counts["oom_kill"])

    def _write(self, name, value):
        (self.folder / name).write_text(str(value))
