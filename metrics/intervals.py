"""From numbers of single faces to numbers of a method, with intervals."""
import numpy as np

RESAMPLES = 2000


def mean_interval(values, seed=0):
    """(mean, lower, upper) of some numbers: 95 % percentile bootstrap over faces. None if there are none.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    values = np.array([value for value in values if value is not None], float)
    if not len(values):
        return None
    means = values[_resamples(len(values), seed)].mean(axis=1)
    return float(values.mean()), *(float(bound) for bound in np.quantile(means, (0.025, 0.975)))


def paired_difference(first, second, seed=0):
    """(mean of second - first, lower, upper) over the same faces: 95 % paired percentile bootstrap.

    first, second : numbers of equal length, face by face; faces where either is None are left out.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    return mean_interval([b - a for a, b in pairs], seed)


def _resamples(count, seed):
    """(R, count) indices, R smaller for very many faces, so that memory does not grow with them."""
    rounds = max(200, min(RESAMPLES, 20_000_000 // count))
    return np.random.default_rng(seed).integers(0, count, (rounds, count))
