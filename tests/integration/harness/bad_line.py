"""A TCP line to a server that can be slow, silent or cut while connections are open."""

import socket
import socketserver
import struct
import threading
import time


class Line(socketserver.BaseRequestHandler):
    def handle(self):
        line = self.server
        with socket.create_connection(("127.0.0.1", line.target)) as far:
            with line.lock:
                line.ends += [self.request, far]
            back = threading.Thread(target=self.pump, args=(far, self.request))
            back.start()
            self.pump(self.request, far)
            back.join()

    def pump(self, source, target):
        try:
            while data := source.recv(65536):
                if self.server.silent.is_set():
                    continue
                time.sleep(self.server.delay)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the line was cut


class BadLine(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port, target):
        super().__init__(("127.0.0.1", port), Line)
        self.port, self.target = port, target
        self.lock = threading.Lock()
        self.ends = []
        self.heal()

    def heal(self):
        self.delay = 0
        self.silent = threading.Event()

    def reset(self):
        """RST to both sides of each open connection."""
        with self.lock:
            ends, self.ends = self.ends, []
        for end in ends:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
                end.close()
            except OSError:
                pass  # over already

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.reset()
        self.shutdown()
        self.thread.join()
        self.server_close()
