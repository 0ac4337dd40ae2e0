"""A log that nobody reads holds up no client."""

import signal
import subprocess

from harness.paths import BUILD
from harness.service import Service

BUFFER_BYTES = 16384
REQUESTS = 1000  # a line of some 200 bytes each: more than the buffer and a pipe hold
LOST = "log_lines_lost_total"


class UnreadService(Service):
    """The scripted engine; its stderr is a pipe."""

    program = BUILD / "obj" / "asan" / "bin" / "fake-service"

    def start(self):
        self.process = subprocess.Popen([self.program], env=self.env, cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def log(self, offset=0):
        return ""

    def remove(self):
        self.log_path.touch()
        super().remove()


def test_an_unread_log_blocks_nothing(tmp_path):
    with UnreadService(tmp_path, SPARK_SERVICE_SPARK_LINE="4.1.0",
                       SPARK_SERVICE_LOG_BUFFER_BYTES=BUFFER_BYTES) as service:
        service.wait_ready()
        with service.connect(timeout=20) as connection:
            for _ in range(REQUESTS):
                assert connection.request("GET", "/livez").status == 200
        lost = service.metric(LOST)
        assert 0 < lost < REQUESTS
        assert 0 < service.metric("log_buffered_bytes") <= BUFFER_BYTES
        # Once it is read it is whole, but for the lines that were counted.
        service.process.send_signal(signal.SIGTERM)
        text = service.process.stderr.read().decode()
        assert service.process.wait(20) == 0
        lines = text.splitlines()
        assert text.endswith("\n") and all(line.startswith("time=") for line in lines)
        assert len([line for line in lines if "route=/livez" in line]) >= REQUESTS - lost
        assert "msg=stopped" in lines[-1]
