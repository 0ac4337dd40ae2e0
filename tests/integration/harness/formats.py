"""Answers in every format and coding, taken apart into the same rows.

A row is a list of values as JSON has them: numbers as their digits, so that none is
rounded; a float by its value, because Arrow has no digits. What a column is, Arrow's
schema tells.
"""

import base64
import csv
import datetime
import gzip
import io
import json
import re
import struct

import pyarrow

JSON = "application/json"
ENVELOPE = "application/vnd.spark-service.result+json"
NDJSON = "application/x-ndjson"
NDJSON_END = "application/x-ndjson;end=1"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
FORMATS = (JSON, ENVELOPE, NDJSON, NDJSON_END, CSV, ARROW)
CODINGS = ("identity", "gzip", "zstd")

EPOCH = datetime.datetime(1970, 1, 1)
DOCUMENTS = ("JSON", "VARIANT")  # SQL types whose values are documents
GEOMETRY_SRID_BYTES = 4


FIELD = re.compile(r'("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\Z)')


class Number(str):
    """The digits of a JSON number."""


def loads(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def decode(reply):
    """The body without its coding."""
    coding = reply.headers.get("content-encoding")
    if coding == "gzip":
        return gzip.decompress(reply.body)
    if coding == "zstd":
        source = pyarrow.BufferReader(reply.body)
        return pyarrow.CompressedInputStream(source, "zstd").read()
    assert coding is None, coding
    return reply.body


def read_arrow(body):
    return pyarrow.ipc.open_stream(body).read_all()


def parse_csv(body):
    """RFC 4180, strictly; None for an empty field without quotes."""
    text = body.decode("utf-8")
    records, record, at = [], [], 0
    for field in FIELD.finditer(text):
        assert field.start() == at and field.end() > at or field.end() == len(text)
        value, end, at = field[1], field[2], field.end()
        if not end:
            break
        record.append(value[1:-1].replace('""', '"') if value[:1] == '"' else value or None)
        if end == "\r\n":
            records.append(record)
            record = []
    assert at == len(text) and not record
    plain = [[field or "" for field in record] for record in records]
    read = [row or [""] for row in csv.reader(io.StringIO(text, newline=""), strict=True)]
    assert read == plain
    return records


class Table:
    """What the columns are, from the Arrow answer and the envelope."""

    def __init__(self, arrow, envelope):
        self.fields = list(arrow.schema)
        self.types = [column["type"] for column in envelope["schema"]]
        assert [field.name for field in self.fields] == [c["name"] for c in envelope["schema"]]

    @property
    def names(self):
        return [field.name for field in self.fields]

    def from_json(self, rows):
        for row in rows:
            assert list(row) == self.names
        return [[canonical(field.type, value) for field, value in zip(self.fields, row.values())]
                for row in rows]

    def from_csv(self, body):
        header, *records = parse_csv(body)
        assert header == self.names
        return [[self._of_text(i, text) for i, text in enumerate(record)] for record in records]

    def _of_text(self, index, text):
        kind, sql = self.fields[index].type, self.types[index]
        if text is None:
            return None
        if sql in DOCUMENTS or pyarrow.types.is_nested(kind):
            return canonical(kind, loads(text))
        if pyarrow.types.is_boolean(kind):
            return {"true": True, "false": False}[text]
        return canonical(kind, text)

    def from_arrow(self, arrow):
        columns = [[value for chunk in arrow.column(i).chunks for value in cells(field, chunk, sql)]
                   for i, (field, sql) in enumerate(zip(self.fields, self.types))]
        return [list(row) for row in zip(*columns)]


def canonical(kind, value):
    """A JSON value of that Arrow type: floats by value, all else as it stands."""
    if value is None:
        return None
    if pyarrow.types.is_floating(kind):
        number = float(value.replace("Infinity", "inf"))
        if pyarrow.types.is_float32(kind):
            number = struct.unpack("f", struct.pack("f", number))[0]
        return repr(number)
    if pyarrow.types.is_list(kind):
        return [canonical(kind.value_type, item) for item in value]
    if pyarrow.types.is_struct(kind):
        return {field.name: canonical(field.type, value[field.name]) for field in kind}
    if pyarrow.types.is_map(kind):
        pairs = value.items() if isinstance(value, dict) else value
        return [[canonical(kind.key_type, k), canonical(kind.item_type, v)] for k, v in pairs]
    return str(value) if isinstance(value, Number) else value


def cells(field, array, sql=""):
    """An Arrow array's cells as the JSON values they are."""
    kind, metadata = field.type, field.metadata or {}
    if sql in DOCUMENTS or metadata.get(b"spark_type") == b"VARIANT_JSON":
        return [None if text is None else canonical(kind, plain(loads(text)))
                for text in array.to_pylist()]
    if pyarrow.types.is_null(kind):
        return [None] * len(array)
    if pyarrow.types.is_list(kind):
        items, at, found = cells(kind.value_field, array.flatten()), 0, []
        for length in array.value_lengths().to_pylist():
            found.append(None if length is None else items[at:at + length])
            at += length or 0
        return found
    if pyarrow.types.is_map(kind):
        keys, items = cells(kind.key_field, array.keys), cells(kind.item_field, array.items)
        offsets = array.offsets.to_pylist()
        return [[[k, v] for k, v in zip(keys[a:b], items[a:b])] if valid else None
                for valid, a, b in zip(array.is_valid().to_pylist(), offsets, offsets[1:])]
    if pyarrow.types.is_struct(kind):
        children = [cells(child, array.field(i)) for i, child in enumerate(kind)]
        names = [child.name for child in kind]
        return [dict(zip(names, values)) if valid else None
                for valid, values in zip(array.is_valid().to_pylist(),
                                         zip(*children) if children else [()] * len(array))]
    return [None if value is None else scalar(kind, metadata, value) for value in raw(array)]


def plain(value):
    """The same without Number."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Number) else value


def raw(array):
    """Python values; text as bytes, times as the integers they are."""
    kind = array.type
    if pyarrow.types.is_string(kind):
        return array.cast(pyarrow.binary()).to_pylist()
    if pyarrow.types.is_date32(kind):
        return array.cast(pyarrow.int32()).to_pylist()
    if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_time64(kind):
        return array.cast(pyarrow.int64()).to_pylist()
    return array.to_pylist()


def scalar(kind, metadata, value):
    mysql = metadata.get(b"mysql_type")
    if pyarrow.types.is_boolean(kind):
        return value
    if pyarrow.types.is_integer(kind):
        return str(value)
    if pyarrow.types.is_floating(kind):
        return repr(value)
    if pyarrow.types.is_decimal(kind):
        return format(value, "f")
    if pyarrow.types.is_string(kind):
        text = value.decode("utf-8", "replace")
        return six_digits(text) if mysql == b"TIME" else text
    if pyarrow.types.is_binary(kind):
        return base64.b64encode(value[GEOMETRY_SRID_BYTES if mysql == b"GEOMETRY" else 0:]).decode()
    if pyarrow.types.is_date32(kind):
        return (EPOCH + datetime.timedelta(days=value)).date().isoformat()
    per_second = {"us": 1, "ns": 1000}[kind.unit]
    moment = EPOCH + datetime.timedelta(microseconds=value // per_second)
    if pyarrow.types.is_time64(kind):
        return moment.time().isoformat("microseconds")
    return moment.isoformat(timespec="microseconds") + ("Z" if kind.tz else "")


def six_digits(time):
    whole, _, fraction = time.partition(".")
    return f"{whole}.{fraction:0<6}"
