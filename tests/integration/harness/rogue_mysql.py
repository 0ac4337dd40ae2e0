"""A MySQL server that means harm, or that stops half way (MySQL client/server protocol).

It lets everybody in and does by script what no server should: it answers a
statement by asking for one of the client's files (LOCAL INFILE), names methods
that would send it the password as it is, falls silent in the middle of a phase,
or sends a byte now and then.
"""

import re
import socket
import socketserver
import struct
import threading

from .paths import free_port

PHASES = ("greeting", "half greeting", "login", "half login", "auth switch", "first statement",
          "prepare", "execute", "half rows", "reset", "trickled greeting", "trickled login")

LONG_PASSWORD, FOUND_ROWS, LONG_FLAG, CONNECT_WITH_DB, LOCAL_FILES = 1, 2, 4, 8, 128
PROTOCOL_41, SSL, TRANSACTIONS, SECURE, MULTI_RESULTS = 512, 2048, 8192, 32768, 1 << 17
PLUGIN_AUTH, DEPRECATE_EOF = 1 << 19, 1 << 24
CAPABILITIES = (LONG_PASSWORD | FOUND_ROWS | LONG_FLAG | CONNECT_WITH_DB | LOCAL_FILES | PROTOCOL_41
                | TRANSACTIONS | SECURE | MULTI_RESULTS | PLUGIN_AUTH)

COM_QUIT, COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE, COM_STMT_CLOSE, COM_RESET_CONNECTION = (
    1, 3, 0x16, 0x17, 0x19, 0x1F)
COMMANDS = (COM_QUIT, COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE, COM_STMT_CLOSE,
            COM_RESET_CONNECTION)
OK = b"\0\0\0\2\0\0\0"
SALT = b"abcdefghijklmnopqrst"

VARIABLES = {
    "auto_increment_increment": "1", "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4", "character_set_results": "utf8mb4",
    "character_set_server": "utf8mb4", "collation_server": "utf8mb4_general_ci",
    "collation_connection": "utf8mb4_general_ci", "init_connect": "", "license": "GPL",
    "interactive_timeout": "28800", "lower_case_table_names": "0", "max_allowed_packet": "67108864",
    "net_write_timeout": "60", "performance_schema": "1", "sql_mode": "", "system_time_zone": "UTC",
    "time_zone": "SYSTEM", "transaction_isolation": "REPEATABLE-READ", "wait_timeout": "28800",
    "tx_isolation": "REPEATABLE-READ", "version_comment": "x",
}


def text(value):
    data = value.encode()
    return bytes([len(data)]) + data


class Conversation(socketserver.BaseRequestHandler):
    """One client."""

    def setup(self):
        self.plan = self.server.next_plan()
        self.number = 0
        self.request.settimeout(60)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.note(self, b"")

    def handle(self):
        with self.server.lock:
            self.server.connections.add(self.request)
        try:
            self.talk()
        except (ConnectionError, EOFError, TimeoutError, OSError):
            pass
        finally:
            with self.server.lock:
                self.server.connections.discard(self.request)

    # ---- packets ----

    def send(self, payload):
        self.request.sendall(struct.pack("<I", len(payload))[:3] + bytes([self.number % 256])
                             + payload)
        self.number += 1

    def receive(self):
        head = self.read(4)
        self.number = head[3] + 1
        return self.read(int.from_bytes(head[:3], "little"))

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.request.recv(count - len(data))
            if not part:
                raise EOFError
            self.server.note(self, part)
            data += part
        return data

    def be_silent(self):
        """Until the client goes."""
        while self.request.recv(4096):
            pass
        raise EOFError

    def trickle(self, payload):
        """A byte at a time, each well within any timeout for one read."""
        for byte in struct.pack("<I", len(payload))[:3] + bytes([self.number]) + payload:
            self.request.sendall(bytes([byte]))
            if self.server.stopping.wait(0.3):
                raise EOFError
        self.number += 1

    def stop_at(self, phase, payload=None):
        hang = self.plan.get("hang")
        if hang is None:
            return
        if hang == phase:
            self.be_silent()
        if payload is not None and hang == "half " + phase:
            self.request.sendall(struct.pack("<I", len(payload))[:3] + bytes([self.number])
                                 + payload[:len(payload) // 2])
            self.be_silent()
        if payload is not None and hang == "trickled " + phase:
            self.trickle(payload)
            self.be_silent()

    # ---- the protocol ----

    def greeting(self):
        flags = self.plan.get("capabilities", CAPABILITIES)
        version = self.plan.get("version", "8.0.36")
        return (b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 7) + SALT[:8] + b"\0"
                + struct.pack("<H", flags & 0xFFFF) + b"\x2d" + struct.pack("<H", 2)
                + struct.pack("<H", flags >> 16) + bytes([21]) + b"\0" * 10 + SALT[8:] + b"\0"
                + self.plan.get("method", "mysql_native_password").encode() + b"\0")

    def talk(self):
        greeting = self.greeting()
        self.stop_at("greeting", greeting)
        self.send(greeting)
        self.receive()
        if "switch" in self.plan or self.plan.get("hang") == "auth switch":
            self.send(b"\xfe" + self.plan.get("switch", "mysql_native_password").encode() + b"\0"
                      + SALT + b"\0")
            self.stop_at("auth switch")
            self.receive()
            if self.plan.get("more"):  # AuthMoreData, as caching_sha2_password has it
                self.send(self.plan["more"])
                self.receive()
        if self.plan.get("ask_at") == 0:
            self.ask_for_file()
        self.stop_at("login", OK)
        self.send(OK)
        statements = 0
        while True:
            command = self.receive()
            if command[0] == COM_QUIT:
                return
            if command[0] == COM_STMT_CLOSE:  # the only one without an answer
                continue
            statements += 1
            if statements >= self.plan.get("ask_at", 1 << 30):
                self.ask_for_file()
            else:
                self.answer(command)

    def ask_for_file(self):
        self.server.asked += 1
        self.send(b"\xfb" + self.plan["file"].encode())
        self.server.sent_after_asking.append(self.receive())
        self.send(OK)  # as a server does that has read a file

    def answer(self, command):
        self.stop_at({COM_QUERY: "first statement", COM_STMT_PREPARE: "prepare",
                      COM_STMT_EXECUTE: "execute", COM_RESET_CONNECTION: "reset"}.get(command[0]))
        if command[0] == COM_STMT_PREPARE:
            self.send(b"\0" + struct.pack("<IHHBH", 1, 1, 0, 0, 0))
            self.columns(["a"])
        elif command[0] == COM_STMT_EXECUTE:
            self.send(b"\x01")
            self.columns(["a"])
            self.stop_at("rows", b"\0\0" + text("1"))
            self.send(b"\0\0" + text("1"))
            self.end_of_rows()
        elif command[0] == COM_QUERY and b"SELECT" in command[:80].upper():
            self.answer_variables(command[1:].decode("utf-8", "replace"))
        else:
            self.send(OK)

    def answer_variables(self, sql):
        found = re.findall(r"@@(?:session\.|global\.)?(\w+)(?:\s+AS\s+(\w+))?", sql, re.I)
        self.send(bytes([max(len(found), 1)]))
        self.columns([alias or name for name, alias in found] or ["a"])
        self.send(b"".join(text(VARIABLES.get(name, "0")) for name, _ in found) or text("1"))
        self.end_of_rows()

    def columns(self, names):
        for name in names:
            self.send(text("def") + text("") * 3 + text(name) * 2
                      + b"\x0c\x2d\0" + struct.pack("<I", 255) + b"\xfd\0\0\0\0\0")
        self.end_of_rows()

    def end_of_rows(self):
        self.send(b"\xfe\0\0\2\0")


class RogueMySql(socketserver.ThreadingTCPServer):
    """Listens while entered. `plan` may change between connections."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port=None):
        super().__init__(("127.0.0.1", port or free_port()), Conversation)
        self.port = self.server_address[1]
        self.request_queue_size = 64
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.connections = set()
        self.begin({})

    def begin(self, plan):
        """What the next clients meet; forgets what the last ones said."""
        with self.lock:
            for connection in self.connections:  # those kept for later go by the old plan
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.plan = plan
            self.received = []  # bytes of each connection
            self.sent_after_asking = []
            self.asked = 0
            self.of = {}

    def next_plan(self):
        """Of a client that comes now; "later" in a plan is that of all but the first."""
        with self.lock:
            plan = self.plan
            self.plan = plan.get("later", plan)
            return plan

    def note(self, conversation, data):
        with self.lock:
            if conversation not in self.of:
                self.of[conversation] = bytearray()
                self.received.append(self.of[conversation])
            self.of[conversation] += data

    def said(self):
        with self.lock:
            return b"".join(self.received)

    def idle(self):
        """Nobody is connected."""
        return not self.connections

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stopping.set()
        self.shutdown()
        self.thread.join()
        self.server_close()
