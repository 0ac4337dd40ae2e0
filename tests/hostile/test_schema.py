"""Requests made from /openapi.json by schemathesis, valid and not: each answer is as the description
says. LONG=1: twenty thousand of them."""

import os
import re
import subprocess
import sys

CASES = 20_000 if os.environ.get("LONG") else 2_000
SECONDS = 1200 if os.environ.get("LONG") else 200


def test_the_service_does_what_its_description_says(start_fake):
    service = start_fake(SPARK_SERVICE_WORKERS=4)
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{service.port}/openapi.json",
         "--checks", "all", "--phases", "examples,coverage,fuzzing", "--max-examples", str(CASES // 20),
         "--workers", "2", "--seed", "9110", "--generation-database", "none", "--no-color",
         "--request-timeout", "10", "--continue-on-failure", "--warnings", "off"],
        capture_output=True, text=True, timeout=SECONDS, cwd=service.folder)
    made = re.search(r"(\d+) generated", done.stdout)
    print(done.stdout[-6000:])
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-2000:]
    assert int(made[1]) >= CASES
