"""The dial between the most likely answer to a hole and the most lifelike one.

What the search finds is one face, sharp and with errors of its own; what a network that minimizes an error answers is
the mean of many. Their weighted mean is nearer the truth than either, and smooth. Most of what it wins lies in the low
frequencies, and what makes a face lifelike in the high ones.
"""
import numpy as np
from scipy import ndimage

SHARE = 0.75                                            # of the network in the mean: least squares on validation faces


def mix(lifelike, likely, known, detail):
    """The low frequencies of the most likely answer with the high ones of the most lifelike one.

    lifelike, likely : (B, H, W, 3) float32 in [-1, 1], completed faces; known : (B, H, W) bool, where both are the same
    detail : in [0, 1]; 0 is the most likely answer, the weighted mean of both, 1 the lifelike one; in between the
        frequencies part at a Gaussian of detail / (1 - detail) pixels of a face of 64
    Returns (B, H, W, 3) float32 in [-1, 1], equal to both where known.
    """
    if detail == 1:
        return lifelike
    change = SHARE * (likely - lifelike)
    deviation = detail / (1 - detail) * known.shape[1] / 64
    coarse = ndimage.gaussian_filter(change, (0, deviation, deviation, 0), mode="nearest") if detail else change
    mixed = np.clip(lifelike + coarse, -1, 1).astype(np.float32)
    return np.where(known[..., None], lifelike, mixed)
