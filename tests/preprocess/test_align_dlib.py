import os
import resource
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pictures.photo import read_photo
from preprocess.align_dlib import PAGE, RECORDS, main
from preprocess.dlib_models import LANDMARKS, checked
from shell.lock import claim_folder
from shell.records import read_records

TEMPLATE = "innerEyesAndBottomLip"
FACES = ["A000369", "B001273", "C001070"]


@pytest.fixture
def put(tmp_path, samples):
    """put(name, stem) copies a portrait to the folder raw/, which it returns."""
    def call(name, stem=FACES[0]):
        path = os.path.join(os.fsencode(tmp_path / "raw"), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(samples / f"{stem}.jpg", path)
        return tmp_path / "raw"
    return call


@pytest.fixture
def align(run, tmp_path):
    """Align the folder raw/ into out/ with one process, or as the options say."""
    def call(*options, source=tmp_path / "raw", output=tmp_path / "out"):
        return run(main, source, "align", TEMPLATE, output, "--jobs", 1, *options)
    return call


def ways(output):
    """{name of the photo: done or the reason why not}, as the records tell."""
    return {os.path.basename(record["source"]): record.get("reason", record["status"])
            for record in read_records(Path(output, RECORDS))}


def crops(output):
    """{relative path: content} of the crops; nothing else but the records, their page and the lock may lie there."""
    files = {str(path.relative_to(output)): path.read_bytes() for path in Path(output).rglob("*") if path.is_file()}
    assert files.keys() >= {RECORDS, ".lock"}
    crops = {name: content for name, content in files.items() if name not in (RECORDS, PAGE, ".lock")}
    assert all(name.endswith(".png") for name in crops)
    return crops


def complaints(err):
    """The lines on stderr without those of progress, which a slow machine prints."""
    return [line for line in err.splitlines() if " photos, " not in line]


def agrees(path, reference):
    """Whether a crop equals OpenFace's but for rounding."""
    difference = np.abs(read_photo(path).pixels - read_photo(reference).pixels.astype(int))
    return difference.mean() <= 0.01 and difference.max() <= 1


def test_a_folder_of_photos_becomes_a_folder_of_the_crops_of_openface(tmp_path, put, align, openface):
    for stem in FACES:
        put(f"people/{stem[0]}/{stem}.jpg", stem)
    ended = align("--jobs", 2)
    assert (ended.code, complaints(ended.err)) == (0, [])
    assert crops(tmp_path / "out").keys() == {f"people/{stem[0]}/{stem}.png" for stem in FACES}
    for stem in FACES:
        assert agrees(tmp_path / "out" / "people" / stem[0] / f"{stem}.png", openface / f"{stem}.png")


@pytest.mark.fault("F15", "alignment")
@pytest.mark.fault("F16", "alignment")
def test_again_only_what_is_missing_cut_or_changed_is_done(tmp_path, put, align):
    for stem in FACES:
        raw = put(f"{stem}.jpg", stem)
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
    assert (refused.code, refused.err.count("\n"), crops(tmp_path / "out")) == (2, 1, first)


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
def test_a_full_disk_leaves_no_part_of_a_crop_and_the_same_command_goes_on(tmp_path, put, align, finish):
    for stem in FACES:
        put(f"{stem}.jpg", stem)
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


def workers_of(process):
    """The ids of a running command's worker processes."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process.pid and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.fixture
def begin(start, tmp_path):
    """Begin to align the folder raw/ into out/ in a process of its own."""
    def call():
        return start("-m", "preprocess.align_dlib", tmp_path / "raw", "align", TEMPLATE, tmp_path / "out", "--jobs", 1)
    return call


def wait_until(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers by /proc")


@needs_proc
@pytest.mark.slow
@pytest.mark.fault("F48", "alignment")
def test_a_killed_worker_costs_nothing(tmp_path, put, begin, openface):
    for stem in FACES:
        put(f"{stem}.jpg", stem)
    process = begin()
    wait_until(lambda: workers_of(process))
    os.kill(workers_of(process)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, complaints(err)) == (0, [])
    assert out.startswith("3 aligned")
    assert all(agrees(tmp_path / "out" / f"{stem}.png", openface / f"{stem}.png") for stem in FACES)


@needs_proc
@pytest.mark.fault("F48", "alignment")
def test_a_photo_whose_worker_is_killed_twice_fails_and_nothing_hangs(tmp_path, put, begin):
    put("1.jpg")
    process = begin()

    def kill_all():
        for worker in workers_of(process):
            os.kill(worker, signal.SIGKILL)
        return process.poll() is not None

    wait_until(kill_all)
    assert process.returncode == 1
    assert ways(tmp_path / "out") == {"1.jpg": "worker_died"}


@pytest.mark.slow
@pytest.mark.fault("F49", "alignment")
def test_after_a_kill_in_the_middle_the_union_equals_one_clean_run(tmp_path, put, begin, align):
    for stem in FACES:
        put(f"{stem}.jpg", stem)
    process = begin()
    wait_until(lambda: (tmp_path / "out" / "A000369.png").exists())
    process.kill()
    process.wait()
    assert align().code == 0
    assert align(output=tmp_path / "clean").code == 0
    assert crops(tmp_path / "out") == crops(tmp_path / "clean")
    assert ways(tmp_path / "out") == {f"{stem}.jpg": "done" for stem in FACES}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.fault("F39", "alignment")
def test_a_signal_ends_the_command_and_the_same_command_goes_on(tmp_path, put, begin, align, number, code):
    for index in range(6):
        put(f"{index}.jpg")
    process = begin()
    wait_until(lambda: (tmp_path / "out" / "0.png").exists())
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code
    assert "Traceback" not in err and "resume with: " in out
    done = len(crops(tmp_path / "out"))
    assert 0 < done
    assert align().out.startswith(f"{6 - done} aligned, {done} skipped")
