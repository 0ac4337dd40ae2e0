"""Fields of a `config` as years of advisories about JDBC URLs have them, and mutations of them.

InLong CVE-2023-34434, -43668, -46227; Linkis CVE-2022-39944; Druid CVE-2021-26919, CVE-2024-45537;
Superset CVE-2024-34693; Connector/J CVE-2017-3523, CVE-2022-21363, CVE-2023-22102.
"""

import random

SEED = 20261121

PROPERTIES = [
    "allowLoadLocalInfile=true", "allowLoadLocalInfile=TRue", "allowLoadLocalInfile=yes",
    "allowUrlInLocalInfile=true", "allowLoadLocalInfileInPath=/", "autoDeserialize=true",
    "autoDeserialize=yes", "maxAllowedPacket=655360", "allowMultiQueries=true", "sslMode=DISABLED",
    "queryInterceptors=com.mysql.cj.jdbc.interceptors.ServerStatusDiffInterceptor",
    "statementInterceptors=com.mysql.jdbc.interceptors.ServerStatusDiffInterceptor",
    "connectionAttributes=a:b", "socketFactory=java.lang.Runtime", "detectCustomCollations=true",
    "propertiesTransform=x.Y", "useConfigs=maxPerformance", "local_infile=1", "dnsSrv=true",
    "authenticationPlugins=x.Y", "defaultAuthenticationPlugin=mysql_clear_password",
    "clientCertificateKeyStoreUrl=file:///etc/passwd", "trustCertificateKeyStoreUrl=http://h/",
    "socksProxyHost=h", "namedPipePath=/x", "xdevapi.auth=PLAIN", "user=root", "password=x"]
JOINTS = ["?", "&", "#", "/?", "%3F", "%26", "%23", "\t", "\n", "\r\n", " ?", ";", ",", "\u0000", "%00",
          "%09", "?\t", "%253F", "\\?", "\uff1f", "(", "=", "/", "@", "|"]
HOSTS = [
    "(host={h},port={p})", "address=(host={h})(port={p})", "ADDRESS=(protocol=tcp)(host={h})", "{h},{h}",
    "{h}:{p}", "{h}:{p},{h}:{p}", "u:p@{h}", "@{h}", "//{h}", "{h}/", "{h}/types", "{h} ", " {h}", "{h}.",
    ".{h}", "[{h}]", "{h}%20", "{h}\u0000", "{h}\u0000.example", "127.1", "2130706433", "0x7f000001",
    "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01", "127.000.000.001", "::ffff:{h}", "[::1]", "::1",
    "localhost", "LOCALHOST", "localhost.", "ip6-localhost", "\uff11\uff12\uff17.0.0.1", "127\u30020.0.1",
    "[(host={h},port={p})]", "{h};x", "\\\\.\\pipe\\mysql", "/var/run/mysqld/mysqld.sock", "", "-", "_",
    "169.254.169.254", "metadata.google.internal", "{h}\n", "{h}\t", "xn--0", "a" * 254, "a." * 200 + "a",
    "jdbc:mysql://{h}:{p}/", "mysql+srv://{h}", "jdbc:mysql:loadbalance://{h}", "h2:mem:x", "{h}#{h}"]
PORTS = [0, -1, 65536, 1 << 31, 1 << 63, 1.5, "3306", "3306?x=y", "3306,3307", True, [3306], {}, "",
         "0x1", " 3306", "3306/types?allowLoadLocalInfile=true"]
CONFIGS = ["main", "jdbc:mysql://127.0.0.1/?allowLoadLocalInfile=true", [], [{}], 1, True,
           {"url": "jdbc:mysql://127.0.0.1/"}, {"source": "main", "host": "127.0.0.1"},
           {"source": "main?allowLoadLocalInfile=true"}, {"source": "../main"}, {"source": ""},
           {"source": "main\u0000"}, {"source": "MAIN"}, {"source": ["main"]}, {"source": "unknown"},
           {"source": "main", "database": "mysql"}, {"source": "main", "user": "root"},
           {"Source": "main"}]


def fragment(dice):
    """Something that belongs into a URL and never into a name."""
    joint = dice.choice(JOINTS)
    text = joint + dice.choice("&?;,").join(dice.sample(PROPERTIES, dice.randint(1, 3)))
    if dice.random() < 0.2:
        text = "".join(f"%{ord(c):02x}" if c < "\x80" and dice.random() < 0.3 else c for c in text)
    if dice.random() < 0.2:
        text = text.swapcase()
    return text


def configs(good, count):
    """That many, each with one thing that may not be; `good` is a config that would be allowed."""
    dice = random.Random(SEED)
    yield from CONFIGS
    made = len(CONFIGS)
    fixed = [good | {"host": host.replace("{h}", good["host"]).replace("{p}", str(good["port"]))}
             for host in HOSTS]
    fixed += [good | {"port": port} for port in PORTS]
    fixed += [good | dict([item.split("=", 1)]) for item in PROPERTIES if item[:4] not in ("user", "pass")]
    fixed += [good | {"password": value} for value in (1, True, [], {}, "a\u0000b", "x" * 70_000)]
    yield from fixed
    made += len(fixed)
    while made < count:
        field = dice.choice(("host", "user", "database"))
        value, where = good[field], dice.randint(0, len(good[field]))
        yield good | {field: value[:where] + fragment(dice) + value[where:]}
        made += 1
