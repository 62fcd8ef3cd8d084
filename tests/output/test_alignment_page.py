"""The page of an alignment: what was rejected and the worst of the rest, in a browser."""
import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from helpers import write_picture
from output import alignment_page
from output.alignment_page import write_alignment_page
from preprocess import align_dlib


def records(tmp_path):
    """Ten crops, each worse than the one before, one of version 0.1, and rejects of two kinds, of one too many."""
    for number in range(10):
        grey = np.full((16, 16, 3), 20 * number, np.uint8)
        write_picture(tmp_path / f"photo{number}.png", np.tile(grey, (20, 10, 1)))
        write_picture(tmp_path / f"crop{number}.png", grey)
        yield {"source": str(tmp_path / f"photo{number}.png"), "status": "done", "output": f"crop{number}.png",
               "shear": number / 10, "sharpness": 100 - number, "scale": 1 + number}
    yield {"source": str(tmp_path / "photo0.png"), "status": "done", "output": "crop0.png"}
    for number, reason in enumerate(["no_face"] * 6 + ["truncated"]):
        yield {"source": f"{tmp_path}/<b>lost{number}.png", "status": "failed", "reason": reason, "detail": "why"}


@pytest.mark.slow
def test_rejects_come_first_and_the_worst_crops_in_order(chromium, tmp_path, monkeypatch):
    monkeypatch.setattr(alignment_page, "EACH", 5)
    write_alignment_page(tmp_path / align_dlib.PAGE, (tmp_path, tmp_path), records(tmp_path), {"crops": "64"})
    chromium.get((tmp_path / align_dlib.PAGE).as_uri())
    assert chromium.title.startswith("Aligned faces: 11 of 18 photos, ")
    choice = Select(chromium.find_element(By.CSS_SELECTOR, "#faces select"))
    assert chromium.find_element(By.CSS_SELECTOR, "#faces .word").text == "Photos"
    assert [option.text for option in choice.options] == ["no_face (5 of 6)", "truncated (1)", *alignment_page.WORST]
    assert min(card.size["width"] for card in chromium.find_elements(By.TAG_NAME, "article")) >= 198
    for group in alignment_page.WORST:
        choice.select_by_visible_text(group)
        cards = chromium.find_elements(By.TAG_NAME, "article")
        assert [card.text.split(".png")[0][-1] for card in cards] == ["9", "8", "7", "6", "5"]
        assert all(len(card.find_elements(By.TAG_NAME, "img")) == 2 for card in cards)
    assert not chromium.find_elements(By.TAG_NAME, "b")
    assert not [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
