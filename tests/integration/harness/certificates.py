"""Certificates for a test: authorities and what they sign, made by openssl."""

import subprocess


def openssl(*args, text=None):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True,
                   input=text.encode() if text else None, timeout=60)


class Authority:
    """Signs certificates into `folder`; its own is `ca`."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        folder.mkdir(exist_ok=True)
        self.ca, self.ca_key = folder / f"{name}.pem", folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", self.ca_key, "-out", self.ca, "-days", 2, "-subj", f"/CN={name}")

    def sign(self, name, subject_alt_name, *, dates=("-days", 2)):
        """Paths of a certificate and its PKCS #8 key."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj",
                f"/CN={name}")
        extensions.write_text(f"subjectAltName={subject_alt_name}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key,
                "-CAcreateserial", "-out", cert, "-extfile", extensions, *dates)
        return cert, key
