"""The faces of a page, in a browser: sorted, found by name, enlarged, and what failed."""
import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from output.page import FaceRow, Page
from tests.output.browsing import face, focus, press, resized, texts

pytestmark = pytest.mark.slow
HOSTILE = "<b onclick=alert(1)>.png"
SCORES = {HOSTILE: (20.0, 0.7), "B000574": (None, 1.0), "A000369": (25.0, 0.5), "C001070": (22.5, 0.6)}


@pytest.fixture
def rows():
    """Faces of 20 iterations, whose last picture is the result, one of which took 40."""
    made = []
    for index, (name, (psnr, ssim)) in enumerate(SCORES.items()):
        steps = {0: face(index, 0), 20: face(index, 1)} | ({40: face(index, 2)} if index == 3 else {})
        pictures = {"original": face(index, 7), "masked": face(index, 8), "completed": steps[max(steps)]}
        made.append(FaceRow(name, pictures, steps, {"completed": {"hole_psnr": psnr, "hole_ssim": ssim}}))
    return made


@pytest.fixture
def browser(browse, rows):
    return browse({"center": rows})


def sources(browser, where="#rows", column="completed"):
    return browser.execute_script("return [...document.querySelectorAll(arguments[0])].map(image => image.src)",
                                  f"{where} img[alt$='{column}']")


def close(browser):
    press(browser, Keys.ESCAPE)
    WebDriverWait(browser, 10).until(lambda _: browser.execute_script(
        "return document.activeElement.classList.contains('name')"))


@pytest.mark.parametrize("order, names", [
    ("as given", list(SCORES)), ("name", [HOSTILE, "A000369", "B000574", "C001070"]),
    ("PSNR, best first", ["A000369", "C001070", HOSTILE, "B000574"]),           # what has none comes last, either way
    ("PSNR, worst first", [HOSTILE, "C001070", "A000369", "B000574"]),
    ("SSIM, best first", ["B000574", HOSTILE, "C001070", "A000369"])])
def test_faces_are_sorted_by_name_and_score(browser, order, names):
    Select(browser.find_element(By.ID, "order")).select_by_visible_text(order)
    assert texts(browser, "article h3") == names


def test_scores_of_several_methods_are_told_apart(browse, rows):
    for row in rows:
        row.pictures["laplace"], row.scores["laplace"] = row.pictures["masked"], {"hole_psnr": 1.0, "hole_ssim": 0.1}
    options = texts(browse({"center": rows}), "#order option")
    assert {"completed: PSNR, best first", "laplace: SSIM, worst first"} < set(options) and len(options) == 2 + 8


def test_faces_are_found_by_a_part_of_their_name(browser):
    query = browser.find_element(By.ID, "query")
    query.send_keys("00")
    Select(browser.find_element(By.ID, "order")).select_by_visible_text("name")
    assert texts(browser, "article h3") == ["A000369", "B000574", "C001070"]
    query.send_keys("1")
    assert texts(browser, "article h3") == ["C001070"] and texts(browser, "#position") == ["1 of 1"]
    query.send_keys("x")
    assert texts(browser, "article h3") == [] and texts(browser, "#position") == ["none of 4"]
    query.clear()
    query.send_keys("ONCLICK")
    assert texts(browser, "article h3") == [HOSTILE] and not browser.find_elements(By.TAG_NAME, "b")


def test_a_click_or_enter_enlarges_a_face_and_arrows_lead_on(browser):
    browser.find_elements(By.CSS_SELECTOR, "article .pictures")[1].click()
    dialog = browser.find_element(By.TAG_NAME, "dialog")
    assert dialog.is_displayed() and texts(browser, "dialog h2") == ["B000574"]
    assert min(image.size["width"] for image in dialog.find_elements(By.TAG_NAME, "img")) > 300
    press(browser, Keys.ARROW_RIGHT * 2)
    assert (texts(browser, "dialog h2"), texts(browser, "#place")) == (["C001070"], ["4 of 4"])
    close(browser)
    assert browser.switch_to.active_element.text == "C001070"
    focus(browser, "h3 .name")
    press(browser, Keys.ENTER)
    assert texts(browser, "dialog h2") == [HOSTILE]
    press(browser, Keys.ARROW_LEFT)
    assert texts(browser, "dialog h2") == ["C001070"]
    close(browser)


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_a_face_that_gets_the_focus_is_clear_of_the_bar_on_top(browse, rows, width):
    browser = browse({"center": rows * 6, "half": rows})
    with resized(browser, width, 600):                                                # and the bar is measured
        browser.execute_script("document.querySelector('article:nth-child(5) .name').scrollIntoView();"
                               "window.scrollBy(0, document.querySelector('article:nth-child(5) .name')"
                               ".getBoundingClientRect().top)")                  # under the bar, and so in the window
        focus(browser, "article:nth-child(5) .name")
        top, bar = browser.execute_script("return ['article:nth-child(5) .name', '#tools'].map("
                                          "place => document.querySelector(place).getBoundingClientRect())")
        labelled = browser.execute_script("return [...document.querySelectorAll('select')].every(one => one.ariaLabel)")
    assert bar["top"] == 0 and top["top"] >= bar["bottom"] and labelled


def test_only_faces_that_are_found_are_led_through(browser):
    browser.find_element(By.ID, "query").send_keys("B000574")       # each letter draws the rows anew
    WebDriverWait(browser, 10).until(lambda _: browser.find_element(By.ID, "query").get_property("value") == "B000574")
    browser.find_element(By.CSS_SELECTOR, "h3 .name").click()
    assert not browser.find_element(By.ID, "leaf").is_displayed()
    close(browser)


def test_a_face_keeps_its_own_place_in_the_search_until_all_are_moved(browser):
    results = sources(browser)
    browser.find_elements(By.CSS_SELECTOR, "h3 .name")[2].click()
    focus(browser, "#stage input")
    press(browser, Keys.HOME)
    assert texts(browser, "#stage output") == ["iteration 0"]
    start, = sources(browser, "#stage")
    close(browser)
    assert sources(browser) == [*results[:2], start, results[3]] and texts(browser, "#iteration") == ["result"]
    browser.find_element(By.ID, "step").send_keys(Keys.HOME)
    starts = sources(browser)
    assert starts[2] == start and not set(starts) & set(results)
    browser.find_element(By.ID, "step").send_keys(Keys.END)
    assert sources(browser) == results


def test_no_two_places_of_the_slider_show_the_same(browse, rows):
    browser, shown = browse({"center": rows}), []
    browser.find_element(By.ID, "step").send_keys(Keys.HOME)
    for name in ("iteration 0", "iteration 20", "result"):
        assert texts(browser, "#iteration") == [name]
        shown.append(tuple(sources(browser)))
        browser.find_element(By.ID, "step").send_keys(Keys.ARROW_RIGHT)
    assert len(set(shown)) == 3 and shown[1][:3] == shown[2][:3]            # three were done at 20
    browse({"center": rows[:3]}).find_element(By.ID, "step").send_keys(Keys.ARROW_LEFT)
    assert texts(browser, "#iteration") == ["iteration 0"]


def test_without_scores_nothing_speaks_of_them(browse, rows):
    for row in rows:
        row.scores = {"completed": {"hole_psnr": None, "hole_ssim": None}}
    browser = browse({"own": rows})
    page = browser.find_element(By.TAG_NAME, "main")
    assert not re.search("PSNR|SSIM| dB", page.text) and texts(browser, "#order option") == ["as given", "name"]
    assert not browser.find_elements(By.CSS_SELECTOR, "#rows [title*=PSNR]")


def test_what_failed_is_named_with_its_reason_and_facts_stand_on_top(chromium, rows, tmp_path, monkeypatch):
    page = Page()
    page.add("center", rows[0])
    page.add_failure(HOSTILE, "not_an_image (none of BMP, GIF)")
    monkeypatch.setattr("sys.argv", ["face_completion.py", HOSTILE, "--quiet"])
    page.write(tmp_path / "page.html", "Faces", facts=[("Hole", "half"), ("Model", None)])
    chromium.get((tmp_path / "page.html").as_uri())
    hole, half, _, date, _, command = texts(chromium, "#facts > *")
    assert (hole, half, command) == ("Hole", "half", f"python face_completion.py '{HOSTILE}' --quiet")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", date) and chromium.title == f"Faces, {date}"
    assert texts(chromium, "#failures summary") == ["1 failed"]
    assert texts(chromium, "#failures dl *") == [HOSTILE, "not_an_image (none of BMP, GIF)"]
    assert chromium.find_element(By.CSS_SELECTOR, "#failures dd").is_displayed()
    assert not chromium.find_elements(By.TAG_NAME, "b")
