"""What face_completion.py leaves in its folder, whatever else is there and whoever reads its messages."""
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import face_completion
from helpers import BAD_OUTPUT, UsageError, write_picture
from output.completed_folder import CompletedFolder
from output.overview import Overview
from pictures.photo import read_photo
from shell.records import RecordFile, read_records

FACES = Path(__file__).parent / "data" / "openface64"
NAMES = "A000369", "B001273"


@pytest.fixture
def faces(tmp_path):
    """A folder with two faces."""
    (tmp_path / "faces").mkdir()
    for name in NAMES:
        shutil.copy(FACES / f"{name}.png", tmp_path / "faces")
    return tmp_path / "faces"


@pytest.fixture
def complete(run, tmp_path):
    def call(*arguments, out="out"):
        return run(face_completion.main, *arguments, "--method", "laplace", "--out_dir", tmp_path / out)
    return call


def statuses(folder):
    return {record["name"]: record.get("reason", "done") for record in read_records(Path(folder, "results.jsonl"))}


@pytest.mark.parametrize("lost", ["report.html", "grids"])
def test_sheets_and_page_that_were_lost_come_back(complete, faces, tmp_path, lost):
    assert complete(faces).code == 0
    path = tmp_path / "out" / lost
    path.unlink() if path.is_file() else shutil.rmtree(path)
    ended = complete(faces)
    assert ended.code == 0 and "2 skipped" in ended.out
    assert (tmp_path / "out/report.html").exists() and (tmp_path / "out/grids/completed_000.png").exists()


def test_the_sheets_show_all_faces_that_were_asked_for_though_nothing_was_left_to_do(complete, faces, tmp_path):
    paths = [faces / f"{name}.png" for name in NAMES]
    for asked in (paths[:1], paths[1:], paths):
        assert complete(*asked).code == 0
        assert read_photo(tmp_path / "out/grids/completed_000.png").pixels.shape == (64, 8 * 64, 3)
        page = (tmp_path / "out/report.html").read_text()
        assert [name in page for name in NAMES] == [path in asked for path in paths]


@pytest.mark.fault("F16", "completion")
@pytest.mark.parametrize("file", ["completed.png", "masked.png", "results.jsonl"])
def test_a_flipped_byte_has_just_that_face_completed_again(complete, faces, tmp_path, file):
    assert complete(faces).code == 0
    path = next((tmp_path / "out").rglob(file))
    whole, content = path.read_bytes(), bytearray(path.read_bytes())
    content[len(content) // 4] ^= 1
    path.write_bytes(content)
    assert "1 completed, 1 skipped" in complete(faces).out
    assert path.suffix == ".jsonl" or path.read_bytes() == whole
    assert "0 completed, 2 skipped" in complete(faces).out


def test_a_result_that_was_damaged_meanwhile_is_named(faces, tmp_path):
    write_picture(tmp_path / "a/completed.png", np.zeros((8, 8, 3), np.uint8))
    damaged = tmp_path / "a/completed.png"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    overview = Overview(tmp_path, ["a"], {}, {"a": {"name": "a", "files": {"completed.png": 1}}})
    with pytest.raises(UsageError, match="cannot be read again") as caught:
        overview.finish(lambda: None)
    assert caught.value.exit_code == BAD_OUTPUT and str(damaged) in str(caught.value)


def test_names_of_the_folders_own_files_are_left_to_it(complete, tmp_path):
    (tmp_path / "faces").mkdir()
    for name in ("progress.gif", "progress.png", "config.json.png", "report.html.png", "grids.png"):
        Image.open(FACES / f"{NAMES[0]}.png").save(tmp_path / "faces" / name)
    ended = complete(tmp_path / "faces")
    assert ended.code == 0 and "5 completed" in ended.out and (tmp_path / "out/report.html").is_file()


def test_when_nobody_reads_its_messages_the_work_goes_on(faces, tmp_path, start):
    for index in range(40):
        (faces / f"{index}.png").write_bytes(b"no picture")
    reader, writer = os.pipe()
    os.close(reader)
    process = start("face_completion.py", faces, "--method", "laplace", "--out_dir", tmp_path / "out",
                    stdout=subprocess.DEVNULL, stderr=writer)
    os.close(writer)
    assert process.wait(timeout=60) == 1
    found = list(statuses(tmp_path / "out").values())
    assert found.count("done") == 2 and len(found) == 42


def test_a_first_picture_that_cannot_be_used_does_not_say_how_large_the_others_are(complete, faces, tmp_path):
    write_picture(faces / "0_wide.png", np.zeros((40, 30, 3), np.uint8))
    ended = complete(faces)
    assert ended.code == 1
    assert statuses(tmp_path / "out") == dict.fromkeys(NAMES, "done") | {"0_wide": "wrong_size"}


def test_an_only_picture_that_is_none_is_named_with_its_reason(complete, tmp_path):
    (tmp_path / "empty.png").touch()
    ended = complete(tmp_path / "empty.png")
    assert ended.code == 1 and "failed: " in ended.err and "0 completed" in ended.out


def test_a_face_that_is_all_hole_is_named(complete, tmp_path):
    write_picture(tmp_path / "dot.png", np.zeros((1, 1, 3), np.uint8))
    ended = complete(tmp_path / "dot.png")
    assert ended.code == 1 and "nothing_known" in ended.err and len(ended.err.splitlines()) == 1


@pytest.mark.fault("F50", "completion")
def test_a_mask_that_was_missing_may_be_added_and_no_other_face_is_done_again(complete, faces, tmp_path):
    mask = np.zeros((64, 64, 3), np.uint8)
    mask[20:40, 20:40] = 255
    write_picture(tmp_path / "masks" / f"{NAMES[0]}.png", mask)
    ended = complete(faces, "--mask", tmp_path / "masks")
    assert ended.code == 1 and "no_mask" in ended.err and "1 completed" in ended.out
    write_picture(tmp_path / "masks" / f"{NAMES[1]}.png", mask)
    ended = complete(faces, "--mask", tmp_path / "masks")
    assert ended.code == 0 and "1 completed, 1 skipped" in ended.out
    write_picture(tmp_path / "masks" / f"{NAMES[0]}.png", 255 - mask)
    assert "1 completed, 1 skipped" in complete(faces, "--mask", tmp_path / "masks").out


@pytest.mark.parametrize("masked", [False, True])
def test_a_hole_depends_on_no_other_input(complete, tmp_path, masked):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        shutil.copy(FACES / f"{NAMES[0]}.png", tmp_path / folder / "1.png")
    hole = ["--mask_type", "random"]
    if masked:
        mask = np.zeros((64, 64, 3), np.uint8)
        mask[20:29, 20:29] = 255
        write_picture(tmp_path / "masks" / "1.png", mask)
        hole = ["--mask", tmp_path / "masks"]
    assert complete(tmp_path / "a/1.png", *hole, out="alone").code == 0
    assert complete(tmp_path / "a/1.png", tmp_path / "b/1.png", *hole, out="both").code == 0
    alone, both = (sorted(tmp_path.glob(f"{out}/**/masked.png")) for out in ("alone", "both"))
    assert len(alone) == 1 and len(both) == 2
    assert {path.read_bytes() for path in both} == {alone[0].read_bytes()}


def test_an_input_inside_the_output_folder_is_named(complete, faces, tmp_path):
    assert complete(faces).code == 0
    ended = complete(faces, tmp_path / "out" / NAMES[0] / "completed.png")
    assert ended.code == 1 and "in_output" in ended.err and "2 skipped" in ended.out


@pytest.mark.parametrize("name", [".lock", "results.jsonl"])
def test_nothing_is_written_through_a_link_in_the_output_folder(complete, faces, tmp_path, name):
    (tmp_path / "mine").write_text("mine\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / "mine")
    ended = complete(faces)
    assert ended.code == BAD_OUTPUT and (tmp_path / "mine").read_text() == "mine\n"


@pytest.mark.parametrize("arguments, problem", [
    (["--intact"], "--intact is of --mask"), (["--mask", "alpha", "--tolerance", "9"], "is of --mask color:"),
    (["--mask", "alpha", "--mask_type", "half"], "takes the place of"),
    (["--mask_type", "half", "--center_scale", "0.3"], "--center_scale is of"),
    (["--landmarks", "outerEyesAndNose"], "--landmarks is of --paste_back")])
def test_options_of_holes_that_would_do_nothing_are_refused(complete, faces, arguments, problem):
    ended = complete(faces, *arguments)
    assert ended.code == 2 and problem in ended.err and len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["report.html", f"{NAMES[0]}/completed.png", f"{NAMES[0]}/original.png", NAMES[1],
                                  "config.json"])
def test_files_of_others_are_not_replaced(complete, faces, tmp_path, name):
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine\n")
    ended = complete(faces)
    assert ended.code == BAD_OUTPUT and name in ended.err and len(ended.err.splitlines()) == 1
    assert path.read_text() == "mine\n" and complete(faces, out="other").code == 0


@pytest.mark.parametrize("more, told", [
    ({"points": [1.0] * 6}, "another --points"), ({"larger": {"128": {}}}, "fewer sizes of faces"),
    ({"seed": 1}, "--seed 1")])
def test_results_of_settings_that_are_asked_for_no_more_are_not_replaced(tmp_path, more, told):
    CompletedFolder(tmp_path, {"seed": 0, **more}).begin()
    with RecordFile(tmp_path / "results.jsonl") as results:
        results.append({"name": "a", "status": "done", "files": {}, "source": "a.png", "stamp": [1, 2]})
    with pytest.raises(UsageError, match=f"other settings .{told}"):
        CompletedFolder(tmp_path, {"seed": 0}).open({"a": ("a.png", 1, 2)}, overwrite=False)
    assert CompletedFolder(tmp_path, {"seed": 0}).open({"a": ("a.png", 1, 2)}, overwrite=True) == set()
