"""A MySQL server that means harm gets no file, no password and no thread of ours for long."""

import concurrent.futures
import itertools
import pathlib
import time

import pytest

from harness.conformance import MYSQL_ENGINES
from harness.paths import wait_until
from harness.rogue_mysql import CAPABILITIES, COMMANDS, LOCAL_FILES, PHASES, RogueMySql
from harness.world import PASSWORD

CANARY = "canary-text-that-no-server-may-have"
QUERY_MS, CONNECT_MS = 3000, 1000
SLOT_BACK_SECONDS = {"spark": 2.0, "direct": 3.5}  # the direct engine's worker kills itself
METHODS = ("mysql_clear_password", "dialog", "mysql_old_password", "authentication_oci_client",
           "authentication_openid_connect_client", "authentication_ldap_sasl_client",
           "authentication_kerberos_client", "auth_gssapi_client", "sha256_password",
           "caching_sha2_password")


@pytest.fixture(scope="module")
def rogue(world):
    with RogueMySql(world.rogue_port) as rogue:
        yield rogue


@pytest.fixture(params=MYSQL_ENGINES)
def engine(request):
    return request.param


def ask(service, world, rogue, engine, **fields):
    return service.query("mysql", "SELECT a FROM t", config=world.config(rogue), engine=engine,
                         **{"timeout_ms": 10_000} | fields)


def test_the_fake_can_answer(service, world, rogue, engine):
    """Else nothing below would mean anything."""
    rogue.begin({})
    assert ask(service, world, rogue, engine).status == 200


def test_no_file_for_any_statement(service, world, rogue, engine):
    canary = world.folder / "canary.txt"
    canary.write_text(CANARY)
    hostname = pathlib.Path("/etc/hostname")
    names = (str(hostname), str(canary), canary.as_uri(), "url:" + canary.as_uri(), "", ".")
    capabilities = (CAPABILITIES, CAPABILITIES & ~LOCAL_FILES)
    versions = ("8.0.36", "5.5.5-10.11.6-MariaDB")
    asked = 0
    cases = itertools.product(range(7), names[:2], capabilities, versions)
    for number, (ask_at, name, flags, version) in enumerate(cases):
        plan = {"ask_at": ask_at, "file": names[number % len(names)] if ask_at == 2 else name,
                "capabilities": flags, "version": version}
        if number % 3 == 0:
            plan["switch"] = "mysql_native_password"
        rogue.begin(plan)
        reply = ask(service, world, rogue, engine, timeout_ms=600)
        # One that is over by then has its answer.
        assert reply.status in (502, 504) or plan["ask_at"] > 4, (plan, reply)
        wait_until(lambda: len(rogue.sent_after_asking) == rogue.asked or rogue.idle(), 10,
                   "the client has said all")
        for sent in rogue.sent_after_asking:  # nothing, or the next command
            assert sent == b"" or sent[0] in COMMANDS or ask_at == 0, (plan, sent)
        for secret in (CANARY.encode(), hostname.read_bytes().strip()):
            assert secret not in rogue.said() and secret not in reply.body, plan
        asked += rogue.asked
    assert asked >= 40  # it did ask


def test_no_password_as_it_is(service, world, rogue, engine):
    for switch, more in itertools.product(METHODS, (b"", b"\1\4", b"\1\3")):
        for method in ("mysql_native_password", switch):
            rogue.begin({"switch": switch, "method": method, "more": more})
            reply = ask(service, world, rogue, engine, timeout_ms=1500)
            assert reply.status in (200, 502, 504), (switch, method, reply)
            assert PASSWORD.encode() not in rogue.said(), (switch, method, more)


@pytest.fixture
def hanging(service, world):
    """A named source for each phase in which a server can fall silent."""
    servers = {phase: RogueMySql() for phase in PHASES}
    for phase, server in servers.items():
        server.begin({"hang": phase})
        server.__enter__()
    world.write_sources({
        phase.replace(" ", "-"): {
            "host": "127.0.0.1", "port": server.port, "user": "u", "password": "p",
            "timeouts": {"connect_ms": CONNECT_MS, "socket_ms": 60_000, "query_ms": QUERY_MS}}
        for phase, server in servers.items()})
    service.reload_sources()
    yield servers
    world.write_sources({})
    service.reload_sources()
    for server in servers.values():
        server.__exit__()


def test_silence_in_each_phase(service, world, hanging, engine):
    """Ends by the source's own timeouts, whatever the request says; the slot is free soon after."""
    def ask_silent(phase):
        begin = time.monotonic()
        reply = service.query("mysql", "SELECT a FROM t", config={"source": phase.replace(" ", "-")},
                              engine=engine, timeout_ms=60_000, queue_timeout_ms=60_000)
        return phase, reply, time.monotonic() - begin

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for phase, reply, seconds in pool.map(ask_silent, PHASES):
            if (phase, engine) == ("reset", "spark"):  # its sessions are used once
                assert reply.status == 200, reply
                continue
            assert (reply.status, reply.code) in ((504, "timeout"), (502, "source_error")), (
                phase, reply)
            assert seconds <= QUERY_MS / 1000 + 1.5, (phase, seconds)
    service.wait_slots_busy(0, 8)
    for phase, server in hanging.items():
        assert server.received or phase in ("greeting", "half greeting", "trickled greeting")


def test_slot_is_back_though_the_kill_is_not_heard(service, world, rogue, engine):
    """The statement hangs, and so does the connection that would kill it."""
    rogue.begin({"hang": "execute" if engine == "spark" else "first statement",
                 "later": {"hang": "greeting"}})
    reply = ask(service, world, rogue, engine, timeout_ms=1000)
    assert (reply.status, reply.code) == (504, "timeout")
    begin = time.monotonic()
    service.wait_slots_busy(0, 10)
    assert time.monotonic() - begin <= SLOT_BACK_SECONDS[engine]
    wait_until(rogue.idle, 8, "nobody connected")


def test_health_tells_of_each_source(service, world):
    world.write_sources({
        "good": {"host": "127.0.0.1", "port": world.mysql.port, "user": "reader"},
        "closed": {"host": "127.0.0.1", "port": world.closed_port, "user": "reader"}})
    service.reload_sources()
    wanted = {"mysql": "unreachable", "main": "ok", "good": "ok", "closed": "unreachable"}
    wait_until(lambda: service.health()["sources"] == wanted, 30,
               lambda: f"{wanted}: {service.health()['sources']}")
    assert service.status_of("/readyz") == 200
    world.write_sources({})
    service.reload_sources()
