"""The docker command and what it knows of one container."""

import json
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
SPARK = os.environ.get("SPARK") or "4.1.0"
LONG = os.environ.get("LONG") == "1"


def make_variable(name):
    for line in (ROOT / "Makefile").read_text().splitlines():
        if line.startswith(f"{name} := "):
            return line.partition(" := ")[2]
    raise KeyError(name)


VERSION = make_variable("VERSION")
VERSIONS = dict(line.split("=", 1) for line in (ROOT / "docker/versions.env").read_text().splitlines()
                if "=" in line and not line.startswith("#"))
SLIM = f"spark-service:{VERSION}-spark{SPARK}-slim"
FULL = f"spark-service:{VERSION}-spark{SPARK}"


def choose_client():
    """The client and the engine that the build scripts use."""
    script = '. docker/base/lib.sh; printf "%s\\n%s\\n" "$DOCKER" "$DOCKER_HOST"'
    chosen = subprocess.run(["sh", "-euc", script], cwd=ROOT, check=True, text=True,
                            capture_output=True).stdout.split("\n")
    os.environ["DOCKER_HOST"] = chosen[1]
    return chosen[0]


CLIENT = choose_client()


def docker(*arguments, input=None, timeout=120):
    """Runs docker; gives its standard output. An error is raised with all it said."""
    done = subprocess.run([CLIENT, *map(str, arguments)], input=input, text=True,
                          capture_output=True, timeout=timeout)
    assert done.returncode == 0, f"docker {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def has_image(tag):
    return bool(docker("image", "ls", "--quiet", tag).strip())


def wait_until(condition, seconds, what):
    """Polls until the condition holds; `what` says what was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what()}"
        time.sleep(0.1)


class Container:
    """A container by name; it may have been made by somebody else."""

    def __init__(self, name):
        self.name = name

    def inspect(self):
        return json.loads(docker("inspect", self.name))[0]

    def state(self):
        return self.inspect()["State"]

    def logs(self):
        done = subprocess.run([CLIENT, "logs", self.name], text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout

    def exec(self, *command, timeout=60):
        return docker("exec", self.name, *command, timeout=timeout)

    def wait_healthy(self, seconds=180):
        def healthy():
            state = self.state()
            assert state["Running"], f"{self.name} ended: {state}\n{self.logs()[-4000:]}"
            return state["Health"]["Status"] == "healthy"
        wait_until(healthy, seconds, lambda: f"{self.name} healthy: {self.logs()[-4000:]}")

    def wait_ready(self, seconds=180):
        """Ready by the program's own probe: earlier than the engine's next look."""
        def ready():
            assert self.state()["Running"], self.logs()[-4000:]
            done = subprocess.run([CLIENT, "exec", self.name, "spark-service", "probe", "ready"],
                                  capture_output=True, timeout=30)
            return done.returncode == 0
        wait_until(ready, seconds, lambda: f"{self.name} ready: {self.logs()[-4000:]}")

    def service_pid(self):
        """The program's process inside the container; process 1 is tini."""
        for folder in self.exec("sh", "-c", "grep -l ^spark-service /proc/[0-9]*/comm").split():
            return folder.split("/")[2]

    def memory(self):
        """Facts of the container's memory group, of either version, in bytes and counts."""
        script = """
            if [ -e /sys/fs/cgroup/memory.events ]; then
                cd /sys/fs/cgroup; cat memory.events
                echo peak $(cat memory.peak 2>/dev/null || cat memory.current)
                echo limit $(cat memory.max)
                sed -n 's/^anon /rss /p' memory.stat
            else
                cd /sys/fs/cgroup/memory; cat memory.oom_control
                echo peak $(cat memory.max_usage_in_bytes)
                echo limit $(cat memory.limit_in_bytes)
                sed -n 's/^total_rss /rss /p' memory.stat
            fi"""
        facts = dict(line.split() for line in self.exec("sh", "-c", script).splitlines())
        return {name: int(facts[name]) for name in ("oom_kill", "peak", "limit", "rss")}

    def remove(self):
        subprocess.run([CLIENT, "rm", "--force", "--volumes", self.name], capture_output=True,
                       timeout=120)
