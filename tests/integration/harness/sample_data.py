"""Tables whose rows are a formula, so that every answer can be worked out here."""

import datetime
import decimal
import json

import pyarrow
import pyarrow.parquet

USER_COUNT = 1000
BIG_ROWS = 1_000_000
NUMBERS = 200_000
FIRST = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)


def user(number):
    return {
        "id": number,
        "name": f"Üser 😀 {number}",
        "age": number * 7 % 90,
        "score": number / 4,
        "balance": decimal.Decimal(number * 101).scaleb(-2),
        "created": FIRST + datetime.timedelta(seconds=number, microseconds=number),
    }


USERS = [user(number) for number in range(1, USER_COUNT + 1)]


def users_json(users):
    """The bytes that `SELECT * ... ORDER BY id` has to give for these users."""
    return ("[" + ",".join(_user_json(row) for row in users) + "]").encode()


def _user_json(row):
    score = row["score"]
    return json.dumps(
        row | {"score": int(score) if score == int(score) else score,
               "balance": f"{row['balance']:.2f}",
               "created": row["created"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
        ensure_ascii=False, separators=(",", ":"))


USER_SCHEMA = pyarrow.schema([
    ("id", pyarrow.int64()), ("name", pyarrow.string()), ("age", pyarrow.int32()),
    ("score", pyarrow.float64()), ("balance", pyarrow.decimal128(12, 2)),
    ("created", pyarrow.timestamp("us", tz="UTC")),
])

MYSQL_TABLE = """CREATE TABLE users (
    id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL, age INT, score DOUBLE,
    balance DECIMAL(12,2), created TIMESTAMP(6) NULL)"""


def write_parquet_users(folder):
    """1000 users in four files."""
    folder.mkdir(parents=True)
    for part in range(4):
        rows = USERS[part * 250:(part + 1) * 250]
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, USER_SCHEMA),
                                    folder / f"part-{part}.parquet")


def write_big(folder):
    """A million rows (n, s) in order, in one file of ten row groups."""
    folder.mkdir(parents=True)
    numbers = pyarrow.array(range(BIG_ROWS), pyarrow.int64())
    table = pyarrow.table({"n": numbers, "s": pyarrow.array([f"row {n}" for n in range(BIG_ROWS)])})
    pyarrow.parquet.write_table(table, folder / "big.parquet", row_group_size=100_000)


def big_json():
    """What `SELECT n, s` over the million rows has to give, row by row."""
    yield b"["
    for start in range(0, BIG_ROWS, 10_000):
        text = ",".join(f'{{"n":{n},"s":"row {n}"}}' for n in range(start, start + 10_000))
        yield (text if start == 0 else "," + text).encode()
    yield b"]"


def write_numbers(folder):
    """NUMBERS integers in eight files: what the slow queries chew on."""
    folder.mkdir(parents=True)
    each = NUMBERS // 8
    for part in range(8):
        table = pyarrow.table({"n": pyarrow.array(range(part * each, (part + 1) * each),
                                                  pyarrow.int64())})
        pyarrow.parquet.write_table(table, folder / f"part-{part}.parquet", row_group_size=1000)


def load_mysql_users(server):
    server.run("CREATE DATABASE samples CHARACTER SET utf8mb4")
    with server.connect(database="samples") as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(MYSQL_TABLE)
        cursor.executemany(
            "INSERT INTO users VALUES (%s, %s, %s, %s, %s, %s)",
            [(row["id"], row["name"], row["age"], row["score"], row["balance"],
              row["created"].replace(tzinfo=None)) for row in USERS])
