"""What a service of the torture reads: certificate, tokens, sources; real ones in a folder of their own."""

import contextlib
import json
import pathlib
import ssl
import subprocess
import tempfile

from harness.certificates import Authority


class Files:
    """One folder for the whole run."""

    def __init__(self, program):
        self.temporary = tempfile.TemporaryDirectory(prefix="torture-files-")
        folder = pathlib.Path(self.temporary.name)
        authority = Authority(folder, "ours")
        self.cert, self.key = authority.sign("service", "IP:127.0.0.1")
        self.tokens, self.sources = folder / "tokens", folder / "sources.json"
        self.settings = {"SPARK_SERVICE_TLS_CERT": self.cert, "SPARK_SERVICE_TLS_KEY": self.key,
                         "SPARK_SERVICE_TOKENS_FILE": self.tokens,
                         "SPARK_SERVICE_SOURCES_FILE": self.sources}
        printed = subprocess.run(
            [program, "token", "add", "app", "--scope", "query,cancel"], check=True, text=True,
            capture_output=True, env={"SPARK_SERVICE_TOKENS_FILE": str(self.tokens)}).stdout
        self.token = next(line for line in printed.splitlines() if line.startswith("sps_"))
        self.sources.write_text(json.dumps({"sources": {"shop": {
            "host": "127.0.0.1", "port": 1, "user": "reader", "tls": {"mode": "disabled"}}}}))
        self.context = ssl.create_default_context(cafile=str(authority.ca))

    @contextlib.contextmanager
    def broken(self):
        """None of them can be read meanwhile."""
        whole = {path: path.read_bytes() for path in (self.cert, self.tokens, self.sources)}
        for path in whole:
            path.write_bytes(b"neither this nor that\n")
        try:
            yield
        finally:
            for path, text in whole.items():
                path.write_bytes(text)
