"""Statements for MySQL by dice: a fixed seed gives the same ones each time. They read the tables
of the conformance tests, every column type of them, and say by which order their rows come."""

import random

# Columns by what can be done with them. `id` is each table's key.
COLUMNS = {
    "integers": {"number": ("t", "tu", "s", "su", "m", "mu", "i", "iu", "b", "bu", "flag", "y")},
    "floats": {"number": ("f", "d")},
    "decimals": {"number": ("d5", "d0", "d38", "d65")},
    "strings": {"text": ("c", "v", "tt", "t", "mt", "lt", "e", "s")},
    "bits": {"bits": ("b1", "b8", "b10", "b64")},
    "binaries": {"bytes": ("bi", "vb", "tb", "bl", "mb", "lb")},
    "times": {"date": ("d",), "moment": ("dt", "dt6", "ts", "ts6"), "time": ("t", "t6")},
    "documents": {"document": ("j",)},
    "people": {"number": ("age",), "text": ("name",)},
}
FUNCTIONS = {
    "number": ("-{a}", "{a} + 1", "{a} * 0.5", "{a} - {b}", "{a} / 7", "{a} DIV 3", "{a} % 5", "ABS({a})",
               "ROUND({a}, 1)", "FLOOR({a})", "SIGN({a})", "CAST({a} AS CHAR)", "{a} > {b}",
               "{a} IS NULL", "IFNULL({a}, {b})", "NULLIF({a}, {b})", "GREATEST({a}, {b})",
               "CASE WHEN {a} > 3 THEN {a} ELSE {b} END", "CAST({a} AS DECIMAL(30,3))",
               "CONCAT({a}, '|', {b})", "{a} BETWEEN 0 AND 100", "FORMAT({a}, 2)", "COALESCE({a}, 0)"),
    "text": ("UPPER({a})", "LENGTH({a})", "CHAR_LENGTH({a})", "CONCAT({a}, '-', {b})",
             "SUBSTRING({a}, 2, 3)", "REPLACE({a}, 'a', 'ü')", "{a} LIKE '%a%'", "{a} = {b}",
             "COALESCE({a}, 'none')", "HEX({a})", "LEFT({a}, 1)", "REVERSE({a})", "TRIM({a})",
             "LPAD({a}, 5, '*')", "LOCATE('a', {a})", "IF({a} = '', NULL, {a})", "QUOTE({a})",
             "NULLIF({a}, {b})", "CAST({a} AS BINARY)", "MD5({a})"),
    "bits": ("{a} + 0", "HEX({a})", "{a} | 1", "BIT_COUNT({a})", "{a} = {b}", "COALESCE({a}, {b})"),
    "bytes": ("HEX({a})", "LENGTH({a})", "CONCAT({a}, {b})", "{a} = {b}", "SUBSTRING({a}, 2)",
              "COALESCE({a}, X'00')", "SHA1({a})", "TO_BASE64({a})"),
    "date": ("YEAR({a})", "DAYOFWEEK({a})", "DATE_ADD({a}, INTERVAL 1 DAY)", "LAST_DAY({a})",
             "DATE_FORMAT({a}, '%Y/%m/%d')", "{a} < '2000-01-01'", "COALESCE({a}, DATE '2024-02-29')",
             "CAST({a} AS DATETIME)", "QUARTER({a})", "CONCAT({a}, '')"),
    "moment": ("DATE({a})", "TIME({a})", "HOUR({a})", "MICROSECOND({a})", "{a} = {b}",
               "DATE_SUB({a}, INTERVAL 90 MINUTE)", "COALESCE({a}, {b})", "CAST({a} AS CHAR)",
               "DATE_FORMAT({a}, '%H:%i:%s.%f')", "TIMESTAMPDIFF(DAY, {a}, '2024-01-31')",
               "CAST({a} AS DATETIME(3))", "GREATEST({a}, {b})"),
    "time": ("HOUR({a})", "TIME_TO_SEC({a})", "ADDTIME({a}, '00:00:01')", "{a} > '10:00:00'",
             "CAST({a} AS TIME(2))", "COALESCE({a}, TIME '01:02:03')", "CONCAT({a}, 'x')",
             "NULLIF({a}, {b})"),
    "document": ("JSON_TYPE({a})", "JSON_EXTRACT({a}, '$.b')", "JSON_LENGTH({a})", "JSON_VALID({a})",
                 "JSON_UNQUOTE(JSON_EXTRACT({a}, '$.a'))", "JSON_KEYS({a})",
                 "COALESCE({a}, CAST('[]' AS CHAR))"),
}
AGGREGATES = {
    "number": ("SUM({a})", "AVG({a})", "MIN({a})", "MAX({a})", "COUNT({a})", "COUNT(DISTINCT {a})"),
    "text": ("MIN({a})", "MAX({a})", "COUNT({a})", "GROUP_CONCAT({a} ORDER BY id SEPARATOR '|')"),
    "bits": ("MAX({a} + 0)", "BIT_OR({a})", "COUNT({a})"),
    "bytes": ("MIN({a})", "MAX({a})", "COUNT({a})"),
    "date": ("MIN({a})", "MAX({a})", "COUNT({a})"),
    "moment": ("MIN({a})", "MAX({a})", "COUNT(DISTINCT {a})"),
    "time": ("MIN({a})", "MAX({a})", "COUNT({a})"),
    "document": ("COUNT({a})", "COUNT(*)"),
}
CONDITIONS = ("id > 1", "id IN (1, 3)", "id <> 2", "NOT id = 3", "id BETWEEN 2 AND 4", "id % 2 = 1",
              "EXISTS (SELECT 1 FROM people p WHERE p.id = x.id)",
              "id >= (SELECT MIN(id) FROM people)")


class Dice:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, of):
        return self.random.choice(of)

    def table(self):
        return self.pick(sorted(COLUMNS))

    def column(self, table, kind):
        return f"x.{self.pick(COLUMNS[table][kind])}"

    def expression(self, table, functions=None):
        kind = self.pick(sorted(COLUMNS[table]))
        if functions is None and self.random.random() < 0.3:
            return self.column(table, kind)
        form = self.pick((functions or FUNCTIONS)[kind])
        return form.format(a=self.column(table, kind), b=self.column(table, kind))

    def columns(self, table, functions=None):
        count = self.random.randint(1, 4)
        return ", ".join(f"{self.expression(table, functions)} AS c{i}" for i in range(count))

    def where(self):
        return f" WHERE {self.pick(CONDITIONS)}" if self.random.random() < 0.5 else ""

    # ---- one method a shape ----

    def plain(self):
        table = self.table()
        distinct = "DISTINCT " if self.random.random() < 0.1 else ""
        limit = f" LIMIT {self.random.randint(0, 3)}" if self.random.random() < 0.3 else ""
        return f"SELECT {distinct}x.id, {self.columns(table)} FROM {table} x{self.where()} ORDER BY x.id{limit}"

    def aggregate(self):
        table = self.table()
        return f"SELECT {self.columns(table, AGGREGATES)} FROM {table} x{self.where()}"

    def grouped(self):
        table = self.table()
        return (f"SELECT x.id % 3 AS g, COUNT(*) AS n, {self.columns(table, AGGREGATES)} FROM {table} x"
                f"{self.where()} GROUP BY x.id % 3 ORDER BY g")

    def joined(self):
        table = self.table()
        kind = self.pick(("JOIN", "LEFT JOIN"))
        return (f"SELECT x.id, {self.columns(table)}, p.name FROM {table} x {kind} people p ON p.id = x.id"
                " ORDER BY x.id")

    def united(self):
        table, other = self.table(), self.table()
        return (f"SELECT 1 AS part, x.id AS id, {self.expression(table)} AS v FROM {table} x"
                f" UNION ALL SELECT 2, x.id, {self.expression(other)} FROM {other} x ORDER BY part, id")

    def nested(self):
        table = self.table()
        return (f"SELECT * FROM (SELECT x.id, {self.columns(table)} FROM {table} x{self.where()}) AS inside"
                " ORDER BY id")

    def with_window(self):
        table = self.table()
        return (f"WITH w AS (SELECT x.id, {self.columns(table)} FROM {table} x)"
                " SELECT w.*, ROW_NUMBER() OVER (ORDER BY id) AS r, LAG(id) OVER (ORDER BY id) AS l"
                " FROM w ORDER BY id")

    def statement(self):
        shape = self.pick((self.plain, self.plain, self.plain, self.aggregate, self.grouped,
                           self.joined, self.united, self.nested, self.with_window))
        return shape()


def statements(count, seed):
    dice = Dice(seed)
    return [dice.statement() for _ in range(count)]
