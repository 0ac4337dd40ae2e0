"""The service starts no process: not when it starts, not for a query, not by a library's own idea."""

import pathlib

from harness.process_facts import children_ever


def test_none_since_the_start(service, world):
    for source in ("mysql", "parquet", "delta", "iceberg"):
        table, fields = world.users_query(source)
        assert service.query(source, f"SELECT count(*) FROM {table}", **fields).status == 200
        # Spark makes the folder of its default database when it first looks for a table in vain.
        assert service.query(source, "SELECT * FROM nowhere", **fields).status in (403, 422, 502)
    assert children_ever(service.pid) == ([], "0", "0")


def test_the_kernel_refuses_each_thread_one(service):
    modes = {line.split()[1] for status in pathlib.Path(f"/proc/{service.pid}/task").glob("*/status")
             for line in status.read_text().splitlines() if line.startswith("Seccomp:")}
    assert modes == {"2"}  # SECCOMP_MODE_FILTER
