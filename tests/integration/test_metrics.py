"""GET /metrics of the real service, read by Prometheus' own parser."""

import os

from prometheus_client.parser import text_string_to_metric_families

from harness.paths import wait_until
from harness.world import READER


def scrape(service):
    """{(name, labels): value}, and {family: type}."""
    reply = service.request("GET", "/metrics")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples, types = {}, {}
    for family in text_string_to_metric_families(reply.body.decode()):
        assert family.documentation, family.name
        assert family.name not in types, f"{family.name} stands in two places"
        types[family.name] = family.type
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples, f"{key} twice"
            samples[key] = sample.value
    return samples, types


def value(service, name, **labels):
    return scrape(service)[0]["spark_service_" + name, tuple(sorted(labels.items()))]


def test_page(service):
    samples, types = scrape(service)
    assert "unknown" not in types.values()
    for (name, labels), found in samples.items():
        family = name.removesuffix("_bucket")
        if name.endswith("_bucket") and dict(labels)["le"] == "+Inf":
            rest = tuple(label for label in labels if label[0] != "le")
            assert samples[f"{family}_count", rest] == found
    counters = [name for name, kind in types.items() if kind == "counter"]
    assert "spark_service_result_rows" in counters and "process_cpu_seconds" in counters


def test_facts_of_the_engine(service):
    wait_until(lambda: value(service, "jvm_memory_bytes", area="heap", kind="used") > 0, 10,
               "the heap's size")
    assert (value(service, "jvm_memory_bytes", area="heap", kind="used")
            <= value(service, "jvm_memory_bytes", area="heap", kind="max"))
    assert 0 <= value(service, "canary_age_seconds") < 30
    assert value(service, "healthy") == 1
    samples, _ = scrape(service)
    open_now = len(os.listdir(f"/proc/{service.pid}/fd"))
    assert abs(samples["process_open_fds", ()] - open_now) <= 3  # connections come and go
    assert 0 < samples["process_threads", ()] < 1000


def test_queries_of_each_source(service, world):
    for source in ("mysql", "parquet", "delta", "iceberg"):
        table, fields = world.users_query(source)
        engine = "direct" if source == "mysql" else "spark"
        labels = {"source": source, "engine": engine, "outcome": "succeeded"}
        before = value(service, "query_duration_seconds_count", **labels)
        rows = value(service, "result_rows_total")
        assert service.query(source, f"SELECT id FROM {table} LIMIT 3", **fields).status == 200
        assert value(service, "query_duration_seconds_count", **labels) == before + 1
        assert value(service, "result_rows_total") == rows + 3
        assert value(service, "queries_in_flight", source=source) == 0


def test_a_direct_query_that_is_cancelled_is_killed(service, world):
    kills = value(service, "mysql_kills_total", result="ok")
    with service.begin_query("mysql", "SELECT SLEEP(600)", config=world.config(world.mysql)):
        wait_until(lambda: any("SLEEP(600)" in (info or "")
                               for *_, info in world.mysql.threads_of(READER)), 10,
                   "the statement on the server")
        assert value(service, "mysql_connections", state="in_use") == 1
    service.wait_slots_busy(0)
    assert value(service, "mysql_kills_total", result="ok") == kills + 1
    assert value(service, "mysql_connections", state="in_use") == 0
