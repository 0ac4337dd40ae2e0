"""A stream that fails midway is a failure to the clients that people use.

The status line says 200 and megabytes have come when the query divides by zero:
only the missing last chunk can tell. Each client reads a good stream first.
"""

import pathlib
import shutil
import subprocess
import sys

import pytest

from harness.paths import BUILD
from harness.sample_data import big_json
from harness.service import query_body

CLIENTS = pathlib.Path(__file__).parent / "clients"
GOOD = "SELECT n, s FROM parquet_data"
FAILS_IN_THE_LAST_ROW = "SELECT n, s, 1 / (n - 999999) AS q FROM parquet_data"


def installed(program):
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def curl(url, body):
    done = subprocess.run(
        [installed("curl"), "-sS", "-o", "/dev/null", "-w", "complete %{size_download}",
         "-H", "Content-Type: application/json", "--data-binary", "@-", url],
        input=body, capture_output=True, timeout=120)
    return done.stdout.decode() if done.returncode == 0 else f"failed {done.stderr.decode()}"


def run_client(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def node_fetch(url, body):
    return run_client(installed("node"), CLIENTS / "read_fetch.mjs", url, body.decode())


def python_requests(url, body):
    return run_client(sys.executable, CLIENTS / "read_requests.py", url, body.decode())


def go_net_http(url, body):
    program = BUILD / "clients" / "read_http"
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([installed("go"), "build", "-o", program, CLIENTS / "read_http.go"], check=True,
                   timeout=300)
    return run_client(program, url, body.decode())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("client", [curl, node_fetch, python_requests, go_net_http],
                         ids=lambda client: client.__name__)
def test_client_sees_a_failure_midway(service, world, client):
    url = f"http://127.0.0.1:{service.port}/api/spark/query/parquet"
    path = f"{world.data}/parquet/big"
    size = sum(map(len, big_json()))
    assert client(url, query_body(GOOD, path=path)) == f"complete {size}"
    outcome = client(url, query_body(FAILS_IN_THE_LAST_ROW, path=path))
    assert outcome.startswith("failed "), outcome
