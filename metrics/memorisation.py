"""Whether completions repeat training faces: how near the nearest of these is, and how near it is to true faces."""
import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu

BLOCK = 2048                                            # training faces at a time


def nearest_descriptors(descriptors, training):
    """(index, distance) of the training face with the nearest descriptor, (Q,) each; (Q, 128) and (N, 128) float32."""
    distances = cdist(descriptors, training)
    return distances.argmin(axis=1), distances.min(axis=1)


def nearest_pixels(faces, known, training):
    """(index, distance) of the training face that is nearest in each face's hole, (Q,) each.

    faces : (Q, H, W, 3) uint8; known : (Q, H, W) bool, False somewhere in each; training : (N, H, W, 3) uint8
    The distance is the root of the mean squared difference over the hole's pixels and channels, in levels.
    """
    holes = np.repeat(~known[..., None], 3, axis=-1).reshape(len(faces), -1)
    inside = np.where(holes, faces.reshape(len(faces), -1), 0).astype(np.float64)
    best, index = np.full(len(faces), np.inf), np.zeros(len(faces), int)
    for first in range(0, len(training), BLOCK):
        block = training[first:first + BLOCK].reshape(-1, holes.shape[1]).astype(np.float64)
        squares = (inside ** 2).sum(axis=1) - 2 * block @ inside.T + block ** 2 @ holes.T       # (block, Q)
        nearest = squares.argmin(axis=0)
        least = squares[nearest, np.arange(len(faces))]
        index, best = np.where(least < best, first + nearest, index), np.minimum(least, best)
    return index, np.sqrt(np.maximum(best, 0) / holes.sum(axis=1))


def compare_nearness(completed, truth):
    """Whether completions lie nearer to training faces than true faces do, as a dictionary.

    completed, truth : (Q,) distances to the nearest training face, of the completions and of held-out true faces
    nearer : probability that a completion is nearer than a true face, .5 if they are alike
    p : of the one-sided Mann-Whitney U test that it is no nearer; beside it the medians of both
    Source: Mann, Whitney, Annals of Mathematical Statistics 1947; the comparison with held-out faces is that of Meehan,
    Chaudhuri, Dasgupta, "A Non-Parametric Test to Detect Data-Copying in Generative Models", AISTATS 2020.
    """
    test = mannwhitneyu(completed, truth, alternative="less")
    return {"completed_median": float(np.median(completed)), "truth_median": float(np.median(truth)),
            "nearer": float(1 - test.statistic / (len(completed) * len(truth))), "p": float(test.pvalue)}
