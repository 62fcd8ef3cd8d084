"""What the tests of the page share: a writer of pages and a browser to open them in."""
import os
import shutil

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.chrome.service import Service

from output.page import Page


@pytest.fixture
def write_report():
    """Write a page: write_report(path, title, {mask: FaceRows}, summary=...)."""
    def call(path, title, groups, **options):
        page = Page()
        for mask, rows in groups.items():
            for row in rows:
                page.add(mask, row)
        page.write(path, title, **options)
    return call


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium, one for all tests."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and driver):
        pytest.skip("needs a browser: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    root = ["--no-sandbox"] if os.geteuid() == 0 else []                        # Chromium's sandbox refuses root
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900", *root):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def browse(chromium, write_report, tmp_path):
    """Write a page and open it: browse(groups, title, summary=...) -> browser. The page must have kept quiet."""
    def call(groups, title="Faces", **options):
        write_report(tmp_path / "page.html", title, groups, **options)
        chromium.get((tmp_path / "page.html").as_uri())
        return chromium
    yield call
    with pytest.raises(NoAlertPresentException):
        chromium.switch_to.alert.dismiss()
    assert not [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
