"""Checks inside an image: a layer's checks.py follows this text on python3's standard input.

Each check prints `ok NAME` or `not ok NAME: why`; the exit status tells whether any failed.
"""

import os
import sys
import traceback

failed = 0


def check(name):
    """Runs the decorated function at once: it raises when what `name` says doesn't hold."""

    def run(function):
        global failed
        try:
            function()
            print(f"ok {name}", flush=True)
        except Exception as error:
            failed += 1
            reason = " ".join(str(error).split())[:500]
            print(f"not ok {name}: {type(error).__name__}: {reason}", flush=True)
            traceback.print_exc()
        return function

    return run


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r}, not {expected!r}")


def started_jvm():
    """A JVM with Spark's class path and no session: enough to load classes, two seconds."""
    from pyspark.java_gateway import launch_gateway

    return launch_gateway().jvm


def small_session(settings=None):
    """A quiet SparkSession for a few rows; `settings` are added to its own."""
    from pyspark.sql import SparkSession

    builder = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.host", "localhost")
    )
    for name, value in (settings or {}).items():
        builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def check_classes(jvm, classes):
    for title, class_name in classes.items():
        check(f"{title} loads")(lambda: jvm.java.lang.Class.forName(class_name))


def finish():
    sys.stdout.flush()
    # Not sys.exit: a JVM of launch_gateway would be waited for.
    os._exit(1 if failed else 0)
