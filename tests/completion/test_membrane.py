"""The soap film: against closed forms, and the multigrid solver against the factorisation."""
import numpy as np
import pytest

from completion import membrane
from completion.membrane import fill_harmonic


def ramp(height, width):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows / height, (columns - 0.5 * rows) / width, np.full((height, width), -0.3)], axis=-1)


@pytest.mark.parametrize("direct", [10**6, 100])
def test_a_ramp_is_continued_exactly_into_a_hole_that_it_surrounds(monkeypatch, direct):
    monkeypatch.setattr(membrane, "DIRECT", direct)
    values, known = ramp(40, 50), np.ones((40, 50), bool)
    known[5:30, 4:40] = known[33:36, 10] = False
    np.testing.assert_allclose(fill_harmonic(values, known), values[~known], atol=2e-3)


@pytest.mark.parametrize("seed", range(3))
def test_large_holes_are_filled_as_a_factorisation_would(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    known = rng.uniform(size=(150, 130)) < (0.3, 0.05, 0.9)[seed]
    known[40:140, :90] = False
    values = rng.uniform(-1, 1, (150, 130, 3))
    exact = fill_harmonic(values, known)
    monkeypatch.setattr(membrane, "DIRECT", 500)
    np.testing.assert_allclose(fill_harmonic(values, known), exact, atol=0.5 / 127.5)


def test_where_the_picture_ends_the_film_ends_freely():
    """Between two values it runs straight to the border, as if that were a mirror."""
    values, known = np.zeros((6, 11, 1)), np.zeros((6, 11), bool)
    known[:, 0] = known[:, 10] = True
    values[:, 10] = 1
    np.testing.assert_allclose(fill_harmonic(values, known).reshape(6, 9), np.tile(np.arange(1, 10) / 10, (6, 1)))


def test_pixels_that_are_neither_known_nor_filled_are_as_if_not_there():
    rng = np.random.default_rng(0)
    values, known = rng.uniform(-1, 1, (12, 20, 2)), rng.uniform(size=(12, 20)) < 0.4
    inside = np.zeros_like(known)
    inside[:, :9] = True
    np.testing.assert_allclose(fill_harmonic(values, known & inside, ~known & inside),
                               fill_harmonic(values[:, :9], known[:, :9]), atol=1e-9)


def test_what_nothing_holds_becomes_nothing():
    known, hole = np.zeros((2, 8, 8), bool)
    known[0], hole[3:5, 3:5], hole[1] = True, True, True
    filled = np.zeros((8, 8))
    filled[hole] = fill_harmonic(np.ones((8, 8, 1)), known, hole)[:, 0]
    np.testing.assert_allclose(filled[1], 1)
    np.testing.assert_allclose(filled[3:5, 3:5], 0)


def test_no_hole_needs_no_filling():
    assert fill_harmonic(np.ones((8, 8, 3)), np.ones((8, 8), bool)).shape == (0, 3)
