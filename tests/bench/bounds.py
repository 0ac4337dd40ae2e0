"""What each case must show, and whether it does."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Bound:
    """`figure` of series `ours` beside the sum of it over `theirs`; without `theirs`, by itself.

    `sense` "<": at most `limit`; ">": at least.
    """

    case: str
    text: str
    measurement: str
    ours: str
    figure: str
    sense: str
    limit: float
    theirs: tuple = ()  # series, or (measurement, series)


@dataclasses.dataclass(frozen=True)
class Verdict:
    bound: Bound
    ours: float
    theirs: float | None
    value: float  # what is compared with the limit
    is_met: bool


def _kinds(case, text, measurement, ours, figure, sense, limits, theirs=()):
    return [Bound(case, f"{text}, {kind}", f"{measurement}-{kind}", ours, figure, sense, limit,
                  theirs) for kind, limit in limits.items()]


KINDS = ("parquet", "delta", "iceberg")
BOUNDS = [
    *_kinds("cached", "10 rows, unchanged, cache on, 64 clients", "cached", "service",
            "per_second", ">", dict.fromkeys(KINDS, 1000), ("flask",)),
    *_kinds("cached", "the same", "cached", "service", "p99_ms", "<", dict.fromkeys(KINDS, 5)),
    Bound("hit", "cached hit, 10 rows", "hit-10", "service", "per_second", ">", 0.6, ("livez",)),
    Bound("hit", "cached hit, 1 000 rows", "hit-1000", "service", "per_second", ">", 0.8,
          ("static",)),
    *_kinds("same", "same statement, cache off, 1 client", "same", "service", "p50_ms", "<",
            {"parquet": 0.4, "delta": 0.1, "iceberg": 0.4}, ("loop",)),
    *_kinds("literals", "new literals, small source, 1 client", "literals", "service", "p50_ms",
            "<", dict.fromkeys(KINDS, 0.2), ("loop",)),
    Bound("literals", "the same, parquet", "literals-parquet", "service", "p50_ms", "<", 3,
          ("duckdb",)),
    Bound("big", "new literals, 1 M rows, point filter", "big-point", "service", "p50_ms", "<", 0.6,
          ("loop",)),
    Bound("big", "new literals, 1 M rows, group-by", "big-group", "service", "p50_ms", "<", 0.6,
          ("loop",)),
    Bound("clients16", "16 clients, cache off, small", "clients16", "service", "per_second", ">", 8,
          ("flask",)),
    Bound("clients16", "the same", "clients16", "service", "errors", "<", 0),
    Bound("mysql", "MySQL point query, auto", "mysql", "service", "p50_ms", "<", 1.3,
          ("mysql", ("mysql-livez", "livez"))),
    Bound("mysql", "the same", "mysql", "service", "p50_ms", "<", 1 / 25, ("flask",)),
    Bound("million", "1 M-row JSON", "million", "service", "rows_per_second", ">", 15, ("flask",)),
    Bound("million", "the same", "million", "service", "extra_mib", "<", 0.1, ("flask",)),
    Bound("million", "the same", "million", "service", "rows_per_second", ">", 2, ("duckdb",)),
    Bound("start", "exec to the first answer", "start", "service", "seconds", "<", 0.3, ("flask",)),
    Bound("start", "the same", "start", "service", "seconds", "<", 0.5, ("spark-sql",)),
    Bound("beside", "small queries beside 4 heavy ones", "beside", "beside", "p95_ms", "<", 3,
          ("alone",)),
]


def judge(measured):
    """A Verdict of each bound whose series were all measured; `measured` holds the figures of
    each series of each measurement."""
    verdicts = []
    for bound in BOUNDS:
        found = [_find(measured, bound, series) for series in (bound.ours, *bound.theirs)]
        if None not in found:
            verdicts.append(_verdict(bound, found[0], sum(found[1:]) if bound.theirs else None))
    return verdicts


def _find(measured, bound, series):
    measurement = bound.measurement
    if isinstance(series, tuple):
        measurement, series = series
    return measured.get(measurement, {}).get(series, {}).get(bound.figure)


def _verdict(bound, ours, theirs):
    if theirs is None:
        value = ours
    elif theirs > 0:
        value = ours / theirs
    else:
        value = 0.0 if ours == 0 else float("inf")
    is_met = value <= bound.limit if bound.sense == "<" else value >= bound.limit
    return Verdict(bound, ours, theirs, value, is_met)
