"""Health routes, the description, and the checks of the command line against a live service."""

import subprocess

import pytest

from harness.paths import SERVICE_BIN, SPARK, wait_until
from harness.process_facts import listening_addresses


@pytest.mark.parametrize("target, text", [("/livez", b"live\n"), ("/readyz", b"ready\n"),
                                          ("/startupz", b"started\n")])
def test_probe_routes_answer_one_line(service, target, text):
    reply = service.request("GET", target)
    assert (reply.status, reply.body) == (200, text)
    assert reply.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("target", ["/livez", "/readyz", "/startupz", "/api/spark/health",
                                    "/openapi.json"])
def test_head_is_get_without_the_body(service, target):
    with service.connect() as connection:
        head = connection.request("HEAD", target)
        get = connection.request("GET", target)
    assert (head.status, get.status) == (200, 200)
    assert head.headers["content-type"] == get.headers["content-type"]
    assert "content-length" in head.headers


def test_health_has_the_documented_fields(service):
    reply = service.request("GET", "/api/spark/health")
    health = reply.json()
    assert reply.status == 200
    assert health["status"] == "healthy"
    assert health["spark_version"] == SPARK
    assert health["uptime_ms"] > 0
    assert health["queue"] == {"length": 0, "limit": 256}
    assert health["slots"] == {"total": 8, "busy": 0, "lost": 0}
    assert 0 <= health["canary_age_ms"] <= 30_000
    assert set(health) == {"status", "spark_version", "uptime_ms", "queue", "slots",
                           "canary_age_ms", "sources"}


def test_health_knows_mysql(service):
    wait_until(lambda: service.health()["sources"] == {"mysql": "ok", "main": "ok"}, 40,
               lambda: f"mysql ok: {service.health()}", interval=0.5)


def test_canary_is_run_again_and_again(service):
    first = service.health()
    wait_until(lambda: service.health()["canary_age_ms"] < first["canary_age_ms"]
               or service.health()["canary_age_ms"] < 500, 20, "a newer canary", interval=0.1)


def test_busy_slots_are_counted(service, world):
    from harness.slow import slow_query
    source, fields = slow_query(world)
    with service.begin_query(source, **fields):
        service.wait_slots_busy(1)
    service.wait_slots_busy(0)


def test_spark_ui_listens_on_loopback_only(spark_ui, ui_port):
    ipv4, mapped = "0100007F", "0000000000000000FFFF00000100007F"
    found = listening_addresses(ui_port)
    assert found and found <= {ipv4, mapped}


def test_openapi_describes_every_route(service):
    reply = service.request("GET", "/openapi.json")
    assert reply.headers["content-type"] == "application/json"
    document = reply.json()
    assert document["openapi"].startswith("3.")
    assert document["info"]["title"] and document["info"]["version"]
    methods = {path: {name.upper() for name in item if name in ("get", "post", "delete", "head")}
               for path, item in document["paths"].items()}
    for source in ("mysql", "parquet", "delta", "iceberg"):
        assert "POST" in methods[f"/api/spark/query/{source}"]
    assert "DELETE" in methods["/api/spark/queries/{id}"] or any(
        "DELETE" in names for path, names in methods.items()
        if path.startswith("/api/spark/queries/{"))
    for path in ("/api/spark/health", "/livez", "/readyz", "/startupz", "/openapi.json"):
        assert "GET" in methods[path]


def test_openapi_is_whole(service):
    """Every operation has responses, every reference leads somewhere."""
    document = service.request("GET", "/openapi.json").json()

    def resolve(reference):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        return node

    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                assert resolve(node["$ref"]) is not None
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "delete", "head", "put", "patch"):
                assert operation["responses"], f"{method} {path}"


def test_openapi_promises_only_what_is_there(service):
    document = service.request("GET", "/openapi.json").json()
    for path, item in document["paths"].items():
        for method in set(item) & {"get", "post", "delete", "head"}:
            target = path.replace("{id}", "7d0c1b1e-0000-4000-8000-000000000001")
            target = target.replace("{query_id}", "7d0c1b1e-0000-4000-8000-000000000001")
            reply = service.request(method.upper(), target)
            unknown_query = "{" in path and reply.status == 404
            assert reply.status in (200, 202, 400) or unknown_query, f"{method} {path}: {reply}"


@pytest.mark.parametrize("what", ["ready", "live"])
def test_probe_is_green(service, what):
    done = subprocess.run([SERVICE_BIN, "probe", what], env=service.env, capture_output=True,
                          timeout=20)
    assert done.returncode == 0, done
