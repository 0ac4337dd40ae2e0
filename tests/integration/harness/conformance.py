"""Conformance cases: one folder each, see tests/README.md."""

import dataclasses
import json
import pathlib

from .paths import CONFORMANCE

SOURCE_OF = {"mariadb": "mysql"}  # folders whose endpoint has another name
MYSQL_ENGINES = ("direct", "spark")
BODIES = {  # of a 200: the file with its bytes, and what they are
    "expected.json": "application/json",
    "expected.csv": "text/csv; charset=utf-8; header=present",
    "expected.ndjson": "application/x-ndjson;end=1",
}


@dataclasses.dataclass
class Case:
    folder: pathlib.Path

    @property
    def name(self):
        return f"{self.folder.parent.name}/{self.folder.name}"

    def _text(self, name, default=None):
        path = self.folder / name
        return path.read_text(encoding="utf-8").strip() if path.exists() else default

    def _json(self, name):
        return json.loads(self._text(name, "{}"))

    @property
    def only(self):
        return self._text("only")

    @property
    def endpoint(self):
        """Method and target."""
        group = self.folder.parent.name
        default = f"POST /api/spark/query/{SOURCE_OF.get(group, group)}"
        return self._text("endpoint", default).split(" ")

    @property
    def engines(self):
        """The engines that must give the same answer; None: as the request has it."""
        text = self._text("request.json")
        if (not self.endpoint[1].endswith("/query/mysql") or text is None
                or not isinstance(json.loads(text), dict) or "engine" in json.loads(text)):
            return (None,)
        return MYSQL_ENGINES

    def body(self, fill, engine=None):
        raw = self.folder / "request.raw"
        if raw.exists():
            return raw.read_bytes()
        text = self._text("request.json")
        if text is None:
            return b""
        fields = fill(json.loads(text))
        return json.dumps(fields if engine is None else fields | {"engine": engine}).encode()

    def headers(self):
        return self._json("request_headers.json")

    def check(self, reply):
        """Fails with what differs."""
        assert reply.complete
        status = int(self._text("expected_status"))
        assert reply.status == status, f"{reply.status}: {reply.body[:2000].decode()}"
        if status == 200:
            name = next(name for name in BODIES if (self.folder / name).exists())
            assert reply.headers["content-type"] == BODIES[name]
            assert reply.body == (self.folder / name).read_bytes()
        else:
            assert reply.headers["content-type"] == "application/problem+json"
            problem = reply.json()
            wanted = self._json("expected.json")
            assert {name: problem.get(name) for name in wanted} == wanted, problem
        for name, value in self._json("expected_headers.json").items():
            got = reply.headers.get(name.lower(), reply.trailers.get(name.lower()))
            if value.startswith("~"):
                assert got is not None and value[1:] in got, f"{name}: {got}"
            else:
                assert got == value, f"{name}: {got}"


def all_cases():
    return sorted((Case(path.parent) for path in CONFORMANCE.glob("*/*/expected_status")),
                  key=lambda case: case.name)
