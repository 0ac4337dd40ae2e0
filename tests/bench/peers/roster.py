"""The peers: how each is started, and what it is.

All that hold a Spark have the same heap, cores, extensions and catalogs, and else their own
settings; the same JDK runs them.
"""

import json
import os
import pathlib
import sys
import urllib.request

import pyspark

from harness import process_facts
from harness.paths import BUILD, ROOT, SPARK_HOME, free_port, wait_until
from peers.peer import START_SECONDS, TOOLS, HttpPeer, LinePeer, Process

HERE = pathlib.Path(__file__).resolve().parent
CLASSES = BUILD / "bench-classes"
JARS = SPARK_HOME / "jars"
PYSPARK = pathlib.Path(pyspark.__file__).parent
HEAP = "2g"
FLASK_THREADS = 16


def spark_settings(data):
    """What a session needs for Delta and Iceberg; the rest is Spark's own."""
    return {
        "spark.master": "local[*]",
        "spark.driver.memory": HEAP,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension,"
                                "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalog.local": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.local.type": "hadoop",
        "spark.sql.catalog.local.warehouse": f"{data}/iceberg",
    }


def pyspark_settings(data):
    """The same for the pyspark package, which lacks the tables' formats and MySQL's driver."""
    jars = [str(jar) for pattern in ("delta-*", "iceberg-*", "mysql-connector-*")
            for jar in sorted(JARS.glob(f"{pattern}.jar"))]
    return spark_settings(data) | {"spark.driver.extraClassPath": ":".join(jars)}


def submit(settings):
    """spark-submit's words, without the class."""
    return [PYSPARK / "bin" / "spark-submit",
            *(word for item in settings.items() for word in ("--conf", "=".join(item)))]


def environment():
    return os.environ | pyspark_home()


def pyspark_home():
    return {"SPARK_HOME": str(PYSPARK), "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": sys.executable}


class SparkService(HttpPeer):
    title = "spark-service"
    ready_target = "/readyz"

    def __init__(self, folder, dialect, mysql, name="service"):
        super().__init__(name, folder, dialect.service_request)
        self.data, self.mysql = dialect.data, mysql

    def start(self):
        self.launch([BUILD / "bin" / "spark-service"], env={
            "SPARK_SERVICE_LISTEN": f"127.0.0.1:{self.port}",
            "SPARK_SERVICE_STATE_DIR": str(self.folder / "state"),
            "SPARK_SERVICE_DATA_ROOTS": str(self.data),
            "SPARK_SERVICE_ICEBERG_WAREHOUSE": f"{self.data}/iceberg",
            "SPARK_SERVICE_HEAP": HEAP,
        } | self.mysql)

    def busy_slots(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/spark/health") as answer:
            return json.load(answer)["slots"]["busy"]


class Flask(HttpPeer):
    title = "Flask + PySpark"
    ready_target = "/api/spark/health"

    def __init__(self, folder, dialect, mysql, name="flask"):
        super().__init__(name, folder, dialect.flask_request)
        self.data, self.mysql = dialect.data, mysql

    def start(self):
        settings = pyspark_settings(self.data)
        # One worker, as there is one session; its threads share it.
        self.launch([sys.executable, "-m", "gunicorn", "--workers", 1, "--worker-class", "gthread",
                     "--threads", FLASK_THREADS, "--keep-alive", 75, "--timeout", 0,
                     "--no-control-socket",
                     "--bind", f"127.0.0.1:{self.port}", "--chdir", HERE / "flask", "app:app"],
                    env=pyspark_home() | self.mysql | {
                        "SPARK_CONF": "\n".join("=".join(item) for item in settings.items())})


class DuckDb(HttpPeer):
    title = "DuckDB over HTTP"
    ready_statuses = (405,)  # it only takes POST

    def __init__(self, folder, dialect):
        super().__init__("duckdb", folder, dialect.duckdb_request)

    def start(self):
        self.launch([sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", self.port,
                     "--loop", "uvloop", "--http", "httptools", "--no-access-log",
                     "--app-dir", HERE / "duckdb", "app:app"])


class StaticServer(HttpPeer):
    """The service's own HTTP server with one constant answer."""

    title = "static reply"

    def __init__(self, folder, body):
        super().__init__("static", folder, None)
        self.file = self.folder / "body"
        self.file.write_bytes(body)

    def start(self):
        self.launch([TOOLS / "static_server", self.port, self.file])


class Loop(LinePeer):
    title = "spark.sql().collect() in the JVM"

    def __init__(self, folder, dialect):
        super().__init__("loop", folder, dialect.spark_sql)
        self.data = dialect.data

    def start(self):
        options = [line for line in (ROOT / "jni" / "jvm.options").read_text().splitlines()
                   if line.startswith("--add-opens")]
        self.launch_client([java(), f"-Xmx{HEAP}", *options, "-cp", f"{CLASSES}:{JARS}/*", "Loop",
                            *("=".join(item) for item in spark_settings(self.data).items())])


class PointQuery(LinePeer):
    title = "MySQL client in C"

    def __init__(self, folder, dialect, mysql):
        super().__init__("mysql", folder, dialect.mysql_sql)
        self.mysql = mysql

    def start(self):
        self.launch_client([TOOLS / "peers" / "mysql" / "point_query"], self.mysql)


class ServedSpark(LinePeer):
    """A Spark server of the pyspark package, and its client."""

    def __init__(self, name, folder, dialect):
        super().__init__(name, folder, dialect.spark_sql)
        self.data = dialect.data
        self.server = Process(f"{name}-server", folder)
        self.port = free_port()

    def start(self):
        self.server.launch([*submit(pyspark_settings(self.data) | self.server_settings()),
                            "--class", self.server_class, "spark-internal", *self.server_words()],
                           env=pyspark_home())

    def server_settings(self):
        return {}

    def server_words(self):
        return []

    def wait_ready(self):
        wait_until(self._listens, START_SECONDS, self.server.log_end)
        self.start_client()
        super().wait_ready()

    def _listens(self):
        self.server.check_alive()
        return bool(process_facts.listening_addresses(self.port))

    def cpu_seconds(self):
        return super().cpu_seconds() + self.server.cpu_seconds()

    def stop(self):
        super().stop()
        self.server.stop()


class Connect(ServedSpark):
    title = "Spark Connect"
    server_class = "org.apache.spark.sql.connect.service.SparkConnectServer"

    def __init__(self, folder, dialect):
        super().__init__("connect", folder, dialect)

    def server_settings(self):
        return {"spark.connect.grpc.binding.address": "127.0.0.1",
                "spark.connect.grpc.binding.port": str(self.port)}

    def start_client(self):
        self.launch_client([sys.executable, HERE / "connect" / "client.py",
                            f"sc://127.0.0.1:{self.port}"])


class Thrift(ServedSpark):
    title = "Spark Thrift Server"
    server_class = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"

    def __init__(self, folder, dialect):
        super().__init__("thrift", folder, dialect)

    def server_words(self):
        return ["--hiveconf", f"hive.server2.thrift.port={self.port}",
                "--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1"]

    def start_client(self):
        self.launch_client([java(), "-Xmx512m", "-cp", f"{CLASSES}:{PYSPARK}/jars/*",
                            "ThriftClient", f"jdbc:hive2://127.0.0.1:{self.port}/default"])


def java():
    return os.path.join(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ \
        else "java"


def spark_sql_command(data, sql):
    """The spark-sql program for one statement."""
    settings = pyspark_settings(data)
    return [PYSPARK / "bin" / "spark-sql",
            *(word for item in settings.items() for word in ("--conf", "=".join(item))), "-e", sql]
