"""The statements below tests/corpora/sql: one a line or, in files of queries, up to a line that ends in `;`."""

import dataclasses
import pathlib

CORPORA = pathlib.Path(__file__).resolve().parents[2] / "corpora" / "sql"


@dataclasses.dataclass(frozen=True)
class Statement:
    family: str
    sql: str


def hostile(name, **values):
    """The statements of a file with `-- family:` lines, `${NAME}` filled in."""
    family, found = None, []
    for line in (CORPORA / name).read_text().splitlines():
        if line.startswith("-- family: "):
            family = line.removeprefix("-- family: ")
        elif line and not line.startswith("--"):
            for key, value in values.items():
                line = line.replace("${" + key + "}", str(value))
            found.append(Statement(family, line))
    return found


def queries(name):
    """The queries of a file, each up to a `;` at the end of a line."""
    text = "\n".join(line for line in (CORPORA / name).read_text().splitlines()
                     if not line.startswith("--"))
    return [query.strip() for query in text.split(";\n") if query.strip()]


# ---- disguises: the same attempt in other words ----

def mixed_case(sql):
    """Keywords and names; what is quoted stays."""
    out, quote = [], None
    for i, char in enumerate(sql):
        if quote:
            quote = None if char == quote else quote
        elif char in "'`\"":
            quote = char
        else:
            char = char.upper() if i % 2 else char.lower()
        out.append(char)
    return "".join(out)


def _spaces(with_what):
    def disguise(sql):
        out, quote = [], None
        for char in sql:
            if quote:
                quote = None if char == quote else quote
            elif char in "'`\"":
                quote = char
            elif char == " ":
                char = with_what
            out.append(char)
        return "".join(out)
    return disguise


def _around(before, after):
    return lambda sql: before + sql + after


DISGUISES = {
    "mixed case": mixed_case,
    "upper case": lambda sql: "".join(c if c in "ßı" else c.upper() for c in sql)
    if "'" not in sql and "`" not in sql else mixed_case(sql),
    "comments for spaces": _spaces("/**/"),
    "comments with words": _spaces(" /* SELECT 1 */ "),
    "nested comments": _spaces(" /* /* x */ */ "),
    "line comments": _spaces(" -- x\n"),
    "tabs and lines": _spaces("\t\r\n"),
    "no-break spaces": _spaces("\u00a0"),
    "wide spaces": _spaces("\u3000"),
    "zero-width spaces": _spaces(" \u200b"),
    "a byte order mark": _around("\ufeff", ""),
    "a hint comment": _around("/*+ x */ ", ""),
    "a comment before": _around("-- x\n/* y */ ", ""),
    "a semicolon": _around("", ";"),
    "after another statement": _around("SELECT 1; ", ""),
    "before another statement": _around("", "; SELECT 1"),
    "brackets": _around("(", ")"),
    "a sub-query": _around("SELECT * FROM (", ") AS t"),
    "a scalar sub-query": _around("SELECT (", ")"),
    "EXISTS": _around("SELECT 1 WHERE EXISTS (", ")"),
    "a WITH": _around("WITH a AS (", ") SELECT * FROM a"),
    "an unused WITH": _around("WITH a AS (", ") SELECT 1"),
    "a union": _around("SELECT 1 UNION ALL ", ""),
    "a view": _around("CREATE TEMPORARY VIEW v AS ", ""),
    "an explanation": _around("EXPLAIN ", ""),
    "a cached table": _around("CACHE TABLE c AS ", ""),
    "EXECUTE IMMEDIATE": lambda sql: "EXECUTE IMMEDIATE '" + sql.replace("'", "\\'") + "'",
    "a script": _around("BEGIN ", "; END"),
    "an insert": _around("INSERT INTO t ", ""),
    "a lambda": _around("SELECT transform(array(1), x -> (", "))"),
}
