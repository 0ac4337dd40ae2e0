"""Every case below tests/conformance against the real service, byte for byte."""

import pytest

from harness.conformance import all_cases
from harness.paths import SPARK


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_case(case, service, world):
    if case.only and not SPARK.startswith(case.only):
        pytest.skip(f"Spark {case.only} only")
    method, target = case.endpoint
    case.check(service.request(method, target, case.body(world.fill), case.headers()))
