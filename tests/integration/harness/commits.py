"""Tables that somebody else commits to, while clients ask for them again and again."""

import os
import threading
from typing import Callable, NamedTuple

import pyarrow
import pyarrow.parquet

from .paths import wait_until

COMMITS = 500 if os.environ.get("LONG") else 12
POLLERS = 2


class Table(NamedTuple):
    """A question whose answer is one `n`, and a commit that makes it `number`."""

    source: str
    sql: str
    fields: dict
    commit: Callable


def write_file(path, number):
    """A commit of Parquet is one rename."""
    table = pyarrow.table({"v": pyarrow.array([number], pyarrow.int64())})
    hidden = path.parent / f".{path.name}"
    pyarrow.parquet.write_table(table, hidden)
    hidden.rename(path)


def parquet(folder):
    write_file(folder / "part-0.parquet", 0)
    return Table("parquet", "SELECT max(v) AS n FROM parquet_data", {"path": str(folder)},
                 lambda number: write_file(folder / f"part-{number % 7}.parquet", number))


def written_by(writer, source, name):
    """A new table of Delta or Iceberg, counted."""
    writer.run(f"CREATE TABLE {name} (v BIGINT) USING {source}")
    return Table(source, f"SELECT count(*) AS n FROM {name}", {},
                 lambda number: writer.run(f"INSERT INTO {name} VALUES ({number})"))


class Pollers:
    """Clients that ask the same again and again; what one sees never goes back."""

    def __init__(self, ask):
        """`ask` gives the number, and fails when there is none."""
        self.ask = ask
        self.stop = threading.Event()
        self.failures = []
        self.threads = [threading.Thread(target=self.poll) for _ in range(POLLERS)]

    def poll(self):
        last = -1
        try:
            while not self.stop.is_set():
                number = self.ask()
                assert number >= last
                last = number
        except Exception as failure:  # told by the test's own thread
            self.failures.append(failure)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures


def check_freshness(table, ask, uses_kept, more_than, seconds, what):
    """After each commit the next answer has it; once nobody writes, `uses_kept()` grows again."""
    with Pollers(ask) as pollers:
        for number in range(1, COMMITS + 1):
            table.commit(number)
            assert ask() == number
        before = uses_kept()
        wait_until(lambda: uses_kept() > before + more_than or pollers.failures, seconds, lambda: what)
