#!/usr/bin/env python3
"""Builds the image layers and runs their test.sh; counts go to build/test-results/<line>/images.xml.

    run.py [build|test]     `build` builds and tests nothing; `test` (the default) does both

LINES="4.1.0"      only these lines (3.5.0 is the baked image's)
LAYERS="baked"     only these layers: a layer brings what it stands on, and tests it
QUICK=1            leaves out what is of gigabytes: RAPIDS' image and the resolving of the GPU packages

Starts an engine when none answers, and `test` stops it afterwards; one that was there before stays.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
INTERMEDIATE = DOCKER / "docker-intermediate"
LINE_OF_OUTPUT = re.compile(r"^(ok|not ok|skip) ([^\n]*)$")
print_lock = threading.Lock()


@dataclasses.dataclass
class Layer:
    name: str
    build: list
    test: list = dataclasses.field(default_factory=list)
    large: bool = False


@dataclasses.dataclass
class Case:
    name: str
    seconds: float = 0.0
    failure: str = ""
    skipped: str = ""


def versions():
    script = 'set -a; . "$0"; env -0'
    output = subprocess.run(["sh", "-c", script, DOCKER / "versions.env"], capture_output=True, check=True, env={}).stdout
    return dict(item.split("=", 1) for item in output.decode().split("\0") if item)


VERSIONS = versions()


def layers_of_line(line):
    """In the order in which they stand on each other, so that a layer finds its parent in the build cache."""
    at = INTERMEDIATE
    return [
        Layer("spark-k8s", [DOCKER / "spark-custom/build-and-load.sh", line], [DOCKER / "spark-custom/test.sh", line]),
        Layer(f"spark-{line}-custom", [at / f"spark-{line}-custom/build.sh"], [at / f"spark-{line}-custom/test.sh"]),
        Layer("python-deps", [at / "python-deps/build.sh", line], [at / "python-deps/test.sh", line]),
        Layer("python-deps-iceberg", [at / "python-deps/build.sh", line, "iceberg"],
              [at / "python-deps/test.sh", line, f"python-deps:{line}-iceberg"]),
        Layer("python-deps-gpu", [at / "python-deps/build.sh", line, "base"],
              [at / "python-deps/test-gpu-resolves.sh", line], large=True),
        Layer("jdbc-drivers", [at / "jdbc-drivers/build.sh", line], [at / "jdbc-drivers/test.sh", line]),
        Layer("jars-iceberg", [at / f"jars-iceberg/build-{line}.sh"], [at / "jars-iceberg/test.sh", line]),
        Layer("jars-rapids", [at / f"jars-rapids/build-{line}.sh"], [at / "jars-rapids/test.sh", line], large=True),
    ]


def all_lines():
    """Line -> layers. The MySQL stand-in goes with the default line, the baked image is a line of its own."""
    lines = {line: layers_of_line(line) for line in VERSIONS["LINES"].split()}
    lines[VERSIONS["SPARK_DEFAULT"]].append(
        Layer("mysql-standin", [DOCKER / "mysql/build.sh"], [DOCKER / "mysql/test.sh"]))
    lines[VERSIONS["BAKED_SPARK"]] = [Layer("baked", [DOCKER / "baked/build.sh"], [DOCKER / "baked/test.sh"])]
    return lines


def run(line, command):
    """Runs it, prints its standard output line by line; its exit status, lines, and standard error's end."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, errors="replace")
    errors = []
    drain = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
    drain.start()
    output = []
    for text in process.stdout:
        output.append((time.monotonic(), text.rstrip("\n")))
        with print_lock:
            print(f"[{line}] {text}", end="", flush=True)
    status = process.wait()
    drain.join()
    return status, output, "".join(errors[-60:])


def build_layer(line, layer):
    began = time.monotonic()
    status, _, errors = run(line, layer.build)
    case = Case("build", time.monotonic() - began)
    if status:
        case.failure = errors or f"ended with {status}"
    return case


def test_layer(line, layer):
    cases, last = [], time.monotonic()
    status, output, errors = run(line, layer.test)
    for moment, text in output:
        match = LINE_OF_OUTPUT.match(text)
        if not match:
            continue
        verdict, rest = match.groups()
        name, _, reason = rest.partition(": ") if verdict != "ok" else (rest, "", "")
        case = Case(name, moment - last)
        if verdict == "not ok":
            case.failure = f"{reason}\n{errors}"
        elif verdict == "skip":
            case.skipped = reason
        cases.append(case)
        last = moment
    if not cases or (status and not any(case.failure for case in cases)):
        cases.append(Case("test.sh ends well", failure=f"ended with {status}\n{errors}"))
    return cases


def run_line(line, layers, only, quick, with_tests):
    """Layer name -> cases."""
    results = {}
    for layer in layers:
        if only and layer.name not in only:
            continue
        if layer.large and quick and not only:
            results[layer.name] = [Case("build and test", skipped=f"gigabytes; LAYERS={layer.name} does it")]
            continue
        results[layer.name] = [build_layer(line, layer)]
        if with_tests and not results[layer.name][0].failure:
            results[layer.name] += test_layer(line, layer)
    return results


def write_junit(path, line, results):
    suites = ElementTree.Element("testsuites")
    for name, cases in results.items():
        suite = ElementTree.SubElement(suites, "testsuite", name=f"images {line} {name}", tests=str(len(cases)))
        for case in cases:
            element = ElementTree.SubElement(suite, "testcase", classname=name, name=case.name, time=f"{case.seconds:.2f}")
            if case.failure:
                ElementTree.SubElement(element, "failure", message=case.failure.splitlines()[0]).text = case.failure
            elif case.skipped:
                ElementTree.SubElement(element, "skipped", message=case.skipped)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def engine(verb):
    return subprocess.run([DOCKER / "base/engine.sh", verb], check=True, capture_output=True, text=True).stdout.strip()


def main(mode):
    if mode not in ("build", "test"):
        sys.exit(__doc__)
    lines = all_lines()
    chosen = os.environ.get("LINES", "").split() or list(lines)
    only = set(os.environ.get("LAYERS", "").split())
    unknown = set(chosen) - set(lines) | only - {layer.name for layers in lines.values() for layer in layers}
    if unknown:
        sys.exit(f"unknown: {' '.join(sorted(unknown))}\n{__doc__}")
    quick = os.environ.get("QUICK", "") not in ("", "0")

    os.environ["PYTHON"] = sys.executable
    # It says so when it starts one. One that answered before is someone else's, even with our data folder.
    started = engine("start")
    print(started or "an engine answers")
    os.environ["DOCKER_HOST"] = engine("host")
    began = time.monotonic()
    try:
        # The first to want the base would otherwise race for it.
        subprocess.run([DOCKER / "base/ensure-base.sh", "debian:bookworm-slim"], check=True)
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            futures = {line: pool.submit(run_line, line, lines[line], only, quick, mode == "test") for line in chosen}
            results = {line: future.result() for line, future in futures.items()}
    finally:
        if started and mode == "test":
            engine("stop")
    if mode == "test":
        for line, of_line in results.items():
            if of_line:
                write_junit(ROOT / "build/test-results" / line / "images.xml", line, of_line)
    cases = [case for of_line in results.values() for cases in of_line.values() for case in cases]
    failures = [f"{line} {name}: {case.name}: {case.failure.strip()}" for line, of_line in results.items()
                for name, of_layer in of_line.items() for case in of_layer if case.failure]
    for failure in failures:
        print("FAILED " + failure, file=sys.stderr)
    skipped = sum(1 for case in cases if case.skipped)
    print(f"images: {len(cases) - len(failures) - skipped} passed, {len(failures)} failed, {skipped} left out, "
          f"{time.monotonic() - began:.0f} s")
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["test"])))
