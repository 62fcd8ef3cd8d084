"""Ways through a space that a generator makes faces of, from one point along directions."""
import numpy as np


def principal_directions(samples, count):
    """The `count` directions in which samples (N, n) differ most, and their shares (count,) of the variance.

    Returns the directions (count, n) float32, each as long as the samples' deviation along it; the sign is such that
    the largest number of each is positive.
    Source: Harkonen, Hertzmann, Lehtinen, Paris, "GANSpace: Discovering Interpretable GAN Controls", NeurIPS 2020,
    section 2, which takes the first layer's activations too.
    """
    centred = samples - samples.mean(axis=0)
    variances, vectors = np.linalg.eigh(centred.T @ centred / len(samples))
    variances, vectors = variances[::-1], vectors.T[::-1]
    directions = vectors[:count] * np.sqrt(np.maximum(variances[:count], 0))[:, None]
    signs = np.sign(directions[np.arange(count), np.abs(directions).argmax(axis=1)])
    return (signs[:, None] * directions).astype(np.float32), variances[:count] / variances.sum()


def along(point, directions, reach, count):
    """From a point (n,) along each of D directions (D, m), m of at most n: (D, count, n) float32.

    The steps are equal, from -reach to reach times a direction; numbers behind the first m stay as they are.
    """
    whole = np.pad(directions, ((0, 0), (0, len(point) - directions.shape[1])))
    return np.linspace(point - reach * whole, point + reach * whole, count, axis=1, dtype=np.float32)


def over_numbers(point, indices, count):
    """From a latent (n,) with each of its numbers `indices` from -1 to 1 in turn, (len(indices), count, n) float32."""
    points = np.repeat(np.repeat(point[None, None].astype(np.float32), count, axis=1), len(indices), axis=0)
    points[np.arange(len(indices)), :, indices] = np.linspace(-1, 1, count)
    return points
