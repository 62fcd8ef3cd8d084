"""Completions of several runs beside each other."""
import json

import numpy as np
import pytest

from helpers import BAD_OUTPUT, NO_INPUT, write_json, write_picture
from output import beside
from output.figures import CAPTION
from pictures.photo import read_photo


@pytest.fixture
def runs(tmp_path):
    """Folders of two runs, of 64 and of 128 pixels; every picture of a face has one grey, which says what it is."""
    for folder, side, names, grey in (("small", 64, "abc", 40), ("large", 128, "bcd", 200)):
        for index, name in enumerate(names):
            files = {"original.png": 0, "masked.png": 0, "completed.png": 0}
            for offset, file in enumerate(files):
                write_picture(tmp_path / folder / name / file, np.full((side, side, 3), grey + offset, np.uint8))
            with open(tmp_path / folder / "results.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, "status": "done", "hole_psnr": 20 + index, "files": files}) + "\n")
    return tmp_path


def test_the_faces_that_all_have_come_with_what_each_made_of_them(runs, run):
    ended = run(beside.main, runs / "both.png", runs / "small", runs / "large")
    assert not ended.code and "2 faces" in ended.out
    sheet = read_photo(runs / "both.png").pixels
    assert sheet.shape == (2 * (128 + CAPTION), 4 * 128, 3)
    np.testing.assert_array_equal(sheet[64, 64::128, 0], [200, 201, 42, 202])


def test_fewer_faces_are_taken_from_all_over(runs, run):
    assert not run(beside.main, runs / "both.png", runs / "small", "--count", 1).code
    side = beside.caption_width("20.0 dB, small")
    assert side > 64 and read_photo(runs / "both.png").pixels.shape == (side + CAPTION, 3 * side, 3)


def test_a_caption_says_whose_answer_it_is_and_how_good_and_is_not_cut(runs):
    (_, _, (picture, text)) = beside.draw_row("c", [(runs / "small", beside.read_folder(runs / "small"))])
    assert text == "22.0 dB, small" and len(picture) == 64
    shown = beside.caption(picture, text, beside.caption_width(text) + 4)[-CAPTION:]
    assert (shown[:, :64] < 128).any() and (shown[:, 64:100] < 128).any() and (shown[:, -4:] == 255).all()


def test_what_holds_no_completed_face_is_refused_in_a_line(runs, run):
    write_json(runs / "other" / "config.json", {})
    for folders in ([runs / "small", runs / "other"], [runs / "nowhere"]):
        ended = run(beside.main, runs / "both.png", *folders)
        assert ended.code == NO_INPUT and str(folders[-1]) in ended.err and len(ended.err.splitlines()) == 1
    assert not (runs / "both.png").exists()


def test_a_broken_picture_is_named(runs, run):
    (runs / "large" / "b" / "masked.png").write_bytes(b"no picture")
    ended = run(beside.main, runs / "both.png", runs / "small", runs / "large")
    assert ended.code == BAD_OUTPUT and "masked.png" in ended.err and not (runs / "both.png").exists()


def test_another_format_than_png_is_refused(runs, run):
    assert "both.jpg.png" in run(beside.main, runs / "both.jpg", runs / "small").err
