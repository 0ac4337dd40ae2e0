"""The two engines of the mysql endpoint give the same bytes: every column type, edge
values, expressions, parameters, errors, statements by dice (LONG=1: five hundred, else a
fifth of them); on MySQL and on MariaDB."""

import os

import pytest

from harness.conformance import MYSQL_ENGINES
from harness.mysql_statements import statements
from harness.service import query_body

TABLES = ("integers", "floats", "decimals", "strings", "bits", "binaries", "times", "documents",
          "places", "people", "rarities")

# What the conformance tables don't have. Run by root before the tests.
RARITIES = """
CREATE TABLE types.rarities (
  id INT PRIMARY KEY,
  du DECIMAL(5,2) UNSIGNED, d38 DECIMAL(38,0), d39 DECIMAL(39,1), d1 DECIMAL(1,1),
  z INT(6) ZEROFILL, bz BIGINT UNSIGNED ZEROFILL, fu FLOAT UNSIGNED, f2 FLOAT(7,2),
  dd DOUBLE(9,3), l1 VARCHAR(20) CHARACTER SET latin1, u16 VARCHAR(20) CHARACTER SET utf16,
  ci VARCHAR(20) COLLATE utf8mb4_bin, tb TEXT CHARACTER SET latin1, cb CHAR(5) CHARACTER SET binary,
  e ENUM('a', '') CHARACTER SET latin1, s SET('x', 'y'), b9 BIT(9), dt3 DATETIME(3), t3 TIME(3),
  ts2 TIMESTAMP(2) NULL, y YEAR, `weird "name" ü` INT, long_text LONGTEXT, long_blob LONGBLOB)
"""
RARITY_ROWS = (
    "(1, 999.99, 99999999999999999999999999999999999999,"
    " 99999999999999999999999999999999999999.9, 0.9, 42, 42, 1.5, 12345.67, 123456.789,"
    " 'größe', '日本', 'A', 'é', X'0001', 'a', 'x,y', b'100000001', '2024-01-31 09:57:06.123',"
    " '-01:02:03.456', '2024-01-31 09:57:06.12', 2024, 7, REPEAT('ä', 100000),"
    " REPEAT(X'00FF', 100000))",
    "(2, 0, -99999999999999999999999999999999999999,"
    " -99999999999999999999999999999999999999.9, -0.9, 0, 18446744073709551615, 0, -0.01,"
    " -0.001, '', '', '', '', '', '', '', b'0', '0001-01-01', '00:00:00', '1970-01-01 00:00:01',"
    " 0, -7, '', '')",
    "(3" + ", NULL" * 24 + ")",
    "(4, 0.01, 1, 0.1, 0, 1, 1, 3.4e38, 0.1, 0.1, 'ÿ', '\U0001F600', ' ', 'ÿ', 'a', 2, 'y',"
    " b'1', '9999-12-31 23:59:59.999', '838:59:59', '2038-01-19 03:14:07.99', 1901, 0,"
    " REPEAT('x', 255), REPEAT('x', 257))",
)

EXPRESSIONS = (
    "1", "-1", "18446744073709551615", "9223372036854775808", "1.50", "-0.0", "1e0", "1e308 * 10",
    "0.1e0 + 0.2e0", "'x'", "''", "NULL", "TRUE", "1 = 1", "NULL = 1", "X'C328'", "_latin1 X'E9'",
    "b'101'", "_binary 'abc'", "N'ü'", "DATE '2024-02-29'", "TIME '25:00:00'",
    "TIMESTAMP '2024-01-31 09:57:06.5'", "TIMESTAMP '1582-10-10 00:00:00'", "1 / 3", "7 DIV 2",
    "7 % 2", "1 / 0", "CAST('7' AS UNSIGNED)", "CAST(-1 AS UNSIGNED)", "CAST('x' AS CHAR(3))",
    "CAST('x' AS BINARY(3))", "CAST(1.005 AS DECIMAL(10,2))", "CAST('2024-01-31' AS DATE)",
    "CAST('9:8:7' AS TIME(3))", "CAST('2024-01-31 1:2:3' AS DATETIME(6))", "CONCAT('a', 1)",
    "CONCAT(1, 2)", "CONCAT('a', X'FF')", "HEX('a')", "UNHEX('FF')", "MD5('a')", "SHA2('a', 256)",
    "LENGTH('ü')", "CHAR(65)", "CHAR(65 USING utf8mb4)", "UPPER('ü')", "REPEAT('ab', 3)",
    "REPEAT('x', 70000)", "SPACE(2)", "IF(1, 'a', 2)", "IFNULL(NULL, 1.5)", "COALESCE(NULL, 'x')",
    "CASE WHEN 1 THEN 1 ELSE 'a' END", "GREATEST(1, 2.5)", "LEAST('a', 'b')", "FLOOR(1.5)",
    "ROUND(1.2345, 2)", "ROUND(1.5e0)", "TRUNCATE(1.999, 1)", "MOD(5, 3)", "POW(2, 70)", "PI()",
    "SQRT(2)", "RAND(1)", "BIT_COUNT(7)", "1 << 63", "~0", "5 & 3", "INET_ATON('1.2.3.4')",
    "INET6_ATON('::1')", "MAKEDATE(2024, 60)", "MAKETIME(-838, 59, 59)", "SEC_TO_TIME(-3661.5)",
    "FROM_UNIXTIME(0)", "FROM_UNIXTIME(1.5)", "UNIX_TIMESTAMP('2024-01-31')", "YEAR('2024-01-31')",
    "DATE_FORMAT('2024-01-31', '%Y/%m')", "DATE_ADD('2024-01-31', INTERVAL 1 MONTH)",
    "DATE_ADD(DATE '2024-01-31', INTERVAL 1 SECOND)", "TIMEDIFF('10:00:00', '12:00:00')",
    "STR_TO_DATE('31.01.2024', '%d.%m.%Y')", "EXTRACT(HOUR FROM '10:11:12')",
    "TIMESTAMPDIFF(DAY, '2024-01-01', '2024-02-01')", "@@version_comment IS NULL",
    "@@session.time_zone", "@@session.autocommit",
    "(SELECT MAX(age) FROM people)", "(SELECT SUM(age) FROM people)",
    "(SELECT AVG(age) FROM people)", "(SELECT COUNT(*) FROM people)",
    "(SELECT GROUP_CONCAT(name ORDER BY id) FROM people)", "(SELECT MAX(d) FROM times)",
    "(SELECT MIN(ts6) FROM times WHERE id < 4)", "(SELECT SUM(d65) FROM decimals)",
    "(SELECT AVG(d38) FROM decimals)", "(SELECT STDDEV(age) FROM people)",
    "(SELECT BIT_OR(tu) FROM integers)", "(SELECT MAX(bu) FROM integers)",
    "(SELECT MAX(y) FROM integers)", "(SELECT MAX(e) FROM strings)", "(SELECT MAX(b64) FROM bits)",
    "(SELECT SUM(f) FROM floats WHERE id = 1)", "ST_AsText(ST_GeomFromText('POINT(1 2)'))",
    "ST_GeomFromText('POINT(1 2)')", "ST_X(ST_GeomFromText('POINT(1 2)'))",
    "JSON_EXTRACT('{\"a\": [1, 2]}', '$.a')", "JSON_OBJECT('a', 1)", "JSON_ARRAY()",
    "JSON_UNQUOTE('\"x\"')", "COMPRESS('a')", "BINARY 'a'", "CONVERT('a' USING latin1)",
    "'a' COLLATE utf8mb4_bin", "'a' = 'A '", "'ß' = 'ss'", "1 AS `a:b`",
)

STATEMENTS = (
    "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS A",
    "SELECT id AS a FROM integers UNION SELECT name FROM people ORDER BY 1",
    "SELECT d FROM times UNION ALL SELECT dt FROM times ORDER BY 1",
    "SELECT t FROM integers UNION ALL SELECT bu FROM integers ORDER BY 1",
    "SELECT e, COUNT(*) AS n FROM strings GROUP BY e WITH ROLLUP",
    "SELECT DISTINCT v, vb FROM strings JOIN binaries USING (id) ORDER BY id",
    "SELECT p.name, q.name FROM people p JOIN people q ON p.id = q.id ORDER BY p.id",
    "SELECT *, ROW_NUMBER() OVER (ORDER BY id) AS r FROM people",
    "SELECT * FROM people WHERE 1 = 0", "SHOW TABLES", "SHOW FULL TABLES",
    "SHOW COLUMNS FROM rarities", "SHOW FULL COLUMNS FROM integers", "DESCRIBE times",
    "(SELECT 1 AS a) UNION (SELECT 2) ORDER BY a DESC",
    "SELECT table_name, table_rows IS NULL AS x FROM information_schema.tables"
    " WHERE table_schema = 'types' ORDER BY table_name",
    "SELECT column_name, data_type, column_type, numeric_precision, character_octet_length"
    " FROM information_schema.columns WHERE table_name = 'rarities' ORDER BY ordinal_position",
)

FAILURES = (
    "SELECT", "SELECT nothing FROM people", "SELECT * FROM nowhere", "SELECT 1; SELECT 2",
    "SELECT (SELECT id FROM people)", "SELECT id FROM people LIMIT 1 INTO @a", "SELECT 1 INTO OUTFILE '/x'",
    "SELECT NEXTVAL(x)", "SELECT nofunction(1)", "SELECT 1 FROM people FOR UPDATE OF nobody",
    "DELETE FROM people", "SHOW GRANTS", "selec 1", "/*! SELECT 1 */", "SELECT ?", "SELECT :a",
    "SELECT 18446744073709551615 + 1", "SELECT POW(10, 400)", "SELECT EXP(1000)",
    "SELECT ST_GeomFromText('nonsense')", "SELECT 'a' COLLATE latin1_bin",
    "SELECT id, COUNT(*) FROM nodb.people", "TABLE nowhere", "DESCRIBE nowhere", "", "()",
    "SELECT JSON_EXTRACT('{', '$.a')",
)

PARAMS = (
    0, 1, -1, 2**53 + 1, 2**63 - 1, -2**63, 0.5, -0.0, 1e300, 5e-324, "", "a", "ü😀", "a'b\"c\\d",
    "2024-01-31", "12", True, False, None, "x" * 70000,
    {"type": "TINYINT", "value": -128}, {"type": "BIGINT", "value": "9223372036854775807"},
    {"type": "DOUBLE", "value": 0.1}, {"type": "DECIMAL(10,2)", "value": "1.5"},
    {"type": "DECIMAL(38,18)", "value": "-12345678901234567890.123456789012345678"},
    {"type": "DECIMAL(65,30)", "value": "99999999999999999999999999999999999.5"},
    {"type": "DECIMAL(5,0)", "value": "0"}, {"type": "STRING", "value": "s"},
    {"type": "BOOLEAN", "value": True}, {"type": "DATE", "value": "2024-02-29"},
    {"type": "DATE", "value": "0001-01-01"}, {"type": "DATE", "value": "9999-12-31"},
    {"type": "DATETIME", "value": "2024-01-31T09:57:06"},
    {"type": "TIMESTAMP", "value": "9999-12-31 23:59:59Z"}, {"type": "INT", "value": None},
)
WITH_PARAM = ("SELECT :p AS p", "SELECT :p + 1 AS p", "SELECT CONCAT(:p, 'x') AS p",
              "SELECT COUNT(*) AS n FROM times WHERE dt > :p", "SELECT :p = :p AS p",
              "SELECT id FROM strings WHERE v = :p", "SELECT IFNULL(:p, 'none') AS p",
              "SELECT id FROM integers WHERE b >= :p ORDER BY id", "SELECT HEX(:p) AS p")

VARYING = ("query_id", "elapsed_ms")
DICE_SEED = 20260107
DICE_STATEMENTS = 500 if os.environ.get("LONG") == "1" else 100


@pytest.fixture(scope="module", params=["mysql", "mariadb"])
def config(request, world):
    server = getattr(world, request.param)
    server.run("SET time_zone = '+00:00'", RARITIES,
               *(f"INSERT INTO types.rarities VALUES {row}" for row in RARITY_ROWS))
    yield world.config(server)
    server.run("DROP TABLE types.rarities")


def answers(service, config, sql, **fields):
    """What each engine says: status and rows, or status and problem."""
    told = {}
    for engine in MYSQL_ENGINES:
        reply = service.query("mysql", sql, config=config, engine=engine, **fields)
        body = reply.body
        if reply.status != 200:
            body = {key: value for key, value in reply.json().items() if key not in VARYING}
        told[engine] = (reply.status, body)
    return told


def differences(service, config, asked):
    """Those of (sql, fields) that the engines don't answer alike."""
    found = []
    for sql, fields in asked:
        told = answers(service, config, sql, **fields)
        if told["direct"] != told["spark"]:
            found.append((sql, str(fields)[:100],
                          {engine: (status, str(body)[:300]) for engine, (status, body)
                           in told.items()}))
    return found


def assert_alike(service, config, asked):
    found = differences(service, config, asked)
    assert not found, f"{len(found)} differ:\n" + "\n".join(map(str, found))


def test_every_column_type(service, config):
    for table in TABLES:
        told = answers(service, config, f"SELECT * FROM {table} ORDER BY id")
        assert told["direct"][0] == 200, told["direct"]
        assert told["direct"] == told["spark"], table


@pytest.mark.parametrize("numbers", ["native", "string"])
def test_every_integer_as(service, config, numbers):
    assert_alike(service, config, [("SELECT * FROM integers ORDER BY id", {"numbers": numbers})])


def test_expressions(service, config):
    assert_alike(service, config, [(f"SELECT {text} AS v" if " AS " not in text else
                                    f"SELECT {text}", {}) for text in EXPRESSIONS])


def test_statements(service, config):
    assert_alike(service, config, [(sql, {}) for sql in STATEMENTS])


def test_statements_by_dice(service, config):
    asked = [(sql, {}) for sql in statements(DICE_STATEMENTS, DICE_SEED)]
    assert_alike(service, config, asked)
    # What the dice make is mostly sound, or this would compare errors.
    good = sum(service.query("mysql", sql, config=config).status == 200 for sql, _ in asked)
    assert good >= 0.9 * len(asked), f"{good} of {len(asked)}"


ENVELOPE = {"Accept": "application/vnd.spark-service.result+json"}


@pytest.mark.parametrize("engine, ran, reason", [(None, "direct", "plain-read"),
                                                 ("auto", "direct", "plain-read"),
                                                 ("direct", "direct", "asked-for"),
                                                 ("spark", "spark", "asked-for")])
def test_choice_is_told(service, config, engine, ran, reason):
    body = query_body("SELECT 1 AS one", config=config, engine=engine)
    reply = service.request("POST", "/api/spark/query/mysql", body, ENVELOPE)
    assert reply.headers["query-engine"] == ran
    assert reply.headers["query-engine-reason"] == reason
    assert reply.json()["source"] == {"kind": "mysql", "engine": ran, "engine_reason": reason}
    assert reply.headers["cache-status"] == "spark-service; fwd=bypass; detail=cache-off"


def test_failures(service, config):
    assert_alike(service, config, [(sql or " ", {}) for sql in FAILURES])


def test_parameters(service, config):
    assert_alike(service, config, [(sql, {"params": {"p": value}})
                                   for sql in WITH_PARAM for value in PARAMS])


def test_fractions_of_a_second(service, config, world):
    """Connector/J has none for MariaDB: then Spark's engine says so instead of dropping them."""
    told = answers(service, config, "SELECT :p AS p", params={
        "p": {"type": "TIMESTAMP", "value": "2024-01-31T09:57:06.000001Z"}})
    assert told["direct"] == (200, b'[{"p":"2024-01-31T09:57:06.000001"}]')
    if config["port"] == world.mysql.port:
        assert told["spark"] == told["direct"]
    else:
        assert told["spark"][0] == 400 and "engine direct" in told["spark"][1]["detail"]


@pytest.mark.parametrize("limits", [{"row_limit": 0}, {"row_limit": 2}, {"row_limit": 100},
                                    {"byte_limit": 100}, {"byte_limit": 1}])
def test_limits(service, config, limits):
    assert_alike(service, config, [("SELECT * FROM people ORDER BY id", limits)])
