"""Spark's own word on what runs: the REST API behind its UI."""

import json
import urllib.request

from .paths import wait_until


class SparkUi:
    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/api/v1/applications"
        self.app = self._get("")[0]["id"]

    def _get(self, path):
        with urllib.request.urlopen(self.base + path, timeout=10) as reply:
            return json.load(reply)

    def running_tasks(self):
        return sum(executor["activeTasks"] for executor in self._get(f"/{self.app}/executors"))

    def active_stages(self):
        return self._get(f"/{self.app}/stages?status=active")

    def wait_idle(self, seconds):
        """Waits for a moment in which no task runs (the canary's come and go)."""
        wait_until(lambda: self.running_tasks() == 0 and not self.active_stages(), seconds,
                   lambda: f"no Spark task: {self.running_tasks()} run in {self.active_stages()}")
