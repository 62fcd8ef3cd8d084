"""The layers against plain ones and numpy."""
import numpy as np
import pytest

from nn.layers import EPSILON, BatchNorm, convolve, double, double_to_pixels, halve, halve_pixels
from nn.setup import tf


def normalized_by_numpy(x, norm):
    return (x - norm.mean) / np.sqrt(norm.variance + EPSILON) * norm.scale + norm.offset


@pytest.mark.parametrize("fast, plain, shape", [(double_to_pixels, double, (2, 8, 8, 6)),
                                                (halve_pixels, halve, (2, 16, 16, 3))])
def test_the_fast_layers_of_pixels_and_their_gradients_equal_the_plain_ones(fast, plain, shape):
    rng = np.random.default_rng(0)
    x, kernel = (tf.constant(rng.normal(size=size), tf.float32) for size in (shape, (5, 5, 3, 6)))
    found = []
    for layer in (fast, plain):
        with tf.GradientTape() as tape:
            tape.watch((x, kernel))
            y = layer(x, kernel)
            total = tf.reduce_sum(tf.sin(y))
        found.append((y, *tape.gradient(total, (x, kernel))))
    for fast_value, plain_value in zip(*found):
        np.testing.assert_allclose(fast_value, plain_value, atol=1e-3)


def layer_and_norm():
    """A BatchNorm that has learned something, an input and a 1x1 kernel for the layer before it."""
    rng = np.random.default_rng(0)
    norm = BatchNorm(3)
    for variable, value in ((norm.scale, [1, 2, 3]), (norm.offset, [0, -1, 1]), (norm.mean, [1, 2, 3]),
                            (norm.variance, [4, 9, 1])):
        variable.assign(value)
    return norm, rng.normal(3, 2, (4, 5, 5, 2)).astype(np.float32), rng.normal(size=(1, 1, 2, 3)).astype(np.float32)


def test_batch_norm_in_training_uses_the_statistics_of_the_batch_and_learns_a_tenth_of_them():
    norm, x, kernel = layer_and_norm()
    y, axes = x @ kernel[0, 0], (0, 1, 2)
    normalized = norm.after(convolve, x, kernel, training=True, axis=3)
    expected = (y - y.mean(axes)) / np.sqrt(y.var(axes) + EPSILON) * [1, 2, 3] + [0, -1, 1]
    np.testing.assert_allclose(normalized, expected, atol=1e-4)
    np.testing.assert_allclose(norm.mean, 0.9 * np.array([1, 2, 3]) + 0.1 * y.mean(axes), rtol=1e-4)
    np.testing.assert_allclose(norm.variance, 0.9 * np.array([4, 9, 1]) + 0.1 * y.var(axes, ddof=1), rtol=1e-4)


def test_batch_norm_outside_training_uses_the_learned_statistics_and_leaves_them():
    norm, x, kernel = layer_and_norm()
    expected = normalized_by_numpy(x @ kernel[0, 0], norm)
    np.testing.assert_allclose(norm.after(convolve, x, kernel, training=False, axis=3), expected, atol=1e-5)
    np.testing.assert_array_equal(norm.mean, [1, 2, 3])
    np.testing.assert_array_equal(norm.variance, [4, 9, 1])
