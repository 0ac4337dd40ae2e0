"""Answers that aren't kept, over tables, rows and plans that are: never of what was there before."""

import os
import shutil
import threading

import pyarrow
import pyarrow.parquet
import pytest

from harness.paths import wait_until

COMMITS = 500 if os.environ.get("LONG") else 12
POLLERS = 2
KEPT_PLANS = 'spark_service_engine_plans_total{result="kept"} '


def ask(service, source, sql, **fields):
    reply = service.query(source, sql, cache="off", **fields)
    assert reply.status == 200, reply
    return reply


def value(service, source, sql, **fields):
    return ask(service, source, sql, **fields).json()[0]["n"]


@pytest.fixture
def folder(world):
    path = world.data / "reused"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def write_file(path, number):
    """A commit of Parquet is one rename."""
    table = pyarrow.table({"v": pyarrow.array([number], pyarrow.int64())})
    hidden = path.parent / f".{path.name}"
    pyarrow.parquet.write_table(table, hidden)
    hidden.rename(path)


def plans_reused(service):
    """As the engine told it last, a second ago at most."""
    page = service.request("GET", "/metrics").body.decode()
    return next(int(line.removeprefix(KEPT_PLANS)) for line in page.splitlines()
                if line.startswith(KEPT_PLANS))


class Pollers:
    """Clients that ask the same again and again; what one sees never goes back."""

    def __init__(self, service, source, sql, fields):
        self.question = (service, source, sql)
        self.fields = fields
        self.stop = threading.Event()
        self.failures = []
        self.threads = [threading.Thread(target=self.poll) for _ in range(POLLERS)]

    def poll(self):
        last = -1
        try:
            while not self.stop.is_set():
                number = value(*self.question, **self.fields)
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


def check_freshness(service, source, sql, fields, commit):
    """After each commit the next answer has it; once nobody writes, plans are used again."""
    with Pollers(service, source, sql, fields) as pollers:
        for number in range(1, COMMITS + 1):
            commit(number)
            assert value(service, source, sql, **fields) == number
        before = plans_reused(service)
        wait_until(lambda: plans_reused(service) > before + 5 or pollers.failures, 30,
                   lambda: "plans that are used again")


def test_parquet_commits_are_seen_under_polling(service, folder):
    write_file(folder / "part-0.parquet", 0)
    check_freshness(service, "parquet", "SELECT max(v) AS n FROM parquet_data",
                    {"path": str(folder)},
                    lambda number: write_file(folder / f"part-{number % 7}.parquet", number))


@pytest.mark.expect_log("logger=BlockManager .*already exists on this machine")  # two read one state
def test_delta_commits_are_seen_under_polling(service, world, folder):
    service.deleted_delta_tables += 1
    table = f"delta.`{folder}/delta`"
    world.writer.run(f"CREATE TABLE {table} (v BIGINT) USING delta")
    check_freshness(service, "delta", f"SELECT count(*) AS n FROM {table}", {},
                    lambda number: world.writer.run(f"INSERT INTO {table} VALUES ({number})"))


def test_iceberg_commits_are_seen_under_polling(service, world):
    table = "local.samples.reused"
    world.writer.run(f"CREATE TABLE {table} (v BIGINT) USING iceberg")
    check_freshness(service, "iceberg", f"SELECT count(*) AS n FROM {table}", {},
                    lambda number: world.writer.run(f"INSERT INTO {table} VALUES ({number})"))
    world.writer.run(f"DROP TABLE {table} PURGE")


def until_reused(service, folder, number):
    """Asks until the answer comes out of a kept plan."""
    sql = "SELECT max(v) AS n FROM parquet_data"
    before = plans_reused(service)

    def reused():
        assert value(service, "parquet", sql, path=str(folder)) == number
        return plans_reused(service) > before

    wait_until(reused, 30, lambda: "a plan that is used again")


def test_a_file_overwritten_in_place_with_as_many_bytes(service, folder):
    path = folder / "part.parquet"
    write_file(path, 1)
    until_reused(service, folder, 1)
    facts = path.stat()
    write_file(folder / "other", 2)
    content = (folder / "other").read_bytes()
    (folder / "other").unlink()
    until_reused(service, folder, 1)
    assert len(content) == facts.st_size
    with open(path, "r+b") as file:
        file.write(content)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert value(service, "parquet", "SELECT max(v) AS n FROM parquet_data", path=str(folder)) == 2


def test_a_folder_replaced_by_another(service, folder):
    for number, name in enumerate(("table", "next"), start=1):
        (folder / name).mkdir()
        write_file(folder / name / "part.parquet", number)
    until_reused(service, folder / "next", 2)
    until_reused(service, folder / "table", 1)
    (folder / "table").rename(folder / "last")
    (folder / "next").rename(folder / "table")
    until_reused(service, folder / "table", 2)
    until_reused(service, folder / "last", 1)


def test_a_link_that_leads_elsewhere(service, folder):
    for number, name in enumerate(("one", "two"), start=1):
        (folder / name).mkdir()
        write_file(folder / name / "part.parquet", number)
    for number, name in ((1, "one"), (2, "two"), (1, "one")):
        (folder / "new").symlink_to(folder / name)
        (folder / "new").rename(folder / "table")
        until_reused(service, folder / "table", number)


def test_deleted_rows_are_gone(service, world, folder):
    service.deleted_delta_tables += 1
    table = f"delta.`{folder}/delta`"
    world.writer.run(f"CREATE TABLE {table} USING delta AS SELECT id AS v FROM range(10)")
    sql = f"SELECT count(*) AS n FROM {table}"
    for _ in range(4):
        assert value(service, "delta", sql) == 10
    world.writer.run(f"DELETE FROM {table} WHERE v < 4")
    assert value(service, "delta", sql) == 6
    for number in (10, 6):
        assert value(service, "delta", "SELECT count(*) AS n FROM delta_data",
                     path=f"{folder}/delta",
                     as_of={"version": 0 if number == 10 else 1}) == number
