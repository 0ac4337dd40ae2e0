"""Every case below tests/conformance against the real service, byte for byte.

Those of the mysql endpoint run on both of its engines.
"""

import pytest

from harness.conformance import all_cases
from harness.paths import SPARK

RUNS = [pytest.param(case, engine, id=case.name + (f"-{engine}" if engine else ""))
        for case in all_cases() for engine in case.engines]


@pytest.mark.parametrize(("case", "engine"), RUNS)
def test_case(case, engine, service, world):
    if case.only and not SPARK.startswith(case.only):
        pytest.skip(f"Spark {case.only} only")
    method, target = case.endpoint
    reply = service.request(method, target, case.body(world.fill, engine), case.headers())
    case.check(reply)
    if engine and reply.status == 200:
        assert reply.headers["query-engine"] == engine
    if reply.status == 200:
        again = service.request(method, target, case.body(world.fill, engine), case.headers())
        assert again.body == reply.body, "out of the cache, where it could be kept"
