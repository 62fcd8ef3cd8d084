"""The shipped curves in TensorBoard, in a browser: they are found by the names that the report gives them."""
import contextlib
import json
import urllib.request
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.slow
LOGS = Path(__file__).parents[2] / "logs"


@pytest.fixture(scope="module")
def board():
    """The address of a TensorBoard on the shipped logs, which has read them."""
    program = pytest.importorskip("tensorboard.program")
    server = program.TensorBoard()
    server.configure(logdir=str(LOGS), port=0, load_fast="false")
    address = server.launch()

    def tags(_):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}data/plugin/scalars/tags") as answer:
            return json.load(answer)
    WebDriverWait(None, 120).until(tags)
    return address


@pytest.mark.parametrize("name", ["d_loss", "g_loss"])
def test_the_losses_are_found_by_their_own_names(chromium, board, name):
    chromium.get(f"{board}?tagFilter={name}#timeseries")
    shown = WebDriverWait(chromium, 120).until(lambda _: chromium.execute_script(
        "return [...document.querySelectorAll('metrics-filtered-view card-view')].map(card => card.innerText)"))
    assert chromium.find_element(By.CSS_SELECTOR, "input[placeholder^='Filter tags']").get_attribute("value") == name
    assert ["".join(card.split()[:2]) for card in shown] == [f"loss/{name}"]
