import numpy as np
import pytest
from skimage import metrics as reference
from skimage.color import rgb2lab

from metrics.images import (
    METRICS,
    absolute_error,
    find_ring,
    measure,
    psnr,
    seam_gradient,
    ssim_map,
    ssim_map_uniform,
    tone_error,
)

EVERYWHERE = np.ones((64, 64), bool)
HOLE = np.zeros((64, 64), bool)
HOLE[16:48, 16:48] = True
KEYS = {"hole_l1", "image_l1", "hole_psnr", "image_psnr", "hole_ssim", "image_ssim", "ring_ssim", "hole_ssim_uniform7",
        "image_ssim_uniform7", "seam_gradient", "hole_tone"}


def pair(seed=0):
    rng = np.random.default_rng(seed)
    truth = np.clip(rng.normal(128, 20, (64, 64, 3)) + np.linspace(0, 80, 64)[:, None, None], 0, 255).astype(np.uint8)
    return truth, np.clip(truth + rng.normal(0, 12, truth.shape), 0, 255).astype(np.uint8)


def test_psnr_equals_scikit_image():
    truth, result = pair()
    expected = reference.peak_signal_noise_ratio(truth, result, data_range=255)
    assert psnr(truth, result, EVERYWHERE) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("ssim, window", [(ssim_map, {"sigma": 1.5, "gaussian_weights": True}),
                                          (ssim_map_uniform, {"win_size": 7})])
def test_ssim_equals_scikit_image(ssim, window):
    truth, result = pair()
    _, expected = reference.structural_similarity(truth, result, channel_axis=-1, data_range=255, full=True,
                                                  use_sample_covariance=False, **window)
    np.testing.assert_allclose(ssim(truth, result), expected.mean(axis=-1), atol=1e-9)


def test_l1_is_the_mean_of_the_channels_differences_whatever_their_sign():
    truth = np.full((64, 64, 3), 100, np.uint8)
    np.testing.assert_allclose(absolute_error(truth, (truth + np.array([6, 0, -3])).astype(np.uint8)), 3)


def test_equal_pictures_are_perfect():
    truth, _ = pair()
    assert psnr(truth, truth, EVERYWHERE) == float("inf")
    np.testing.assert_allclose(ssim_map(truth, truth), 1)


def test_only_the_hole_counts_in_the_hole():
    truth, result = pair()
    known = EVERYWHERE.copy()
    known[16:48, 16:48] = False
    outside = np.where(known[..., None], 0, result).astype(np.uint8)
    assert psnr(truth, result, ~known) == psnr(truth, outside, ~known)
    numbers = measure(truth, np.where(known[..., None], truth, result), known)
    assert numbers["image_psnr"] == pytest.approx(numbers["hole_psnr"] + 20 * np.log10(2), abs=1e-3)
    assert numbers["hole_ssim"] < numbers["image_ssim"]


def test_the_ring_is_four_pixels_wide_on_both_sides():
    ring = find_ring(~HOLE)
    outer, inner = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    outer[12:52, 12:52], inner[20:44, 20:44] = True, True
    np.testing.assert_array_equal(ring, outer & ~inner)


def test_the_ring_ends_with_the_image():
    known = EVERYWHERE.copy()
    known[:, 32:] = False
    ring = find_ring(known)
    assert ring[:, 28:36].all() and ring.sum() == 64 * 8


def test_ssim_on_the_ring_sees_the_border_from_both_sides():
    truth, result = pair()
    numbers = measure(truth, np.where(HOLE[..., None], result, truth), ~HOLE)
    inside_only = measure(truth, np.where(np.pad(np.ones((20, 20), bool), 22)[..., None], result, truth), ~HOLE)
    assert numbers["hole_ssim"] < numbers["ring_ssim"] < 1 and inside_only["ring_ssim"] > 0.98


def test_a_shifted_hole_in_a_flat_picture_shows_a_seam_of_the_shift():
    truth = np.full((64, 64, 3), 100, np.uint8)
    assert seam_gradient(truth, np.where(HOLE[..., None], truth + np.uint8(20), truth), ~HOLE) == 20


def test_a_seam_that_is_in_the_truth_does_not_count():
    truth, _ = pair()
    truth[HOLE] //= 2
    assert seam_gradient(truth, truth, ~HOLE) == 0


def test_a_border_smoother_than_the_truth_counts_below_zero():
    truth = np.full((64, 64, 3), 100, np.uint8)
    truth[HOLE] = 130
    assert seam_gradient(truth, np.full_like(truth, 100), ~HOLE) == -30


def test_the_seam_of_one_missing_pixel_is_the_mean_of_its_four_jumps():
    truth, known = np.zeros((64, 64, 3), np.uint8), EVERYWHERE.copy()
    truth[31, 32], truth[33, 32], truth[32, 31], truth[32, 33] = 10, 20, 30, 40
    result, known[32, 32] = truth.copy(), False
    result[32, 32] = 100
    assert seam_gradient(truth, result, known) == (90 + 80 + 70 + 60) / 4 - 25


def test_tone_is_the_distance_of_mean_colours_in_cielab():
    truth, _ = pair()
    other = np.roll(truth, 9, axis=0)
    assert tone_error(truth, other, EVERYWHERE) == pytest.approx(0, abs=1e-9)           # the same colours elsewhere
    colours = np.array([[0, 0, 0], [255, 255, 255], [200, 160, 130], [120, 80, 60], [3, 2, 9]], np.uint8)
    for first, second in zip(colours, np.roll(colours, 1, axis=0)):
        pictures = (np.broadcast_to(colour, (64, 64, 3)) for colour in (first, second))
        expected = np.linalg.norm(np.subtract(*rgb2lab(np.stack([first, second])[None] / 255)[0]))
        assert tone_error(*pictures, HOLE) == pytest.approx(expected, abs=.05)


def test_measure_gives_every_metric_of_the_table_by_region():
    truth, result = pair()
    numbers = measure(truth, result, ~HOLE)
    assert numbers.keys() == KEYS
    assert {f"{region}_{name}" for name, metric in METRICS.items() for region in metric.regions} < KEYS
    assert all(isinstance(value, float) for value in numbers.values())
    assert numbers["hole_l1"] == pytest.approx(np.abs(truth[HOLE].astype(float) - result[HOLE]).mean(), abs=1e-5)
    assert numbers["image_ssim_uniform7"] == pytest.approx(ssim_map_uniform(truth, result).mean(), abs=1e-5)


def test_without_a_hole_there_is_only_the_image_to_measure():
    truth, _ = pair()
    assert measure(truth, truth, EVERYWHERE) == {"image_l1": 0.0, "image_psnr": None, "image_ssim": 1.0,
                                                 "image_ssim_uniform7": 1.0}


def test_without_known_pixels_there_is_no_border_to_measure():
    assert measure(*pair(), ~EVERYWHERE).keys() == KEYS - {"ring_ssim", "seam_gradient"}
