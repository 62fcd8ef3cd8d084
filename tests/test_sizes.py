"""Faces of whole photos, each completed in the size that suits its pixels."""
import numpy as np
import pytest
from PIL import Image

import evaluate_completion
import face_completion
from benchmarks.portraits import place_faces
from helpers import NO_INPUT, SOME_FAILED, USAGE, read_json, write_picture
from methods import method_options
from network import DCGAN, Architecture
from pictures.photo import read_photo
from shell.progress import Progress
from training.checkpoint import export

LARGE, SMALL = (128, 128, 3), (64, 64, 3)


@pytest.fixture(scope="module")
def photo(samples, finder, tmp_path_factory):
    """A large face with a hole and a small one: (path of the photo, path of the mask)."""
    left, right = (Image.open(samples / name) for name in ("A000369.jpg", "B001232.jpg"))
    right = right.resize([round(0.34 * side) for side in right.size])
    both = Image.new("RGB", (left.width + right.width, left.height), "gray")
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 200))
    folder, hole = tmp_path_factory.mktemp("photo"), np.zeros((both.height, both.width), np.uint8)
    for matrix in place_faces(finder, np.asarray(both)):
        column, row = np.linalg.solve(matrix[:, :2], [32, 36] - matrix[:, 2]).astype(int)
        hole[row - 6:row + 6, column - 6:column + 6] = 255
    both.save(folder / "photo.png")
    write_picture(folder / "mask.png", hole)
    return folder / "photo.png", folder / "mask.png"


@pytest.fixture
def restore(run, photo, tmp_path):
    """Run the command on the photo; returns what Ended, and the shapes of its completed faces."""
    def call(*arguments, out="out"):
        ended = run(face_completion.main, photo[0], "--paste_back", "--mask", photo[1], "--out_dir", tmp_path / out,
                    *arguments)
        faces = (tmp_path / out / "photo" / file for file in ("completed.png", "face_2/completed.png"))
        return ended, [read_photo(face).pixels.shape for face in faces if face.exists()]
    return call


def test_large_and_small_faces_stand_on_one_sheet_and_in_one_photo(restore, photo, tmp_path):
    ended, shapes = restore("--method", "laplace")
    assert ended.code == 0 and shapes == [LARGE, SMALL]
    sheet = read_photo(tmp_path / "out/grids/completed_000.png").pixels
    assert sheet.shape == (128, 8 * 128, 3) and (sheet[:, 128:256] < 255).any()
    before, after, hole = (read_photo(path).pixels for path in (photo[0], tmp_path / "out/photo/restored.png",
                                                                photo[1]))
    np.testing.assert_array_equal(after[hole == 0], before[hole == 0])
    assert 0 < np.abs(after[hole > 0].astype(int) - before[hole > 0]).mean() < 30


@pytest.mark.parametrize("size, shape", [(64, SMALL), (128, LARGE)])
def test_a_size_that_is_asked_for_is_that_of_all(restore, size, shape):
    ended, shapes = restore("--method", "laplace", "--size", size)
    assert ended.code == 0 and shapes == [shape, shape]


def test_all_faces_have_the_size_of_the_training_faces_that_fill_them(restore, openface, tmp_path):
    ended, shapes = restore("--method", "mean_face", "--train_faces", openface)
    assert ended.code == 0 and shapes == [SMALL, SMALL]
    write_picture(tmp_path / "faces/a.png", np.zeros((96, 96, 3), np.uint8))
    ended, shapes = restore("--method", "mean_face", "--train_faces", tmp_path / "faces", out="other")
    assert ended.code == NO_INPUT and "no faces of 128x128" in ended.err and shapes == []


def test_every_size_has_its_shipped_model(restore, tmp_path, monkeypatch):
    for side in (64, 128):
        export(DCGAN(Architecture(side, z_dim=8, gf_dim=2, df_dim=2)), tmp_path / f"shipped{side}", {"step": 0})
    monkeypatch.setattr(method_options, "shipped", lambda kind, side=64: str(tmp_path / f"shipped{side}"))
    seen = []

    class Counted(Progress):
        def __exit__(self, *_):
            seen.append((self.unit, self.done, self.total))
            super().__exit__()
    monkeypatch.setattr(face_completion, "Progress", Counted)
    few = "--num_iter", 2, "--starts", 1, "--pool", 0
    ended, shapes = restore(*few)
    assert ("faces", 2, 2) in seen
    assert ended.code == 0 and shapes == [LARGE, SMALL]
    config = read_json(tmp_path / "out/config.json")
    assert config["image_size"] == 64 and config["larger"]["128"]["image_size"] == 128
    page = (tmp_path / "out/report.html").read_text()
    assert f"{tmp_path}/shipped64 or {tmp_path}/shipped128, by the size of each face" in page
    ended, _ = restore(*few, "--learning_rate", 0.5)
    assert ended.code == 5 and "other settings (--learning_rate 0.02, asked for 0.5)" in ended.err
    assert restore(*few, "--size", 128, out="large")[1] == [LARGE, LARGE]
    (tmp_path / "shipped128").rename(tmp_path / "elsewhere")
    assert restore(*few, out="small")[1] == [SMALL, SMALL]
    ended, _ = restore(*few, "--size", 128, out="none")
    assert ended.code == 4 and "is not there: leave --size out" in ended.err and "searching" not in ended.out


def test_a_size_is_of_whole_photos_and_of_no_model_of_ones_own(run, photo, model):
    ended = run(face_completion.main, photo[0], "--size", 128)
    assert ended.code == 2 and "--size is of --paste_back" in ended.err
    ended = run(face_completion.main, photo[0], "--paste_back", "--size", 128, "--checkpoint", model)
    assert ended.code == 2 and "--checkpoint" in ended.err


def test_a_face_of_the_other_size_is_told_which_model_completes_it(run, tmp_path):
    write_picture(tmp_path / "faces" / "a.png", np.zeros((128, 128, 3), np.uint8))
    ended = run(face_completion.main, tmp_path / "faces", "--out_dir", tmp_path / "out")
    assert ended.code == SOME_FAILED and "--checkpoint, such as checkpoint/celeba128" in ended.err
    ended = run(evaluate_completion.main, tmp_path / "faces", "--out_dir", tmp_path / "measured")
    assert ended.code == USAGE and "--checkpoint, such as checkpoint/celeba128" in ended.err
