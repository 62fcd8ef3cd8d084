import math

import numpy as np
import pytest

from completion.masks import MASKS, center, make_hole
from metrics.conformal import (
    AT_DEPTH,
    FACTORS,
    SURE_OF,
    conformal_factor,
    covered,
    deviations,
    half_widths,
)
from metrics.depths import depths

KNOWN = center(64)


def answers_of(deviation, count, known=KNOWN, middle=128, seed=0):
    noise = np.random.default_rng(seed).normal(middle, deviation, (count, *known.shape, 3))
    return np.where(known[..., None], 128, np.rint(noise)).astype(np.uint8)


def test_the_factor_is_the_quantile_of_a_gaussian_and_covers_other_errors_of_it():
    rng = np.random.default_rng(0)
    scales = rng.uniform(1, 20, (2, 100_000))
    errors = np.abs(rng.normal(0, scales))
    factor = conformal_factor(errors[0], scales[0])
    assert factor == pytest.approx(1.645, abs=0.02)
    assert (errors[1] <= factor * scales[1]).mean() == pytest.approx(0.9, abs=0.005)


@pytest.mark.parametrize("count, rank", [(9, 9), (10, 10), (19, 18), (99, 90)])
def test_the_factor_counts_the_error_that_is_to_come(count, rank):
    errors = np.random.default_rng(1).permutation(np.arange(1, count + 1))
    assert conformal_factor(errors, np.full(count, 2.0)) == rank / 2


def test_too_few_errors_give_no_factor():
    assert conformal_factor(np.ones(8), np.ones(8)) == math.inf


def test_depths_are_in_pixels_of_a_face_of_64():
    assert depths(KNOWN)[32, 31] == 16 and depths(KNOWN)[16, 30] == 1 and depths(KNOWN)[0, 0] == 0
    assert depths(center(128))[64, 63] == 16
    assert not depths(np.ones((64, 64), bool)).any()


def test_answers_that_agree_leave_the_doubt_of_the_depth_and_many_take_their_own():
    equal = answers_of(0, 3)
    np.testing.assert_allclose(deviations(equal, KNOWN), AT_DEPTH * np.sqrt(depths(KNOWN) * SURE_OF / (SURE_OF + 2)))
    many = deviations(answers_of(20, 400), KNOWN)
    assert many[~KNOWN].mean() == pytest.approx(20, rel=0.05) and not many[KNOWN].any()


def test_a_truth_that_is_one_of_the_answers_lies_within_as_often_as_the_factor_says():
    answers = answers_of(30, 401)
    widths = 1.645 * deviations(answers[1:], KNOWN)
    assert covered(answers[0], np.full_like(answers[0], 128), widths, KNOWN) == pytest.approx(0.9, abs=0.02)


def test_half_widths_follow_the_kind_of_the_hole_and_any_other_lies_between():
    def factor(known):
        answers = answers_of(20, 4, known)
        return (half_widths(answers, known)[~known] / deviations(answers, known)[~known]).mean()
    for kind, (_, expected) in FACTORS.items():
        found = [factor(make_hole(kind, 64, f"face {number}", 0)) for number in range(8)]
        assert np.mean(found) == pytest.approx(expected, abs=0.05), kind
    least, most = np.min(list(FACTORS.values()), axis=0)[1], np.max(list(FACTORS.values()), axis=0)[1]
    assert all(least <= factor(MASKS[kind](64)) <= most for kind in ("O1", "O3", "O6"))


def test_where_nothing_is_missing_nothing_is_in_doubt():
    whole = np.ones((64, 64), bool)
    assert not half_widths(answers_of(0, 2, whole), whole).any()
