import numpy as np
import pytest
from skimage import metrics as reference

from metrics.images import measure, psnr, ssim_map

EVERYWHERE = np.ones((64, 64), bool)


def pair(seed=0):
    rng = np.random.default_rng(seed)
    truth = np.clip(rng.normal(128, 20, (64, 64, 3)) + np.linspace(0, 80, 64)[:, None, None], 0, 255).astype(np.uint8)
    return truth, np.clip(truth + rng.normal(0, 12, truth.shape), 0, 255).astype(np.uint8)


def test_psnr_of_a_constant_difference_is_its_closed_form():
    truth = np.full((64, 64, 3), 100, np.uint8)
    assert psnr(truth, truth + np.uint8(5), EVERYWHERE) == pytest.approx(20 * np.log10(255 / 5))


def test_psnr_equals_scikit_image():
    truth, result = pair()
    expected = reference.peak_signal_noise_ratio(truth, result, data_range=255)
    assert psnr(truth, result, EVERYWHERE) == pytest.approx(expected, abs=1e-9)


def test_ssim_equals_scikit_image():
    truth, result = pair()
    _, expected = reference.structural_similarity(truth, result, channel_axis=-1, data_range=255, full=True, sigma=1.5,
                                                  gaussian_weights=True, use_sample_covariance=False)
    np.testing.assert_allclose(ssim_map(truth, result), expected.mean(axis=-1), atol=1e-9)


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


def test_without_a_hole_there_is_no_hole_to_measure():
    truth, _ = pair()
    assert measure(truth, truth, EVERYWHERE) == {"image_psnr": None, "image_ssim": 1.0}
