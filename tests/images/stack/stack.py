"""compose.yaml, brought up under names, ports and folders of its own."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

from engine import ROOT, SLIM, VERSIONS, Container

HERE = pathlib.Path(__file__).parent
FILES = ("compose.yaml", "docker/compose.s3.yaml", "tests/images/stack/compose.moto.yaml")
ACCESS_KEY, SECRET_KEY = "AKIDSTACKTEST", "stack-test-secret-key"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


PART_BYTES = 1 << 20


class Reply:
    def __init__(self, status, headers, body, seconds):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} in {self.seconds:.2f} s: {self.body[:600]}>"


def request(method, url, body=None, timeout=150, read=None, token=None):
    """One request. With `read` a body of status 200 is handed to it part by part, not kept."""
    headers = {"Content-Type": "application/json"} if body else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    asked = urllib.request.Request(url, data=body, method=method, headers=headers)
    begin = time.monotonic()
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:
            while read is not None and (part := answer.read(PART_BYTES)):
                read(part)
            status, fields, content = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        status, fields, content = refusal.code, refusal.headers, refusal.read()
    return Reply(status, fields, content, time.monotonic() - begin)


class Stack:
    def __init__(self):
        self.name = f"stack-test-{os.getpid()}"
        self.data = ROOT / "build" / self.name
        self.port, self.ui_port, self.backend_port = free_port(), free_port(), free_port()
        self.env = os.environ | {
            "COMPOSE_PROJECT_NAME": self.name,
            "CONTAINER_PREFIX": self.name,
            "SPARK_SERVICE_IMAGE": os.environ.get("SPARK_SERVICE_IMAGE", SLIM),
            "SPARK_SERVICE_PORT": str(self.port),
            "SPARK_UI_PORT": str(self.ui_port),
            "BACKEND_PORT": str(self.backend_port),
            "DATA_DIR": str(self.data),
            "HEALTH_INTERVAL": "2s",
            "S3_ENDPOINT": "http://object-store:5000",
            "S3_ROOT": "s3a://lake",
            "MOTO": VERSIONS["MOTO"],
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }
        self.service = Container(f"{self.name}-spark-service")
        self.mysql = Container(f"{self.name}-mysql")
        self.backend = Container(f"{self.name}-backend")
        self.backend_direct = Container(f"{self.name}-backend-direct")
        self.object_store = Container(f"{self.name}-object-store")

    def compose(self, *arguments, timeout=600):
        files = [part for file in FILES for part in ("--file", file)]
        done = subprocess.run([ROOT / "docker/stack.sh", *files, *arguments], env=self.env,
                              cwd=ROOT, text=True, capture_output=True, timeout=timeout)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}{self.all_logs()}"
        return done.stdout

    def all_logs(self):
        return "".join(f"\n--- {c.name}\n{c.logs()[-3000:]}" for c in (self.mysql, self.service))

    def up(self, *services):
        self.compose("up", "-d", "--no-build", *services)

    def down(self):
        self.compose("--profile", "direct", "down", "--volumes", "--timeout", "40")
        shutil.rmtree(self.data, ignore_errors=True)

    @property
    def token(self):
        """The backend's; who isn't root may have to ask the backend for it."""
        return (self.data / "secrets/backend/token").read_text().strip()

    def get(self, target):
        return request("GET", f"http://127.0.0.1:{self.port}{target}")

    def query(self, source, sql, read=None, **fields):
        body = json.dumps({"sql": sql} | fields).encode()
        return request("POST", f"http://127.0.0.1:{self.port}/api/spark/query/{source}", body,
                       read=read, token=self.token)

    def users(self, source, columns, tail=""):
        """A query of the sample users, whatever the source calls them."""
        table = {"mysql": "users"}.get(source, f"{source}_data")
        fields = {} if source == "mysql" else {"path": f"/data/{source}/users"}
        return self.query(source, f"SELECT {columns} FROM {table} {tail}", **fields)
