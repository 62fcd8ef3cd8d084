import numpy as np
import pytest

from completion.masks import MASKS, OCCLUSIONS, center, occlusion, parts, pattern, random
from preprocess.templates import CELEBA_PLACES


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("size", [64, 63, 128])
def test_every_mask_is_a_bool_square_that_its_seed_reproduces(name, size):
    known = MASKS[name](size, np.random.default_rng([3, 1]))
    assert known.shape == (size, size) and known.dtype == bool
    np.testing.assert_array_equal(known, MASKS[name](size, np.random.default_rng([3, 1])))


@pytest.mark.parametrize("name", ["half", "random", "pattern", "strokes", "parts"])
def test_drawn_masks_differ_from_one_index_to_the_next(name):
    drawn = {MASKS[name](64, np.random.default_rng([3, index])).tobytes() for index in range(12)}
    assert len(drawn) > (3 if name == "half" else 11)


def test_the_centre_hole_is_symmetric_and_a_quarter_of_the_area():
    known = center(64)
    np.testing.assert_array_equal(known, known[::-1])
    np.testing.assert_array_equal(known, known.T)
    assert (~known).sum() == 32 * 32 and not known[16, 16] and known[15, 16] and not known[47, 47] and known[48, 48]


def test_opposite_halves_share_the_picture_between_them():
    for one, other in (("left", "right"), ("top", "bottom")):
        np.testing.assert_array_equal(MASKS[one](64), ~MASKS[other](64))


def test_the_random_mask_drops_its_share_exactly():
    assert (~random(64, np.random.default_rng(0), share=0.8)).sum() == round(0.8 * 64 * 64)


def test_the_pattern_drops_a_quarter_on_average_in_connected_blobs():
    from scipy import ndimage
    holes = [~pattern(64, np.random.default_rng(index)) for index in range(60)]
    assert np.mean(holes) == pytest.approx(0.25, abs=0.04)
    assert np.mean([ndimage.label(hole)[1] for hole in holes]) < 12


def test_occlusions_are_scaled_from_their_128_pixel_definition():
    for name, (top, bottom, left, right) in OCCLUSIONS.items():
        hole = ~occlusion(128, name=name)
        assert hole.sum() == (bottom - top) * (right - left) and hole[top:bottom, left:right].all()
        assert (~occlusion(64, name=name)).sum() == pytest.approx(hole.sum() / 4, rel=0.15)


def test_parts_hide_eyes_and_mouth_whole_and_leave_the_rest():
    holes = [~parts(64, np.random.default_rng(index)) for index in range(200)]
    right_eye, left_eye, _, *corners = [np.array([hole[int(64 * y), int(64 * x)] for hole in holes])
                                        for x, y in CELEBA_PLACES]
    assert 0.35 < np.mean(right_eye & left_eye) < 0.65 and 0.1 < np.mean(right_eye ^ left_eye) < 0.4
    assert (right_eye | left_eye | np.logical_and(*corners)).all()
    assert 0.02 < min(hole.mean() for hole in holes) and max(hole.mean() for hole in holes) < 0.5
