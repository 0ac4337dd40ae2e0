"""The compose stack: everything comes up, each source answers, only loopback is published."""

import json

import pytest

from engine import docker
from stack import request

USERS = [{"id": 1, "name": "Ada Lovelace", "city": "London"},
         {"id": 2, "name": "Alan Turing", "city": "Manchester"}]


@pytest.mark.parametrize("source", ["mysql", "parquet", "delta", "iceberg"])
def test_each_source_answers(stack, source):
    reply = stack.users(source, "id, name, city", "ORDER BY id LIMIT 2")
    assert (reply.status, reply.json()) == (200, USERS), reply


def test_a_query_needs_the_token(stack):
    target = f"http://127.0.0.1:{stack.port}/api/spark/query/mysql"
    body = json.dumps({"sql": "SELECT 1 AS n"}).encode()
    assert request("POST", target, body).status == 401
    assert request("POST", target, body, token=stack.token).json() == [{"n": 1}]
    assert stack.get("/metrics").status == 401


def test_each_half_of_the_token_is_for_one_reader(stack):
    """The service never sees the token, the backend never the hashes."""
    for path, user in (("service", 10001), ("service/tokens", 10001), ("backend", 1000),
                       ("backend/token", 1000)):
        found = (stack.data / "secrets" / path).stat()
        assert (found.st_uid, found.st_mode & 0o077) == (user, 0), path
    mounts = {mount["Destination"]: mount["Source"] for mount in stack.service.inspect()["Mounts"]}
    assert mounts["/run/secrets/callers"].endswith("/secrets/service")
    assert not any(source.endswith("/backend") for source in mounts.values())
    assert stack.token not in stack.service.logs()


def test_health_knows_mysql(stack):
    health = stack.get("/api/spark/health").json()
    assert (health["status"], health["sources"]) == ("healthy", {"main": "ok", "mysql": "ok"})


def test_spark_ui_is_there(stack):
    base = f"http://127.0.0.1:{stack.ui_port}/api/v1/applications"
    assert request("GET", base).json()[0]["name"] == "spark-service"


def test_only_loopback_is_published(stack):
    for container in stack.compose("ps", "-q").split():
        ports = json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Ports}}", container))
        for bindings in ports.values():
            assert all(binding["HostIp"] == "127.0.0.1" for binding in bindings or [])


def test_containers_have_their_limits(stack):
    host = stack.service.inspect()["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 4 << 30
    assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"]


def test_a_second_up_changes_nothing(stack):
    before = stack.service.state()["StartedAt"]
    stack.up("spark-service")
    assert stack.service.state()["StartedAt"] == before
