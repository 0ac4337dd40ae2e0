"""Paths that want out of the data roots: a list by hand, and mutations of it by a seeded dice."""

import json
import random

SEED = 20261121

DOTS = ["..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "%u002e%u002e", "..;", "..%00", "...", ". .",
        "\u2024\u2024", "\uff0e\uff0e", "\u2025", ".\u200b.", "..\u0000", "..\\", "\\..", "{..,}",
        "[.][.]", ".?", "*", "..\n", "\t..", "..\u0085", "..\u2028", "%c0%ae%c0%ae", "..%2f", "..%5c"]
SLASHES = ["/", "//", "///", "\\", "\\\\", "%2f", "%2F", "%252f", "%5c", "\u2215", "\uff0f", "\u2044",
           "/./", "/.//", "/%2e/", ";/", "\u0000/", " /", "/ "]
SCHEMES = ["file:", "file://", "file:///", "FILE:", "File:///", "file://localhost", "file://127.0.0.1",
           "file:%2f%2f", "jar:file:", "local:", "viewfs://", "har://file-", "hdfs://h:1", "hdfs:",
           "http://127.0.0.1:1", "https://h", "ftp://h", "sftp://h", "webhdfs://h:1", "s3://bucket",
           "s3n://bucket", "s3a://bucket", "S3A://bucket", "s3a:", "s3a:/", "s3a:///", "s3a://b",
           "s3a://Bucket", "s3a://bucket:80", "s3a://u@bucket", "s3a://bucket\\", "wasb://c@a",
           "abfss://c@a", "gs://b", "nullscan://x", "data:,", "classpath:", "delta:", "parquet.",
           "\u0000file:", " file:", "//h/share", "\\\\h\\share", "C:", "c:\\", "~", "$HOME", "${HOME}",
           "${env:HOME}", "${system:user.dir}", "`", "'"]
PLACES = ["/etc/passwd", "/etc/hostname", "/proc/self/environ", "/proc/self/root", "/proc/self/cwd",
          "/proc/self/fd/0", "/proc/1/root/etc", "/dev/stdin", "/dev/fd/3", "/sys", "/", "/tmp",
          "/root/.ssh/id_rsa", "/var/run/secrets/kubernetes.io/serviceaccount/token", "", ".", "..",
          "relative", "./relative", "etc/passwd"]


def by_hand(root, outside, link):
    """`link` is a link below the root that leads to the folder above `outside`."""
    table = root / "parquet" / "users"
    yield from PLACES
    yield from (scheme + str(place) for scheme in SCHEMES for place in (outside, "/etc/passwd", table))
    yield from (f"{table}/{dots}{slash}{dots}{slash}{outside.name}" for dots in DOTS
                for slash in SLASHES)
    yield from (str(link), f"{link}/{outside.name}", f"{link}/nothing", f"{link}/../..", f"{link}/.",
                f"{link}//{outside.name}/", f"{root}x", f"{root}-other", f"{root}/../{root.name}-other",
                f"{root}/./../{root.name}", f"{root}\u0000", f"{root}/\ud800", f"{root}/\udc00x")
    yield from (f"{root}/" + "a" * count for count in (255, 256, 4000, 4096, 65536))
    yield from (str(root) + "/a" * count for count in (100, 2000, 2048, 20000))
    yield from (f"{root}/" + "../" * count + "etc/passwd" for count in (1, 10, 1000))


def mutated(dice, text):
    """One to three small changes."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(text) + 1)
        what = dice.randrange(8)
        if what == 0:
            text = text[:at] + dice.choice(DOTS) + text[at:]
        elif what == 1:
            text = text[:at] + dice.choice(SLASHES) + text[at:]
        elif what == 2:
            text = dice.choice(SCHEMES) + text
        elif what == 3:
            text = text.replace("/", dice.choice(SLASHES), dice.randint(1, 9))
        elif what == 4:
            text = "".join(f"%{ord(c):02x}" if c < "\x80" and dice.random() < 0.3 else c for c in text)
        elif what == 5:
            text = text[:at] + chr(dice.choice((0, 1, 9, 10, 13, 127, 0x85, 0xA0, 0x202E, 0xFEFF))) + text[at:]
        elif what == 6:
            text = text[:at] + dice.choice("*?[]{}\\%;:@&=+$,#'\"`|<>^~! ") + text[at:]
        else:
            text = text.swapcase() if dice.random() < 0.2 else text + dice.choice(("/..", "/.", "/", "%00", " "))
    return text


def strings(root, outside, link, count):
    """That many different ones."""
    dice = random.Random(SEED)
    hand = list(dict.fromkeys(by_hand(root, outside, link)))
    found = dict.fromkeys(hand)
    while len(found) < count:
        found[mutated(dice, dice.choice(hand))] = None
    return list(found)[:count]


def body(source, path):
    """The bytes of a request; half a surrogate pair stays an escape."""
    return json.dumps({"path": path, "sql": f"SELECT * FROM {source}_data"}).encode("ascii")
