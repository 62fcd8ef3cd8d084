import numpy as np
import pytest
from scipy import ndimage

from metrics.distributions import (
    _bands,
    face_frechet,
    frechet_distance,
    gaussian_statistics,
    kernel_distance,
    sliced_wasserstein,
)
from pictures.photo import read_photo


def features(seed, count=60, size=16, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, (count, size)).astype(np.float32)


@pytest.fixture(scope="module")
def portraits(openface):
    return np.stack([read_photo(path).pixels for path in sorted(openface.glob("*.png"))])


def middle(pictures):
    """The same pictures in [64, 191], so that a shift of 60 levels clips nothing."""
    return pictures // 2 + np.uint8(64)


def blur(pictures, sigma):
    return np.rint(ndimage.gaussian_filter(pictures.astype(float), (0, sigma, sigma, 0))).astype(np.uint8)


def test_statistics_are_the_mean_and_the_unbiased_covariance():
    mean, covariance = gaussian_statistics(np.array([[0, 0], [2, 4]], np.float32))
    np.testing.assert_array_equal(mean, [1, 2])
    np.testing.assert_array_equal(covariance, [[2, 4], [4, 8]])
    assert gaussian_statistics(np.array([[1.0], [3.0]]))[1].shape == (1, 1)


def test_equal_covariances_leave_the_squared_difference_of_the_means():
    a = features(0)
    assert face_frechet(a, a + np.float32(0.5)) == pytest.approx(16 * 0.25, rel=1e-5)


def test_frechet_of_diagonal_gaussians_is_the_squared_difference_of_means_and_deviations():
    rng = np.random.default_rng(1)
    (mean_a, mean_b), (deviation_a, deviation_b) = rng.normal(size=(2, 8)), rng.uniform(0, 2, (2, 8))
    expected = ((mean_a - mean_b) ** 2).sum() + ((deviation_a - deviation_b) ** 2).sum()
    turn, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    a, b = ((turn @ mean, turn @ np.diag(deviation ** 2) @ turn.T)
            for mean, deviation in ((mean_a, deviation_a), (mean_b, deviation_b)))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_frechet_of_orthogonal_singular_gaussians_is_the_sum_of_their_spreads():
    nothing = np.zeros(3)
    assert frechet_distance((nothing, np.diag([4.0, 0, 0])), (nothing, np.diag([0, 9.0, 0]))) == pytest.approx(13)


def test_frechet_is_real_and_zero_for_fewer_faces_than_features():
    a = features(0, count=10, size=128)
    value = face_frechet(a, a)
    assert isinstance(value, float) and 0 <= value < 1e-9


def test_kernel_distance_is_its_sums_written_out():
    a, b = features(0, 5), features(1, 7)
    def kernel(x, y):
        return (float(x.astype(float) @ y) / 16 + 1) ** 3
    own = [np.mean([kernel(x, y) for i, x in enumerate(z) for j, y in enumerate(z) if i != j]) for z in (a, b)]
    across = np.mean([kernel(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(sum(own) - 2 * across, rel=1e-9)


def test_kernel_distance_is_zero_on_average_for_sets_of_one_distribution():
    values = [kernel_distance(features(2 * seed, 20), features(2 * seed + 1, 20)) for seed in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(200) and min(values) < 0 < max(values)


@pytest.mark.parametrize("metric", [face_frechet, kernel_distance])
def test_distances_of_features_are_symmetric(metric):
    a, b = features(0, 40), features(1, 70, shift=0.3)
    assert metric(a, b) == pytest.approx(metric(b, a), rel=1e-9)


@pytest.mark.parametrize("metric", [face_frechet, kernel_distance])
def test_distances_of_features_do_not_depend_on_the_order_or_blocks_of_faces(metric):
    a, b = features(0, 600), features(1, 300, shift=0.3)
    order = np.random.default_rng(2).permutation(600)
    assert metric(a[order], b[::-1]) == pytest.approx(metric(a, b), rel=1e-6)


@pytest.mark.parametrize("metric", [face_frechet, kernel_distance])
def test_one_face_is_no_distribution(metric):
    with pytest.raises(ValueError, match="2 faces or more, got 1"):
        metric(features(0, 1), features(1, 1))


def test_bands_add_up_to_the_picture(portraits):
    fine, middling, coarse = _bands(portraits)
    restored = fine + (middling + coarse.repeat(2, 1).repeat(2, 2)).repeat(2, 1).repeat(2, 2)
    np.testing.assert_allclose(restored, portraits / 127.5 - 1, atol=1e-5)


def test_sliced_wasserstein_of_a_constant_shift_is_its_closed_form(portraits):
    a = middle(portraits)
    unit = 127.5 * list(_bands(a))[-1].std()
    # A direction is uniform on the sphere of 147 dimensions: a shift by v moves each projection by |v| |u_1|, whose
    # mean is about sqrt(2 / pi / 147) |v|, and |v| is sqrt(147) 40 units on the last of 3 levels, 0 on the others.
    expected = np.sqrt(2 / np.pi) * 40 / unit / 3
    values = [sliced_wasserstein(a, a + np.uint8(40), seed) for seed in range(8)]
    assert np.mean(values) == pytest.approx(expected, rel=0.06)
    assert sliced_wasserstein(a, a + np.uint8(60), 0) == pytest.approx(1.5 * values[0], rel=0.01)


def test_sliced_wasserstein_is_symmetric_and_repeats_itself(portraits):
    a, b = portraits[:6], portraits[6:]
    assert sliced_wasserstein(a, b, 1) == sliced_wasserstein(a, b, 1) == pytest.approx(sliced_wasserstein(b, a, 1))
    assert sliced_wasserstein(a, b, 1) != sliced_wasserstein(a, b, 2)


def test_sliced_wasserstein_grows_with_blur(portraits):
    values = [sliced_wasserstein(portraits, blur(portraits, sigma), 0) for sigma in (0.5, 1, 2, 4)]
    assert 0 < values[0] < values[1] < values[2] < values[3]


def test_sliced_wasserstein_takes_sets_in_any_order_of_different_size_and_any_block(portraits):
    assert sliced_wasserstein(portraits, portraits[::-1], 3) == 0
    twice = np.concatenate([portraits] * 2)
    assert sliced_wasserstein(portraits, twice, 0) == pytest.approx(0, abs=1e-6)
    many = np.concatenate([portraits] * 30)
    assert sliced_wasserstein(many, blur(many, 1), 0) == pytest.approx(
        sliced_wasserstein(portraits, blur(portraits, 1), 0), rel=1e-3)


def test_pictures_too_small_for_the_bands_are_refused():
    small = np.zeros((2, 24, 24, 3), np.uint8)
    with pytest.raises(ValueError, match="28 pixels or more"):
        sliced_wasserstein(small, small, 0)
