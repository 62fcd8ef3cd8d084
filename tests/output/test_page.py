import base64
import io
import json
import os
import re

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from helpers import UsageError
from output.page import FaceRow, read_template
from pictures.photo import read_photo
from tests.output.browsing import face, read_data, resized, texts

HOSTILE = "<img src=x onerror=alert(1)>.png"
NOT_UTF8 = os.fsdecode(b"\xff.png")
BREAKING = "</script><script>alert(2)</script><!--\u2028\u2029&quot;{{data}}"
METHODS = ["latent", "laplace", HOSTILE]
ROWS, STEPS = 30, (0, 50, 100)


def make_rows(first):
    """Rows whose pictures all differ, but for the original ones, which are the same in every group."""
    for index in range(ROWS):
        pictures = {"original": face(index), "masked": face(first, index)}
        pictures |= {method: face(first, index, place) for place, method in enumerate(METHODS, 1)}
        scores = {method: {"hole_psnr": 20 + index / 8, "hole_ssim": 0.5} for method in METHODS}
        yield FaceRow({0: HOSTILE, 1: NOT_UTF8}.get(index, f"face {first} {index}.png"), pictures,
                      {step: face(first, index, 1000 + step) for step in STEPS}, scores, "best" if index < 3 else "")


SUMMARY = [{"mask": mask, "method": method, "n": np.int64(30), "best": ["hole_psnr"] if method == "laplace" else [],
            "metrics": {"hole_psnr": (psnr + shift, psnr - 0.5, psnr + 10.5), "identity": (psnr / 50, None, None),
                        "seconds": seconds}}
           for mask, shift in (("center", 0), ("half", 10))
           for method, psnr, seconds in zip(METHODS, (9.5, 20, 15), ((3, 2, 4), None, (1.5, 1, float("nan"))))]


def test_a_page_needs_nothing_from_elsewhere(write_report, tmp_path):
    write_report(tmp_path / "page.html", "A title", {"center": [FaceRow("a", {"original": face(0)}, {}, {})]})
    text = (tmp_path / "page.html").read_text()
    assert not re.search(r"https?:|@import|url\(|<link|<iframe", text)
    assert not re.search(r"\b(src|href)=(?![\"']?data:)", text)
    assert "default-src 'none'" in text


@pytest.mark.parametrize("text", [HOSTILE, BREAKING, NOT_UTF8])
@pytest.mark.fault("F53", "completion", "evaluation")
def test_no_text_leaves_the_data(write_report, tmp_path, text):
    rows = [FaceRow(text, {text: face(0)}, {}, {text: {text: 1.0}}, text)]
    summary = [{"mask": text, "method": text, "n": 1, "metrics": {text: None}}]
    write_report(tmp_path / "page.html", text, {text: rows}, summary=summary, settings={text: [text]})
    page = (tmp_path / "page.html").read_bytes()
    before, after = (part.encode() for part in read_template())
    assert page.startswith(before) and page.endswith(after)
    data = page[len(before):-len(after)]
    assert data.isascii() and b"<" not in data
    record, text = json.loads(data), text.replace("\udcff", "\ufffd")
    assert record["title"].startswith(f"{text}, ") and record["settings"] == {text: [text]}
    assert record["groups"][0]["rows"][0]["name"] == text


def test_pictures_are_small_and_true(write_report, tmp_path, openface):
    faces = [read_photo(path).pixels for path in sorted(openface.glob("*.png"))[:12]]
    rows = [FaceRow(str(index), {"original": pixels}, {}, {}) for index, pixels in enumerate(faces)]
    write_report(tmp_path / "page.html", "", {"center": rows})
    data = read_data(tmp_path / "page.html")
    for pixels, picture in zip(faces, data["pictures"]):
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB"))
        assert ((shown - pixels.astype(float)) ** 2).mean() < 65                # above 30 dB
    size = (tmp_path / "page.html").stat().st_size - len("".join(read_template()))
    assert size / len(faces) < 2500                                             # 300 faces x 12: below 9 MB


def test_equal_pictures_are_stored_once(write_report, tmp_path):
    write_report(tmp_path / "page.html", "", {"center": make_rows(1000), "half": make_rows(9000)})
    data = read_data(tmp_path / "page.html")
    assert len(data["pictures"]) == ROWS * (1 + 2 * (1 + len(METHODS) + len(STEPS)))
    first, second = (group["rows"][7] for group in data["groups"])
    assert first["pictures"]["original"] == second["pictures"]["original"]
    assert [step for step, _ in first["steps"]] == list(STEPS)


def test_whole_photos_are_small_and_equal_ones_stored_once(write_report, tmp_path, samples):
    photo = read_photo(samples / "A000369.jpg").pixels
    large = np.asarray(Image.fromarray(photo).resize((1024, 768)))
    rows = [FaceRow("a", {}, {}, {}, photo=(photo, photo)), FaceRow("b", {}, {}, {}, photo=(large, large[:, ::-1]))]
    write_report(tmp_path / "page.html", "", {"own": rows})
    data = read_data(tmp_path / "page.html")
    first, second = (row["photo"] for row in data["groups"][0]["rows"])
    assert first == {"places": [0, 0], "width": 409, "height": 500}
    assert second == {"places": [1, 2], "width": 640, "height": 480}
    for picture, like in zip(data["pictures"], (photo, Image.fromarray(large).resize((640, 480)))):
        content = base64.b64decode(picture)
        shown = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        assert len(content) < 60_000 and ((shown - np.asarray(like, float)) ** 2).mean() < 65


def test_numbers_of_numpy_are_written_and_those_that_are_not_finite_are_absent(write_report, tmp_path):
    summary = [{"mask": "center", "method": "latent", "n": np.int64(3),
                "metrics": {"hole_psnr": np.array([np.inf, 1, 2]), "l1": (np.float32(0.5), float("nan"), None)}}]
    write_report(tmp_path / "page.html", "", {}, summary=summary, settings={"path": tmp_path})
    data = read_data(tmp_path / "page.html")
    assert data["summary"][0]["metrics"] == {"hole_psnr": [None, 1, 2], "l1": [0.5, None, None]}
    assert (data["summary"][0]["n"], data["settings"]) == (3, {"path": str(tmp_path)})


def test_a_page_is_whole_or_absent(write_report, tmp_path):
    def broken():
        yield FaceRow("a", {"original": face(0)}, {}, {})
        raise MemoryError
    (tmp_path / "page.html").write_text("the old one")
    (tmp_path / "folder").mkdir()
    with pytest.raises(MemoryError):
        write_report(tmp_path / "page.html", "", {"center": broken()})
    with pytest.raises(UsageError, match="cannot write"):
        write_report(tmp_path / "folder", "", {})
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "page.html"]
    assert (tmp_path / "page.html").read_text() == "the old one"


def luminance(colour):
    """Of "#rgb" or "#rrggbb", as WCAG 2.2 has it."""
    digits = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
    shares = np.array([int(digits[place:place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page_in_both_schemes(scheme):
    before, _, after = read_template()[0].partition("@media (prefers-color-scheme: dark)")
    found = re.findall(r"--(\w+): (#\w+);", before if scheme == "light" else after.partition("}")[0])
    colours = {name: luminance(colour) for name, colour in found}
    for text in ("ink", "muted", "accent", "bad"):
        for ground in ("paper", "raised"):
            low, high = sorted((colours[text], colours[ground]))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)


@pytest.fixture
def browser(browse):
    """The page of a full evaluation."""
    return browse({"center": make_rows(1000), "half": make_rows(9000)}, title=BREAKING, summary=SUMMARY,
                  settings={HOSTILE: BREAKING})


def click(browser, selector):
    browser.find_element(By.CSS_SELECTOR, selector).click()


def choose(browser, metric):
    """Show the column of a metric, or hide it."""
    browser.execute_script("document.querySelector('#choice').open = true")
    click(browser, f"#choice input[value={metric}]")


def sources(browser, column):
    """The pictures of a column, from the first row shown to the last."""
    return browser.execute_script("return [...document.querySelectorAll(arguments[0])].map(image => image.src)",
                                  f"img[alt$=', {column}']")


@pytest.mark.slow
@pytest.mark.fault("F53", "completion", "evaluation")
def test_text_that_looks_like_markup_is_shown_as_text(browser):
    assert texts(browser, "article h3")[:3] == [f"{HOSTILE}best", "\ufffd.pngbest", "face 1000 2.pngbest"]
    assert texts(browser, "td.method") == METHODS
    assert "<script>alert(2)</script>" in browser.title
    assert "<script>alert(2)</script>" in browser.find_element(By.TAG_NAME, "h1").text
    assert not browser.find_elements(By.CSS_SELECTOR, "[onerror]")
    assert browser.execute_script("return performance.getEntriesByType('resource')"
                                  ".every(entry => entry.name.startsWith('data:'))")


@pytest.mark.slow
def test_a_click_on_a_heading_sorts_table_and_plots(browser):
    latent, laplace, other = METHODS
    for column, orders in {"hole_psnr": [[laplace, other, latent], [latent, other, laplace]],
                           "identity": [[latent, other, laplace], [laplace, other, latent]],
                           "seconds": [[other, latent, laplace], [latent, other, laplace]],     # the unknown comes last
                           "method": [[other, laplace, latent]]}.items():
        for order in orders:
            if column == "seconds" and not texts(browser, "th.seconds"):
                choose(browser, column)
            click(browser, f"th.{column} button")
            assert texts(browser, "td.method") == order
    assert texts(browser, "#plots figure:first-child .name") == [f"{other[:25]}…", laplace, latent]
    sorts = [header.get_attribute("aria-sort") for header in browser.find_elements(By.CSS_SELECTOR, "th")]
    assert sorts == ["ascending", "none", "none", "none", "none"]
    browser.switch_to.active_element.send_keys(Keys.ENTER)                      # the heading keeps the focus
    assert texts(browser, "td.method") == [latent, laplace, other]


@pytest.mark.slow
def test_a_metric_is_plotted_with_its_interval_and_direction(browser):
    choose(browser, "seconds")
    assert texts(browser, "#plots figcaption") == ["hole PSNR\u00a0↑", "identity\u00a0↓", "seconds\u00a0↓"]
    words = [svg.get_attribute("aria-label") for svg in browser.find_elements(By.CSS_SELECTOR, "#plots svg")]
    assert words == ["hole PSNR, dB, higher is better", "identity, lower is better", "seconds, s, lower is better"]
    places = browser.execute_script("return [...document.querySelectorAll('#plots figure:first-child circle')]"
                                    ".map(dot => dot.cx.baseVal.value)")
    assert places[0] < places[2] < places[1]                                    # 9.5 < 15 < 20
    for index, whiskers in enumerate((3, 0, 1), 1):
        assert len(texts(browser, f"#plots figure:nth-child({index}) .whisker")) == whiskers
    assert texts(browser, ".best") == ["20.0"]


@pytest.mark.slow
def test_plots_have_several_ticks_and_nothing_of_them_is_cut_off(browser):
    choose(browser, "seconds")
    for plot in browser.find_elements(By.CSS_SELECTOR, "#plots svg"):
        frame = plot.rect
        assert len([tick for tick in plot.find_elements(By.CSS_SELECTOR, ".tick") if tick.text]) >= 2
        for part in plot.find_elements(By.CSS_SELECTOR, "text, circle, line"):
            assert frame["x"] - 1 <= part.rect["x"]
            assert part.rect["x"] + part.rect["width"] <= frame["x"] + frame["width"] + 1
    count = browser.execute_script("return [[0, 1], [19.2, 22.7], [-4.6, 0.1], [0.000079, 0.0032], [97, 103]]"
                                   ".map(([low, high]) => ticks(low, high).length)")
    assert all(3 <= number <= 8 for number in count)


@pytest.mark.slow
def test_the_reader_chooses_the_columns(browser):
    shown = ["method", "n", "hole PSNR\u00a0↑", "identity\u00a0↓"]
    assert texts(browser, "th") == shown and texts(browser, "#choice summary") == ["Columns: 2 of 3"]
    choose(browser, "seconds")
    assert texts(browser, "th") == [*shown, "seconds\u00a0↓"]
    choose(browser, "hole_psnr")
    assert texts(browser, "th") == ["method", "n", "identity\u00a0↓", "seconds\u00a0↓"]
    assert not browser.find_element(By.ID, "warning").is_displayed()
    everything = browser.find_element(By.CSS_SELECTOR, "#choice input")
    everything.send_keys(Keys.SPACE)
    assert texts(browser, "#choice summary") == ["Columns: 3 of 3"]
    everything.send_keys(Keys.SPACE)
    assert texts(browser, "th") == shown


@pytest.mark.slow
def test_distances_of_few_faces_come_with_a_warning(browse):
    row = {"mask": "center", "method": "latent", "n": 3, "metrics": {"face_frechet": (0.1, None, None)}}
    browser = browse({}, summary=[row], warning="of few faces")
    assert browser.find_element(By.ID, "warning").text == "of few faces"


@pytest.mark.slow
def test_the_mask_chosen_governs_table_plots_and_faces(browser):
    masked, original = sources(browser, "masked"), sources(browser, "original")
    Select(browser.find_element(By.CSS_SELECTOR, "#results select")).select_by_value("half")
    assert texts(browser, "td.hole_psnr span")[0] == "19.5"
    assert not set(masked) & set(sources(browser, "masked")) and original == sources(browser, "original")
    assert texts(browser, "article h3")[2].startswith("face 9000 2.png")
    assert Select(browser.find_element(By.CSS_SELECTOR, "#tools select")).first_selected_option.text == "half"
    click(browser, "#all input")
    assert texts(browser, "td.mask") == ["center"] * 3 + ["half"] * 3


@pytest.mark.slow
def test_rows_are_turned_over_page_by_page(browser):
    assert texts(browser, "#position") == ["1–24 of 30"] and len(texts(browser, "article")) == 24
    click(browser, "#next")
    assert texts(browser, "#position") == ["25–30 of 30"]
    assert texts(browser, "article h3") == [f"face 1000 {index}.png" for index in range(24, 30)]
    assert texts(browser, ".score")[2] == "23.0 dB · 0.500"
    assert not browser.find_element(By.ID, "next").is_enabled()
    click(browser, "#previous")
    assert texts(browser, "#position") == ["1–24 of 30"]


@pytest.mark.slow
def test_the_slider_leads_every_row_through_its_search(browser):
    results, laplace = sources(browser, "latent"), sources(browser, "laplace")
    assert texts(browser, "#iteration") == ["result"]
    slider = browser.find_element(By.ID, "step")
    slider.send_keys(Keys.ARROW_LEFT)
    assert texts(browser, "#iteration") == ["iteration 100"]
    last = sources(browser, "latent")
    slider.send_keys(Keys.HOME)
    assert texts(browser, "#iteration") == ["iteration 0"]
    assert all(len(set(versions)) == 3 for versions in zip(results, last, sources(browser, "latent")))
    assert sources(browser, "laplace") == laplace
    click(browser, "#play")
    WebDriverWait(browser, 10).until(lambda _: texts(browser, "#iteration") == ["result"])
    assert sources(browser, "latent") == results and texts(browser, "#play") == ["Play"]


@pytest.mark.slow
def test_the_page_of_completed_faces_has_neither_table_nor_plots(browse):
    rows = [FaceRow("a.png", {"original": face(0), "masked": face(1), "completed": face(2)}, {0: face(3)}, {}),
            FaceRow("b.png", {"original": face(4), "masked": face(5)}, {}, {})]
    browser = browse({"center": rows})
    assert not browser.find_element(By.ID, "results").is_displayed()
    assert not browser.find_element(By.ID, "legend").is_displayed()
    before = sources(browser, "completed")
    browser.find_element(By.ID, "step").send_keys(Keys.HOME)
    assert len(before) == 1 and sources(browser, "completed") != before
    assert texts(browser, "figcaption") == ["original", "masked", "completed"] * 2


def test_an_option_stands_on_one_line_and_a_long_path_is_broken(browse):
    words = [*[f"--an-option-{index:04}" for index in range(30)], "/a-path" * 40, "plain"]
    browser = browse({"center": [FaceRow("a", {"original": face(0)}, {}, {})]},
                     facts=[("Words", " ".join(words)), ("Failed", "1")])
    assert texts(browser, "#facts dd")[:2] == [" ".join(words), "1"]
    with resized(browser, 500, 900):
        spans = browser.find_elements(By.CSS_SELECTOR, "#facts dd span")[:31]
        assert {span.size["height"] for span in spans[:-1]} == {21} and spans[-1].size["height"] > 21
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 500


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1280])
def test_a_page_fits_the_window(browser, width):
    with resized(browser, width, 900):
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        picture = browser.find_element(By.CSS_SELECTOR, "article img").size
    assert 96 <= picture["width"] <= 128 and picture["height"] == picture["width"]
