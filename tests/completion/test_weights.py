import numpy as np
import pytest

from completion.masks import center, none, strokes
from completion.weights import context_weights


def weights_by_the_book(known, window):
    """Equation 3 of Yeh et al., pixel by pixel."""
    reach, weights = window // 2, np.zeros(known.shape)
    for row, column in np.argwhere(known):
        near = known[max(0, row - reach):row + reach + 1, max(0, column - reach):column + reach + 1]
        weights[row, column] = (~near).sum() / near.size
    return weights


@pytest.mark.parametrize("window", [3, 7, 15])
def test_weights_equal_a_loop_over_pixels(window):
    known = strokes(40, np.random.default_rng(1))
    np.testing.assert_allclose(context_weights(known, window), weights_by_the_book(known, window), atol=1e-7)


def test_weights_of_the_centre_hole_have_the_known_sums():
    weights = context_weights(center(64))
    assert (weights > 0).sum() == 420
    assert weights.sum() == pytest.approx(106.8, abs=0.05)
    assert weights.max() == pytest.approx(21 / 49)
    assert not weights[~center(64)].any()


def test_holes_of_a_batch_do_not_mix():
    batch = np.stack([center(64), none(64), strokes(64, np.random.default_rng(0))])
    np.testing.assert_array_equal(context_weights(batch), np.stack([context_weights(known) for known in batch]))


def test_without_a_window_every_known_pixel_counts_alike():
    np.testing.assert_array_equal(context_weights(center(64), window=0), center(64))
