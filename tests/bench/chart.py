"""The chart of one run as SVG: times of one client, a bar for each peer, on a logarithmic axis.

Its colours follow the reader's light or dark scheme.
"""

import html
import math

GROUPS = (
    ("Same statement again, Parquet, cache off", "same-parquet"),
    ("New literals each time, Parquet", "literals-parquet"),
    ("Same statement again, Delta, cache off", "same-delta"),
    ("Point filter over a million rows", "big-point"),
    ("Group-by over a million rows", "big-group"),
    ("MySQL point query", "mysql"),
    ("A million rows as JSON", "million"),
)
PEERS = (
    ("service", "spark-service"),
    ("duckdb", "DuckDB over HTTP"),
    ("mysql", "MySQL client in C"),
    ("loop", "spark.sql().collect() in a JVM"),
    ("connect", "Spark Connect"),
    ("thrift", "Spark Thrift Server"),
    ("flask", "Flask + PySpark"),
)
WIDTH, LEFT, RIGHT = 860, 230, 90
BAR, GAP, GROUP_GAP, TOP = 16, 4, 34, 58
STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.group{font-weight:600}.axis{fill:#59636e;font-size:11px}
.grid{stroke:#d1d9e0}.service{fill:#0969da}.peer{fill:#8c959f}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.axis{fill:#9198a1}.grid{stroke:#3d444d}
.service{fill:#4493f8}.peer{fill:#767e88}}
"""


def duration(milliseconds):
    """As people say it."""
    if milliseconds >= 10_000:
        return f"{milliseconds / 1000:.0f} s"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2g} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2g} ms"


class Axis:
    """Decades that hold every value, as places on the line."""

    def __init__(self, values):
        self.first = math.floor(math.log10(min(values)))
        self.last = max(math.ceil(math.log10(max(values))), self.first + 1)

    def x(self, value):
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def marks(self):
        return [10.0 ** power for power in range(self.first, self.last + 1)]


def _bars(measured):
    """(title, [(peer, label, milliseconds)]) of what was measured."""
    groups = []
    for title, measurement in GROUPS:
        series = measured.get(measurement, {})
        bars = [(peer, label, series[peer]["p50_ms"]) for peer, label in PEERS if peer in series]
        if bars:
            groups.append((title, bars))
    return groups


def _text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _draw(groups, axis):
    """(shapes, y of the end)."""
    shapes, y = [], TOP
    for title, bars in groups:
        shapes.append(_text(12, y + 12, title, "group"))
        y += 22
        for peer, label, value in bars:
            end = max(axis.x(value), LEFT + 2)
            shapes.append(_text(LEFT - 8, y + 12, label, anchor="end"))
            shapes.append(f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR}" rx="2"'
                          f' class="{"service" if peer == "service" else "peer"}"/>')
            shapes.append(_text(end + 6, y + 12, duration(value)))
            y += BAR + GAP
        y += GROUP_GAP - 22
    return shapes, y


def _grid(axis, bottom):
    shapes = []
    for mark in axis.marks():
        x = axis.x(mark)
        shapes.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{bottom}" class="grid"/>')
        shapes.append(_text(x, TOP - 14, duration(mark), "axis", "middle"))
    return shapes


def svg(results):
    groups = _bars(results["measured"])
    if not groups:
        axis, shapes, bottom = None, [_text(12, TOP, "nothing of the chart was measured")], TOP
    else:
        axis = Axis([value for _, bars in groups for *_, value in bars])
        shapes, bottom = _draw(groups, axis)
        shapes = _grid(axis, bottom - 8) + shapes
    cores = results["machine"]["cores"]
    title = f"Time of one query, one client, {cores} cores: median, shorter is better"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 12}"'
        f' width="{WIDTH}" height="{bottom + 12}" role="img" aria-label="{html.escape(title)}">',
        f"<style>{STYLE}</style>", _text(12, 24, title, "title"), *shapes, "</svg>", ""])
