"""face_completion.py with other methods than the latent search."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import face_completion
from completion.face import FaceReader
from completion.holes import StandardHoles
from helpers import BAD_OUTPUT, to_float, to_uint8, write_picture
from methods import CLASSICAL, NEED_FACES, classical
from methods.classical import make_fill_batch
from methods.learned import load_filler
from methods.method_settings import MethodSettings
from models.autoencoders import VAE, Architecture
from pictures.photo import read_photo
from shell.records import read_records
from training.checkpoint import export

ROOT = Path(__file__).parent.parent
FACES = ROOT / "tests" / "data" / "openface64"


def results(folder):
    return {record["name"]: record for record in read_records(Path(folder, "results.jsonl"))}


@pytest.mark.parametrize("method", CLASSICAL)
def test_every_method_completes_with_the_outputs_of_the_search_but_for_its_iterations(run, tmp_path, method):
    train = ["--train_faces", FACES] if method in NEED_FACES else []
    names = ["A000369", "B001273"]
    ended = run(face_completion.main, *(FACES / f"{name}.png" for name in names), "--method", method, *train,
                "--out_dir", tmp_path / "out", "--mask_type", "half")
    assert ended.code == 0 and "2 completed" in ended.out, ended.err
    read = FaceReader(StandardHoles("half"), 64)
    batch = [read(FACES / f"{name}.png", name) for name in names]
    fill_batch = make_fill_batch(method, 64, FACES)
    filled = fill_batch(np.stack([to_float(face.pixels) for face in batch]), np.stack([face.known for face in batch]),
                        [face.seed for face in batch])
    for face, expected in zip(batch, filled):
        folder = tmp_path / "out" / face.name
        assert sorted(os.listdir(folder)) == ["completed.png", "masked.png", "original.png"]
        expected = np.where(face.known[..., None], face.pixels, to_uint8(expected))
        np.testing.assert_array_equal(read_photo(folder / "completed.png").pixels, expected)
        record = results(tmp_path / "out")[face.name]
        assert record["hole_psnr"] is None or 5 < record["hole_psnr"] < record["image_psnr"]
        assert record["seconds"] >= 0 and "context_loss" not in record
    sheets = sorted(path.name for path in (tmp_path / "out/grids").glob("*.png"))
    assert sheets == ["completed_000.png", "masked_000.png", "original_000.png"]
    assert (tmp_path / "out/report.html").exists() and not (tmp_path / "out/progress.gif").exists()


def test_a_classical_method_needs_neither_tensorflow_nor_a_model_and_goes_on_where_it_was(tmp_path):
    hidden = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; import face_completion; "
    arguments = [str(FACES), "--out_dir", "out", "--method", "laplace"]
    for expected in ("12 completed, 0 skipped", "0 completed, 12 skipped"):
        done = subprocess.run([sys.executable, "-c", hidden + f"sys.exit(face_completion.main({arguments!r}))"],
                              cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "") and expected in done.stdout


def test_the_first_face_says_how_large_all_are(run, tmp_path):
    for name, side in (("a", 32), ("b", 32), ("c", 64)):
        write_picture(tmp_path / "faces" / f"{name}.png", np.full((side, side, 3), 90, np.uint8))
    ended = run(face_completion.main, tmp_path / "faces", "--method", "laplace", "--out_dir", tmp_path / "out")
    assert ended.code == 1 and "needed is 32x32" in ended.err
    assert {name: record.get("reason") for name, record in results(tmp_path / "out").items()} == {
        "a": None, "b": None, "c": "wrong_size"}
    assert json.loads((tmp_path / "out/config.json").read_text())["image_size"] == 32


@pytest.mark.parametrize("arguments, problem", [
    (["--method", "laplace", "--starts", "3"], "--starts is of the latent search"),
    (["--method", "telea", "--checkpoint", "x"], "--method telea takes no --checkpoint"),
    (["--method", "telea", "--recipe", "seed"], "--recipe is of the latent search"),
    (["--method", "nearest"], "need --train_faces"), (["--train_faces", "x"], "need --train_faces"),
    (["--method", "magic"], "magic")])
def test_options_that_do_not_fit_the_method_end_in_one_line(run, tmp_path, arguments, problem):
    ended = run(face_completion.main, FACES, "--out_dir", tmp_path / "out", *arguments)
    assert ended.code == 2 and problem in ended.err and ended.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_another_method_replaces_results_only_if_asked_and_leaves_none_of_their_iterations(run, model, tmp_path):
    shutil.copy(FACES / "A000369.png", tmp_path / "1.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "a").mkdir()
    for name in ("1.png", "1.jpg"):                     # the results of a/1.png are in a folder below those of a.png
        Image.new("RGB", (64, 64)).save(tmp_path / "a" / name)
    arguments = [tmp_path, "--out_dir", tmp_path / "out"]
    search = ["--checkpoint", model, "--num_iter", "2", "--starts", "1", "--pool", "0"]
    assert run(face_completion.main, *arguments, *search).code == 0
    assert (tmp_path / "out/1/0002.png").exists() and (tmp_path / "out/progress.gif").exists()
    refused = run(face_completion.main, *arguments, "--method", "telea")
    assert refused.code == BAD_OUTPUT and "method" in refused.err
    assert run(face_completion.main, *arguments, "--method", "telea", "--overwrite").code == 0
    for folder in (tmp_path / "out" / name for name in ("1", "a", "a/1.png", "a/1.jpg")):
        assert (folder / "completed.png").exists() and not (folder / "0002.png").exists()
    assert not (tmp_path / "out/progress.gif").exists() and not list((tmp_path / "out/grids").glob("0*.png"))


def test_a_face_that_comes_to_no_numbers_fails_and_the_others_are_completed(run, tmp_path, monkeypatch):
    def fill(face, known, seed=0):
        return np.full_like(face, np.nan) if face[0, 0, 0] == bad else face
    bad = to_float(read_photo(FACES / "B001273.png").pixels)[0, 0, 0]
    monkeypatch.setitem(classical.FILLS, "laplace", fill)
    ended = run(face_completion.main, *(FACES / f"{name}.png" for name in ("A000369", "B001273")), "--method",
                "laplace", "--out_dir", tmp_path / "out")
    assert ended.code == 1 and "B001273.png: not_finite" in ended.err and "1 completed" in ended.out
    assert {name: record["status"] for name, record in results(tmp_path / "out").items()} == {
        "A000369": "done", "B001273": "failed"}


def test_a_large_batch_of_a_method_that_takes_few_faces_at_once_is_not_refused(tmp_path):
    export(VAE(Architecture(z_dim=4, gf_dim=2, df_dim=2)), tmp_path / "vae", {"step": 0})
    fill_batch, at_once = load_filler(MethodSettings("vae", str(tmp_path / "vae"), batch_size=10 ** 6))
    assert at_once == 8
