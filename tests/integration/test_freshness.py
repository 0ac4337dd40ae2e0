"""What another program has committed, the next query sees: twenty commits of each kind."""

import json
import shutil

import pyarrow
import pyarrow.parquet
import pytest

COMMITS = 20


@pytest.fixture
def folder(world):
    path = world.data / "fresh"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def read(service, source, name, **fields):
    reply = service.query(source, f"SELECT v FROM {name} ORDER BY v", **fields)
    assert reply.status == 200, reply
    return [row["v"] for row in reply.json()]


def write_file(path, value):
    table = pyarrow.table({"v": pyarrow.array([value], pyarrow.int64())})
    pyarrow.parquet.write_table(table, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").rename(path)


def test_new_parquet_files(service, folder):
    for commit in range(1, COMMITS + 1):
        write_file(folder / f"part-{commit}.parquet", commit)
        assert read(service, "parquet", "parquet_data", path=str(folder)) == list(
            range(1, commit + 1))


def test_replaced_parquet_file_of_the_same_name(service, folder):
    for commit in range(1, COMMITS + 1):
        write_file(folder / "part.parquet", commit)
        assert read(service, "parquet", "parquet_data", path=str(folder)) == [commit]


def test_removed_parquet_files(service, folder):
    for number in range(5):
        write_file(folder / f"part-{number}.parquet", number)
    for number in range(4):
        (folder / f"part-{number}.parquet").unlink()
        assert read(service, "parquet", "parquet_data", path=str(folder)) == list(
            range(number + 1, 5))


def test_delta_commits(service, world, folder):
    service.deleted_delta_tables += 1
    table = f"delta.`{folder}/delta`"
    world.writer.run(f"CREATE TABLE {table} (v BIGINT) USING delta")
    for commit in range(1, COMMITS + 1):
        world.writer.run(f"INSERT INTO {table} VALUES ({commit})")
        seen = list(range(1, commit + 1))
        if commit % 2:
            assert read(service, "delta", "delta_data", path=f"{folder}/delta") == seen
        else:
            assert read(service, "delta", table) == seen


@pytest.mark.expect_log("logger=DeltaLog .*Change in the table id")
def test_delta_table_made_anew_at_the_same_place(service, world, folder):
    table = f"delta.`{folder}/delta`"
    for value in (1, 2, 3):
        service.deleted_delta_tables += 1
        shutil.rmtree(folder / "delta", ignore_errors=True)
        world.writer.run(f"CREATE TABLE {table} USING delta AS SELECT CAST({value} AS BIGINT) AS v")
        assert read(service, "delta", "delta_data", path=f"{folder}/delta") == [value]


@pytest.fixture
def iceberg_table(world):
    world.writer.run("CREATE TABLE local.samples.fresh (v BIGINT) USING iceberg")
    yield "local.samples.fresh"
    world.writer.run("DROP TABLE local.samples.fresh PURGE")


def test_iceberg_commits(service, world, iceberg_table):
    for commit in range(1, COMMITS + 1):
        world.writer.run(f"INSERT INTO {iceberg_table} VALUES ({commit})")
        seen = list(range(1, commit + 1))
        if commit % 2:
            assert read(service, "iceberg", "iceberg_data", table="samples.fresh") == seen
        else:
            assert read(service, "iceberg", iceberg_table) == seen


def test_iceberg_snapshot_by_id(service, world, iceberg_table):
    world.writer.run(f"INSERT INTO {iceberg_table} VALUES (1)")
    metadata = world.data / "iceberg" / "samples" / "fresh" / "metadata"
    newest = max(metadata.glob("v*.metadata.json"),
                 key=lambda path: int(path.name[1:].split(".")[0]))
    snapshot = json.loads(newest.read_text())["current-snapshot-id"]
    world.writer.run(f"INSERT INTO {iceberg_table} VALUES (2)")
    for form in (snapshot, str(snapshot)):
        assert read(service, "iceberg", "iceberg_data", table="samples.fresh",
                    as_of={"snapshot_id": form}) == [1]
    assert read(service, "iceberg", "iceberg_data", table="samples.fresh") == [1, 2]


def test_mysql_commits(service, world):
    config = world.config(world.mysql, "samples")
    world.mysql.run("CREATE TABLE fresh (v BIGINT)", database="samples")
    for commit in range(1, COMMITS + 1):
        world.mysql.run(f"INSERT INTO fresh VALUES ({commit})", database="samples")
        assert read(service, "mysql", "fresh", config=config) == list(range(1, commit + 1))
    world.mysql.run("DROP TABLE fresh", database="samples")
