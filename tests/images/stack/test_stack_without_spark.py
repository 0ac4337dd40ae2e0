"""The backend beside spark-service, and without it. The last file: it ends the service of the stack."""

import json

import pytest

from stack import request

FIRST, LAST = "Ada Lovelace", "José Valim"


@pytest.fixture(scope="module")
def backend(stack):
    stack.up("backend")
    stack.backend.wait_healthy(60)
    return stack


def call(stack, method, target, body=None):
    return request(method, f"http://127.0.0.1:{stack.backend_port}{target}",
                   None if body is None else json.dumps(body).encode())


def assert_serves_users(stack, source, mode):
    reply = call(stack, "GET", f"/api/users?source={source}")
    assert reply.status == 200, reply
    answer = reply.json()
    names = [user["name"] for user in answer["rows"]]
    assert (answer["mode"], len(names), names[0], names[-1]) == (mode, 12, FIRST, LAST), reply


def test_the_page_is_there(backend):
    reply = call(backend, "GET", "/")
    assert reply.status == 200 and b"<html" in reply.body


@pytest.mark.parametrize("source", ["mysql", "parquet", "delta", "iceberg"])
def test_users_come_through_the_service(backend, source):
    assert_serves_users(backend, source, "SparkSession")


def test_direct_access_goes_on_without_the_service(backend):
    backend.compose("stop", "--timeout", "40", "spark-service")
    state = backend.service.state()
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False), backend.service.logs()[-3000:]
    assert call(backend, "PUT", "/api/mode", {"mode": "Direct Access"}).status == 200
    assert_serves_users(backend, "mysql", "Direct Access")
    assert call(backend, "GET", "/api/health").status == 200


def test_the_stack_runs_with_no_spark_at_all(backend):
    backend.compose("stop", "backend")
    backend.up("backend-direct")
    backend.backend_direct.wait_healthy(60)
    assert_serves_users(backend, "mysql", "Direct Access")
    assert not backend.service.state()["Running"]
