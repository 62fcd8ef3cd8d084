import itertools

import numpy as np
import pytest

from completion.masks import center
from metrics.diversity import diversity, uncertainty
from metrics.images import psnr, ssim_map

KNOWN = center(32)
FACES = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
ANSWERS = np.where(KNOWN[..., None], FACES[:1], FACES)


def test_flat_answers_differ_by_their_levels():
    levels = np.array([10, 40, 50], np.uint8)
    flat = np.where(KNOWN[..., None], np.uint8(7), np.broadcast_to(levels[:, None, None, None], (3, 32, 32, 3)))
    found = diversity(flat, KNOWN)
    assert found["diversity_rms"] == pytest.approx((30 + 40 + 10) / 3)
    assert found["uncertainty"] == pytest.approx(levels.std())
    np.testing.assert_allclose(uncertainty(flat), np.where(KNOWN, 0, levels.std()))


def test_the_uncertainty_is_the_mean_of_the_channels_deviations():
    two = np.zeros((2, 1, 1, 3), np.uint8)
    two[1] = 20, 40, 0
    np.testing.assert_allclose(uncertainty(two), [[(10 + 20 + 0) / 3]])


def test_equal_answers_have_no_diversity_and_their_order_does_not_matter():
    assert diversity(np.repeat(ANSWERS[:1], 3, axis=0), KNOWN) == pytest.approx(
        {"diversity_rms": 0, "diversity_ssim": 0, "uncertainty": 0})
    assert diversity(ANSWERS[::-1], KNOWN) == pytest.approx(diversity(ANSWERS, KNOWN))


def test_distances_of_pairs_are_those_of_psnr_and_ssim():
    pairs = list(itertools.combinations(ANSWERS, 2))
    found = diversity(ANSWERS, KNOWN)
    assert found["diversity_ssim"] == pytest.approx(np.mean([1 - ssim_map(*pair)[~KNOWN].mean() for pair in pairs]))
    assert found["diversity_rms"] == pytest.approx(np.mean([255 / 10 ** (psnr(*pair, ~KNOWN) / 20) for pair in pairs]))


@pytest.mark.parametrize("answers, known", [(ANSWERS[:1], KNOWN), (ANSWERS, np.ones_like(KNOWN))])
def test_one_answer_or_no_hole_is_refused(answers, known):
    with pytest.raises(ValueError, match="two answers and a hole"):
        diversity(answers, known)
