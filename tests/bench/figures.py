"""What is worked out of latencies: percentiles of a turn, medians over turns."""

import dataclasses
import math
import statistics


@dataclasses.dataclass
class Run:
    """What one client, or several at once, saw of one peer."""

    seconds: float
    latencies_ns: list
    errors: int = 0
    body_bytes: int = 0


def percentile(values, share):
    """Nearest rank: the smallest value that at least `share` of all don't exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def turn(run):
    """The figures of one turn; times in milliseconds."""
    return {
        "p50_ms": percentile(run.latencies_ns, 0.50) / 1e6,
        "p95_ms": percentile(run.latencies_ns, 0.95) / 1e6,
        "p99_ms": percentile(run.latencies_ns, 0.99) / 1e6,
        "per_second": len(run.latencies_ns) / run.seconds,
        "requests": len(run.latencies_ns),
        "errors": run.errors,
    }


def of_turns(turns):
    """One series: the median of each figure; requests and errors are sums."""
    figures = {}
    for name in turns[0]:
        values = [one[name] for one in turns]
        figures[name] = sum(values) if name in ("requests", "errors") else statistics.median(values)
    return figures


def digest(rows):
    """A number that two answers share when they have the same rows; their order doesn't count.

    Numbers are compared by value: 1.0 is 1, true is 1. Holds within one process.
    """
    return len(rows), sum(hash(tuple(row.items())) for row in rows) & (1 << 64) - 1
