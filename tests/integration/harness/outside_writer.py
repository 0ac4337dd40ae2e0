"""The other program that writes tables: a Spark process of its own.

`sparkservice.bridge.SqlScript` says "ready", then reads one statement a line
and answers one line for each, after it is done.
"""

import pathlib
import subprocess
import tempfile

from .paths import ROOT, SPARK_HOME


class OutsideWriter:
    def __init__(self, warehouse):
        self.warehouse = warehouse
        self.errors = tempfile.TemporaryFile()
        self.process = None

    def __enter__(self):
        java = SPARK_HOME / "java-home"
        program = f"{java.read_text().strip()}/bin/java" if java.is_file() else "java"
        self.process = subprocess.Popen(
            [program, "-Xmx1g", *jvm_options(), "-cp", class_path(), "sparkservice.bridge.SqlScript",
             "--warehouse", str(self.warehouse), "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            encoding="utf-8", bufsize=1)
        self._expect("ready", "start")
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def run(self, *statements):
        for statement in statements:
            self.process.stdin.write(" ".join(statement.split("\n")) + "\n")
            self.process.stdin.flush()
            self._expect("ok", statement)

    def _expect(self, wanted, statement):
        answer = self.process.stdout.readline()
        if answer.strip() != wanted:
            self.errors.seek(0)
            raise AssertionError(f"outside writer: {statement}\n-> {answer!r}\n"
                                 + self.errors.read().decode("utf-8", "replace")[-3000:])


def jvm_options():
    """The options of the service's own JVM: one a line, `#` for reasons."""
    installed = SPARK_HOME / "jvm.options"
    path = installed if installed.exists() else ROOT / "jni" / "jvm.options"
    return [line.strip() for line in path.read_text().splitlines()
            if line.strip() and not line.startswith("#")]


def class_path():
    jars = sorted(pathlib.Path(SPARK_HOME / "jars").glob("*.jar"))
    if not jars:
        raise AssertionError(f"no jars below {SPARK_HOME}; run `make build` first")
    return ":".join(map(str, jars))
