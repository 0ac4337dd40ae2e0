"""The service image by itself: locked down, without a network, inside its memory limit."""

import json
import os
import re
import time

import pytest

from engine import FULL, SLIM, SPARK, Container, docker, has_image, wait_until

SLIM_BYTES = 900_000_000  # the goal, CDS archive included
LOCKED_DOWN = ("--network", "none", "--read-only", "--tmpfs", "/tmp:exec,size=128m",
               "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "4g",
               "--memory-swap", "4g", "--stop-timeout", "40", "--health-interval", "2s")
STOP_SECONDS = 40
LIMIT_MIB, HEAP_MIB, REST_MIB = 4096, 2048, 512

# One request from inside: nothing outside can reach it. $1 path, $2 body
ASK = """
exec 3<>/dev/tcp/127.0.0.1/8000
printf 'POST %s HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nContent-Type: application/json\\r\\n' \
    "$1" >&3
printf 'Content-Length: %s\\r\\n\\r\\n%s' "${#2}" "$2" >&3
cat <&3
"""


@pytest.fixture(scope="module", params=[SLIM, FULL])
def image(request):
    if not has_image(request.param):
        assert request.param == FULL, f"no image {SLIM}; run `make image-service` first"
        pytest.skip(f"no image {FULL}; `make image-service-full` makes it")
    return request.param


@pytest.fixture(scope="module")
def sample():
    """A volume with the sample tables, made without a network too."""
    volume = f"stack-test-sample-{os.getpid()}"
    docker("volume", "create", volume)
    docker("run", "--rm", "--network", "none", "--user", "0", "--volume", f"{volume}:/data",
           "--entrypoint", "make-sample", SLIM, timeout=300)
    yield volume
    docker("volume", "rm", volume)


@pytest.fixture(scope="module")
def container(image, sample):
    container = Container(f"stack-test-image-{os.getpid()}")
    try:
        docker("run", "--detach", "--name", container.name, *LOCKED_DOWN,
               "--volume", f"{sample}:/data:ro", image)
        container.wait_healthy()
        yield container
    finally:
        container.remove()


def ask(container, source, **fields):
    answer = container.exec("bash", "-c", ASK, "ask", f"/api/spark/query/{source}",
                            json.dumps(fields))
    head, _, body = answer.partition("\n\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("source", ["parquet", "delta", "iceberg"])
def test_it_answers_without_a_network(container, source):
    status, body = ask(container, source, path=f"/data/{source}/users",
                       sql=f"SELECT id, name FROM {source}_data ORDER BY id LIMIT 2")
    assert (status, body) == (200, '[{"id":1,"name":"Ada Lovelace"},{"id":2,"name":"Alan Turing"}]')


def test_it_runs_as_a_user_without_rights(container):
    status = container.exec("cat", f"/proc/{container.service_pid()}/status")
    facts = dict(re.findall(r"^(\w+):\s+(\S+)", status, re.M))
    assert (facts["Uid"], facts["CapEff"], facts["NoNewPrivs"]) == ("10001", "0" * 16, "1")
    with pytest.raises(AssertionError, match="Read-only file system"):
        container.exec("touch", "/opt/spark-service/x")


def test_the_class_data_archive_is_in_use(container):
    maps = container.exec("cat", f"/proc/{container.service_pid()}/maps")
    assert f"/opt/spark-service/lib/spark-{SPARK}/app.jsa" in maps


def test_the_heap_is_half_of_the_limit(container):
    assert f"heap={HEAP_MIB}m" in container.logs()


def test_its_log_is_quiet(container):
    loud = [line for line in container.logs().splitlines() if re.search(r"level=(warn|error)", line)]
    assert loud == []


def test_all_bounds_together_are_below_the_limit(container):
    """Heap, metaspace, both kinds of direct buffers, code; the rest is for stacks, tables and C."""
    options = container.exec("cat", f"/opt/spark-service/lib/spark-{SPARK}/jvm.options")
    bounds = {name: int(mib) for name, mib in re.findall(r"^-XX:(\w+)=(\d+)m$", options, re.M)}
    netty = re.search(r"^-Dio.netty.maxDirectMemory=(\d+)$", options, re.M)
    # without an option Netty counts up to the JDK's bound, beside the JDK's own count
    netty_mib = int(netty[1]) >> 20 if netty else bounds["MaxDirectMemorySize"]
    together = HEAP_MIB + netty_mib + sum(bounds[name] for name in (
        "MaxMetaspaceSize", "MaxDirectMemorySize", "ReservedCodeCacheSize"))
    assert together <= LIMIT_MIB - REST_MIB


def test_term_ends_it_with_exit_code_0(container):
    begin = time.monotonic()
    docker("stop", container.name)
    state = container.state()
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False), container.logs()[-3000:]
    assert time.monotonic() - begin < STOP_SECONDS


def test_slim_is_small():
    assert int(docker("image", "inspect", "--format", "{{.Size}}", SLIM)) <= SLIM_BYTES


def test_no_certificate_of_the_build_host_stayed(image):
    """The build may trust certificates of its host; the service trusts those of the JDK."""
    listed = docker("run", "--rm", "--network", "none", "--entrypoint", "keytool", image, "-list",
                    "-keystore", "/opt/spark-service/jre/lib/security/cacerts", "-storepass", "changeit")
    entries = re.findall(r"^(.*), .*, trustedCertEntry", listed, re.M)
    assert len(entries) > 50 and all(entry.partition(",")[0].endswith("[jdk]") for entry in entries)
    left = docker("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c",
                  "find /usr/local/share/ca-certificates /run/secrets -type f 2>/dev/null; :")
    assert left == ""


@pytest.fixture
def spark_connect():
    """Spark Connect of the layer's own Spark, in the tag that has one."""
    if not (SPARK.startswith("4.") and has_image(FULL)):
        pytest.skip(f"Spark Connect is in {FULL} of line 4 only")
    container = Container(f"stack-test-connect-{os.getpid()}")
    docker("run", "--detach", "--name", container.name, "--network", "none", "--memory", "2g",
           "--entrypoint", "spark-submit", FULL, "--driver-memory", "1g",
           "--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.driver.host=localhost",
           "--class", "org.apache.spark.sql.connect.service.SparkConnectServer")
    yield container
    container.remove()


def test_spark_connect_listens(spark_connect):
    def listening():
        assert spark_connect.state()["Running"], spark_connect.logs()[-3000:]
        return ":3A9A " in spark_connect.exec("sh", "-c", "cat /proc/net/tcp /proc/net/tcp6")  # 15002
    wait_until(listening, 90, spark_connect.logs)
