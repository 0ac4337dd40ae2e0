"""Threads of Spark's tasks (TASK_NICE) and of the optimising compiler (COMPILER_NICE) stand back for those
that answer."""

import pathlib

TASK_NICE = 10  # the defaults
COMPILER_NICE = 5


def nice_of_threads(pid):
    """[(name, nice)] of a process."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            stat = (task / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name, rest = stat[stat.index("(") + 1:].rsplit(")", 1)
        found.append((name, int(rest.split()[16])))
    return found


def is_task(name):
    return name.startswith("Executor task l")  # 15 characters are all that Linux keeps


def test_task_threads_stand_back(service, world):
    reply = service.query("parquet", "SELECT count(*) AS n, sum(id) AS s FROM range(100000)"
                          " GROUP BY id % 7", path=f"{world.data}/parquet/users")
    assert reply.status == 200
    threads = nice_of_threads(service.pid)
    own = pathlib.Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[16]
    assert TASK_NICE in {nice for name, nice in threads if is_task(name)}, threads
    answering = [(name, nice) for name, nice in threads
                 if name.startswith(("worker-", "spark-service", "canceller", "log", "canary",
                                     "C1 Compiler", "GC Thread"))]
    assert {name.split("-")[0] for name, _ in answering} >= {"worker", "spark"}
    assert {nice for _, nice in answering} == {int(own)}, answering
    optimising = {nice for name, nice in threads if name.startswith("C2 Compiler")}
    assert optimising == {COMPILER_NICE}, threads


def test_they_need_not(start_service, world):
    service = start_service(SPARK_SERVICE_TASK_NICE=0, SPARK_SERVICE_COMPILER_NICE=0).wait_ready()
    threads = nice_of_threads(service.pid)  # the canary had tasks
    assert any(is_task(name) for name, _ in threads), threads
    assert len({nice for _, nice in threads}) == 1, threads
