"""Whole photos on the page, in a browser."""
import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from output.page import FaceRow
from pictures.photo import read_photo
from tests.output.browsing import focus, press, resized

pytestmark = pytest.mark.slow
HOSTILE = "<img src=x onerror=alert(1)>"
NAMES = [HOSTILE, "A000369", "B000444", *map(str, range(24))]      # more than a page of rows


@pytest.fixture
def rows(samples):
    photo = read_photo(samples / "A000369.jpg").pixels
    crop = np.asarray(Image.fromarray(photo).resize((64, 64)))
    crops = {"original": crop, "masked": 255 - crop, "completed": crop // 2}
    return [FaceRow(name, crops, {0: crop // 3}, {}, photo=(photo, np.roll(photo, 40 + index, 0))) for index, name
            in enumerate(NAMES)]


@pytest.fixture
def browser(browse, rows):
    return browse({"own": rows})


def read(browser, script, *arguments):
    return browser.execute_script(f"return {script}", *arguments)


def share(browser, where="#rows"):
    """How much of the first photo's width shows what was given, in percent, as it is drawn."""
    return read(browser, """(figure => {
      const [, left] = getComputedStyle(figure.querySelector(".after")).clipPath.match(/([\\d.]+)%?\\)$/);
      const handle = figure.querySelector(".handle").getBoundingClientRect(), box = figure.getBoundingClientRect();
      const at = 100 * (handle.left + 1 - box.left) / box.width;
      return Math.abs(at - left) < 1 ? at : NaN;
    })(document.querySelector(`${arguments[0]} .comparison`))""", where)


def shares(browser):
    """Where the borders of all photos of the page are, in percent of their widths."""
    return [float(value) for value in read(browser, "[...document.querySelectorAll('#rows .comparison input')]"
                                                    ".map(slider => slider.value)")]


def wait(browser, condition):
    """A browser reports the end of a dialog a little later."""
    WebDriverWait(browser, 10).until(condition)


def is_open(browser):
    return read(browser, "document.querySelector('dialog').open")


def drag(browser, figure, to, kind="mouse"):
    """Drag from a fifth of a figure's width to `to` of it, by a pointer of a kind."""
    width, pointer = figure.size["width"], PointerInput(kind, kind)
    chain = ActionChains(browser, devices=[pointer])
    chain.move_to_element_with_offset(figure, round(-0.3 * width), 20).click_and_hold()
    chain.move_by_offset(round((to - 0.2) * width), 10).release().perform()


def shown_name(browser):
    return read(browser, "document.querySelector('dialog h2').textContent")


def test_a_photo_lies_beside_what_was_cut_out_of_it(browser):
    article = browser.find_element(By.CSS_SELECTOR, "article")
    assert article.find_element(By.TAG_NAME, "h3").text == HOSTILE
    photo, crop = (article.find_element(By.CSS_SELECTOR, selector).rect for selector in (".comparison", ".pictures"))
    assert photo["x"] + photo["width"] < crop["x"] and abs(photo["y"] - crop["y"]) < 2
    assert photo["width"] / photo["height"] == pytest.approx(410 / 500, rel=0.02)
    first, second = read(browser, "[...document.querySelector('.comparison').querySelectorAll('img')].map(i => i.src)")
    assert first != second and first.startswith("data:image/webp")
    assert browser.find_element(By.CSS_SELECTOR, "#tools h2").text == "Photos"
    assert not browser.find_elements(By.CSS_SELECTOR, "[onerror]")


def test_remarks_stand_above_the_photo_as_text(browse, rows):
    rows[0].remarks = (f"{HOSTILE}: its place is estimated", "1.0% of the hole lies outside the face")
    browser = browse({"own": rows[:2]})
    articles = browser.find_elements(By.TAG_NAME, "article")
    assert [remark.text for remark in articles[0].find_elements(By.TAG_NAME, "li")] == list(rows[0].remarks)
    heading, remarks, photo = (articles[0].find_element(By.CSS_SELECTOR, selector).rect
                               for selector in ("h3", ".remarks", ".comparison"))
    assert heading["y"] < remarks["y"] < remarks["y"] + remarks["height"] <= photo["y"]
    assert not articles[1].find_elements(By.TAG_NAME, "ul") and not browser.find_elements(By.CSS_SELECTOR, "[onerror]")


@pytest.mark.parametrize("kind", ["mouse", "touch"])
def test_a_drag_moves_the_border_and_enlarges_nothing(browser, kind):
    figure = browser.find_element(By.CSS_SELECTOR, ".comparison")
    assert share(browser) == pytest.approx(50, abs=0.5)
    drag(browser, figure, 0.75, kind)
    assert share(browser) == pytest.approx(75, abs=1) and not is_open(browser)
    assert read(browser, "document.querySelector('.comparison input').ariaValueText") == "before up to 75 %"
    drag(browser, figure, 1.2, kind)
    assert share(browser) == pytest.approx(100, abs=0.5)
    assert read(browser, "document.querySelectorAll('.comparison input')[1].value") == "50"


def test_the_keyboard_moves_the_border(browser):
    focus(browser, ".comparison input")
    press(browser, Keys.ARROW_LEFT * 10)
    assert share(browser) == pytest.approx(40, abs=0.5)
    press(browser, Keys.END)
    assert share(browser) == pytest.approx(100, abs=0.5)
    assert HOSTILE in read(browser, "document.activeElement.ariaLabel")


def test_a_click_enlarges_and_escape_leads_back(browser):
    browser.find_elements(By.CSS_SELECTOR, ".comparison")[1].click()
    assert is_open(browser) and shown_name(browser) == "A000369"
    assert read(browser, "document.querySelector('#place').textContent") == f"2 of {len(NAMES)}"
    large = browser.find_element(By.CSS_SELECTOR, "dialog .comparison")
    assert large.size["height"] > 600
    drag(browser, large, to=0.6)
    assert share(browser, "dialog") == pytest.approx(60, abs=1)
    press(browser, Keys.ESCAPE)
    wait(browser, lambda _: read(browser, "document.activeElement.textContent") == "A000369")
    assert not is_open(browser) and shares(browser)[:3] == pytest.approx([50, 60, 50], abs=1)


def test_enter_enlarges_and_arrows_lead_from_photo_to_photo(browser):
    focus(browser, ".comparison input")
    press(browser, Keys.ENTER)
    assert is_open(browser) and shown_name(browser) == HOSTILE
    press(browser, Keys.ARROW_RIGHT)
    assert shown_name(browser) == "A000369"
    press(browser, Keys.ARROW_LEFT * 2)
    assert shown_name(browser) == NAMES[-1]
    browser.find_element(By.ID, "onward").click()
    assert shown_name(browser) == HOSTILE
    focus(browser, "dialog input")
    press(browser, Keys.ARROW_RIGHT * 5)
    assert shown_name(browser) == HOSTILE and share(browser, "dialog") == pytest.approx(55, abs=0.5)
    browser.find_element(By.ID, "back").click()             # each photo keeps its own border
    assert shown_name(browser) == NAMES[-1] and share(browser, "dialog") == pytest.approx(50, abs=0.5)
    press(browser, Keys.ESCAPE)                             # to the page of rows that the last photo is on
    position = f"25–{len(NAMES)} of {len(NAMES)}"
    wait(browser, lambda _: read(browser, "document.querySelector('#position').textContent") == position)


def test_the_search_moves_in_every_face_of_a_photo(browse, rows):
    rows[0].further = [rows[1]]
    browser = browse({"own": rows[:1]})
    results = read(browser, "[...document.querySelectorAll('img[alt$=completed]')].map(image => image.src)")
    browser.find_element(By.ID, "step").send_keys(Keys.HOME)
    steps = read(browser, "[...document.querySelectorAll('img[alt$=completed]')].map(image => image.src)")
    assert len(results) == 2 and not set(results) & set(steps)
    browser.find_element(By.CSS_SELECTOR, ".comparison").click()
    assert not browser.find_element(By.ID, "leaf").is_displayed()


def test_print_has_both_beside_each_other(browser):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    before, after = (browser.find_element(By.CSS_SELECTOR, f".{side} img").rect for side in ("before", "after"))
    handle = browser.find_element(By.CSS_SELECTOR, ".handle").is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert before["x"] + before["width"] < after["x"] and before["y"] == after["y"] and not handle


@pytest.mark.parametrize("width", [360, 1280])
def test_photos_fit_the_window(browser, width):
    with resized(browser, width, 800):
        page = read(browser, "document.documentElement.scrollWidth")
        browser.find_element(By.CSS_SELECTOR, ".comparison").click()
        wait(browser, is_open)
        photo = read(browser, "document.querySelector('dialog .comparison').getBoundingClientRect()")
    assert page <= width and photo["x"] >= 0 and photo["x"] + photo["width"] <= width
    assert photo["y"] + photo["height"] <= 800
    assert photo["width"] / photo["height"] == pytest.approx(410 / 500, rel=0.02)       # not stretched
