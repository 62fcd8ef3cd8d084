import numpy as np
import pytest
from scipy import stats

from metrics.intervals import group_difference, holm, mean_interval, mean_present, paired_difference, tell_faces
from metrics.ranking import clearly_best


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(5, 2, 400)
    mean, low, high = mean_interval(values)
    assert mean == pytest.approx(values.mean())
    assert (high - low) / 2 == pytest.approx(1.96 * 2 / 20, rel=0.15)


def test_missing_values_are_left_out_and_nothing_gives_nothing():
    assert mean_interval([1.0, None, 3.0])[0] == 2
    assert mean_interval([None]) is None


def test_a_mean_is_of_all_faces_that_have_the_number_and_says_how_many_these_are():
    assert mean_present([20.0, None, 30.0]) == (25, 2) and mean_present([None]) == mean_present([]) == (None, 0)
    assert tell_faces(18, 18) == "mean of 18 faces" and tell_faces(1, 1) == "mean of 1 face"
    assert tell_faces(18, 12) == "mean of 18 faces, PSNR of 12: 6 equal the truth and have none"


def test_one_face_alone_shows_no_difference():
    assert mean_interval([None, 2.0]) == (2, None, None)
    assert paired_difference([1.0, None], [3.0, 1.0]) == (2, -np.inf, np.inf)
    assert clearly_best({"laplace": [20.0], "telea": [30.0]}, "hole_psnr") is None


def test_a_difference_in_every_face_is_seen_through_the_spread_between_faces():
    first = np.random.default_rng(0).normal(20, 5, 200)
    mean, low, high = paired_difference(list(first), list(first + 0.1))
    assert mean == pytest.approx(0.1) and low == pytest.approx(0.1) and high == pytest.approx(0.1)


def test_two_groups_differ_as_in_welchs_formula():
    first, second = np.array([1.0, 2, 3, 4]), np.array([2.0, 6, 10])
    difference, low, high, p = group_difference(first, second)
    variance = first.var(ddof=1) / 4 + second.var(ddof=1) / 3
    freedom = variance ** 2 / ((first.var(ddof=1) / 4) ** 2 / 3 + (second.var(ddof=1) / 3) ** 2 / 2)
    assert difference == pytest.approx(-3.5) and (low + high) / 2 == pytest.approx(-3.5)
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(.975, freedom) * variance ** .5)
    assert p == pytest.approx(2 * stats.t.cdf(-3.5 / variance ** .5, freedom))


def test_groups_without_spread_differ_or_do_not():
    assert group_difference([1, 1], [3, 3, 3]) == (-2, -2, -2, 0)
    assert group_difference([1, 1], [1, 1]) == (0, 0, 0, 1)


def test_holm_corrects_the_smallest_p_by_the_number_of_tests():
    assert holm([.01, .04, .03, .005]) == pytest.approx([.03, .06, .06, .02])           # Holm's own steps
    assert holm([.9, .8]) == [1, 1] and holm([]) == []
