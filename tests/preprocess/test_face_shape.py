"""Landmarks that nobody sees, and the affine maps by which they are placed."""
import numpy as np
import pytest

from helpers import NO_INPUT
from pictures.photo import read_photo
from preprocess import learn_shape
from preprocess.affine import chain, invert, move, through
from preprocess.face_shape import MODES, SHAPES, complete_landmarks, similarity

DECIDING = [39, 42, 57]


@pytest.fixture(scope="module")
def landmarks(finder, samples):
    """The landmarks of some portraits, (N, 68, 2)."""
    photos = [read_photo(path).pixels for path in sorted(samples.glob("*.jpg"))[:5]]
    return np.stack([finder.landmarks(photo, finder.boxes(photo)[0]) for photo in photos])


def test_maps_are_undone_chained_and_fixed_by_three_points():
    points = np.array([(3.0, 4), (50, 7), (20, 60)])
    first, second = through(points, points[::-1] * 2), np.array([(0.0, -2, 5), (2, 0, 1)])
    np.testing.assert_allclose(move(first, points), points[::-1] * 2, atol=1e-9)
    np.testing.assert_allclose(move(chain(first, second), points), move(second, move(first, points)), atol=1e-9)
    np.testing.assert_allclose(move(invert(first), move(first, points)), points, atol=1e-9)


def test_a_similarity_is_found_again():
    points, truth = np.random.default_rng(0).normal(size=(9, 2)), np.array([(1.5, -2, 30), (2, 1.5, -4)])
    np.testing.assert_allclose(similarity(points, move(truth, points)), truth, atol=1e-12)


@pytest.mark.parametrize(("hidden", "most"), [(range(36, 48), 0.09), (range(48, 68), 0.12), (range(9), 0.03)])
def test_hidden_landmarks_are_told_by_the_others(landmarks, hidden, most):
    seen = np.ones(68, bool)
    seen[list(hidden)] = False
    for face in landmarks:
        found = complete_landmarks(np.where(seen[:, None], face, 0), seen)
        np.testing.assert_array_equal(found[seen], face[seen])
        apart = np.linalg.norm(face[36:42].mean(axis=0) - face[42:48].mean(axis=0))
        assert np.linalg.norm(found - face, axis=1)[DECIDING].mean() < most * apart


def test_a_turned_and_shrunken_face_has_its_hidden_landmarks_turned_and_shrunken(landmarks):
    seen, turn = np.arange(68) < 40, np.array([(0.0, 0.5, 7), (-0.5, 0, 300)])
    np.testing.assert_allclose(complete_landmarks(move(turn, landmarks[0]), seen),
                               move(turn, complete_landmarks(landmarks[0], seen)), atol=1e-6)


def test_of_too_few_landmarks_nothing_is_told(landmarks):
    np.testing.assert_array_equal(complete_landmarks(landmarks[0], np.arange(68) < 3), landmarks[0])


def test_shapes_are_learned_by_a_command(tmp_path, run, landmarks):
    rng = np.random.default_rng(0)
    records = tmp_path / "alignment.jsonl"
    faces = [(face + rng.normal(size=(68, 2))).tolist() for face in landmarks for _ in range(5)]
    records.write_text("".join(f'{{"status": "done", "landmarks": {face}}}\n' for face in faces))
    assert run(learn_shape.main, records, tmp_path / "shape.npy").code == 0
    shapes = np.load(tmp_path / "shape.npy")
    assert shapes.shape == np.load(SHAPES).shape == (1 + MODES, 136) and shapes.dtype == np.float32
    records.write_text("")
    assert run(learn_shape.main, records, tmp_path / "none.npy").code == NO_INPUT
