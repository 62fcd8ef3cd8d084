"""Looking into a latent space, from the command line to sheets and animations."""
import contextlib
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import face_completion
from completion import latent
from helpers import BAD_CHECKPOINT, BAD_OUTPUT, NO_INPUT, OUT_OF_MEMORY, SOME_FAILED, USAGE, UsageError, write_picture
from pictures.photo import read_photo
from preprocess import dlib_models

NAMES = "A000369", "B001273"


@pytest.mark.slow
def test_a_projection_is_nearer_the_more_it_is_searched(run, encoded, openface, tmp_path):
    means = []
    for count in (0, 40):
        ended = run(latent.main, "project", openface, tmp_path / str(count), "--checkpoint", encoded,
                    "--num_iter", count)
        assert ended.code == 0, ended.err
        means.append(json.loads((tmp_path / str(count) / "projected.json").read_text())["psnr"])
    assert means[0]["encoder"] == means[0]["activations"] == means[1]["encoder"]
    assert means[1]["activations"] > means[0]["activations"] + 1 and means[1]["latent"] > means[0]["latent"]
    faces = len(list(openface.glob("*.png")))
    sheets = [read_photo(path).pixels for path in sorted((tmp_path / "40").glob("projected_*.png"))]
    assert sum(len(sheet) for sheet in sheets) == faces * (latent.SIDE + 14) and sheets[0].shape[1] == 4 * latent.SIDE


def test_what_is_no_face_fails_and_the_others_go_on(run, encoded, openface, tmp_path):
    write_picture(tmp_path / "faces" / "wide.png", np.zeros((10, 20, 3), np.uint8))
    (tmp_path / "faces" / "face.png").symlink_to(openface / f"{NAMES[0]}.png")
    arguments = "--checkpoint", encoded, "--num_iter", 1
    ended = run(latent.main, "project", tmp_path / "faces", tmp_path / "out", *arguments)
    assert ended.code == SOME_FAILED and "wrong_size" in ended.err and "of 1 face " in ended.out
    (tmp_path / "faces" / "face.png").unlink()
    assert run(latent.main, "project", tmp_path / "faces", tmp_path / "out", *arguments).code == NO_INPUT


@pytest.mark.slow
def test_an_interpolation_goes_from_one_projection_to_the_other(run, encoded, openface, tmp_path):
    paths = [openface / f"{name}.png" for name in NAMES]
    common = "--checkpoint", encoded, "--num_iter", 3, "--steps", 5
    there, back = tmp_path / "there", tmp_path / "back"
    for ends, out in ((paths, there), (paths[::-1], back)):
        assert run(latent.main, "interpolate", *ends, out, *common).code == 0
    sheets = [read_photo(out / "interpolated.png").pixels for out in (there, back)]
    assert sheets[0].shape == (2 * latent.SIDE, 5 * latent.SIDE, 3)
    shown = [sheet.reshape(2, latent.SIDE, 5, latent.SIDE, 3).swapaxes(1, 2) for sheet in sheets]
    np.testing.assert_allclose(shown[0].astype(int), shown[1][:, ::-1].astype(int), atol=3)
    assert (shown[0][:, 0] != shown[0][:, -1]).any(axis=(1, 2, 3)).all()
    assert Image.open(there / "interpolated.gif").n_frames > 5


@pytest.mark.slow
def test_a_walk_has_a_row_a_direction_and_the_face_in_the_middle(run, encoded, openface, tmp_path):
    face, common = openface / f"{NAMES[0]}.png", ("--checkpoint", encoded, "--num_iter", 3, "--steps", 5)
    ended = run(latent.main, "walk", face, tmp_path / "walk", *common, "--directions", 3)
    assert ended.code == 0 and "row 3: direction 3" in ended.out and (tmp_path / "walk" / "walk.gif").exists()
    sheet = read_photo(tmp_path / "walk" / "walk.png").pixels
    shown = sheet.reshape(3, latent.SIDE, 5, latent.SIDE, 3).swapaxes(1, 2)
    np.testing.assert_allclose(shown[0, 2].astype(int), shown[1, 2], atol=1)
    assert (shown[0, 0] != shown[1, 0]).any()
    ended = run(latent.main, "walk", face, tmp_path / "numbers", *common, "--z_index", 0, 7)
    assert ended.code == 0 and "row 2: z 7" in ended.out
    assert "numbers 0 to 7" in run(latent.main, "walk", face, tmp_path / "none", *common, "--z_index", 8).err


def test_no_tool_is_silent_while_it_loads_or_searches(run, encoded, openface, tmp_path, monkeypatch):
    told, a, b = [], *(openface / f"{name}.png" for name in NAMES)
    monkeypatch.setattr(latent, "Progress", lambda total, unit: told.append(unit) or contextlib.nullcontext())
    for words in (("interpolate", a, b), ("walk", a)):
        ended = run(latent.main, *words, tmp_path / words[0], "--checkpoint", encoded, "--num_iter", 1, "--steps", 2)
        assert ended.code == 0 and told == ["loading models", latent.WORK], ended.err
        told.clear()


def test_a_walk_has_one_kind_of_directions(run, openface, tmp_path):
    ended = run(latent.main, "walk", openface / f"{NAMES[0]}.png", tmp_path / "out", "--z_index", 3, "--directions", 2)
    assert ended.code == 2 and "--directions is of the activations" in ended.err and not any(tmp_path.iterdir())


def test_a_model_without_an_encoder_is_refused(run, model, openface, tmp_path):
    ended = run(latent.main, "project", openface, tmp_path / "out", "--checkpoint", model)
    assert ended.code == BAD_CHECKPOINT and "latent_encoder" in ended.err


def test_a_completion_that_repeats_a_training_face_is_found(run, openface, tmp_path):
    faces = [openface / f"{name}.png" for name in NAMES]
    assert run(face_completion.main, *faces, "--out_dir", tmp_path / "completed", "--method", "nearest",
               "--train_faces", openface, "--mask_type", "half").code == 0
    ended = run(latent.main, "nearest", tmp_path / "completed", openface, tmp_path / "out")
    assert "training faces among the true faces: " in ended.err
    assert ended.code == 0 and "descriptor: " in ended.out and "pixels: " in ended.out, ended.err
    found = json.loads((tmp_path / "out" / "nearest.json").read_text())
    for name in NAMES:
        assert found["faces"][name]["pixels"]["training_face"].endswith(f"{name}.png")
        assert found["faces"][name]["pixels"]["of_the_truth"] == 0
        assert found["faces"][name]["descriptor"]["of_the_truth"] == 0
    assert read_photo(tmp_path / "out" / "nearest.png").pixels.shape[1] == 4 * latent.SIDE
    assert run(latent.main, "nearest", openface, openface, tmp_path / "none").code == NO_INPUT


@pytest.mark.fault("F47", "latent")
def test_a_page_in_the_place_of_dlibs_model_is_refused_before_any_work(run, openface, tmp_path, monkeypatch):
    (tmp_path / "page.dat").write_text("<!doctype html><title>404</title>")
    monkeypatch.setattr(dlib_models, "_packaged", lambda model: tmp_path / "page.dat")
    ended = run(latent.main, "nearest", tmp_path / "none", openface, tmp_path / "out")
    assert (ended.code, ended.err.count("\n")) == (USAGE, 1) and "expected sha256" in ended.err


@pytest.mark.fault("F42", "latent")
def test_more_faces_at_a_time_than_memory_holds_are_told_with_the_option(run, openface, tmp_path, monkeypatch):
    def exhaust(*_):
        raise MemoryError
    monkeypatch.setattr(latent, "make_searches", lambda *_: (dict.fromkeys(latent.SPACES), None))
    monkeypatch.setattr(latent, "find_points", exhaust)
    ended = run(latent.main, "project", openface, tmp_path / "out", "--batch_size", 4096)
    assert ended.code == OUT_OF_MEMORY and "reduce --batch_size" in ended.err


def test_a_folder_says_that_it_holds_looks_into_a_latent_space_and_loses_nothing_of_others(run, openface, tmp_path):
    for content, code in (None, NO_INPUT), ('{"kind": "latent"}', NO_INPUT), ('{"mine": 1}', BAD_OUTPUT):
        (tmp_path / "out").mkdir(exist_ok=True)
        if content:
            (tmp_path / "out/config.json").write_text(content)
        assert run(latent.main, "project", tmp_path / "none", tmp_path / "out").code == code
    assert (tmp_path / "out/config.json").read_text() == '{"mine": 1}'
    faces = shutil.copytree(openface, tmp_path / "faces")
    assert run(latent.main, "project", faces, faces).code == NO_INPUT and not (faces / "config.json").exists()
    (tmp_path / "out/config.json").write_text('{"kind": "latent"}')
    ended = run(face_completion.main, openface, "--method", "laplace", "--out_dir", tmp_path / "out")
    assert ended.code == BAD_OUTPUT and "another kind (latent" in ended.err


@pytest.fixture
def projected(openface, tmp_path):
    """(the command line of a projection without its updates, its folder, in which its results lie)."""
    faces, out = shutil.copytree(openface, tmp_path / "faces"), tmp_path / "out"
    words = "project", faces, out, "--num_iter"
    options = latent.parse([*map(str, words), "1"])
    out.mkdir()
    latent.begin(options, latent.describe(options))
    for file in latent.TOOLS["project"][-1]:
        (out / file).write_text("results")
    return words, out


def test_results_of_other_faces_or_settings_are_refused_before_any_work(run, projected, openface):
    (tool, faces, out, *_), before = projected[0], {path: path.read_bytes() for path in projected[1].iterdir()}
    for words, told in (((openface, out, "--num_iter", 1), "another FACES"),
                        ((faces, out, "--num_iter", 2), "--num_iter 1, asked for 2"),
                        ((openface, out, "--num_iter", 1, "--seed", 3), "another FACES; --seed 0, asked for 3")):
        ended = run(latent.main, tool, *words)
        assert (ended.code, ended.err.count("\n")) == (BAD_OUTPUT, 1) and f"settings ({told})" in ended.err
    assert {path: path.read_bytes() for path in out.iterdir() if path.name != ".lock"} == before


def test_the_same_faces_may_change_where_they_lie_and_other_tools_write_beside(projected, openface):
    words, out = projected
    (words[1] / "more.png").write_bytes((openface / f"{NAMES[0]}.png").read_bytes())
    options = latent.parse([*map(str, words), "1", "--batch_size", "3"])
    latent.check_results(options, latent.describe(options))
    walk = latent.parse(["walk", str(openface / f"{NAMES[0]}.png"), str(out)])
    latent.check_results(walk, latent.describe(walk))
    latent.begin(walk, latent.describe(walk))
    assert json.loads((out / "config.json").read_text()).keys() == {"kind", "project", "walk"}
    latent.check_results(options, latent.describe(options))


def test_a_face_that_was_moved_is_the_same_and_one_of_its_name_is_another(openface, tmp_path):
    def look(face):
        options = latent.parse(["walk", str(face), str(tmp_path)])
        settings = latent.describe(options)
        latent.check_results(options, settings)
        latent.begin(options, settings)
        (tmp_path / "walk.png").touch()
    look(openface / f"{NAMES[0]}.png")
    look(shutil.copy(openface / f"{NAMES[0]}.png", tmp_path / "moved.png"))
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError, match="another FACE"):
        look(shutil.copy(openface / f"{NAMES[1]}.png", tmp_path / "other/moved.png"))


@pytest.mark.parametrize("config", [None, '{"kind": "latent", "tool": "walk"}',
                                    '{"kind": "latent", "walk": {"face": 1}}'])
def test_results_that_do_not_say_of_what_they_were_made_are_not_replaced(run, openface, tmp_path, config):
    (tmp_path / "walk.png").write_text("mine")
    if config:
        (tmp_path / "config.json").write_text(config)
    ended = run(latent.main, "walk", openface / f"{NAMES[0]}.png", tmp_path)
    assert ended.code == BAD_OUTPUT and "holds walk.png, and does not say of what it was made" in ended.err
    assert (tmp_path / "walk.png").read_text() == "mine"


def test_sheets_of_faces_that_are_no_longer_there_go(tmp_path):
    for name in ("000", "001", "1000", "9", "x01"):
        (tmp_path / f"projected_{name}.png").touch()
    assert sorted(latent.find_sheets(tmp_path, 1)) == ["projected_001.png", "projected_1000.png"]
