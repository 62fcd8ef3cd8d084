"""The page of a data set, in a browser."""
import re

import numpy as np
import pytest
from selenium.webdriver.common.by import By

from helpers import write_picture
from output.dataset_page import write_dataset_page


@pytest.mark.slow
def test_the_sides_the_histograms_and_the_duplicates_are_shown(chromium, tmp_path):
    rng, paths = np.random.default_rng(0), []
    for number in range(6):
        paths.append(tmp_path / f"face {number}.png")
        write_picture(paths[-1], rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    write_dataset_page(tmp_path / "dataset.html", {"train": paths[:4], "validation": paths[4:], "test": []},
                       [(paths[0], paths[1], 7)], {"seed": 0})
    chromium.get((tmp_path / "dataset.html").as_uri())
    assert chromium.title.startswith("Data set: 4 train, 2 validation, 0 test, ")
    figures = chromium.find_elements(By.CSS_SELECTOR, "#figures figure")
    assert [figure.text.split(":")[0] for figure in figures[:2]] == ["train", "validation"] and len(figures) == 3
    widths = chromium.execute_script("return [...document.querySelectorAll('#figures img')].map(i => i.naturalWidth)")
    assert widths[:2] == [12 * 64] * 2 and widths[2] > 700
    [card] = chromium.find_elements(By.TAG_NAME, "article")
    assert "face 0.png" in card.text and "7 bits" in card.text and len(card.find_elements(By.TAG_NAME, "img")) == 2
    assert not [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_side_of_one_face_has_no_mean(tmp_path):
    for name in "abc":
        write_picture(tmp_path / f"{name}.png", np.zeros((64, 64, 3), np.uint8))
    write_dataset_page(tmp_path / "dataset.html", {"train": [tmp_path / "a.png", tmp_path / "b.png"],
                                                   "test": [tmp_path / "c.png"]}, [], {})
    assert re.findall('"((?:train|test): .*?)"', (tmp_path / "dataset.html").read_text()) == [
        "train: 2 faces; the first is their mean", "test: 1 face"]
