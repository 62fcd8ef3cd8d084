import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import BAD_OUTPUT
from pictures.photo import read_photo
from preprocess.align_dlib import RECORDS, main
from preprocess.dlib_models import LANDMARKS, checked
from shell.records import read_records
from tests.preprocess.aligned import FACES, TEMPLATE, agrees, complaints, crops, ways


def test_a_folder_of_photos_becomes_a_folder_of_the_crops_of_openface(tmp_path, put, align, openface):
    for stem in FACES:
        put(f"people/{stem[0]}/{stem}.jpg", stem)
    ended = align("--jobs", 2)
    assert (ended.code, complaints(ended.err)) == (0, [])
    assert crops(tmp_path / "out").keys() == {f"people/{stem[0]}/{stem}.png" for stem in FACES}
    for stem in FACES:
        assert agrees(tmp_path / "out" / "people" / stem[0] / f"{stem}.png", openface / f"{stem}.png")


@pytest.mark.fault("F15 F16", "alignment")
def test_again_only_what_is_missing_cut_or_changed_is_done(tmp_path, raw, align):
    assert align().out.startswith("3 aligned, 0 skipped")
    first = crops(tmp_path / "out")

    again = align()
    assert (again.code, crops(tmp_path / "out")) == (0, first)
    assert again.out.startswith("0 aligned, 3 skipped")

    os.truncate(tmp_path / "out" / "A000369.png", len(first["A000369.png"]) // 2)
    os.utime(raw / "B001273.jpg", (1, 1))
    mended = align()
    assert (mended.code, crops(tmp_path / "out")) == (0, first)
    assert mended.out.startswith("2 aligned, 1 skipped")

    refused = align("--size", 96)
    assert (refused.code, refused.err.count("\n"), crops(tmp_path / "out")) == (BAD_OUTPUT, 1, first)


def test_a_photo_beside_a_folder_named_like_its_crop_is_aligned(tmp_path, put, align):
    put("face.jpg")
    put("face.png/inner.jpg", FACES[1])
    ended = align()
    assert (ended.code, complaints(ended.err)) == (0, [])
    assert len(crops(tmp_path / "out")) == 2


@pytest.mark.fault("F19", "alignment")
def test_nothing_is_written_through_a_link_that_leads_out_of_the_output(tmp_path, put, align):
    put("sub/1.jpg")
    put("2.jpg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere")
    assert align().code == 1
    assert ways(tmp_path / "out") == {"1.jpg": "unsafe_output", "2.jpg": "done"}
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.parametrize(("mode", "landmarks", "known"), [("align", "allEyes", "outerEyesAndNose"),
                                                          ("computeMean", TEMPLATE, "'align'")])
def test_unknown_words_are_answered_by_the_known_ones(tmp_path, run, mode, landmarks, known):
    ended = run(main, tmp_path, mode, landmarks, tmp_path / "out")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert known in ended.err


@pytest.mark.fault("F46", "alignment")
def test_photos_with_no_face_or_several_are_told_apart(tmp_path, put, align, samples):
    raw = put("one.jpg")
    Image.open(samples / "A000369.jpg").transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(raw / "none.png")
    pair = [read_photo(samples / f"{stem}.jpg").pixels for stem in FACES[:2]]
    Image.fromarray(np.concatenate(pair, axis=1)).save(raw / "two.png")
    assert align("--skipMulti").code == 1
    assert ways(tmp_path / "out") == {"one.jpg": "done", "none.png": "no_face", "two.png": "several_faces"}
    assert crops(tmp_path / "out").keys() == {"one.png"}
    assert align(output=tmp_path / "lenient").code == 1
    assert ways(tmp_path / "lenient") == {"one.jpg": "done", "none.png": "no_face", "two.png": "done"}
    counted = {Path(record["source"]).name: record.get("faces")
               for record in read_records(tmp_path / "lenient" / RECORDS)}
    assert counted == {"one.jpg": 1, "none.png": None, "two.png": 2}


@pytest.mark.parametrize("kind", ["page", "half a download", "missing", "folder"])
@pytest.mark.fault("F47", "alignment")
def test_a_wrong_landmark_model_is_refused_before_any_work(tmp_path, put, align, kind):
    put("1.jpg")
    model = tmp_path / "model.dat"
    if kind == "page":
        model.write_text("<!doctype html><title>404</title>")
    elif kind == "half a download":
        shutil.copyfile(checked(LANDMARKS), model)
        os.truncate(model, model.stat().st_size // 2)
    elif kind == "folder":
        model.mkdir()
    ended = align("--dlibFacePredictor", model)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert str(model) in ended.err
    assert (f"expected sha256 {LANDMARKS.sha256}, got " in ended.err) == model.is_file()
    assert not (tmp_path / "out").exists()
