"""The sheets and the page of whole photos."""
import json

import numpy as np
import pytest
from PIL import Image

from helpers import BadPhoto, Stopped, UsageError, file_crc32, write_picture
from output import overview
from output.figures import fit, pair
from output.overview import Overview
from pictures.photo import read_photo
from tests.output.browsing import read_data

CROPS = "original.png", "masked.png", "0000.png", "completed.png"
SETTINGS = {"mask": ["holes", None], "method": "latent", "checkpoint": "checkpoint/celeba64"}


def crop(*seed):
    return np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)


@pytest.fixture
def add(samples, tmp_path):
    """Complete a photo as the writer does: add(overview or None, name, faces=2) -> record."""
    photo = fit(read_photo(samples / "A000369.jpg").pixels, 100)

    def call(shown, name, number, faces=1):
        pictures = {"before.jpg": photo, "after.jpg": photo[::-1]}
        for face in range(1, faces + 1):
            place = f"face_{face}/" if face > 1 else ""
            pictures |= {place + file: crop(number, face, column) for column, file in enumerate(CROPS)}
        for file, picture in pictures.items():
            path = tmp_path / name / file
            write_picture(path, picture)
            if path.suffix == ".jpg":
                Image.fromarray(picture).save(path)
        record = {"name": name, "files": dict.fromkeys([*pictures, "mask.png", "restored.png"], 1), "seed": 1,
                  "notes": [f"a remark on {name}"]}
        if faces > 1:
            record["further_faces"] = [{"name": f"{name}/face_2", "hole_psnr": 20.0, "hole_ssim": 0.5, "budget": [1]}]
        if shown:
            shown.add(record, pictures)
        return record
    return call


def read_rows(folder):
    data = read_data(folder / "report.html")
    return data["title"], data["groups"][0]["rows"]


def sheets(folder):
    return {path.name for path in (folder / "grids").glob("*.png")}


def complete(add, folder, count, faces=1):
    names = [f"photo{index}" for index in range(count)]
    shown = Overview(folder, names, SETTINGS, {})
    records = {name: add(shown, name, index, faces) for index, name in enumerate(names)}
    shown.finish(lambda: None)
    return names, records


def test_photos_stand_in_pairs_on_sheets_of_their_own(add, tmp_path, samples, monkeypatch):
    monkeypatch.setattr(overview, "SHEET_FACES", 8)
    monkeypatch.setattr(overview, "SHEET_PHOTOS", 4)
    monkeypatch.setattr(overview, "PAIRS_A_ROW", 2)
    complete(add, tmp_path, 9)
    assert {name for name in sheets(tmp_path) if "photos" in name} == {f"photos_{place:03d}.png" for place in range(3)}
    first, last = (read_photo(tmp_path / f"grids/photos_{place:03d}.png").pixels for place in (0, 2))
    height, width = pair(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9, 3), np.uint8), 256).shape[:2]
    assert first.shape == (2 * height, 2 * width, 3) and last.shape == (height, 2 * width, 3)
    photo = fit(fit(read_photo(samples / "A000369.jpg").pixels, 100), 256)
    before = first[height:height + 256, width + 256 - photo.shape[1]:width + 256]
    assert np.abs(before - photo.astype(float)).mean() < 4
    assert len(read_photo(tmp_path / "grids/original_001.png").pixels) == 16


def test_the_sheets_and_the_page_hold_every_face_of_a_photo(add, tmp_path):
    complete(add, tmp_path, 2, faces=2)
    for column, file in enumerate(CROPS):
        sheet = read_photo(tmp_path / "grids" / file.replace(".png", "_000.png")).pixels
        tiles = [crop(number, face, column) for number in (0, 1) for face in (1, 2)]
        np.testing.assert_array_equal(sheet[:, :64], np.concatenate(tiles, axis=1))
    _, rows = read_rows(tmp_path)
    assert [row["name"] for row in rows] == ["photo0", "photo1"] and [len(row["further"]) for row in rows] == [1, 1]
    further = rows[0]["further"][0]
    assert [row["remarks"] for row in rows] == [["a remark on photo0"], ["a remark on photo1"]]
    assert not further["remarks"]
    assert further["scores"]["completed"] == {"hole_psnr": 20.0, "hole_ssim": 0.5} and further["photo"] is None
    assert set(further["pictures"]) == {"original", "masked", "completed"} and further["steps"][0][0] == 0
    assert rows[0]["photo"]["width"] == 82 and len(set(rows[0]["photo"]["places"])) == 2


def test_what_is_stopped_leaves_a_page_of_what_is_there_and_of_what_was_refused(add, tmp_path):
    with pytest.raises(Stopped), Overview(tmp_path, ["a", "b", "c"], SETTINGS, {}) as shown:
        shown.fail("torn.png", "b", BadPhoto("truncated"))
        add(shown, "c", 0)
        raise Stopped(130)
    assert [row["name"] for row in read_rows(tmp_path)[1]] == ["c"]
    page = (tmp_path / "report.html").read_text()
    assert "torn.png" in page and "1 input to do" in page


def test_what_is_stopped_before_anything_came_of_it_leaves_no_page_and_an_error_none_either(tmp_path):
    for error in (Stopped(130), UsageError("the disk is full")):
        with pytest.raises(type(error)), Overview(tmp_path, ["a"], SETTINGS, {}) as shown:
            if isinstance(error, UsageError):
                shown.fail("torn.png", "a", BadPhoto("truncated"))
            raise error
        assert not (tmp_path / "report.html").exists()


def test_photos_done_before_show_the_same(add, tmp_path):
    names, records = complete(add, tmp_path, 3, faces=2)
    before = (tmp_path / "report.html").read_bytes()
    stamp = (tmp_path / "report.html").stat().st_mtime_ns
    Overview(tmp_path, names, SETTINGS, records).finish(lambda: None)
    assert (tmp_path / "report.html").stat().st_mtime_ns == stamp                   # nothing is written twice
    (tmp_path / "report.html").unlink()
    Overview(tmp_path, names, SETTINGS, records).finish(lambda: None)
    assert (tmp_path / "report.html").read_bytes() == before


def test_the_same_faces_completed_anew_are_shown_anew(add, tmp_path):
    complete(add, tmp_path, 2)
    (tmp_path / "report.html").write_text("of the code before")
    shown = json.loads((tmp_path / "grids/shown.json").read_text())
    shown["report.html"] = file_crc32(tmp_path / "report.html")
    (tmp_path / "grids/shown.json").write_text(json.dumps(shown))
    complete(add, tmp_path, 2)
    assert [row["name"] for row in read_rows(tmp_path)[1]] == ["photo0", "photo1"]


def test_a_lost_picture_of_a_photo_is_named(add, tmp_path):
    names, records = complete(add, tmp_path, 1)
    (tmp_path / "report.html").unlink()
    (tmp_path / "photo0/after.jpg").unlink()
    with pytest.raises(UsageError, match="after.jpg cannot be read again"):
        Overview(tmp_path, names, SETTINGS, records).finish(lambda: None)


def test_a_page_takes_no_more_photos_than_it_can_carry(add, tmp_path, monkeypatch):
    monkeypatch.setattr(overview, "REPORT_BYTES", 100)
    complete(add, tmp_path, 3)
    title, rows = read_rows(tmp_path)
    assert len(rows) == 1 and title.startswith("Completed faces: the first 1 of 3, own hole, celeba64, ")


def read_facts(folder):
    data = read_data(folder / "report.html")
    return dict(data["facts"]), data["failures"]


def complete_crops(folder, scores, failing=()):
    """Complete a face for each of some (PSNR, SSIM), and fail others."""
    names = [f"face{index}" for index in range(len(scores))]
    shown = Overview(folder, [*names, *failing], SETTINGS | {"mask": None, "mask_type": "half"}, {})
    for index, (name, (psnr, ssim)) in enumerate(zip(names, scores)):
        pictures = {file: crop(index, column) for column, file in enumerate(CROPS)}
        shown.add({"name": name, "files": dict.fromkeys(pictures, 1), "hole_psnr": psnr, "hole_ssim": ssim}, pictures)
    for name in failing:
        shown.fail(f"in/{name}.png", name, BadPhoto("truncated", "half of it"))
    shown.finish(lambda: None)


def test_the_page_begins_with_means_and_what_they_are_of(tmp_path):
    complete_crops(tmp_path, [(20.0, 0.5), (23.0, 0.6), (None, 1.0)])
    facts, failures = read_facts(tmp_path)
    scores = "PSNR 21.50 dB, SSIM 0.700 (mean of 3 faces, PSNR of 2: 1 equals the truth and has none)"
    assert facts == {"In the hole": scores, "Method": "latent", "Hole": "half", "Model": "checkpoint/celeba64",
                     "Date": facts["Date"], "Command": facts["Command"]}
    assert read_rows(tmp_path)[0] == f"Completed faces: 3, half hole, celeba64, {facts['Date']}" and not failures


def test_faces_that_all_equal_the_truth_have_a_mean_ssim_alone():
    exact = [{"hole_psnr": None, "hole_ssim": 1.0}] * 2
    assert dict(overview.describe_scores(exact)) == {
        "hole": "no PSNR, SSIM 1.000 (mean of 2 faces, PSNR of 0: 2 equal the truth and have none)"}


def test_whole_photos_are_called_so(tmp_path):
    settings = {"mask": None, "mask_type": "half", "paste_back": "outerEyesAndNose"}
    shown = Overview(tmp_path, ["a"], SETTINGS | settings, {})
    shown.fail("a.png", "a", BadPhoto("no_face", "none"))
    shown.finish(lambda: None)
    assert '"title":"Restored photos: 0, half hole, ' in (tmp_path / "report.html").read_text()


def test_what_was_not_measured_has_no_mean_and_what_failed_has_its_reason(tmp_path):
    complete_crops(tmp_path, [(None, None)], failing=["b", "a"])
    facts, failures = read_facts(tmp_path)
    assert set(facts) == {"Method", "Model", "Hole", "Failed", "Date", "Command"} and facts["Failed"] == "2"
    assert failures == [["in/a.png", "truncated (half of it)"], ["in/b.png", "truncated (half of it)"]]
    complete_crops(tmp_path, [(None, None)])
    assert not read_facts(tmp_path)[1]                      # what is mended goes


def test_where_all_failed_the_page_says_so(tmp_path):
    complete_crops(tmp_path, [], failing=["a"])
    assert read_facts(tmp_path)[1] == [["in/a.png", "truncated (half of it)"]] and not sheets(tmp_path)


def test_without_whole_photos_there_is_no_sheet_of_them(tmp_path):
    shown = Overview(tmp_path, ["a"], SETTINGS, {})
    pictures = {file: crop(0, column) for column, file in enumerate(CROPS)}
    shown.add({"name": "a", "files": dict.fromkeys(pictures, 1)}, pictures)
    (tmp_path / "grids").mkdir()
    (tmp_path / "grids/photos_000.png").write_bytes(b"of an earlier run")
    shown.finish(lambda: None)
    assert sheets(tmp_path) == {file.replace(".png", "_000.png") for file in CROPS}
    assert read_rows(tmp_path)[1][0]["photo"] is None
