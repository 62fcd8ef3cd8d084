"""What the options of the alignment change, and its account of every photo."""
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import BAD_OUTPUT
from pictures.photo import read_photo
from preprocess.align_dlib import PAGE, RECORDS, main, parse
from preprocess.templates import TEMPLATES
from shell.records import read_records
from tests.preprocess.aligned import FACES


@pytest.fixture
def raw(put):
    """A folder of two portraits and a picture without a face."""
    folder = [put(f"{stem}.jpg", stem) for stem in FACES[:2]][0]
    Image.new("RGB", (200, 200), "gray").save(folder / "wall.png")
    return folder


@pytest.fixture
def align(run, tmp_path, raw):
    """align(option, ..., output="out") -> Ended; in one process."""
    def call(*options, output="out"):
        return run(main, raw, tmp_path / output, "--jobs", 1, *options)
    return call


def account(folder):
    return {Path(record["source"]).name: record for record in read_records(Path(folder, RECORDS))}


def names(folder):
    return sorted(path.name for path in Path(folder).glob("*.png"))


def test_the_account_has_all_that_is_known_of_every_photo(tmp_path, raw, align):
    ended = align()
    assert ended.code == 1 and "2 aligned, 0 skipped (done before), 1 failed (1 no_face)" in ended.out
    records = account(tmp_path / "out")
    assert records.keys() == {*os.listdir(raw)}
    record = records["A000369.jpg"]
    assert record["sha256"] == hashlib.sha256((raw / "A000369.jpg").read_bytes()).hexdigest()
    points = np.array(record["landmarks"])[[39, 42, 57]] @ np.array(record["matrix"])[:, :2].T
    np.testing.assert_allclose(points + np.array(record["matrix"])[:, 2], [(23.2822, 11.3886), (39.6136, 11.0578),
                                                                           (32.0131, 48.0374)], atol=1e-2)
    crop = read_photo(tmp_path / "out" / record["output"]).pixels
    assert record["brightness"] == pytest.approx((crop @ [0.299, 0.587, 0.114]).mean(), abs=0.06)
    assert record["score"] > 0 and 0 < record["shear"] < 0.5 < record["sharpness"] and 0.1 < record["scale"] < 1
    assert (records["wall.png"]["status"], records["wall.png"]["reason"]) == ("failed", "no_face")


def test_what_was_judged_is_not_searched_again_but_counted_again(tmp_path, align):
    align()
    before = (tmp_path / "out" / PAGE).stat().st_mtime_ns
    again = align()
    assert again.code == 1 and again.out.startswith("0 aligned, 2 skipped (done before), 1 failed (1 no_face)")
    assert (tmp_path / "out" / PAGE).stat().st_mtime_ns == before
    Image.open(tmp_path / "raw/A000369.jpg").save(tmp_path / "raw/wall.png")
    assert align().out.startswith("1 aligned, 2 skipped")


def test_a_record_without_its_checksum_is_made_again(tmp_path, align):
    align()
    lines = (tmp_path / "out" / RECORDS).read_text().splitlines()
    strange = '{"source": "x", "status": "done", "output": 7, "shear": "high"}'
    bare = [line.split(', "crc32"')[0] + "}" for line in lines]
    (tmp_path / "out" / RECORDS).write_text("\n".join([*bare, ""]))
    assert align("--size", 32).code == BAD_OUTPUT                # nothing is overwritten for want of a checksum
    (tmp_path / "out" / RECORDS).write_text("\n".join([bare[0], *lines[1:], strange, ""]))
    ended = align()
    assert ended.code == 1 and ended.out.startswith("1 aligned, 1 skipped") and "2 lines of" in ended.err


@pytest.mark.parametrize("words", [["align", "outerEyesAndNose"], ["outerEyesAndNose"], ["align"], []])
def test_openfaces_words_may_be_left_out(words):
    options = parse(["raw", *words, "out", "--size", "96"])
    assert (options.input, options.output, options.size) == ("raw", "out", 96)
    assert options.landmarks == ("outerEyesAndNose" if "outerEyesAndNose" in words else "innerEyesAndBottomLip")


@pytest.mark.parametrize("words", [["align", *TEMPLATES], ["outerEyesAndNose", "align"]])
def test_words_in_another_order_are_refused(capsys, words):
    with pytest.raises(SystemExit, match="2"):
        parse(["raw", *words, "out"])
    assert capsys.readouterr().err.count("\n") == 1


def test_all_faces_and_warps_get_files_of_their_own(tmp_path, raw, align):
    photos = [read_photo(raw / f"{stem}.jpg").pixels for stem in FACES[:2]]
    Image.fromarray(np.concatenate(photos, axis=1)).save(raw / "pair.png")
    assert align("--all_faces", "--jitter", 2).code == 1
    faces = [f"{stem}{end}.png" for stem in ("A000369", "B001273", "pair", "pair_face2")
             for end in ("", "_warp1", "_warp2")]
    assert names(tmp_path / "out") == sorted(faces)
    assert account(tmp_path / "out")["pair.png"]["further_outputs"] == [
        "pair_warp1.png", "pair_warp2.png", "pair_face2.png", "pair_face2_warp1.png", "pair_face2_warp2.png"]
    (tmp_path / "out/pair_face2.png").unlink()
    assert align("--all_faces", "--jitter", 2).out.startswith("1 aligned, 2 skipped")
    assert align("--all_faces").code == BAD_OUTPUT            # another run's folder
    shutil.copyfile(raw / "pair.png", raw / "wall_face2.png")
    refused = align("--all_faces", output="other")
    assert refused.code == 2 and "rename wall_face2" in refused.err and not (tmp_path / "other").exists()


def test_a_landmark_file_takes_the_place_of_dlib(tmp_path, raw, align, monkeypatch):
    align(output="dlib")
    lines = ["2", "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x ..."]
    for name, record in account(tmp_path / "dlib").items():
        if record["status"] == "done":
            points = np.array(record["landmarks"])
            five = [points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]]
            lines.append(f"{name} {' '.join(str(round(value)) for value in np.ravel(five))}")
    (tmp_path / "landmarks.txt").write_text("\n".join(lines))
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent/dlib.py").write_text("raise ImportError('not installed')")
    monkeypatch.syspath_prepend(tmp_path / "absent")                # of the process that aligns too
    ended = align("--landmark_file", tmp_path / "landmarks.txt")
    assert ended.code == 1 and "1 no_landmarks" in ended.out
    for name in (f"{stem}.jpg" for stem in FACES[:2]):
        points, matrix = (np.array(account(tmp_path / folder)[name][key])
                          for folder, key in (("dlib", "landmarks"), ("out", "matrix")))
        moved = points[[36, 45, 33]] @ matrix[:, :2].T + matrix[:, 2]
        assert np.linalg.norm(moved - [(12.4, 10.8), (50.5, 10.1), (31.7, 32.9)], axis=1).max() < 4
    (tmp_path / "landmarks.txt").write_text("1\nheader\nA.jpg 1 2 3\n")
    refused = align("--landmark_file", tmp_path / "landmarks.txt", output="other")
    assert refused.code == 2 and "line 3" in refused.err and "ten numbers" in refused.err


def landmark_file(path, *points):
    """Write landmarks of the two portraits; points : ten numbers as text for each."""
    lines = [f"{stem}.jpg {numbers}" for stem, numbers in zip(FACES, points, strict=False)]
    path.write_text("\n".join([str(len(lines)), "header", *lines]))
    return "--landmark_file", path


LANDMARKS = "300 300 400 300 350 360 310 400 390 400"


@pytest.mark.parametrize("strange", ["nan " + LANDMARKS[4:], "inf " + LANDMARKS[4:], "1e300 " + LANDMARKS[4:],
                                     "5 " * 10, "1 1 2 2 3 3 4 4 5 5"])
def test_points_that_no_face_has_fail_their_photo_alone(tmp_path, align, strange):
    ended = align(*landmark_file(tmp_path / "points.txt", LANDMARKS, strange))
    assert ended.code == 1 and ended.out.startswith("1 aligned, 0 skipped (done before), 2 failed (2 no_landmarks)")
    assert account(tmp_path / "out")["B001273.jpg"]["detail"].count("landmark file") == 1


def test_another_landmark_file_is_another_alignment(tmp_path, align):
    options = landmark_file(tmp_path / "points.txt", LANDMARKS, LANDMARKS)
    align(*options)
    assert "2 skipped" in align(*options).out
    landmark_file(tmp_path / "points.txt", LANDMARKS, "9" + LANDMARKS)
    ended = align(*options)
    assert ended.code == BAD_OUTPUT and "choose another OUTPUT" in ended.err


def test_a_count_of_landmarks_that_is_another_is_told(tmp_path, align):
    options = landmark_file(tmp_path / "points.txt", LANDMARKS, LANDMARKS)
    (tmp_path / "points.txt").write_text((tmp_path / "points.txt").read_text().replace("2", "7", 1))
    assert "landmarks of 2 photos, its first line is '7'" in align(*options).err


@pytest.mark.parametrize("options", [
    ["--fast", "--all_faces"], ["--fast", "--exact"], ["--landmark_file", "x", "--turned"], ["--shard", "5/4"],
    ["--shard", "0/4"], ["--size", "4097"], ["--jitter_bounds", ".1", "1", "1"],
    ["--jitter_bounds", "2", ".04", "3"]])
def test_options_that_cannot_be_are_refused(tmp_path, align, options):
    ended = align(*options)
    assert (ended.code, ended.err.count("\n")) == (2, 1) and not (tmp_path / "out").exists()


def test_limits_reject_with_their_reason(tmp_path, align):
    assert "0 aligned, 0 skipped (done before), 3 failed (2 too_small, 1 no_face)" in align("--min_face", 2000).out
    assert names(tmp_path / "out") == []


@pytest.mark.slow
def test_a_shard_that_is_killed_is_done_by_the_plain_command(tmp_path, raw, align, start, samples):
    for stem in sorted(path.stem for path in samples.glob("*.jpg"))[:12]:
        shutil.copyfile(samples / f"{stem}.jpg", raw / f"{stem}.jpg")
    align(output="whole")
    shards = [start("-m", "preprocess.align_dlib", raw, tmp_path / "out", "--jobs", 1, "--shard", f"{part}/4")
              for part in (1, 2, 3, 4)]
    while not (tmp_path / "out/.shards/3-of-4" / RECORDS).exists():
        assert shards[2].poll() is None
    refused = subprocess.run([sys.executable, "-m", "preprocess.align_dlib", raw, tmp_path / "out"],
                             capture_output=True, text=True, cwd=Path(__file__).parents[2])
    os.killpg(shards[2].pid, signal.SIGKILL)
    assert [shard.wait(300) for shard in shards].count(-signal.SIGKILL) == 1
    assert refused.returncode == 5 and "in use by" in refused.stderr
    assert align().code == 1
    assert account(tmp_path / "out") == account(tmp_path / "whole")
    assert names(tmp_path / "out") == names(tmp_path / "whole")
