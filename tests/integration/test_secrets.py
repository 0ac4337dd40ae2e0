"""A password is nowhere a person could read it."""

import pytest

from harness.world import PASSWORD


@pytest.mark.parametrize("change", [
    {"port": "closed"}, {"user": "nobody"}, {"database": "nothing"}, {"password": PASSWORD + "!"},
    {"host": "10.0.0.1"}, {"port": "0"}, {"unknown": "x"}], ids=lambda change: next(iter(change)))
def test_password_is_in_no_error(service, world, change):
    config = world.config(world.mysql) | change
    if config["port"] == "closed":
        config["port"] = world.closed_port
    reply = service.query("mysql", "SELECT 1 AS a", config=config)
    assert reply.status in (400, 403, 502)
    assert PASSWORD.encode() not in reply.body


def test_password_is_in_no_log_line(service, world):
    service.query("mysql", "SELECT syntax error", config=world.config(world.mysql))
    service.query("mysql", f"SELECT '{'x' * 10}' AS a FROM nothing")
    assert PASSWORD not in service.log()


def test_password_is_not_in_the_arguments(service):
    with open(f"/proc/{service.pid}/cmdline", "rb") as file:
        assert PASSWORD.encode() not in file.read()


def test_start_was_quiet(service):
    loud = [line for line in service.start_log.splitlines() if "level=warn" in line
            or "level=error" in line or " WARN " in line or " ERROR " in line]
    assert not loud, loud
