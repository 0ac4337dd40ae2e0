"""Tokens and TLS as people meet them: the console page in a browser, curl, the program's own command.

The scripted engine stands in for Spark, under AddressSanitizer; what is asked of tokens and TLS in
detail is in tests/unit/test_service_callers.c and test_service_tls.c.
"""

import re
import signal
import subprocess

import pytest

from harness.browser import Browser
from harness.paths import BUILD, wait_until
from harness.service import Service

PROGRAM = BUILD / "obj" / "asan" / "bin" / "fake-service"
REPORT = re.compile(r"(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:")


class FakeService(Service):
    program = PROGRAM


def token_command(tokens, *words):
    return subprocess.run([PROGRAM, "token", *words, "--tokens-file", tokens], check=True,
                          capture_output=True, text=True).stdout.strip()


@pytest.fixture
def tokens(tmp_path):
    return tmp_path / "tokens"


@pytest.fixture
def token(tokens):
    return token_command(tokens, "add", "person", "--scope", "query,cancel")


@pytest.fixture
def start_fake(tmp_path):
    data = tmp_path / "data"
    (data / "parquet" / "users").mkdir(parents=True)
    started = []

    def start(**env):
        service = FakeService(data, SPARK_SERVICE_SPARK_LINE="4.1.0", **env)
        started.append(service)
        service.start()
        return service

    yield start
    for service in started:
        log = service.log()
        service.terminate()
        assert service.wait_ended(40) == 0
        assert not REPORT.search(log), log
        service.remove()


@pytest.fixture
def page():
    browser = Browser()
    try:
        yield browser
        assert browser.messages() == []
    finally:
        browser.close()


def give_token(page, text):
    page.fill("#token", text)
    page.find("#token-form button").click()


def test_console_asks_for_a_token(start_fake, tokens, token, page):
    service = start_fake(SPARK_SERVICE_TOKENS_FILE=tokens).wait_ready()
    page.open(f"http://127.0.0.1:{service.port}/")
    page.wait(lambda: page.find("#token-form").is_displayed(), "the field for the token")
    assert page.find("#path").get_attribute("value") == ""  # no data root for a stranger
    assert page.find("#token").get_attribute("type") == "password"

    give_token(page, token[:-1] + ("0" if token[-1] != "0" else "1"))
    page.wait(lambda: "does not know" in page.text("#token-note"), "what is wrong with it")
    give_token(page, token)
    page.wait(lambda: not page.find("#token-form").is_displayed(), "the end of the asking")
    users = str(service.data_root / "parquet" / "users")
    assert page.find("#path").get_attribute("value") == users

    page.fill("#sql", "rows 3")
    page.find("#run").click()
    page.wait(lambda: page.text("#summary").startswith("3 rows"), "the rows")
    page.wait(lambda: page.find_all("#queries li.succeeded"), "the query in the list")

    page.driver.refresh()  # the tab keeps it
    page.wait(lambda: page.find("#path").get_attribute("value") == users, "the facts again")
    assert page.driver.execute_script("return Object.values(sessionStorage)") == [token]
    assert page.driver.execute_script("return localStorage.length + document.cookie.length") == 0
    assert token not in page.driver.current_url

    page.find("#forget").click()
    page.wait(lambda: page.find("#token-form").is_displayed(), "the field again")
    assert page.driver.execute_script("return sessionStorage.length") == 0
    assert token not in service.log()


def test_console_without_a_tokens_file_asks_for_nothing(start_fake, page):
    service = start_fake().wait_ready()
    page.open(f"http://127.0.0.1:{service.port}/")
    page.wait(lambda: page.find("#path").get_attribute("value") != "", "the facts")
    assert not page.find("#token-form").is_displayed()
    assert not page.find("#forget").is_displayed()


# ---- curl over TLS ----

@pytest.fixture
def certificate(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def curl(cert, *arguments):
    return subprocess.run(["curl", "--silent", "--show-error", "--max-time", "60", "--cacert", cert,
                           *arguments], capture_output=True)


def test_curl_over_tls(start_fake, certificate, tokens, token, tmp_path):
    cert, key = certificate
    service = start_fake(SPARK_SERVICE_TLS_CERT=cert, SPARK_SERVICE_TLS_KEY=key,
                         SPARK_SERVICE_TOKENS_FILE=tokens)
    base = f"https://localhost:{service.port}"
    wait_until(lambda: service.alive() and curl(cert, f"{base}/readyz").stdout == b"ready\n", 20,
               lambda: service.log())
    query = ["--json", f'{{"path":"{service.data_root}","sql":"rows 100000"}}',
             f"{base}/api/spark/query/parquet"]
    assert b'"code":"unauthenticated"' in curl(cert, *query).stdout
    answer = curl(cert, *query, "-H", f"Authorization: Bearer {token}", "--compressed")
    assert answer.returncode == 0 and answer.stdout.endswith(b'{"n":99999}]')
    assert curl("/etc/hostname", f"{base}/livez").returncode != 0  # not a certificate of curl's

    broken = [word.replace("rows 100000", "rows 300000 fail engine_error") for word in query]
    answer = curl(cert, *broken, "-H", f"Authorization: Bearer {token}", "-o", tmp_path / "part")
    assert answer.returncode in (18, 56), answer  # partial file, failure in receiving
    assert (tmp_path / "part").stat().st_size > 1_000_000
    for option in ("--http1.1", "--tlsv1.2", "--tlsv1.3"):
        assert curl(cert, option, f"{base}/livez").stdout == b"live\n"
    assert curl(cert, "--tls-max", "1.1", f"{base}/livez").returncode == 35


def test_reload_under_load(start_fake, certificate, tokens, token):
    """Connections and queries under way don't notice that certificate and tokens are read anew."""
    cert, key = certificate
    service = start_fake(SPARK_SERVICE_TLS_CERT=cert, SPARK_SERVICE_TLS_KEY=key,
                         SPARK_SERVICE_TOKENS_FILE=tokens)
    base = f"https://localhost:{service.port}"
    wait_until(lambda: service.alive() and curl(cert, f"{base}/readyz").stdout == b"ready\n", 20,
               lambda: service.log())
    query = ["curl", "-sS", "--max-time", "60", "--cacert", cert, "-H",
             f"Authorization: Bearer {token}", "--limit-rate", "4M", "--json",
             f'{{"path":"{service.data_root}","sql":"rows 300000"}}',
             f"{base}/api/spark/query/parquet"]
    clients = [subprocess.Popen(query, stdout=subprocess.PIPE) for _ in range(4)]
    for number in range(10):
        token_command(tokens, "add", f"more{number}")
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: service.log().count("setting=TLS_CERT") > number, 10, service.log)
    for client in clients:
        assert client.communicate()[0].endswith(b'{"n":299999}]')
        assert client.returncode == 0
    assert "RELOAD FAILED" not in service.log()
