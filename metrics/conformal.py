"""Within how many levels of a completed face the true one lies, nine times of ten: split conformal prediction.

Sources: Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005; Lei et al., "Distribution-Free
Predictive Inference for Regression", JASA 2018, section 5.2, for errors in units of a deviation that each place has of
its own; Angelopoulos and Bates, "A Gentle Introduction to Conformal Prediction", 2021.
"""
import math

import numpy as np

from .depths import depths

COVERAGE = 0.9
SURE_OF = 8                                             # answers as much as which the depth says of the deviation
AT_DEPTH = 10.0                                         # levels of deviation a pixel deep; they grow as its root
# Of each kind of hole: its mean depth in pixels of a face of 64, and the factor of the deviations there, as
# benchmarks/calibration.py finds them. Between them, and so for any other hole, the factor is interpolated.
FACTORS = {"random": (1.31, 1.44), "strokes": (2.14, 1.55), "pattern": (2.71, 1.55), "center": (5.84, 1.27),
           "half": (16.5, 1.43)}


def deviations(answers, known):
    """What several answers and the depth say of the deviation of the error at every pixel, in levels; 0 where known.

    The posterior mean of a variance with a scaled inverse chi-squared prior of SURE_OF degrees of freedom about
    AT_DEPTH^2 depth, given the variance of the answers, the mean of the channels (Gelman et al., "Bayesian Data
    Analysis", 2013, section 2.6). So few answers, which agree by chance here and there, claim no certainty.

    answers : (K, H, W, 3) uint8, K of at least 2; known : (H, W) bool. Returns (H, W) float64.
    """
    varied = answers.astype(np.float64).var(axis=0, ddof=1).mean(axis=-1)
    freedom = len(answers) - 1
    return np.sqrt((SURE_OF * AT_DEPTH ** 2 * depths(known) + freedom * varied) / (SURE_OF + freedom))


def half_widths(answers, known):
    """Half the width of the interval that has the true value of a pixel's channel with probability COVERAGE.

    It lies about the completed face. The probability is that of the holes, faces and models of the calibration.
    answers, known : as above. Returns (H, W) float64 in levels, 0 where known.
    """
    depth = depths(known)
    if known.all():
        return depth
    return np.interp(depth[~known].mean(), *zip(*FACTORS.values())) * deviations(answers, known)


def covered(truth, completed, widths, known):
    """The share of the hole's values, all channels, that lie within `widths` (H, W) of the completed face."""
    errors = np.abs(truth.astype(np.float64) - completed)
    return float((errors <= widths[..., None])[~known].mean())


def conformal_factor(errors, scales):
    """The least factor by which `scales` cover a share COVERAGE of the errors, one more that is to come included.

    errors, scales : equally long, at least 0. Returns inf where there are too few to say.
    Source: Lei et al., algorithm 2: the (n + 1) COVERAGE-th smallest score, rounded up.
    """
    scores = np.sort(errors / scales)
    rank = math.ceil((len(scores) + 1) * COVERAGE)
    return float(scores[rank - 1]) if rank <= len(scores) else math.inf
