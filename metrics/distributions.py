"""How far a set of faces is from another set, whoever is on them.

The Frechet and the kernel distance compare features: of face descriptors they are called face_frechet and face_kernel.
They are no FID and no KID, which need the Inception network. Both sets must be as large in all numbers that are
compared: the Frechet distance falls with the number of faces.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from helpers import to_float

BLOCK = 256                                             # faces at work at a time: memory does not grow with the set
LEVELS, PATCH, PATCHES, PROJECTIONS = 3, 7, 64, 128
SMALLEST = PATCH << (LEVELS - 1)                        # side of a picture whose last level still holds a patch
REACH, BINS = 32.0, 4096                                # histograms of projections, in deviations of a pixel


def gaussian_statistics(features):
    """Mean (D,) and unbiased covariance (D, D), float64, of features (N, D) with N of 2 or more."""
    if len(features) < 2:
        raise ValueError(f"a covariance needs 2 faces or more, got {len(features)}")
    features = np.asarray(features, np.float64)
    return features.mean(axis=0), np.cov(features, rowvar=False).reshape(features.shape[1], -1)


def frechet_distance(statistics_a, statistics_b):
    """Squared 2-Wasserstein distance of two Gaussians, from 0 (equal) on, in squared units of the features.

    |m - n|^2 + tr(A) + tr(B) - 2 tr((A^1/2 B A^1/2)^1/2). The last trace is the sum of the singular values of
    A^1/2 B^1/2: real and steady where covariances are singular, as those of fewer faces than features are.
    Source: Dowson, Landau, "The Frechet Distance between Multivariate Normal Distributions", JMVA 1982.
    """
    (mean_a, covariance_a), (mean_b, covariance_b) = statistics_a, statistics_b
    overlap = np.linalg.svd(_root(covariance_a) @ _root(covariance_b), compute_uv=False).sum()
    spread = np.trace(covariance_a) + np.trace(covariance_b) - 2 * overlap
    return float(((mean_a - mean_b) ** 2).sum() + max(spread, 0.0))     # rounding may leave -1e-15 of equal sets


def _root(covariance):
    """The symmetric square root; eigenvalues that rounding has made negative count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T


def face_frechet(features_a, features_b):
    """frechet_distance of two sets of features (N, D), (M, D)."""
    return frechet_distance(gaussian_statistics(features_a), gaussian_statistics(features_b))


def kernel_distance(features_a, features_b):
    """Unbiased squared maximum mean discrepancy, kernel (x.y / D + 1)^3; about 0, also below, for equal distributions.

    features_a, features_b : (N, D), (M, D), at least 2 of each. Unlike the Frechet distance its expectation does not
    depend on N. Faces and their completions are not independent: where these are nearly equal, it is below 0.
    Source: Binkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", ICLR 2018, section 4.
    """
    a, b = np.asarray(features_a, np.float64), np.asarray(features_b, np.float64)
    if min(len(a), len(b)) < 2:
        raise ValueError(f"the kernel distance needs 2 faces or more, got {len(a)} and {len(b)}")
    return _mean_of_pairs(a) + _mean_of_pairs(b) - 2 * _kernel_sum(a, b) / (len(a) * len(b))


def _kernel_sum(a, b):
    return float(sum(((a[i:i + BLOCK] @ b[j:j + BLOCK].T / a.shape[1] + 1) ** 3).sum()
                     for i in range(0, len(a), BLOCK) for j in range(0, len(b), BLOCK)))


def _mean_of_pairs(a):
    """Mean of the kernel over all pairs of different faces."""
    own = float((((a * a).mean(axis=1) + 1) ** 3).sum())
    return (_kernel_sum(a, a) - own) / (len(a) * (len(a) - 1))


def sliced_wasserstein(pictures_a, pictures_b, seed):
    """Sliced 1-Wasserstein distance of the patches of two sets of pictures, from 0 on; the same for the same seed.

    Parameters
    ----------
    pictures_a, pictures_b : (N, H, W, 3), (M, H, W, 3) uint8, H and W of SMALLEST or more
    seed : decides where the patches lie and on what they are projected

    Each picture is split into LEVELS bands: what its halving (means of 2 x 2 pixels) loses, what the halving of that
    loses, and what is left. On each level the same PATCHES places are cut from every picture, PATCH x PATCH pixels of
    3 channels. The unit is the deviation of the pixels on that level, all channels together (root of the mean of both
    sets' variances, at least 1 of 255; no mean is subtracted, so a change of colour is seen). They are projected on
    PROJECTIONS random directions, uniform on the sphere; on each, the distance is the area between the two cumulative
    histograms (bins of 1/64, values beyond 32 count as 32). The number is the mean over directions and levels.

    Source: Karras, Aila, Laine, Lehtinen, "Progressive Growing of GANs", ICLR 2018, section 5. There: a Laplacian
    pyramid of Gaussians, places drawn for each picture, each set divided by its own deviation, sorting, times 1000.
    """
    if pictures_a.shape[1:] != pictures_b.shape[1:] or min(pictures_a.shape[1:3]) < SMALLEST:
        raise ValueError(f"pictures of one size, {SMALLEST} pixels or more, wanted, got {pictures_a.shape}, "
                         f"{pictures_b.shape}")
    units = np.sqrt(np.maximum((_variances(pictures_a) + _variances(pictures_b)) / 2, (1 / 127.5) ** 2))
    rng = np.random.default_rng(seed)
    probes = [_probe(level.shape[1:3], unit, rng) for level, unit in zip(_bands(pictures_a[:1]), units)]
    return 2 * REACH / BINS * float(np.abs(_cumulative(pictures_a, probes) - _cumulative(pictures_b, probes))
                                    .sum(axis=-1).mean())


def _bands(pictures):
    """The levels of (N, H, W, 3) uint8 as float32 in [-1, 1], the finest first; odd rows and columns are dropped."""
    rest = to_float(pictures)
    for _ in range(LEVELS - 1):
        rest = rest[:, :rest.shape[1] // 2 * 2, :rest.shape[2] // 2 * 2]
        half = (rest[:, ::2, ::2] + rest[:, 1::2, ::2] + rest[:, ::2, 1::2] + rest[:, 1::2, 1::2]) / 4
        yield rest - half.repeat(2, axis=1).repeat(2, axis=2)
        rest = half
    yield rest


def _blocks(pictures):
    return (pictures[first:first + BLOCK] for first in range(0, len(pictures), BLOCK))


def _variances(pictures):
    """Variance of the pixels on each level, all channels together, (LEVELS,)."""
    moments = sum(len(block) * np.array([(band.mean(), np.square(band).mean()) for band in _bands(block)], np.float64)
                  for block in _blocks(pictures)) / len(pictures)
    return moments[:, 1] - moments[:, 0] ** 2


def _probe(shape, unit, rng):
    """Places (PATCHES,), (PATCHES,) and directions (3 * PATCH * PATCH, PROJECTIONS), which divide by the unit."""
    height, width = (side - PATCH + 1 for side in shape)
    places = rng.choice(height * width, min(PATCHES, height * width), replace=False)
    directions = rng.normal(size=(3 * PATCH * PATCH, PROJECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    return *np.divmod(places, width), (directions / unit).astype(np.float32)


def _cumulative(pictures, probes):
    """Share of the projected patches in or below each bin, (LEVELS, PROJECTIONS, BINS)."""
    counts = np.zeros((LEVELS, PROJECTIONS * BINS), np.int64)
    for block in _blocks(pictures):
        for level, (band, (rows, columns, directions)) in enumerate(zip(_bands(block), probes)):
            patches = sliding_window_view(band, (PATCH, PATCH), axis=(1, 2))[:, rows, columns]
            bins = (patches.reshape(-1, len(directions)) @ directions + REACH) * (BINS / (2 * REACH))
            bins = np.clip(bins, 0, BINS - 1).astype(np.int32) + BINS * np.arange(PROJECTIONS, dtype=np.int32)
            counts[level] += np.bincount(bins.ravel(), minlength=PROJECTIONS * BINS)
    counts = counts.reshape(LEVELS, PROJECTIONS, BINS)
    return counts.cumsum(axis=-1) / counts.sum(axis=-1, keepdims=True)
