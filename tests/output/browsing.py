"""What the tests of pages share: small faces, and ways to read a page and to move in it."""
import contextlib
import json
import re

import numpy as np
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait


def face(*seed):
    """(16, 16, 3) uint8, smooth, unlike that of any other seed."""
    corners = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(corners).resize((16, 16)))


def read_data(path):
    """The record that a page carries."""
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text(), re.DOTALL)[1])


def texts(browser, selector):
    return browser.execute_script("return [...document.querySelectorAll(arguments[0])].map(node => node.textContent)",
                                  selector)


@contextlib.contextmanager
def resized(browser, width, height):
    """Give the window another size for a while, and wait until the page is drawn in it: until then a click may miss."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
    try:
        WebDriverWait(browser, 60).until(lambda _: browser.execute_script("return innerWidth") == width)
        browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def press(browser, *keys):
    ActionChains(browser).send_keys(*keys).perform()


def focus(browser, selector):
    browser.execute_script("document.querySelector(arguments[0]).focus()", selector)
