"""Generative face completion: parts from landmarks, squares, its phases, and its training from end to end."""
import shutil
from pathlib import Path

import numpy as np
import pytest

import face_completion
from completion.masks import center
from dataset.folder import load_faces
from dataset.store import Pack, write_pack
from helpers import to_float
from models import face_parts, train
from models.face_parts import PARTS, LabelledFaces, draw_parts, find_landmarks
from models.generative_face_completion import GenerativeFaceCompletion, Training, cut_squares, draw_squares
from network import tf
from nn.choices import Sizes
from preprocess.faces import FaceFinder
from preprocess.templates import TEMPLATES
from tests.models.filling import weights
from training.checkpoint import load_model
from training.settings import Console

PORTRAITS = Path(__file__).parents[1] / "data" / "openface64"


@pytest.fixture(autouse=True)
def optimize_as_before():
    """Other tests compare what this process computes with what others do, which train nothing of this kind."""
    yield
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": True})


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Eight aligned portraits with their parts."""
    return LabelledFaces(load_faces(PORTRAITS, 64)[0][:8], tmp_path_factory.mktemp("run"), Console(None))[:]


def test_landmarks_of_aligned_faces_lie_on_the_template(faces):
    finder, (indices, targets) = FaceFinder(), TEMPLATES["innerEyesAndBottomLip"]
    distances = [np.abs(find_landmarks(finder, face[..., :3])[list(indices)] - 64 * np.array(targets)).mean()
                 for face in faces]
    assert np.mean(distances) < 1


def test_parts_lie_where_the_landmarks_are():
    landmarks = find_landmarks(FaceFinder(), load_faces(PORTRAITS, 64)[0][0])
    labels, (x, y) = draw_parts(landmarks, 64), np.rint(landmarks).astype(int).T
    assert labels[y[51:58].mean().astype(int), x[48:60].mean().astype(int)] == PARTS.index("mouth")
    assert labels[y[30] - 1, x[30]] == PARTS.index("nose")
    assert labels[(y[31] + y[51]) // 2, (x[31] + x[3]) // 2] == PARTS.index("skin")
    assert {PARTS[part] for part in np.unique(labels)} >= {"background", "skin", "brows", "eyes", "nose", "mouth"}


def test_squares_are_cut_where_they_are_drawn():
    known, corners = draw_squares(50, 64, tf.constant([1, 2], tf.int64))
    assert ((~known.numpy()).sum(axis=(1, 2)) == 32 * 32).all() and len(np.unique(corners.numpy(), axis=0)) > 40
    faces = np.random.default_rng(0).normal(size=(50, 64, 64, 3)).astype(np.float32)
    for face, kept, square in zip(faces, known.numpy(), cut_squares(faces, corners).numpy()):
        np.testing.assert_array_equal(face[~kept].reshape(32, 32, 3), square)


def test_each_phase_trains_what_it_adds_and_the_parser_learns_the_parts(faces):
    model = GenerativeFaceCompletion(Sizes(gf_dim=2, df_dim=2))
    model.prepare_training(Training(steps=30, learning_rate=0.01, parts_weight=1.0))
    update, batch = tf.function(model.train_step), tf.constant(to_float(faces))
    begun = {name: [value.numpy() for value in network.trainable_variables]
             for name, network in model.networks.items()}

    def moved(name):
        return any((old != new.numpy()).any() for old, new in
                   zip(begun[name], model.networks[name].trainable_variables))
    found = [update(batch, tf.constant(step, tf.int64)) for step in range(11)]
    assert moved("generator") and moved("parser") and not moved("local") and not moved("global")
    found += [update(batch, tf.constant(step, tf.int64)) for step in range(11, 20)]
    assert moved("local") and not moved("global")
    assert [int(model.optimizers[name].iterations) for name in ("local", "global", "parser")] == [8, 0, 20]
    found += [update(batch, tf.constant(step, tf.int64)) for step in range(20, 30)]
    assert moved("global")
    assert found[-1]["parser_loss"] < 0.6 * found[0]["parser_loss"]
    assert found[-1]["reconstruction_loss"] < 0.8 * found[0]["reconstruction_loss"]
    assert float(found[0]["local_d_loss"]) == pytest.approx(2 * np.log(2), rel=0.05)           # a D that knows nothing


@pytest.mark.slow
@pytest.mark.fault("F36", "learned")
def test_a_resumed_run_equals_an_unbroken_one_and_its_model_fills_faces(tmp_path, run):
    def command(home, *more):
        return run(train.main, "generative_face_completion", "--gf_dim", 2, "--df_dim", 2, "--batch_size", 4,
                   "--save_every", 2, "--report_every", 1, "--dataset", tmp_path / "faces", "--checkpoint_dir",
                   home / "saves", "--log_dir", home / "logs", "--epoch", 2, *more)

    (tmp_path / "faces").mkdir()
    for path in sorted(PORTRAITS.glob("*.png"))[:8]:
        shutil.copy(path, tmp_path / "faces")
    once, twice = tmp_path / "once", tmp_path / "twice"
    ended = command(once, "--validation", tmp_path / "faces", "--export", tmp_path / "shipped")
    assert not ended.code and "parts of 8 faces" in ended.out, ended.err
    shutil.copytree(once, twice)
    last = "saves/generative_face_completion/step-00000004"
    shutil.rmtree(twice / last)
    assert "step-00000002" in command(twice).out
    resumed = weights(twice / last)
    for name, value in weights(once / last).items():
        np.testing.assert_array_equal(value, resumed[name], err_msg=name)

    model, _ = load_model(tmp_path / "shipped", GenerativeFaceCompletion)
    truth, known = to_float(load_faces(tmp_path / "faces", 64)[0]), np.repeat(center(64)[None], 8, axis=0)
    filled = model.fill_batch(truth, known, range(8))
    np.testing.assert_array_equal(filled[known], truth[known])
    np.testing.assert_array_equal(model.fill_batch(truth[3:4], known[:1], [3])[0], filled[3])
    assert (model.fill_batch(truth[:1], known[:1], [9])[0] != filled[0]).any()          # other noise
    ended = run(face_completion.main, tmp_path / "faces", "--method", "generative_face_completion", "--checkpoint",
                tmp_path / "shipped", "--out_dir", tmp_path / "out")
    assert not ended.code and "8 completed" in ended.out


class Told(Exception):
    """What a user who stops raises in these tests."""


def test_parts_are_found_once_and_who_was_stopped_goes_on(tmp_path, monkeypatch):
    portraits = load_faces(PORTRAITS, 64)[0][:7]
    write_pack(tmp_path / "pack", portraits, shard=3)
    asked, seen, said, finder = [], [], [], FaceFinder()
    monkeypatch.setattr(face_parts, "SHARD", 3)
    monkeypatch.setattr(face_parts, "FaceFinder", lambda: finder)
    monkeypatch.setattr(face_parts, "find_landmarks", lambda finder, face: seen.append(face) or
                        find_landmarks(finder, face))

    def check():
        asked.append(None)
        if len(asked) == 5:
            raise Told
    console = Console(None, check, said.append)
    with pytest.raises(Told):
        LabelledFaces(Pack(tmp_path / "pack", 64), tmp_path / "run", console)
    assert len(list(tmp_path.glob("run/parts-*/*"))) == 1 and len(seen) == 4            # the first file is whole
    labelled = LabelledFaces(Pack(tmp_path / "pack", 64), tmp_path / "run", console)
    assert len(seen) == 8 and len(said) == 2 and labelled.shape == (7, 64, 64, 4) and len(labelled) == 7
    for row, face in enumerate(portraits):
        np.testing.assert_array_equal(labelled[np.array([row])][0, ..., :3], face)
        expected = draw_parts(find_landmarks(finder, face), 64)
        np.testing.assert_array_equal(labelled[row:row + 1][0, ..., 3], expected)
    again = LabelledFaces(portraits, tmp_path / "run", console)
    assert len(seen) == 8 and len(said) == 2                                            # packed or not
    np.testing.assert_array_equal(again[:], labelled[:])
    damaged = sorted(tmp_path.glob("run/parts-*/*"))[1]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    np.testing.assert_array_equal(LabelledFaces(portraits, tmp_path / "run", console)[:], labelled[:])
    assert len(seen) == 11
    LabelledFaces(portraits[::-1].copy(), tmp_path / "run", console)
    assert len(seen) == 18                                                              # other faces
