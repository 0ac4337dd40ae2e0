"""HTTP/1.1 as bytes on a socket.

Not http.client: the tests look at what it hides, the last chunk, trailers, a
stream that ends early, and they send what it refuses to.
"""

import dataclasses
import json
import socket


class ConnectionEnded(Exception):
    """The peer closed or reset the connection; `got` is what had come."""

    def __init__(self, got):
        super().__init__(f"connection ended after {got[:200]!r}")
        self.got = got


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict  # names in lower case; the last of several
    body: bytes
    trailers: dict
    complete: bool  # False: the connection ended before the body did

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json().get("code")


def request_bytes(method, target, body=b"", headers=None):
    lines = {"Host": "test"}
    if body or method in ("POST", "PUT"):
        lines |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body


class Connection:
    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, target, body=b"", headers=None):
        self.send(request_bytes(method, target, body, headers))
        return self.read_reply(head_only=method == "HEAD")

    def ended(self):
        """Waits for the peer's end; False when bytes come instead."""
        try:
            return not self.unread and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def read_reply(self, head_only=False):
        """The next final reply; interim ones (1xx) are skipped."""
        status, headers = self.read_head()
        while status < 200:
            status, headers = self.read_head()
        if head_only or status in (204, 304):
            return Reply(status, headers, b"", {}, True)
        return self.read_body(status, headers)

    def read_head(self):
        """Status and headers of the next reply, which may be an interim one."""
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        return int(head[0].split(" ")[1]), _fields(head[1:-2])

    def read_body(self, status, headers):
        """The rest of the reply whose head was read."""
        reply = Reply(status, headers, b"", {}, True)
        body = bytearray()
        try:
            if headers.get("transfer-encoding") == "chunked":
                self._read_chunks(body, reply)
            elif "content-length" in headers:
                body += self._exactly(int(headers["content-length"]))
            else:
                self._rest(body)
        except ConnectionEnded as end:
            body += end.got if "content-length" in headers else b""
            reply.complete = False
        reply.body = bytes(body)
        return reply

    def _read_chunks(self, body, reply):
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                break
            body += self._exactly(size)
            self._exactly(2)
        lines = []
        while (line := self._until(b"\r\n")) != b"\r\n":
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        reply.trailers = _fields(lines)

    def _receive(self):
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        if not data:
            raise ConnectionEnded(bytes(self.unread))
        self.unread += data

    def _until(self, mark):
        while (at := self.unread.find(mark)) < 0:
            self._receive()
        return self._take(at + len(mark))

    def _exactly(self, length):
        while len(self.unread) < length:
            self._receive()
        return self._take(length)

    def _rest(self, body):
        try:
            while True:
                body += self._take(len(self.unread))
                self._receive()
        except ConnectionEnded:
            pass

    def _take(self, length):
        data = bytes(self.unread[:length])
        del self.unread[:length]
        return data


def _fields(lines):
    return {name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)}
