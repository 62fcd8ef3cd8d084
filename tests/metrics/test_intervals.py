import numpy as np
import pytest

from metrics.intervals import mean_interval, paired_difference


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(5, 2, 400)
    mean, low, high = mean_interval(values)
    assert mean == pytest.approx(values.mean())
    assert (high - low) / 2 == pytest.approx(1.96 * 2 / 20, rel=0.15)


def test_missing_values_are_left_out_and_nothing_gives_nothing():
    assert mean_interval([1.0, None, 3.0])[0] == 2
    assert mean_interval([None]) is None


def test_a_difference_in_every_face_is_seen_through_the_spread_between_faces():
    first = np.random.default_rng(0).normal(20, 5, 200)
    mean, low, high = paired_difference(list(first), list(first + 0.1))
    assert mean == pytest.approx(0.1) and low == pytest.approx(0.1) and high == pytest.approx(0.1)
