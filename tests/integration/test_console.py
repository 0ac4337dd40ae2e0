"""The console page in a real browser, against the real service."""

import json

import pytest
from selenium.webdriver.common.keys import Keys

from harness.browser import Browser
from harness.paths import wait_until
from harness.slow import SPARK_QUERIES

SLOW = SPARK_QUERIES["scan_loop"]


@pytest.fixture
def page(service):
    """The page, with its fields filled in."""
    browser = Browser()
    try:
        browser.open(f"http://127.0.0.1:{service.port}/")
        browser.wait(lambda: browser.text("#version") != "", "the facts of the service")
        yield browser
        assert browser.messages() == []  # nothing refused by the policy, no error in the script
    finally:
        browser.close()


def choose(page, source, path=None):
    page.find(f"input[name=source][value={source}]").send_keys(Keys.SPACE)
    page.wait(lambda: page.find(f"input[value={source}]").is_selected(), source)
    if path is not None:
        page.fill("#path", str(path))


def run(page, sql):
    page.fill("#sql", sql)
    page.find("#run").click()
    wait_over(page)


def wait_over(page):
    page.wait(lambda: page.find("#run").is_enabled(), "the end of the query")


def header(page):
    """[(name, type)] of the columns."""
    return [tuple(page.driver.execute_script(
        "return [arguments[0].firstChild.textContent, arguments[0].lastChild.textContent]", cell))
        for cell in page.find_all("thead th")]


def cells(page):
    """Rows of (text, class)."""
    return page.driver.execute_script(
        "return [...document.querySelectorAll('tbody tr')].map(row =>"
        " [...row.querySelectorAll('td')].map(cell => [cell.textContent, cell.className]))")


def texts(page):
    return [[text for text, _ in row] for row in cells(page)]


PATHS = {"parquet": "parquet/users", "delta": "delta/users", "iceberg": "iceberg/samples/users"}


def test_each_source(page, world):
    for source in ("parquet", "delta", "iceberg", "mysql"):
        choose(page, source, world.data / PATHS[source] if source in PATHS else None)
        table = f"{source}_data" if source in PATHS else "samples.users"
        run(page, f"SELECT id, name, balance FROM {table} WHERE id < 3 ORDER BY id")
        assert texts(page) == [["1", "Üser 😀 1", "1.01"], ["2", "Üser 😀 2", "2.02"]], source
        assert [name for name, _ in header(page)] == ["id", "name", "balance"]
        assert header(page)[0][1] == "BIGINT"
        assert header(page)[2][1] == "DECIMAL(12,2)"
        engine = "direct" if source == "mysql" else "spark"
        assert page.text("#summary") == f"2 rows · {engine}"
        names = [name.text for name in page.find_all("#timing dt")]
        assert names == ["queue", "plan", "run", "write", "total"]


def test_fields_offer_what_is_there(page, world):
    offered = {source: page.find("#path").get_property("value")
               for source in PATHS if choose(page, source) is None}
    assert offered == {"parquet": f"{world.data}/parquet/users",
                       "delta": f"{world.data}/delta/users",
                       "iceberg": ""}  # the users of this world have another path there
    choose(page, "parquet")
    page.find("#run").click()  # as it stands
    wait_over(page)
    assert texts(page)[0][0] == "1"
    assert page.text("#summary") == "20 rows · spark"


def test_values(page):
    run(page, "SELECT CAST(NULL AS STRING) AS nothing, '' AS void, 'NULL' AS word,"
              " 9007199254740993 AS big, CAST(1.10 AS DECIMAL(5,2)) AS dec, -0.0D AS zero,"
              " array(9007199254740993, NULL) AS list, true AS yes"
              " FROM parquet_data LIMIT 1")
    assert cells(page) == [[
        ["NULL", "null"], ["empty", "void"], ["NULL", "text"], ["9007199254740993", "number"],
        ["1.10", "number"], ["-0.0", "number"], ["[9007199254740993,null]", "nested"],
        ["true", "boolean"]]]


def test_parameters(page):
    page.fill("#params", '{"id": 7, "big": 9007199254740993}')
    run(page, "SELECT id, :big AS big FROM parquet_data WHERE id = :id")
    assert texts(page) == [["7", "9007199254740993"]]


def test_parameters_that_are_not_json_are_not_sent(page, service):
    offset = service.log_size()
    page.fill("#params", '{"id": 7')
    page.find("#run").click()
    message = page.find("#params").get_property("validationMessage")
    assert message.startswith("Not JSON"), message
    assert page.text("#summary") == ""
    assert "route=/api/spark/query/parquet" not in service.log(offset)


def test_row_limit(page):
    page.fill("#row-limit", "3")
    run(page, "SELECT id FROM parquet_data ORDER BY id")
    assert texts(page) == [["1"], ["2"], ["3"]]
    assert page.text("#summary") == "3 rows · spark cut at the row limit"


def test_error(page):
    run(page, "SELECT id,\n  nmae FROM parquet_data")
    facts = dict(zip([name.text for name in page.find_all("#problem dt")],
                     [value.text for value in page.find_all("#problem dd")]))
    assert facts["code"] == "sql_error"
    assert facts["status"] == "422"
    assert facts["sqlstate"] == "42703"
    assert facts["error_class"].startswith("UNRESOLVED_COLUMN")
    assert (facts["line"], facts["column"]) == ("2", "3")
    assert page.text("#problem .place") == "2   nmae FROM parquet_data"
    assert page.text("#problem mark") == "nmae"
    assert "nmae" in page.text("#problem p")
    assert not page.find("#rows").is_displayed()


def test_explain(page):
    page.fill("#sql", "SELECT name FROM parquet_data WHERE age > 40")
    page.find("#explain").click()
    wait_over(page)
    assert "parquet" in page.text("#rows .plan").lower()
    assert "age" in page.text("#rows .plan-facts")


def test_cancel_by_button(page, service, world):
    choose(page, "parquet", world.data / "parquet" / "numbers")
    page.fill("#sql", SLOW)
    page.find("#run").click()
    service.wait_slots_busy(1)
    page.find("#cancel").click()
    wait_over(page)
    assert "cancelled by DELETE" in page.text("#problem p")
    service.wait_slots_busy(0)


def test_queries_of_others(page, service, world):
    with service.begin_query("parquet", SLOW,
                             path=f"{world.data}/parquet/numbers") as other:
        page.wait(lambda: page.find_all("#queries li.running"), "the query in the list")
        item = page.find("#queries li.running")
        query_id = item.get_attribute("data-query-id")
        assert "FROM" in item.find_element("css selector", "code").text
        button = item.find_element("css selector", "button")
        assert button.accessible_name == f"Cancel query {query_id}"
        button.click()
        reply = other.read_reply()
        assert (reply.status, reply.json()["code"]) == (409, "cancelled")
        page.wait(lambda: page.find_all(f"#queries li.cancelled[data-query-id='{query_id}']"),
                  "the list to say that it was cancelled")
    service.wait_slots_busy(0)


HOSTILE = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"


def test_hostile_values_stay_text(page):
    quoted = HOSTILE.replace("'", "\\'")
    run(page, f"SELECT '{quoted}' AS `{HOSTILE}`, array('{quoted}') AS list FROM parquet_data LIMIT 1")
    assert texts(page)[0][0] == HOSTILE
    assert header(page)[0][0] == HOSTILE
    page.wait(lambda: HOSTILE in page.text("#queries code"), "the statement in the list")
    run(page, f"SELECT `{HOSTILE}` FROM parquet_data")  # an error with the same in its text
    assert "onerror" in page.text("#problem")
    assert page.find_all("main img, main script") == []
    assert page.driver.title == "spark-service"


def test_asks_nobody_else(page, service):
    run(page, "SELECT id FROM parquet_data LIMIT 1")
    messages = [json.loads(entry["message"])["message"]
                for entry in page.driver.get_log("performance")]
    sent = [message["params"] for message in messages
            if message["method"] == "Network.requestWillBeSent"]
    # The browser's own first page isn't ours.
    asked = {params["request"]["url"] for params in sent
             if not params["documentURL"].startswith("chrome:")}
    own = f"http://127.0.0.1:{service.port}/"
    assert {own, own + "console.js", own + "console.css", own + "console.json"} <= asked
    assert [url for url in asked if not url.startswith((own, "data:"))] == []


def test_policy(service):
    for target, kind in (("/", "text/html"), ("/console.js", "text/javascript"),
                         ("/console.css", "text/css")):
        reply = service.request("GET", target)
        assert reply.status == 200
        assert reply.headers["content-type"] == f"{kind}; charset=utf-8"
        assert reply.headers["x-content-type-options"] == "nosniff"
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy and "*" not in policy


def test_keyboard_and_labels(page):
    page.find("#sql").clear()
    page.find("#sql").send_keys("SELECT id FROM parquet_data ORDER BY id LIMIT 2",
                                Keys.CONTROL + Keys.ENTER)
    page.wait(lambda: len(texts(page)) == 2, "the rows of Ctrl+Enter")
    for source in ("parquet", "mysql"):
        choose(page, source)
        fields = page.find_all("main :is(input, select, textarea, button):not([hidden], [hidden] *)")
        assert len(fields) >= 11
        for field in fields:
            assert field.accessible_name.strip() != "", field.get_attribute("outerHTML")


# WCAG 2.2, 1.4.3: 4.5 to 1 for text. The nearest painted background counts.
CONTRAST = """
const parse = (text) => text.match(/[0-9.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const color = parse(getComputedStyle(node).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color;
  }
  return [255, 255, 255];
};
return [...document.querySelectorAll(arguments[0])].filter((node) => node.checkVisibility())
  .map((node) => {
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    return [node.outerHTML.slice(0, 80), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  });
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_looks(page, scheme):
    run(page, "SELECT id, name, CAST(NULL AS INT) AS n FROM parquet_data ORDER BY id LIMIT 2")
    page.wait(lambda: page.find_all("#queries li.succeeded"), "the query in the list")
    page.emulate(scheme)
    weak = [found for found in page.driver.execute_script(
        CONTRAST, "h1, h2, p, dt, dd, label span, a, th, td, .type, .state, #queries span,"
                  "button:enabled, .health span:last-child") if found[1] < 4.5]
    assert weak == []
    for width in (1280, 768, 390, 320):
        page.emulate(scheme, width=width)
        assert page.driver.execute_script(
            "return document.scrollingElement.scrollWidth") <= width


def test_what_the_service_says_when_it_is_gone(page, start_service, world):
    other = start_service()
    other.wait_listening()
    page.open(f"http://127.0.0.1:{other.port}/")
    page.wait(lambda: page.text("#health-text").startswith(("starting", "healthy")), "its health")
    run(page, "SELECT 1")  # starting, or ready by now
    other.terminate()
    wait_until(lambda: other.process.poll() is not None, 60, "its end")
    page.find("#run").click()
    wait_over(page)
    assert "can't be reached" in page.text("#problem p")
    page.messages()  # the browser says it too
