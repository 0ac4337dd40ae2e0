"""Nothing outside the data roots is read: by path, by link, by a table's own metadata."""

import concurrent.futures
import json
import os
import random
import shutil
import threading

import pyarrow
import pyarrow.parquet
import pytest

import hostile_paths

CANARY = "canary-text-that-nobody-may-read"
STRINGS = 5000
SWAPS, REPLIES = 1000, 40
CLIENTS = 4
BROKEN = (403, 404, 422, 500, 502)  # a table that is none has no status of its own
SOURCES = ("parquet", "delta", "iceberg")


def write_table(folder, value):
    folder.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.table({"s": [value] * 3}), folder / "part-0.parquet")
    return folder


@pytest.fixture(scope="module")
def canary(world):
    """A folder outside with a table of each kind, whose text must never be seen."""
    folder = world.folder / "data-other" / "canary"
    write_table(folder, CANARY)
    (folder / f"k={CANARY}").mkdir()
    shutil.copy(folder / "part-0.parquet", folder / f"k={CANARY}" / "part-0.parquet")
    (folder / "canary.txt").write_text(CANARY)
    write_delta(folder / "delta", "part-0.parquet")
    write_table(folder / "delta", CANARY)
    return folder


def write_delta(folder, path, values=None):
    """A Delta table of one file, which its log calls `path` (Delta transaction log protocol)."""
    log = folder / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    schema = {"type": "struct", "fields": [
        {"name": "s", "type": "string", "nullable": True, "metadata": {}}]}
    actions = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {"id": "0f6dbb63-3f6b-4b7b-9d7f-6d2c4f0b9c1e", "partitionColumns": [],
                      "format": {"provider": "parquet", "options": {}}, "configuration": {},
                      "schemaString": json.dumps(schema), "createdTime": 0}},
        {"add": {"path": path, "partitionValues": {}, "size": 700, "modificationTime": 0,
                 "dataChange": True}}]
    (log / f"{0:020}.json").write_text("".join(json.dumps(a) + "\n" for a in actions))
    return folder


def ask(service, source, path):
    return service.query(source, f"SELECT * FROM {source}_data", path=str(path))


def assert_hidden(reply, what):
    assert CANARY.encode() not in reply.body, what


@pytest.fixture(autouse=True)
def nothing_in_the_log(service):
    offset = service.log_size()
    yield
    assert CANARY not in service.log(offset)


def is_inside(path, root):
    """As the kernel sees it."""
    real = os.path.realpath(path)
    return path.startswith("/") and (real + "/").startswith(str(root.resolve()) + "/")


@pytest.mark.timeout(300)
@pytest.mark.expect_log(".")  # what is inside and no table is Spark's to complain about
def test_path_strings(service, world, canary):
    paths = hostile_paths.strings(world.data, canary, world.data / "link-out", STRINGS)
    assert len(set(paths)) == STRINGS
    seen = {}

    def send(numbered):
        connection = service.connect()
        for number, path in numbered:
            source = SOURCES[number % len(SOURCES)]
            reply = connection.request("POST", f"/api/spark/query/{source}",
                                       hostile_paths.body(source, path))
            assert_hidden(reply, path)
            seen[reply.status] = seen.get(reply.status, 0) + 1
            if reply.status in (400, 403):
                continue
            assert "\0" not in path and is_inside(path, world.data), (path, reply)
            assert reply.status in (200, 404, 422), (path, reply)
        connection.close()

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(send, list(enumerate(paths))[n::CLIENTS]) for n in range(CLIENTS)]:
            done.result()
    assert sum(seen.values()) == STRINGS
    assert seen[403] > STRINGS * 0.8, seen


class Swapper(threading.Thread):
    """Lets a name lead inside and outside in turn, atomically, until told."""

    def __init__(self, name, inside, outside):
        super().__init__()
        self.link = name
        self.targets = (inside, outside)
        self.swaps = 0
        self.stopping = threading.Event()
        self.dice = random.Random(SWAPS)
        self.swap()

    def swap(self):
        spare = self.link.with_name(self.link.name + ".spare")
        spare.symlink_to(self.targets[self.swaps % 2])
        spare.replace(self.link)
        self.swaps += 1

    def run(self):
        while not self.stopping.wait(self.dice.random() * 0.05):
            self.swap()


@pytest.fixture
def swap_cases(world, canary):
    """What can be swapped: a table, a folder in one, a file, a log. Name, inside, outside, path, source."""
    base = world.folder / "data" / "swapped"
    base.mkdir(parents=True)
    good = write_table(world.data / "swap-good", "inside")
    folders = write_table(base / "folders", "inside").parent / "folders"
    files = write_table(base / "files", "inside")
    delta = write_table(base / "delta", "inside")
    write_delta(world.data / "swap-delta", "part-0.parquet")
    yield [
        (base / "table", good, canary, base / "table", "parquet"),
        (folders / "k=1", good, canary, folders, "parquet"),
        (files / "x.parquet", good / "part-0.parquet", canary / "part-0.parquet", files, "parquet"),
        (delta / "_delta_log", world.data / "swap-delta" / "_delta_log",
         canary / "delta" / "_delta_log", delta, "delta"),
        (base / "above", world.data, canary.parent.parent / "data-other", base / "above" / "canary",
         "parquet"),
    ]
    for folder in (base, good, world.data / "swap-delta"):
        shutil.rmtree(folder)


@pytest.mark.timeout(300)
@pytest.mark.expect_log(".")  # tables that change under a query
def test_swapped_links(service, world, swap_cases):
    service.deleted_delta_tables += 1
    swappers = [Swapper(name, inside, outside) for name, inside, outside, _, _ in swap_cases]
    cases = [(path, source) for *_, path, source in swap_cases]
    seen = {}

    def client(number):
        dice = random.Random(number)
        while (sum(swapper.swaps for swapper in swappers) < SWAPS or len(seen) < 2
               or sum(seen.values()) < REPLIES):
            path, source = dice.choice(cases)
            reply = ask(service, source, path)
            assert_hidden(reply, path)
            if reply.status == 200:
                assert all(row["s"] == "inside" for row in reply.json()), reply
            seen[reply.status] = seen.get(reply.status, 0) + 1

    for swapper in swappers:
        swapper.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(client, number) for number in range(CLIENTS)]:
                done.result()
    finally:
        for swapper in swappers:
            swapper.stopping.set()
            swapper.join()
    assert seen.get(200, 0) > 0 and seen.get(403, 0) > 0, seen  # both places were met
    assert set(seen) <= {200, 403, 404, 422, 502}, seen


@pytest.fixture
def scratch(world):
    folder = world.data / "hostile"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.expect_log(".")
def test_delta_logs_that_point_outside(service, world, canary, scratch):
    service.deleted_delta_tables += 8
    relative = os.path.relpath(canary / "part-0.parquet", scratch / "t")
    encoded = relative.replace("..", "%2e%2e").replace("/", "%2F")
    for number, path in enumerate((
            str(canary / "part-0.parquet"), f"file://{canary}/part-0.parquet", relative, encoded,
            "link/part-0.parquet", f"http://127.0.0.1:1{canary}/x",
            f"file:{world.data}/link-out/../canary/part-0.parquet")):
        table = write_delta(scratch / f"t{number}", path.replace("/t/", f"/t{number}/"))
        (table / "link").symlink_to(canary)
        reply = ask(service, "delta", table)
        assert_hidden(reply, path)
        assert reply.status in (403, 404, 422, 502), (path, reply)
    for name, target in (("_delta_log", canary / "delta" / "_delta_log"), ("part", canary)):
        table = scratch / f"l-{name}"
        table.mkdir()
        (table / name).symlink_to(target)
        reply = ask(service, "delta", table)
        assert_hidden(reply, name)
        assert reply.status in (403, 404, 422, 502), (name, reply)
    checkpoint = write_delta(scratch / "checkpoint", "part-0.parquet")
    log = checkpoint / "_delta_log"
    (log / "_last_checkpoint").write_text(json.dumps({"version": 0, "size": 1}))
    (log / f"{0:020}.checkpoint.parquet").symlink_to(canary / "part-0.parquet")
    (log / f"{0:020}.json").unlink()
    reply = ask(service, "delta", checkpoint)
    assert_hidden(reply, "checkpoint")
    assert reply.status in BROKEN, reply


@pytest.mark.expect_log(".")
def test_iceberg_metadata_that_points_outside(service, world, canary, scratch):
    users = world.data / "iceberg" / "samples" / "users"
    outside = canary / "iceberg-users"
    shutil.copytree(users, outside)
    newest = max((users / "metadata").glob("v*.metadata.json"),
                 key=lambda path: int(path.name[1:].split(".")[0]))
    text = newest.read_text()
    for name, changed in (
            ("all", text.replace(str(users), str(outside))),
            ("file-uri", text.replace(str(users), f"file://{outside}")),
            ("dots", text.replace(str(users), f"{users}/../../../../data-other/canary/iceberg-users")),
            ("link", text.replace(str(users), f"{world.data}/link-out/../canary/iceberg-users")),
            ("http", text.replace(str(users), f"http://127.0.0.1:1{outside}"))):
        table = scratch / name
        (table / "metadata").mkdir(parents=True)
        (table / "metadata" / "v1.metadata.json").write_text(changed)
        (table / "metadata" / "version-hint.text").write_text("1")
        reply = ask(service, "iceberg", table)
        assert reply.status in (403, 404, 422, 502), (name, reply)
        assert b"Lovelace" not in reply.body
    for hint in ("../../../../data-other/canary/iceberg-users/metadata/v1", "1/../../x", "-1", "no number"):
        table = scratch / f"hint-{abs(hash(hint))}"
        (table / "metadata").mkdir(parents=True)
        (table / "metadata" / "version-hint.text").write_text(hint)
        reply = ask(service, "iceberg", table)
        assert reply.status in BROKEN, (hint, reply)
    shutil.rmtree(outside)
