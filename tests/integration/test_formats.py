"""Every format of the same query decodes to the same rows, in every coding."""

import json

import pytest

from harness.conformance import MYSQL_ENGINES, all_cases
from harness.formats import (ARROW, CODINGS, CSV, ENVELOPE, FORMATS, JSON, NDJSON_END, Table,
                             decode, loads, read_arrow)
from harness.paths import SPARK

# The conformance cases that have every type, NULLs, nested values, no rows.
NAMES = {"integers", "floats", "decimals", "strings", "binaries", "booleans", "bits", "time",
         "dates_and_timestamps", "dates_and_times", "nested", "variant", "json", "spatial",
         "null_literal", "no_rows", "own_column_names", "same_names"}
GROUPS = {"parquet", "delta", "iceberg", "mysql", "mariadb"}
RUNS = [pytest.param(case, engine, id=case.name + (f"-{engine}" if engine else ""))
        for case in all_cases() for engine in case.engines
        if case.folder.name in NAMES and case.folder.parent.name in GROUPS]


class Asker:
    """Asks one query in all forms."""

    def __init__(self, service, target, body):
        self.service, self.target, self.body = service, target, body

    def reply(self, accept, coding="identity"):
        reply = self.service.request("POST", self.target, self.body, timeout=330,
                                     headers={"Accept": accept, "Accept-Encoding": coding})
        assert reply.status == 200, reply.body[:2000]
        assert reply.complete
        assert reply.headers["content-type"].split("; ")[0] == accept
        assert reply.headers["vary"] == "Accept, Accept-Encoding"
        return reply

    def table(self):
        return Table(read_arrow(decode(self.reply(ARROW))),
                     json.loads(decode(self.reply(ENVELOPE))))

    def rows(self, table, accept, coding):
        """The rows as the format has them, and what else it tells is checked."""
        reply = self.reply(accept, coding)
        body = decode(reply)
        told = reply.headers | reply.trailers
        if len(body) < 1024:
            assert "content-encoding" not in reply.headers
        elif coding != "identity":
            assert reply.headers["content-encoding"] == coding
        assert told["result-truncated"] == "false"
        assert "server-timing" in told
        if accept == ARROW:
            return table.from_arrow(read_arrow(body))
        if accept == CSV:
            return table.from_csv(body)
        if accept == JSON:
            return table.from_json(loads(body))
        if accept == ENVELOPE:
            envelope = loads(body)
            assert list(envelope) == ["query_id", "schema", "data", "row_count", "truncated",
                                      "source", "stats"]
            assert envelope["query_id"] == reply.headers["query-id"]
            assert int(envelope["row_count"]) == len(envelope["data"])
            assert envelope["truncated"] is False
            assert {"queue_ms", "plan_ms", "run_ms"} <= set(envelope["stats"])
            return table.from_json(envelope["data"])
        lines = body.decode().split("\n")
        assert lines.pop() == ""
        if accept == NDJSON_END:
            end = json.loads(lines.pop())
            assert end == ["end", {"rows": len(lines), "truncated": False}]
        return table.from_json([loads(line) for line in lines])


@pytest.mark.parametrize(("case", "engine"), RUNS)
def test_every_type_in_every_format(case, engine, service, world):
    if case.only and not SPARK.startswith(case.only):
        pytest.skip(f"Spark {case.only} only")
    asker = Asker(service, case.endpoint[1], case.body(world.fill, engine))
    table = asker.table()
    expected = table.from_json(loads((case.folder / "expected.json").read_bytes()))
    for i, accept in enumerate(FORMATS):
        assert asker.rows(table, accept, CODINGS[i % 3]) == expected, accept


@pytest.mark.parametrize("source", ["mysql", "parquet"])
def test_long_answers_in_every_format_and_coding(source, service, world):
    users, fields = world.users_query(source)
    if source == "mysql":
        sql = (f"SELECT a.id * 1000 + b.id AS n, a.name, b.score FROM {users} a"
               f" CROSS JOIN (SELECT * FROM {users} ORDER BY id LIMIT 100) b ORDER BY 1")
    else:
        sql = (f"SELECT id * 1000 + k AS n, name, score FROM {users}"
               " LATERAL VIEW explode(sequence(1, 100)) e AS k ORDER BY 1")
    asker = Asker(service, f"/api/spark/query/{source}", json.dumps({"sql": sql} | fields).encode())
    table = asker.table()
    expected = table.from_json(loads(decode(asker.reply(JSON))))
    assert len(expected) == 100_000
    assert [row[0] for row in expected] == sorted((row[0] for row in expected), key=int)
    for i, accept in enumerate(FORMATS):
        assert asker.rows(table, accept, CODINGS[i % 3]) == expected, accept
        plain, *coded = (unchanging(asker.reply(accept, coding)) for coding in CODINGS)
        assert coded == [plain, plain], accept


def unchanging(reply):
    """The body without what differs each time."""
    body = decode(reply)
    if reply.headers["content-type"] != ENVELOPE:
        return body
    return body[body.index(b'"schema"'):body.rindex(b'"stats"')]


def test_schema_names_the_types(service, world):
    def schema(sql, source, **fields):
        body = json.dumps({"sql": sql} | fields).encode()
        reply = service.request("POST", f"/api/spark/query/{source}", body,
                                headers={"Accept": ENVELOPE}, timeout=330)
        assert reply.status == 200, reply.body
        return [(c["name"], c["type"]) for c in reply.json()["schema"]]

    # Of what is inside a map, Spark 3.5 says that it may be null.
    not_null = "" if SPARK.startswith("3.5") else " NOT NULL"
    users, fields = world.users_query("parquet")
    assert schema(
        "SELECT 1 AS i, 1L AS l, 1.50 AS d, 'x' AS s, X'00' AS b, true AS t, current_date() AS cd,"
        " TIMESTAMP '2024-01-31 00:00:00' AS ts, TIMESTAMP_NTZ '2024-01-31 00:00:00' AS tn,"
        " array(map('k', named_struct('a', 1, 'b', array(1.5D)))) AS n, NULL AS v,"
        f" INTERVAL '1' DAY AS iv FROM {users} LIMIT 1", "parquet", **fields) == [
            ("i", "INT"), ("l", "BIGINT"), ("d", "DECIMAL(3,2)"), ("s", "STRING"), ("b", "BINARY"),
            ("t", "BOOLEAN"), ("cd", "DATE"), ("ts", "TIMESTAMP"), ("tn", "TIMESTAMP_NTZ"),
            ("n", f"ARRAY<MAP<STRING, STRUCT<a: INT{not_null}, b: ARRAY<DOUBLE>{not_null}>>>"),
            ("v", "VOID"), ("iv", "INTERVAL DAY")]
    config = world.config(world.mysql)
    types = set()
    for table in ("integers", "floats", "decimals", "strings", "bits", "binaries", "times",
                  "documents", "places"):
        direct, spark = (schema(f"SELECT * FROM {table}", "mysql", config=config, engine=engine)
                         for engine in MYSQL_ENGINES)
        assert direct == spark
        types |= {kind for _, kind in direct}
    assert types >= {
        "TINYINT", "TINYINT UNSIGNED", "SMALLINT", "MEDIUMINT UNSIGNED", "INT", "INT UNSIGNED",
        "BIGINT", "BIGINT UNSIGNED", "YEAR", "FLOAT", "DOUBLE", "DECIMAL(5,2)", "DECIMAL(65,30)",
        "CHAR", "VARCHAR", "TEXT", "BIT(1)", "BIT(64)", "BINARY", "VARBINARY",
        "BLOB", "DATE", "DATETIME", "TIMESTAMP", "TIME", "JSON", "GEOMETRY"}
