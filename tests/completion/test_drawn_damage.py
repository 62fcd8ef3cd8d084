"""Damage is drawn by its seed, where its truth says, and so that it can be seen."""
import numpy as np
import pytest

from completion.drawn_damage import EDGE, FULLEST, KINDS, VISIBLE, draw_damage, make_example
from pictures.photo import read_photo


@pytest.fixture(scope="module")
def photo(samples):
    return read_photo(samples / "A000369.jpg").pixels


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_covers_a_part_of_the_photo_and_is_its_seeds(name):
    covered = []
    for seed in range(20):
        layers, again = (KINDS[name]((60, 80), np.random.default_rng(seed)) for _ in range(2))
        for layer, same in zip(layers, again, strict=True):
            assert layer.cover.shape == (60, 80) and 0 <= layer.cover.min() <= layer.cover.max() <= 1
            assert 0 < layer.opacity <= 1 and np.all((np.array(layer.color) >= 0) & (np.array(layer.color) <= 255))
            np.testing.assert_array_equal(layer.cover, same.cover)
        covered.append(np.mean(layers[-1].cover > EDGE))
    assert 0 < np.median(covered) < 0.5 and len(set(covered)) > 10


def test_the_truth_holds_all_that_is_changed_much_and_what_it_holds_can_be_seen(photo):
    for seed in range(5):
        damaged, hole = draw_damage(photo, np.random.default_rng(seed), 8)
        changed = np.abs(damaged.astype(int) - photo).max(axis=-1)
        assert changed[~hole].max() <= 8 * EDGE * 255 and (changed[~hole] > 2).mean() < 0.1
        assert hole.mean() < FULLEST and changed[hole].mean() > VISIBLE / 2


def test_a_scratch_is_as_wide_as_it_says():
    from completion.drawn_damage import _cover
    across = [(np.array([(-5.0, 30.0), (90.0, 30.0)]), np.array([2.5]))]
    cover = _cover(across, (60, 80), 1.0)
    np.testing.assert_allclose(cover[:, 40].sum(), 5, atol=0.01)
    np.testing.assert_array_equal(np.nonzero(cover[:, 40] > EDGE)[0], range(28, 33))


def test_examples_are_whole_or_damaged_and_depend_on_their_seed_alone(photo):
    examples = [make_example(photo[:96, :96], np.random.default_rng(seed)) for seed in range(24)]
    damaged = [hole.any() for _, hole in examples]
    assert 12 <= sum(damaged) < 24
    again = make_example(photo[:96, :96], np.random.default_rng(5))
    for one, other in zip(examples[5], again):
        np.testing.assert_array_equal(one, other)
