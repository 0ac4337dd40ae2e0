"""Answers that aren't kept, over tables, rows and plans that are: never of what was there before."""

import os
import shutil

import pytest

from harness import commits
from harness.commits import write_file
from harness.paths import wait_until


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


def plans_reused(service):
    """As the engine told it last, a second ago at most."""
    return service.metric('engine_plans_total{result="kept"}')


def check_freshness(service, table):
    commits.check_freshness(table, lambda: value(service, table.source, table.sql, **table.fields),
                            lambda: plans_reused(service), 5, 30, "plans that are used again")


def test_parquet_commits_are_seen_under_polling(service, folder):
    check_freshness(service, commits.parquet(folder))


@pytest.mark.expect_log("logger=BlockManager .*already exists on this machine")  # two read one state
def test_delta_commits_are_seen_under_polling(service, world, folder):
    service.deleted_delta_tables += 1
    check_freshness(service, commits.written_by(world.writer, "delta", f"delta.`{folder}/delta`"))


def test_iceberg_commits_are_seen_under_polling(service, world):
    name = "local.samples.reused"
    check_freshness(service, commits.written_by(world.writer, "iceberg", name))
    world.writer.run(f"DROP TABLE {name} PURGE")


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
