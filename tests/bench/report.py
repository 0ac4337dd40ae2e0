"""RESULTS.md from the JSON of one run."""

import bounds

UNITS = {"p50_ms": "ms p50", "p95_ms": "ms p95", "p99_ms": "ms p99", "per_second": "/s",
         "rows_per_second": "rows/s", "extra_mib": "MiB", "seconds": "s", "errors": "errors"}
NAMES = {
    "service": "spark-service",
    "flask": "Flask + PySpark",
    "loop": "`spark.sql().collect()` loop in a JVM",
    "connect": "Spark Connect, Python client",
    "thrift": "Spark Thrift Server, JDBC",
    "duckdb": "DuckDB over HTTP",
    "mysql": "MySQL client in C",
    "livez": "its own `/livez`",
    "static": "static reply of the same bytes",
    "spark-sql": "`spark-sql -e`",
    "alone": "small queries alone",
    "beside": "small queries beside 4 heavy ones",
}


def number(value):
    """Three digits that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def _row(*cells):
    return "| " + " | ".join(cells) + " |"


def _against(bound):
    names = [NAMES[series if isinstance(series, str) else series[1]] for series in bound.theirs]
    return " + ".join(names) or "–"


def _bound_row(verdict):
    bound = verdict.bound
    sign = "≤" if bound.sense == "<" else "≥"
    times = "×" if bound.theirs else f" {UNITS[bound.figure]}"
    return _row(bound.text, f"{number(verdict.ours)} {UNITS[bound.figure]}", _against(bound),
                "–" if verdict.theirs is None else f"{number(verdict.theirs)} {UNITS[bound.figure]}",
                f"{number(verdict.value)}{times}", f"{sign} {number(bound.limit)}{times}",
                "met" if verdict.is_met else "**missed**")


def _bounds_table(verdicts):
    return [_row("case", "spark-service", "against", "their figure", "ratio", "bound", ""),
            _row(*["---"] * 7), *map(_bound_row, verdicts)]


def _figure(figures, name):
    return number(figures[name]) if name in figures else ""


def _series_table(measured):
    columns = ("p50_ms", "p95_ms", "p99_ms", "per_second", "rows_per_second", "extra_mib",
               "seconds", "requests", "errors")
    columns = [name for name in columns
               if any(name in figures for series in measured.values() for figures in series.values())]
    lines = [_row("measurement", "of", *(name.replace("_", " ") for name in columns)),
             _row("---", "---", *["--:"] * len(columns))]
    for measurement, series in measured.items():
        for name, figures in series.items():
            lines.append(_row(measurement, NAMES[name],
                              *(_figure(figures, column) for column in columns)))
    return lines


def _left_out(results):
    cases, all_cases = results["cases"], [bound.case for bound in bounds.BOUNDS]
    missing = sorted(set(all_cases) - set(cases), key=all_cases.index)
    parts = []
    if missing:
        parts.append(f"not measured in this run: {', '.join(missing)}")
    if results["peers_left_out"]:
        parts.append(f"peers left out: {', '.join(results['peers_left_out'])}")
    parts += [f"failed: {case} ({why.splitlines()[0]})" for case, why in results["failed"].items()]
    if "QUICK" in results["command"]:
        parts.append("a few requests of each kind, no figure means anything")
    if "MERGE" in results["command"]:
        parts.append("cases of several runs together")
    return [f"**A part only**: {'; '.join(parts)}.", ""] if parts else []


def markdown(results):
    measured = results["measured"]
    verdicts = bounds.judge(measured)
    met = sum(verdict.is_met for verdict in verdicts)
    machine = results["machine"]
    return "\n".join([
        "# `make bench`: one run",
        "",
        f"{results['date']} · {machine['cores']} cores, {machine['memory_gib']} GiB · "
        f"{results['turns']} turns, {results['minutes']} minutes · commit {results['commit']} · "
        f"`{results['command']}`",
        "",
        " · ".join(f"{name} {version}" for name, version in results["versions"].items()),
        "",
        *_left_out(results),
        f"{met} of {len(verdicts)} bounds met. Figures are medians over the turns; a ratio is that "
        "of two of them. Made by the command above, exit 1 when a bound is missed.",
        "",
        *_bounds_table(verdicts),
        "",
        "## All figures",
        "",
        *_series_table(measured),
        "",
        "## How",
        "",
        *(f"- {line}" for line in results["method"]),
        "",
    ])
