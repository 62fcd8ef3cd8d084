"""From numbers of single faces to numbers of a method, with intervals."""
import math
from statistics import fmean

import numpy as np

from helpers import counted

RESAMPLES = 2000


def mean_present(values):
    """(the mean of the numbers among some values, how many these are), (None, 0) if there are none.

    That is the rule of all means: a metric's is of all faces that have it. An answer that equals the truth has no PSNR,
    but every other metric.
    """
    present = [value for value in values if value is not None]
    return (fmean(present), len(present)) if present else (None, 0)


def tell_faces(faces, with_psnr):
    """Of how many faces the means are; with_psnr : how many of them have a PSNR."""
    exact = faces - with_psnr
    return f"mean of {counted(faces, 'face')}" + (
        f", PSNR of {with_psnr}: {exact} {'equals' if exact == 1 else 'equal'} the truth and "
        f"{'has' if exact == 1 else 'have'} none" if exact else "")


def mean_interval(values, seed=0):
    """(mean, lower, upper) of some numbers: 95 % percentile bootstrap over faces. None if there are none.

    Of one alone nothing is known: lower and upper are None.
    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    values = np.array([value for value in values if value is not None], float)
    if not len(values):
        return None
    if len(values) == 1:
        return float(values[0]), None, None
    rounds = max(200, min(RESAMPLES, 20_000_000 // len(values)))        # so memory does not grow with the faces
    means = values[np.random.default_rng(seed).integers(0, len(values), (rounds, len(values)))].mean(axis=1)
    return float(values.mean()), *(float(bound) for bound in np.quantile(means, (0.025, 0.975)))


def paired_difference(first, second, seed=0):
    """(mean of second - first, lower, upper) over the same faces: 95 % paired percentile bootstrap.

    first, second : numbers of equal length, face by face; faces where either is None are left out. Of one alone
    everything is possible: the interval is infinite.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    differences = [b - a for a, b in pairs]
    return (differences[0], -math.inf, math.inf) if len(pairs) == 1 else mean_interval(differences, seed)


def group_difference(first, second):
    """(mean of first - mean of second, lower, upper, p) of two groups of different faces: 95 % interval and test.

    first, second : two numbers or more each
    Source: Welch, "The Generalization of 'Student's' Problem", Biometrika 1947.
    """
    if np.ptp(first) == np.ptp(second) == 0:            # no spread, no test
        difference = float(first[0] - second[0])
        return difference, difference, difference, float(difference == 0)
    from scipy import stats
    test = stats.ttest_ind(first, second, equal_var=False)
    return float(np.mean(first) - np.mean(second)), *map(float, test.confidence_interval()), float(test.pvalue)


def holm(p_values):
    """The p values of a family of tests, corrected for their number: the chance of any false one stays below each.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 1979.
    """
    order = np.argsort(p_values)
    corrected = np.empty(len(order))
    corrected[order] = np.maximum.accumulate(np.minimum(1, np.sort(p_values) * np.arange(len(order), 0, -1)))
    return corrected.tolist()
