#!/usr/bin/env python3
"""Counts of JUnit XML files (cmocka, surefire, pytest): one line a suite, then the sum.

    summary.py FILE-OR-FOLDER...   exit 1: a test failed, no test ran, or a file can't be read

A folder stands for all XML files below it.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


class Counts:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return f"{text}, {self.skipped} skipped" if self.skipped else text


def count_suite(suite):
    """From the cases, not from the attributes: each writer counts errors in its own way."""
    counts = Counts()
    for case in suite.findall("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif case.find("skipped") is not None:
            counts.skipped += 1
        else:
            counts.passed += 1
    if not len(suite.findall("testcase")) and int(suite.get("errors", 0)):
        counts.failed += int(suite.get("errors", 0))  # broke before its first case
    return counts


def suites_of(path):
    """Name and counts of each suite in a file; a file of several documents is refused."""
    root = ElementTree.parse(path).getroot()
    suites = [root] if root.tag == "testsuite" else root.findall(".//testsuite")
    return [(suite.get("name") or pathlib.Path(path).stem, count_suite(suite)) for suite in suites]


def files_of(paths):
    for path in map(pathlib.Path, paths):
        yield from sorted(path.rglob("*.xml")) if path.is_dir() else [path]


def main(paths):
    total, unreadable = Counts(), 0
    for path in files_of(paths):
        try:
            suites = suites_of(path)
        except (OSError, ElementTree.ParseError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            unreadable += 1
            continue
        for name, counts in suites:
            print(f"{name}: {counts}")
            total += counts
    total.failed += unreadable
    if total.skipped:
        print(f"{total.skipped} skipped")
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
