"""What is asked, and how each peer wants it written."""

import dataclasses
import itertools
import json

FIRST_ID = 1_000_000
SMALL_ROWS = 1_000
BIG_ROWS = 1_000_000

_fresh = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Question:
    """`select` has {table} where the table stands."""

    source: str  # parquet, delta, iceberg, mysql
    table: str
    select: str
    cache: str = "off"


class Dialect:
    """Names of the tables below one folder, for each way to ask for them."""

    def __init__(self, data):
        self.data = data

    def _path(self, question):
        return f"{self.data}/{question.source}/{question.table}"

    def spark_sql(self, question):
        """For who passes SQL alone to Spark."""
        table = (f"local.bench.{question.table}" if question.source == "iceberg"
                 else f"{question.source}.`{self._path(question)}`")
        return question.select.format(table=table)

    def duckdb_sql(self, question):
        return question.select.format(table=f"read_parquet('{self._path(question)}/*.parquet')")

    def mysql_sql(self, question):
        return question.select.format(table=question.table)

    def _fields(self, question):
        if question.source == "parquet":
            return {"path": self._path(question),
                    "sql": question.select.format(table="parquet_data")}
        if question.source == "mysql":
            return {"sql": self.mysql_sql(question)}
        return {"sql": self.spark_sql(question)}

    def service_request(self, question):
        return post(f"/api/spark/query/{question.source}",
                    self._fields(question) | {"cache": question.cache})

    def flask_request(self, question):
        return post(f"/api/spark/query/{question.source}", self._fields(question))

    def duckdb_request(self, question):
        return post("/", {"sql": self.duckdb_sql(question)})


def post(target, fields):
    body = json.dumps(fields).encode()
    return (f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def get(target):
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


COLUMNS = "id, name, age, city, score"


def ten_rows(source, cache="off"):
    """The same statement each time."""
    return Question(source, "small", f"SELECT {COLUMNS} FROM {{table}} WHERE id >= {FIRST_ID + 100}"
                    f" AND id < {FIRST_ID + 110}", cache)


def whole_small(source, cache="off"):
    return Question(source, "small", "SELECT * FROM {table}", cache)


def whole_big():
    return Question("parquet", "big", "SELECT * FROM {table}")


def new_ten_rows(source):
    """Ten rows, with literals that no statement had before."""
    number = next(_fresh)
    first = FIRST_ID + number * 7 % (SMALL_ROWS - 10)
    return Question(source, "small", f"SELECT {COLUMNS} FROM {{table}} WHERE id >= {first}"
                    f" AND id < {first + 10} AND score < {10_000_000 + number}.5")


def new_point(source):
    number = next(_fresh)
    return Question(source, "big", "SELECT * FROM {table}"
                    f" WHERE id = {FIRST_ID + number * 7919 % BIG_ROWS}")


def new_group(source):
    number = next(_fresh)
    return Question(source, "big", "SELECT city, count(*) AS users, sum(score) AS total FROM {table}"
                    f" WHERE age > {number % 80} AND score < {10_000_000 + number}.5"
                    " GROUP BY city ORDER BY city")


def new_mysql_point():
    number = next(_fresh)
    return Question("mysql", "small", f"SELECT id, name, age, city FROM {{table}} WHERE id = "
                    f"{FIRST_ID + number * 7 % SMALL_ROWS}")


def heavy():
    """Seconds of work on every core; no two are the same, so that none is answered by another."""
    return Question("parquet", "big", "SELECT city, count(DISTINCT name) AS names,"
                    " count(DISTINCT email) AS emails FROM {table}"
                    f" WHERE score < {10_000_000 + next(_fresh)}.5 GROUP BY city ORDER BY city")
