import sys

import numpy as np
import pytest

from completion.masks import MASKS, center
from helpers import UsageError, to_float
from methods.classical import FILLS, FROM_FACES
from methods.low_rank import low_rank
from methods.total_variation import _gradient, total_variation
from pictures.photo import read_photo

FACES = np.random.default_rng(0).integers(60, 190, (5, 1, 1, 3)) + np.random.default_rng(1).integers(
    -20, 20, (5, 32, 32, 3))
FACES = FACES.astype(np.uint8)
ALL = FILLS | {name: make(FACES) for name, make in FROM_FACES.items()}


@pytest.mark.parametrize("fill", ALL.values(), ids=ALL)
@pytest.mark.parametrize("mask", ["center", "random", "left", "strokes", "pattern", "O3", "none"])
@pytest.mark.fault("F51 F52", "completion", "evaluation")
def test_known_pixels_are_kept_and_the_hole_is_not_looked_at(fill, mask):
    known = MASKS[mask](32, np.random.default_rng(3))
    face = to_float(FACES[0])
    before = face.copy()
    filled = fill(face, known, 7)
    assert filled.shape == face.shape and filled.dtype == np.float32 and np.abs(filled).max() <= 1
    np.testing.assert_array_equal(filled[known], face[known])
    np.testing.assert_array_equal(face, before)
    np.testing.assert_array_equal(filled, fill(np.where(known[..., None], face, 0.5).astype(np.float32), known, 7))


@pytest.mark.parametrize("name", FILLS)
def test_a_constant_picture_comes_back(name):
    face = np.full((32, 32, 3), to_float(np.array([90, 120, 200], np.uint8)))
    filled = FILLS[name](face, center(32), 0)
    inexact = {"low_rank": 0.01, "telea": 3 / 127.5}    # OpenCV's fast marching rounds its weights
    np.testing.assert_allclose(filled, face, atol=inexact.get(name, 1e-5))


@pytest.mark.parametrize("name, tolerance", [("laplace", 1e-5), ("biharmonic", 1e-2), ("total_variation", 0.1),
                                             ("low_rank", 0.05), ("telea", 0.15), ("navier_stokes", 0.15),
                                             ("patchmatch", 0.3)])
def test_a_smooth_ramp_comes_back_nearly(name, tolerance):
    ramp = np.linspace(-0.5, 0.5, 32, dtype=np.float32)
    face = np.stack([np.tile(ramp, (32, 1))] * 3, axis=-1)
    assert np.abs(FILLS[name](face, center(32, scale=0.375), 0) - face).mean() < tolerance * 9 / 64


def variation(picture):
    """The sum over all pixels of the length of the channels' joint gradient."""
    return float(np.sqrt((_gradient(picture) ** 2).sum(axis=(0, 3))).sum())


def test_total_variation_converges_to_the_shortest_edge():
    face = np.full((24, 24, 3), -0.5, np.float32)
    face[:, 12:] = 0.5
    known = center(24)
    rough = np.where(known[..., None], face, np.random.default_rng(0).uniform(-1, 1, face.shape)).astype(np.float32)
    filled = total_variation(rough, known, iterations=4000, tolerance=0)
    assert variation(filled) == pytest.approx(variation(face), rel=1e-3)


@pytest.mark.parametrize("mask, rest", [("center", 0.005), ("random", 0.005), ("half", 0.02)])
def test_the_default_iterations_bring_a_portrait_near_the_smallest_variation(openface, mask, rest):
    """`rest` is how far above the smallest variation the default may end."""
    face = to_float(read_photo(sorted(openface.glob("*.png"))[0]).pixels)
    known = MASKS[mask](64, np.random.default_rng(0))
    start, default, smallest = (variation(filled) for filled in (
        FILLS["laplace"](face, known), total_variation(face, known),
        total_variation(face, known, iterations=4000, tolerance=0)))
    assert smallest < start and smallest <= default < smallest * (1 + rest)
    assert default < start - (start - smallest) / 2


def test_a_matrix_of_rank_one_is_completed():
    rng = np.random.default_rng(0)
    face = np.einsum("h,wc->hwc", rng.uniform(0.2, 1, 32), rng.uniform(-0.8, 0.8, (32, 3))).astype(np.float32)
    known = MASKS["random"](32, rng, share=0.4)
    filled = low_rank(face, known, shrinkages=(4, 2, 1, 0.5, 0.1, 0.01), iterations=60)
    assert np.abs(filled - face).max() < 0.05


def test_the_nearest_face_is_found_by_its_surroundings():
    known = center(32)
    filled = ALL["nearest"](np.where(known[..., None], to_float(FACES[3]), 0).astype(np.float32), known, 0)
    np.testing.assert_allclose(filled, to_float(FACES[3]), atol=1e-6)


def test_the_same_seed_gives_the_same_patches():
    face, known = to_float(FACES[0]), center(32)
    np.testing.assert_array_equal(*(FILLS["patchmatch"](face, known, 5) for _ in range(2)))


@pytest.mark.parametrize("name, module, package", [("telea", "cv2", "opencv-python-headless"),
                                                   ("patchmatch", "patchmatch.patch_match", "PyPatchMatch"),
                                                   ("biharmonic", "skimage.restoration", "scikit-image")])
def test_a_missing_library_is_named_with_its_install_line(monkeypatch, name, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=rf"{package}.*requirements-baselines\.txt"):
        FILLS[name](to_float(FACES[0]), center(32), 0)
