"""TLS to a real server, in each mode, on both engines."""

import shutil

import pytest

from harness.certificates import Authority
from harness.conformance import MYSQL_ENGINES
from harness.database import MariaDbServer
from harness.paths import wait_until
from harness.rogue_mysql import RogueMySql
from harness.world import PASSWORD, READER, add_reader

MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
CIPHER = ("SELECT VARIABLE_VALUE AS cipher FROM information_schema.SESSION_STATUS"
          " WHERE VARIABLE_NAME = 'SSL_CIPHER'")


class TlsServer(MariaDbServer):
    """Its certificate can be put in place of the one it has."""

    def __init__(self, ca, certificate):
        super().__init__()
        self.ca = ca
        self.cert, self.key = self.folder / "server.pem", self.folder / "server.key"
        self.put(certificate)

    def put(self, certificate):
        for source, target in zip(certificate, (self.cert, self.key)):
            shutil.copy(source, target)

    def show(self, certificate):
        self.put(certificate)
        self.run("FLUSH SSL")

    def server_options(self):
        return [*super().server_options(), f"--ssl-ca={self.ca}", f"--ssl-cert={self.cert}",
                f"--ssl-key={self.key}"]


class Tls:
    """A server, who signed its certificates, and somebody who signed none."""

    def __init__(self, folder):
        self.ours, self.other = Authority(folder, "ours"), Authority(folder, "other")
        self.right = self.ours.sign("right", "IP:127.0.0.1,DNS:localhost")
        self.elsewhere = self.ours.sign("elsewhere", "DNS:db.example,IP:10.0.0.1")
        self.foreign = self.other.sign("foreign", "IP:127.0.0.1,DNS:localhost")
        self.expired = self.ours.sign("expired", "IP:127.0.0.1",
                                      dates=("-days", 0))
        self.client = self.ours.sign("client", "DNS:client")
        self.server = TlsServer(self.ours.ca, self.right)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    folder.chmod(0o755)
    tls = Tls(folder)
    with tls.server as server:
        add_reader(server)
        server.run(f"CREATE USER shows@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE X509")
        yield tls


@pytest.fixture
def sources(service, world):
    """Named sources for one test."""
    def use(sources):
        world.write_sources(sources)
        service.reload_sources()

    yield use
    use({})


@pytest.fixture(params=MYSQL_ENGINES)
def engine(request):
    return request.param


def source(server, mode, **fields):
    return {"host": "127.0.0.1", "port": server.port, "user": READER, "password": PASSWORD,
            "tls": {"mode": mode} | fields}


def with_ca(mode, ca):
    return {"ca": str(ca)} if mode.startswith("verify") else {}


def ask(service, name, engine, sql=CIPHER):
    return service.query("mysql", sql, config={"source": name}, engine=engine)


def outcome(service, name, engine):
    """"plain", "tls", or the status of a refusal."""
    reply = ask(service, name, engine)
    if reply.status != 200:
        assert reply.code == "source_error", reply
        return reply.status
    return "tls" if reply.json()[0]["cipher"] else "plain"


def test_modes(service, sources, tls, world, engine):
    right = {mode: source(tls.server, mode, **with_ca(mode, tls.ours.ca)) for mode in MODES}
    without = {f"no-{mode}": source(world.mariadb, mode, **with_ca(mode, tls.ours.ca))
               for mode in MODES}
    sources(right | without)
    assert {mode: outcome(service, mode, engine) for mode in right} == {
        "disabled": "plain", "preferred": "tls", "required": "tls", "verify_ca": "tls",
        "verify_identity": "tls"}
    assert {mode: outcome(service, mode, engine) for mode in without} == {
        "no-disabled": "plain", "no-preferred": "plain", "no-required": 502, "no-verify_ca": 502,
        "no-verify_identity": 502}


@pytest.mark.parametrize("shown, wanted", [
    ("right", {"required": "tls", "verify_ca": "tls", "verify_identity": "tls"}),
    ("elsewhere", {"required": "tls", "verify_ca": "tls", "verify_identity": 502}),
    ("foreign", {"required": "tls", "verify_ca": 502, "verify_identity": 502}),
    ("expired", {"verify_ca": 502, "verify_identity": 502})])
def test_who_the_server_is(service, sources, tls, engine, shown, wanted):
    sources({f"{mode}-{shown}": source(tls.server, mode, **with_ca(mode, tls.ours.ca))
             for mode in wanted})
    tls.server.show(getattr(tls, shown))
    try:
        assert {mode: outcome(service, f"{mode}-{shown}", engine) for mode in wanted} == wanted
    finally:
        tls.server.show(tls.right)


def test_certificate_of_our_own(service, sources, tls, engine):
    cert, key = map(str, tls.client)
    account = {"user": "shows"}
    sources({
        "shown": source(tls.server, "verify_identity", ca=str(tls.ours.ca), cert=cert, key=key)
        | account,
        "shown-unverified": source(tls.server, "required", cert=cert, key=key) | account,
        "not-shown": source(tls.server, "verify_identity", ca=str(tls.ours.ca)) | account})
    assert outcome(service, "shown", engine) == "tls"
    assert outcome(service, "shown-unverified", engine) == "tls"
    assert outcome(service, "not-shown", engine) == 502


def test_nobody_logs_in_in_the_clear(service, sources, tls, engine):
    """A server that offers no TLS hears neither who we are nor a password, whatever it asks for."""
    modes = [mode for mode in MODES if mode not in ("disabled", "preferred")]
    plans = [{"method": method} | more
             for method in ("mysql_native_password", "caching_sha2_password", "mysql_clear_password")
             for more in ({}, {"switch": "mysql_clear_password"}, {"version": "5.5.5-10.11.6-MariaDB"})]
    with RogueMySql() as rogue:
        # A name each, so that no connection is an older one.
        sources({f"{mode}-{number}": source(rogue, mode, **with_ca(mode, tls.ours.ca))
                 for mode in modes for number in range(len(plans))})
        for number, plan in enumerate(plans):
            rogue.begin(plan)
            assert {mode: outcome(service, f"{mode}-{number}", engine) for mode in modes} \
                == dict.fromkeys(modes, 502), plan
            wait_until(lambda: len(rogue.received) >= len(modes), 10, lambda: f"all have come: {rogue.received}")
            assert not any(rogue.received), (plan, rogue.received)
        rogue.begin({})
        sources({"clear": source(rogue, "disabled")})
        ask(service, "clear", engine, "SELECT a FROM t")
        assert READER.encode() in rogue.said()  # else the silence above would mean nothing
