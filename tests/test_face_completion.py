import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import face_completion
from completion.recipes import BLENDS
from helpers import BAD_OUTPUT, write_picture
from pictures.photo import read_photo
from shell.records import read_records

ROOT = Path(__file__).parent.parent
QUICK = ["--num_iter", "4", "--out_interval", "2", "--starts", "2"]


def make_faces(folder, count, size=64, seed=0):
    """Write smooth random pictures; returns their paths."""
    rng = np.random.default_rng(seed)
    paths = [Path(folder, f"face_{index}.png") for index in range(count)]
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        write_picture(path, np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)))
    return paths


def complete(model, *arguments, quick=QUICK):
    return face_completion.main([*map(str, arguments), "--checkpoint", model, *quick])


def results(folder):
    return {record["name"]: record for record in read_records(Path(folder, "results.jsonl"))}


def completed(folder, name="face_0"):
    return read_photo(Path(folder, name, "completed.png")).pixels


@pytest.fixture(scope="module")
def finished(model, tmp_path_factory):
    """(faces, output folder) of five faces that were completed in batches of two."""
    folder = tmp_path_factory.mktemp("finished")
    faces = make_faces(folder / "faces", 5)
    assert complete(model, folder / "faces", "--out_dir", folder / "out", "--batch_size", 2) == 0
    return faces, folder / "out"


def test_every_face_gets_the_pictures_of_its_iterations(finished):
    faces, out = finished
    for face in faces:
        assert sorted(os.listdir(out / face.stem)) == ["0000.png", "0002.png", "0004.png", "completed.png",
                                                        "masked.png", "original.png"]
    assert sorted(path.name for path in (out / "grids").glob("*.png")) == [f"{what}_000.png" for what in
                                                 ("0000", "0002", "0004", "completed", "masked", "original")]
    with Image.open(out / "progress.gif") as animation:
        assert animation.n_frames == 4


def test_the_report_shows_every_face_with_its_iterations(finished):
    faces, out = finished
    page = (out / "report.html").read_text()
    record = json.loads(re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL).group(1))
    group, = record["groups"]
    assert [row["name"] for row in group["rows"]] == [face.stem for face in faces] and not record["summary"]
    for row in group["rows"]:
        assert list(row["pictures"]) == ["original", "masked", "completed"]
        assert [step for step, _ in row["steps"]] == [0, 2, 4] and row["scores"]["completed"]["hole_psnr"] > 0


def test_the_record_of_a_face_has_its_losses_seed_time_and_scores(finished):
    faces, out = finished
    records = results(out)
    assert sorted(records) == [face.stem for face in faces]
    for record in records.values():
        assert record["context_loss"] > 0 and record["prior_loss"] < 0 and record["seconds"] > 0
        assert record["image_psnr"] > record["hole_psnr"] and record["image_ssim"] > record["hole_ssim"]
    assert len({record["seed"] for record in records.values()}) == 5


@pytest.mark.parametrize("mask", ["center", "random", "left", "strokes"])
@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.fault("F51", "completion")
def test_known_pixels_of_the_output_equal_the_input(model, tmp_path, mask, blend):
    face, = make_faces(tmp_path, 1)
    assert complete(model, face, "--out_dir", tmp_path / "out", "--mask_type", mask, "--blend", blend) == 0
    known = (read_photo(tmp_path / "out/face_0/masked.png").pixels == read_photo(face).pixels).all(axis=-1)
    assert known.any() and not known.all()
    np.testing.assert_array_equal(completed(tmp_path / "out")[known], read_photo(face).pixels[known])


@pytest.mark.fault("F27 F45", "completion")
def test_other_inputs_order_and_batch_size_change_no_result(model, tmp_path, finished):
    faces, out = finished
    extra, = make_faces(tmp_path / "more", 1, seed=9)
    os.rename(extra, tmp_path / "more" / "extra.png")
    assert complete(model, tmp_path / "more" / "extra.png", *reversed(faces), "--out_dir", tmp_path / "out",
                    "--batch_size", 64) == 0
    for face in faces:
        np.testing.assert_array_equal(completed(out, face.stem), completed(tmp_path / "out", face.stem))


@pytest.mark.fault("F52", "completion")
def test_what_lies_under_the_hole_changes_nothing(model, tmp_path, finished):
    faces, out = finished
    damaged = read_photo(faces[0]).pixels.copy()
    damaged[16:48, 16:48] = 77
    write_picture(tmp_path / "face_0.png", damaged)
    assert complete(model, tmp_path / "face_0.png", "--out_dir", tmp_path / "out") == 0
    np.testing.assert_array_equal(completed(tmp_path / "out"), completed(out))


@pytest.mark.fault("F44", "completion")
def test_the_same_seed_gives_the_same_result_and_another_seed_another(model, tmp_path):
    face, = make_faces(tmp_path, 1)
    random_start = ["--num_iter", "4", "--recipe", "seed"]
    for out, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert complete(model, face, "--out_dir", tmp_path / out, "--seed", seed, quick=random_start) == 0
    np.testing.assert_array_equal(completed(tmp_path / "a"), completed(tmp_path / "b"))
    assert (completed(tmp_path / "a") != completed(tmp_path / "c")).any()


@pytest.mark.fault("F15", "completion")
def test_the_same_command_again_skips_everything_without_tensorflow(finished, model):
    faces, out = finished
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    hidden = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; import face_completion; "
    arguments = [str(faces[0].parent), "--out_dir", str(out), "--checkpoint", model, *QUICK]
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", hidden + f"sys.exit(face_completion.main({arguments!r}))"], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "5 skipped" in done.stdout and time.monotonic() - begun < 5
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}


@pytest.mark.fault("F16", "completion")
def test_a_truncated_output_is_made_again_and_no_other(model, tmp_path, capsys):
    make_faces(tmp_path / "faces", 3)
    arguments = [tmp_path / "faces", "--out_dir", tmp_path / "out"]
    assert complete(model, *arguments) == 0
    victim = tmp_path / "out/face_1/0002.png"
    whole = victim.read_bytes()
    victim.write_bytes(whole[:50])
    untouched = (tmp_path / "out/face_0/0002.png").stat().st_mtime_ns
    assert complete(model, *arguments) == 0
    assert victim.read_bytes() == whole and "1 completed, 2 skipped" in capsys.readouterr().out
    assert (tmp_path / "out/face_0/0002.png").stat().st_mtime_ns == untouched


def test_results_of_other_settings_are_not_overwritten_unasked(model, finished, capsys):
    faces, out = finished
    assert complete(model, faces[0].parent, "--out_dir", out, "--seed", 5) == BAD_OUTPUT
    assert "seed" in capsys.readouterr().err


@pytest.mark.slow
def test_an_overwriting_that_was_interrupted_leaves_nothing_old_for_new(model, finished, tmp_path, capsys):
    faces, out = finished[0], shutil.copytree(finished[1], tmp_path / "out")
    config = json.loads((out / "config.json").read_text()) | {"seed": 5}
    (out / "config.json").write_text(json.dumps(config))                # the first thing that --overwrite writes
    assert complete(model, faces[0].parent, "--out_dir", out, "--seed", 5) == 0
    assert "5 completed, 0 skipped" in capsys.readouterr().out


def test_of_the_pictures_in_the_output_folder_only_its_own_old_ones_are_removed(model, tmp_path):
    face, = make_faces(tmp_path, 1)
    out, pictures = tmp_path / "out", {"face_0/0001.png", "face_0/0003.png", "grids/mine.png"}
    for picture in pictures:
        write_picture(out / picture, np.zeros((64, 64, 3), np.uint8))
    assert complete(model, face, "--out_dir", out) == 0
    assert complete(model, face, "--out_dir", out, "--overwrite", quick=[*QUICK, "--out_interval", "4"]) == 0
    left = {str(path.relative_to(out)) for path in out.rglob("*.png")}
    assert pictures <= left and "face_0/0004.png" in left and "grids/0004_000.png" in left
    assert not left & {"face_0/0002.png", "grids/0002_000.png"}


def test_a_folder_of_sheets_that_leads_elsewhere_is_refused(model, tmp_path, capsys):
    face, = make_faces(tmp_path, 1)
    (tmp_path / "out").mkdir(), (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/grids").symlink_to(tmp_path / "elsewhere")
    assert complete(model, face, "--out_dir", tmp_path / "out") == BAD_OUTPUT
    assert "outside" in capsys.readouterr().err and not list((tmp_path / "elsewhere").iterdir())


def test_a_face_may_be_called_as_the_folder_of_the_sheets(model, tmp_path):
    face, = make_faces(tmp_path, 1)
    face.rename(tmp_path / "grids.png")
    assert complete(model, tmp_path / "grids.png", "--out_dir", tmp_path / "out") == 0
    assert (tmp_path / "out/grids.png/completed.png").exists()
    assert sorted(path.name for path in (tmp_path / "out/grids").glob("*.png"))[0] == "0000_000.png"


def test_a_bad_file_ends_nothing(model, tmp_path, capsys):
    make_faces(tmp_path / "faces", 2)
    (tmp_path / "faces/empty.png").touch()
    (tmp_path / "faces/page.jpg").write_text("<html>")
    write_picture(tmp_path / "faces/wide.png", np.zeros((218, 178, 3), np.uint8))
    assert complete(model, tmp_path / "faces", "--out_dir", tmp_path / "out") == 1
    errors, records = capsys.readouterr().err, results(tmp_path / "out")
    assert {name: record.get("reason") for name, record in records.items()} == {
        "face_0": None, "face_1": None, "empty": "empty", "page": "not_an_image", "wide": "wrong_size"}
    assert "178x218" in errors and "--fit" in errors and "empty.png" in errors
    assert (tmp_path / "out/face_1/completed.png").exists()


@pytest.mark.parametrize("how", ["resize", "crop"])
@pytest.mark.fault("F09", "completion")
def test_pictures_of_any_size_can_be_fitted(model, tmp_path, how):
    for width, height in ((178, 218), (1, 1), (1, 5000), (64, 63)):
        write_picture(tmp_path / f"faces/{width}x{height}.png", np.full((height, width, 3), 90, np.uint8))
    assert complete(model, tmp_path / "faces", "--out_dir", tmp_path / "out", "--fit", how) == 0
    assert completed(tmp_path / "out", "1x5000").shape == (64, 64, 3)


@pytest.mark.fault("F14", "completion")
def test_faces_of_one_name_in_two_folders_both_get_results(model, tmp_path):
    for seed, folder in enumerate(("a", "b")):
        make_faces(tmp_path / folder, 1, seed=seed)
    assert complete(model, tmp_path / "a/face_0.png", tmp_path / "b/face_0.png", "--out_dir", tmp_path / "out") == 0
    assert (completed(tmp_path / "out", "a/face_0.png") != completed(tmp_path / "out", "b/face_0.png")).any()


@pytest.mark.fault("F13", "completion")
def test_names_of_every_kind_are_done(model, tmp_path):
    face, = make_faces(tmp_path, 1)
    content = face.read_bytes()
    names = [b"with space.png", b"-dash.png", "\N{SMILING FACE WITH SMILING EYES}.png".encode(), b"line\nbreak.png",
             b"not\xffutf8.png", b"x" * 251 + b".png"]
    (tmp_path / "faces").mkdir()
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path / "faces") + b"/" + name)).write_bytes(content)
    assert complete(model, tmp_path / "faces", "--out_dir", tmp_path / "out") == 0
    assert len(list((tmp_path / "out").glob("*/completed.png"))) == len(names)


@pytest.mark.fault("F18", "completion")
def test_outputs_inside_the_input_folder_are_not_taken_for_inputs(model, tmp_path, capsys):
    make_faces(tmp_path, 2)
    for expected in ("2 completed, 0 skipped", "0 completed, 2 skipped"):
        assert complete(model, tmp_path, "--out_dir", tmp_path / "out") == 0
        assert expected in capsys.readouterr().out


@pytest.mark.fault("F19", "completion")
def test_a_link_that_leads_out_of_the_output_folder_is_not_followed(model, tmp_path):
    make_faces(tmp_path / "faces", 2)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/face_0").symlink_to(tmp_path / "elsewhere")
    assert complete(model, tmp_path / "faces", "--out_dir", tmp_path / "out") == 1
    assert not os.listdir(tmp_path / "elsewhere") and results(tmp_path / "out")["face_0"]["reason"] == "unsafe_output"


def test_a_list_and_standard_input_name_faces_too(model, tmp_path, monkeypatch):
    faces = make_faces(tmp_path / "faces", 2)
    listed = tmp_path / "list.txt"
    listed.write_text(f"{faces[0]}\n")
    with open(tmp_path / "stdin", "w+") as stdin:
        stdin.write(f"{faces[1]}\n")
        stdin.seek(0)
        monkeypatch.setattr(sys, "stdin", stdin)
        assert complete(model, "-", "--from_file", listed, "--out_dir", tmp_path / "out") == 0
    assert sorted(results(tmp_path / "out")) == ["face_0", "face_1"]


@pytest.mark.parametrize("arguments", [
    ["--batch_size", "0"], ["--batch_size", "abc"], ["--learning_rate", "nan"], ["--nonsense"],
    ["--center_scale", "0.7"], ["--mask_type", "square"]])
def test_bad_options_end_in_one_line(model, capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        complete(model, "x.png", *arguments)
    assert ended.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_a_hole_of_ones_own_is_filled_and_measured_only_if_the_photo_is_intact(model, tmp_path, capsys):
    face, other = make_faces(tmp_path, 2)
    hole = np.zeros((64, 64), np.uint8)
    hole[10:30, 20:50] = 255
    Image.fromarray(hole).save(tmp_path / "hole.png")
    arguments = face, "--out_dir", tmp_path / "out", "--mask", tmp_path / "hole.png"
    assert complete(model, *arguments) == 0
    original, completed = (read_photo(tmp_path / "out" / "face_0" / f"{name}.png").pixels
                           for name in ("original", "completed"))
    np.testing.assert_array_equal((original != completed).any(axis=-1) & (hole == 0), False)
    assert (original != completed)[hole > 0].any() and "hole_psnr" not in results(tmp_path / "out")["face_0"]
    assert "PSNR" not in capsys.readouterr().out
    assert complete(model, *arguments) == 0 and "1 skipped" in capsys.readouterr().out
    assert complete(model, *arguments, "--dilate", 2) == BAD_OUTPUT and "dilate" in capsys.readouterr().err
    assert complete(model, *arguments, "--intact", "--overwrite") == 0
    assert results(tmp_path / "out")["face_0"]["hole_psnr"] > 0
    assert complete(model, other, "--out_dir", tmp_path / "no", "--mask", "alpha") == 1
    assert "no_alpha" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, problem", [(["--window", 8], "no middle"),
                                                (["--pool", 4, "--starts", 8], "pool of 4")])
def test_settings_that_make_no_sense_are_refused(model, tmp_path, capsys, arguments, problem):
    assert complete(model, "x.png", "--out_dir", tmp_path / "out", *arguments, quick=[]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("paths", [["nothing/*.png"], [], ["empty"]])
def test_nothing_to_do_is_said_with_its_own_code(model, tmp_path, monkeypatch, capsys, paths):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert complete(model, *paths, "--out_dir", tmp_path / "out") == 3
    assert ("no images found" if paths else "no photos are named") in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.fault("F39", "completion")
def test_an_interrupted_command_keeps_what_is_finished_and_goes_on(model, tmp_path):
    make_faces(tmp_path / "faces", 6)
    command = [sys.executable, "face_completion.py", str(tmp_path / "faces"), "--checkpoint", model, "--num_iter",
               "300", "--out_interval", "5", "--batch_size", "2", "--out_dir", str(tmp_path / "out")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "out/face_2/0005.png").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=10)
    assert process.returncode == 130 and "resume with" in said
    assert "stopping after the work in hand" in told and "oneDNN" not in told and "cuda" not in told.lower()
    assert sorted(results(tmp_path / "out")) == ["face_0", "face_1"]


def test_the_settings_lie_beside_the_results(finished):
    _, out = finished
    settings = json.loads((out / "config.json").read_text())
    assert settings["recipe"]["num_iter"] == 4 and re.fullmatch("[0-9a-f]{16}", settings["model"])
