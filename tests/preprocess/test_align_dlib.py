import os
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import BAD_OUTPUT
from pictures.photo import read_photo
from preprocess.align_dlib import RECORDS, main
from preprocess.dlib_models import LANDMARKS, checked
from shell.lock import claim_folder
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


def test_photos_that_cannot_be_used_fail_each_with_its_reason_and_the_others_continue(tmp_path, put, align):
    raw = put("good.jpg")
    photo = (raw / "good.jpg").read_bytes()
    (raw / "empty.png").touch()
    (raw / "page.jpg").write_bytes(b"<!doctype html><title>404</title>")
    (raw / "half.jpg").write_bytes(photo[:len(photo) // 2])
    (raw / "letter.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n")
    (raw / "huge.ppm").write_bytes(b"P6 60000 60000 255\n")
    (raw / "folder.png").mkdir()
    (raw / "dangling.png").symlink_to("nowhere")
    (raw / "zero.png").symlink_to("/dev/zero")
    (raw / "loop.png").symlink_to("loop.png")
    os.mkfifo(raw / "pipe.png")
    Image.new("RGB", (200, 200), "gray").save(raw / "wall.png")
    ended = align()
    expected = {"good.jpg": "done", "empty.png": "empty", "page.jpg": "not_an_image", "half.jpg": "truncated",
                "letter.png": "not_an_image", "huge.ppm": "too_large", "folder.png": "not_a_file",
                "dangling.png": "dangling_link", "zero.png": "not_a_file", "loop.png": "link_loop",
                "pipe.png": "not_a_file", "wall.png": "no_face"}
    assert ways(tmp_path / "out") == expected
    assert crops(tmp_path / "out").keys() == {"good.png"}
    assert ended.code == 1
    assert ended.out.startswith("1 aligned, 0 skipped (done before), 11 failed")
    for name, reason in expected.items():
        assert (f"{raw / name}: {reason}" in ended.err) == (reason != "done")


@pytest.mark.fault("F13", "alignment")
def test_photos_with_odd_names_are_aligned(tmp_path, put, align):
    names = ["a b.jpg", "line\nbreak.jpg", "\U0001f642.jpg", "-x.jpg", b"\xff\xfe.jpg", "x" * 251 + ".jpg"]
    for name in names:
        put(name)
    ended = align("--verbose")
    assert (ended.code, ended.out.count("\n")) == (0, len(names) + 1)
    found = crops(tmp_path / "out")
    assert len(found) == len(names) and len(set(found.values())) == 1
    assert align().out.startswith(f"0 aligned, {len(names)} skipped")


@pytest.mark.fault("F14", "alignment")
def test_photos_of_one_stem_get_a_crop_each(tmp_path, put, align):
    for name, stem in zip(["a/1.jpg", "b/1.jpg", "1.jpg"], FACES, strict=True):
        raw = put(name, stem)
    Image.open(raw / "b" / "1.jpg").save(raw / "1.png")
    assert align().code == 0
    found = crops(tmp_path / "out")
    assert found.keys() == {"a/1.png", "b/1.png", "1.jpg.png", "1.png.png"}
    assert found["b/1.png"] == found["1.png.png"]
    assert len(set(found.values())) == 3


def test_a_photo_beside_a_folder_named_like_its_crop_is_aligned(tmp_path, put, align):
    put("face.jpg")
    put("face.png/inner.jpg", FACES[1])
    ended = align()
    assert (ended.code, complaints(ended.err)) == (0, [])
    assert len(crops(tmp_path / "out")) == 2


@pytest.mark.fault("F18", "alignment")
def test_crops_in_a_folder_inside_the_input_are_not_taken_for_photos(put, align):
    output = put("1.jpg") / "crops"
    assert align(output=output).out.startswith("1 aligned, 0 skipped")
    assert align(output=output).out.startswith("0 aligned, 1 skipped")
    assert crops(output).keys() == {"1.png"}


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


def test_an_output_that_can_be_no_folder_is_refused_before_any_work(tmp_path, put, align):
    put("1.jpg")
    (tmp_path / "file").write_text("kept")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        ended = align(output=output)
        assert (ended.code, ended.err.count("\n")) == (5, 1)
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.fault("F21", "alignment")
def test_a_full_disk_leaves_no_part_of_a_crop_and_the_same_command_goes_on(tmp_path, raw, align, finish):
    ended = finish("-m", "preprocess.align_dlib", tmp_path / "raw", "align", TEMPLATE, tmp_path / "out", "--jobs", 1,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)))
    assert ended.code == 5
    assert len(complaints(ended.err)) == 1 and "cannot write" in ended.err
    assert crops(tmp_path / "out") == {}
    assert align().out.startswith("3 aligned")


@pytest.mark.fault("F22", "alignment")
def test_a_second_process_on_the_same_output_is_refused(tmp_path, put, align):
    put("1.jpg")
    with claim_folder(tmp_path / "out"):
        ended = align()
    assert ended.code == 5
    assert f"in use by process {os.getpid()}" in ended.err
    assert os.listdir(tmp_path / "out") == [".lock"]


def test_no_photos_are_told_as_such(tmp_path, align):
    (tmp_path / "raw").mkdir()
    for source in (tmp_path / "raw", tmp_path / "absent", tmp_path / "*.jpg"):
        ended = align(source=source)
        assert (ended.code, ended.err.count("\n")) == (3, 1)
        assert f"no images found in {source}" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [
    [], ["--size", "0"], ["--size", "abc"], ["--jobs", "0"], ["--jobs", "-3"], ["--siz", "64"], ["--unknown"]])
def test_a_mistake_on_the_command_line_ends_in_one_line(tmp_path, run, arguments):
    ended = run(main, *([tmp_path, "align", TEMPLATE, tmp_path / "out", *arguments] if arguments else []))
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert not (tmp_path / "out").exists()


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
