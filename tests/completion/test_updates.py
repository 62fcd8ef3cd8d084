import numpy as np

from completion.masks import MASKS, center
from completion.updates import mean_depths, updates_for
from metrics.depths import depths


def hole(name, size=64):
    return MASKS[name](size, np.random.default_rng(0))


def test_holes_beside_known_pixels_get_all_updates_and_deep_ones_none():
    shallow = np.stack([hole(name) for name in ("random", "pattern", "strokes", "O1", "O3", "O6")])
    deep = np.stack([hole(name) for name in ("center", "left", "bottom", "none")])
    np.testing.assert_array_equal(updates_for(shallow, 12), 12)
    np.testing.assert_array_equal(updates_for(deep, 12), 0)


def test_between_them_the_updates_fall_with_the_depth_in_fives():
    squares = np.stack([center(64, scale=scale) for scale in (0.3, 0.28, 0.27, 0.25)])
    counts = updates_for(squares, 20)
    assert (np.diff(counts) <= 0).all() and set(counts[:3]) & {5, 10, 15} and not (counts % 5).any()


def test_a_hole_of_a_larger_face_is_worth_as_many_updates():
    for name in ("center", "O6", "random"):
        small = hole(name)
        np.testing.assert_array_equal(updates_for(small[None], 12),
                                      updates_for(small[None].repeat(2, axis=1).repeat(2, axis=2), 12))


def test_the_mean_depth_is_that_of_the_pixels_of_a_hole_and_no_hole_is_the_deepest():
    known = np.stack([hole("center"), hole("random"), hole("none")])
    means = mean_depths(known)
    assert means.tolist()[:2] == [depths(each)[~each].mean() for each in known[:2]] and np.isinf(means[2])
