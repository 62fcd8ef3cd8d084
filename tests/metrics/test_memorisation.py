"""The nearest training faces, and whether completions are nearer to them than true faces."""
import numpy as np
import pytest
from scipy.stats import norm

from metrics import memorisation
from metrics.memorisation import compare_nearness, nearest_descriptors, nearest_pixels
from pictures.photo import read_photo


def test_the_nearest_descriptor_is_found():
    index, distance = nearest_descriptors(np.float32([[0, 0], [5, 5]]), np.float32([[3, 4], [5, 6], [9, 9]]))
    np.testing.assert_array_equal(index, [0, 1])
    np.testing.assert_allclose(distance, [5, 1])


def test_the_nearest_face_in_the_hole_is_what_comparing_one_by_one_finds(openface, monkeypatch):
    monkeypatch.setattr(memorisation, "BLOCK", 3)
    faces = np.stack([read_photo(path).pixels for path in sorted(openface.glob("*.png"))[:8]])
    known = np.ones((2, 64, 64), bool)
    known[0, 16:48, 16:48], known[1, :, 32:] = False, False
    index, distance = nearest_pixels(faces[:2], known, faces[2:])
    for face, seen, which, length in zip(faces[:2], known, index, distance):
        expected = np.sqrt(((faces[2:].astype(float) - face)[:, ~seen] ** 2).mean(axis=(1, 2)))
        assert which == expected.argmin() and length == pytest.approx(expected.min(), rel=1e-9)


def test_a_face_that_is_repeated_in_the_hole_is_at_no_distance(openface):
    training = np.stack([read_photo(path).pixels for path in sorted(openface.glob("*.png"))[:3]])
    known = np.ones((1, 64, 64), bool)
    known[0, 20:40] = False
    copied = np.where(known[0, ..., None], 0, training[1]).astype(np.uint8)
    index, distance = nearest_pixels(copied[None], known, training)
    assert (index, distance) == ([1], [0])


def test_completions_that_are_nearer_are_told_from_those_that_are_not():
    near, far = np.arange(10.0), np.arange(10.0) + 5
    found = compare_nearness(near, far)
    wins = np.mean([(a < b) + (a == b) / 2 for a in near for b in far])
    assert found["nearer"] == pytest.approx(wins) and found["p"] < 0.005
    assert (found["completed_median"], found["truth_median"]) == (4.5, 9.5)
    assert compare_nearness(far, near)["p"] > 0.995
    same = compare_nearness(near, near)
    assert same["nearer"] == 0.5 and same["p"] == pytest.approx(norm.sf(0), abs=0.03)
