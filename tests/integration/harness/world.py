"""Everything around the service: data roots, database servers, the outside writer."""

import json
import pathlib
import shutil
import tempfile

from . import sample_data
from .database import MariaDbServer, MySqlServer, split_statements
from .outside_writer import OutsideWriter
from .paths import CONFORMANCE, SPARK, SQL, free_port

READER = "reader"
PASSWORD = "pass-word-that-no-log-may-show"


class World:
    """Made once a session. Servers and the writer start when first asked for."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spark-service-world-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.closed_port = free_port()
        self.fragile_port = free_port()  # a MySQL server that a test starts and hurts
        self.rogue_port = free_port()  # a fake one that means harm
        self.sources_file = self.folder / "sources.json"
        self.write_sources({})
        self.mysql = MySqlServer()
        self.mariadb = MariaDbServer()
        self.writer = OutsideWriter(self.data / "iceberg")
        self._started = []

    def __enter__(self):
        try:
            for server in (self.mysql, self.mariadb):
                server.__enter__()
                self._started.append(server)
            self._load_databases()
            self._make_files()
            self.writer.__enter__()
            self._started.append(self.writer)
            self._make_tables()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        while self._started:
            self._started.pop().__exit__(None, None, None)
        for server in (self.mysql, self.mariadb):
            server.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _load_databases(self):
        for server, folder in ((self.mysql, "mysql"), (self.mariadb, "mariadb")):
            server.run_script((CONFORMANCE / folder / "setup.sql").read_text())
            sample_data.load_mysql_users(server)
            add_reader(server)
        self.mysql.run_script((SQL / "01-mysql-users.sql").read_text())

    def _make_files(self):
        self.data.mkdir()
        sample_data.write_parquet_users(self.data / "parquet" / "users")
        sample_data.write_big(self.data / "parquet" / "big")
        sample_data.write_numbers(self.data / "parquet" / "numbers")
        outside = self.folder / "data-other" / "secret"
        outside.mkdir(parents=True)
        shutil.copytree(self.data / "parquet" / "users", outside, dirs_exist_ok=True)
        (self.data / "link-out").symlink_to(outside)

    def _make_tables(self):
        users = f"SELECT * FROM parquet.`{self.data}/parquet/users`"
        self.writer.run(
            f"CREATE TABLE delta.`{self.data}/delta/users` USING delta AS {users}",
            "CREATE NAMESPACE IF NOT EXISTS local.samples",
            f"CREATE TABLE local.samples.users USING iceberg AS {users}")
        for source in ("parquet", "delta", "iceberg"):
            self.writer.run(*self._setup_of(source))

    def _setup_of(self, source):
        text = self.fill((CONFORMANCE / source / "setup.sql").read_text())
        return split_statements(drop_other_lines(text))

    def fill(self, value):
        """Puts real paths, ports and configs in place of `${NAME}` in text or JSON."""
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if not isinstance(value, str):
            return value
        whole = {
            "${MYSQL}": self.config(self.mysql), "${MARIADB}": self.config(self.mariadb),
            "${MYSQL_PORT}": self.mysql.port, "${CLOSED_PORT}": self.closed_port,
        }
        if value in whole:
            return whole[value]
        return value.replace("${DATA}", str(self.data)).replace("${PASSWORD}", PASSWORD)

    def config(self, server, database="types"):
        """The `config` of a mysql request for this server."""
        return {"host": "127.0.0.1", "port": server.port, "user": READER, "password": PASSWORD,
                "database": database}

    def write_sources(self, sources):
        """Named MySQL sources; a running service reads them at SIGHUP."""
        self.sources_file.touch(mode=0o600)
        self.sources_file.write_text(json.dumps({"sources": sources}))

    def service_env(self):
        hosts = (self.mysql.port, self.mariadb.port, self.closed_port, self.fragile_port,
                 self.rogue_port)
        return {
            "MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": self.mysql.port, "MYSQL_USER": READER,
            "MYSQL_PASSWORD": PASSWORD, "MYSQL_DATABASE": "types",
            # Nothing of the service's own runs beside a test.
            "SPARK_SERVICE_WARM_UP_MS": 0,
            # Idle connections are gone before a test's leftovers are counted.
            "SPARK_SERVICE_MYSQL_IDLE_MS": 1000,
            "SPARK_SERVICE_SOURCES_FILE": self.sources_file,
            "SPARK_SERVICE_MYSQL_HOSTS": ",".join(f"127.0.0.1:{port}" for port in hosts),
        }

    def users_query(self, source):
        """Name of the users table in SQL, and the request fields that bind it."""
        if source == "mysql":
            return "users", {"config": self.config(self.mysql, "samples")}
        if source == "iceberg":
            return "iceberg_data", {"table": "samples.users"}
        return f"{source}_data", {"path": f"{self.data}/{source}/users"}


def add_reader(server):
    server.run(f"CREATE USER {READER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
               f"GRANT SELECT, SHOW VIEW ON *.* TO {READER}@'127.0.0.1'")


def drop_other_lines(text):
    """Leaves out the statements behind `-- only: LINE` when another line is under test."""
    kept, dropping = [], False
    for line in text.splitlines():
        if line.startswith("-- only: "):
            dropping = not SPARK.startswith(line.removeprefix("-- only: ").strip())
        if not dropping:
            kept.append(line)
        if line.rstrip().endswith(";"):
            dropping = False
    return "\n".join(kept)
