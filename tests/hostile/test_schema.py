"""Requests made from /openapi.json by schemathesis, valid and not: each answer is as the description
says. LONG=1: twenty thousand of them."""

import os
import re
import subprocess
import sys

from harness.paths import ROOT

LONG = bool(os.environ.get("LONG"))
CASES = 20_000 if LONG else 2_000
SECONDS = 1200 if LONG else 200
CONFIG = ROOT / "tests" / "hostile" / "schemathesis.toml"
# The coverage phase alone, which tries each bound of each field, is three thousand requests.
PHASES = ["--phases", "examples,coverage,fuzzing", "--max-examples", "700"] if LONG else ["--phases", "examples,coverage"]


def test_the_service_does_what_its_description_says(start_fake):
    service = start_fake(SPARK_SERVICE_WORKERS=4)
    # One worker: with more, CPython 3.11 loses count of its recursion in ast.parse.
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "run",
         f"http://127.0.0.1:{service.port}/openapi.json", "--checks", "all", *PHASES, "--workers", "1",
         "--seed", "9110", "--generation-database", "none", "--no-color", "--request-timeout", "10",
         "--continue-on-failure", "--warnings", "off"],
        capture_output=True, text=True, timeout=SECONDS, cwd=service.folder)
    print(done.stdout[-600:])
    assert done.returncode == 0, "\n".join(line[:300] for line in done.stdout.splitlines()[-200:])
    assert int(re.search(r"(\d+) generated", done.stdout)[1]) >= CASES
