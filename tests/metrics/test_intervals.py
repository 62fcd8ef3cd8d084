import numpy as np
import pytest

from metrics.intervals import mean_interval, paired_difference, spread


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


@pytest.mark.parametrize("count, shown", [(1, 60), (2, 60), (5, 6), (1000, 60), (61, 60), (0, 60)])
def test_the_faces_shown_are_the_best_those_around_the_median_and_the_worst(count, shown):
    chosen = spread(count, shown)
    indices = [index for index, _ in chosen]
    assert len(set(indices)) == len(indices) <= min(count, shown)
    if count:
        assert chosen[0] == (count - 1, "best") and (0 in indices)
    if count == 1000:
        assert [note for _, note in chosen] == ["best"] * 20 + ["median"] * 20 + ["worst"] * 20
