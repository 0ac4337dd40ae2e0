"""A sample of tests/torture, another one each month; all of it is `make torture`."""

import sys

from harness.paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "torture"))

import torture  # noqa: E402

SCENARIOS = 45
SHARE = 0.01


def test_a_sample_of_failing_calls():
    done, counts = torture.run(share=SHARE, most=SCENARIOS)
    print(f"{len(counts)} scenarios with {sum(counts.values())} calls, {done.runs} runs")
    assert not done.failures, "\n".join(done.failures)
    assert len(counts) == SCENARIOS + len(torture.lives.ALL)
