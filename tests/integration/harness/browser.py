"""Headless Chromium on the console page."""

import shutil
import tempfile

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = "/usr/bin/chromium"
CHROMEDRIVER = "/usr/bin/chromedriver"
WAIT_SECONDS = 30

# Without these Chromium looks for its maker's hosts at every start.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-quic", "--no-first-run", "--no-default-browser-check")


class Browser:
    """One window; a folder of its own, gone afterwards."""

    def __init__(self, width=1280, height=900):
        self.profile = tempfile.mkdtemp(prefix="spark-service-chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     f"--user-data-dir={self.profile}", f"--window-size={width},{height}", *QUIET):
            options.add_argument(flag)
        try:
            self.driver = webdriver.Chrome(
                options=options, service=webdriver.ChromeService(executable_path=CHROMEDRIVER))
        except BaseException:
            shutil.rmtree(self.profile, ignore_errors=True)
            raise

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, url):
        self.driver.get(url)

    def emulate(self, scheme="light", width=1280, height=900):
        """A window of that size, in light or dark."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, condition, what):
        return WebDriverWait(self.driver, WAIT_SECONDS, poll_frequency=0.05).until(
            lambda _: condition(), f"waited in vain for {what}")

    def fill(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def text(self, selector):
        """As it is in the document, whatever the style shows of it."""
        return self.find(selector).get_property("textContent")

    def messages(self):
        """What the browser complained about since the last call, but for statuses of answers."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["source"] != "network"]
