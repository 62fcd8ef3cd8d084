"""The dial between the most likely answer to a hole and the most lifelike one.

What the search finds is one face, sharp and with errors of its own; what a network that minimizes an error answers is
the mean of many. Their weighted mean is nearer the truth than either, and smooth. Most of what it wins lies in the low
frequencies, and what makes a face lifelike in the high ones.
"""
import numpy as np
from scipy import ndimage

from .updates import mean_depths

SHALLOW, DEEP = 1.3, 5.8                                # pixels of a face of 64: mean depths of single pixels, a centre
SHARES = 0.7, 1.0                                       # of the network in the mean, there: least squares (validation)


def mix(lifelike, likely, known, detail):
    """The low frequencies of the most likely answer with the high ones of the most lifelike one.

    lifelike, likely : (B, H, W, 3) float32 in [-1, 1], completed faces; known : (B, H, W) bool, where both are the same
    detail : in [0, 1]; 0 is the most likely answer, the weighted mean of both, in which the search counts in shallow
        holes, whose known pixels it fits; 1 is the lifelike one; in between the frequencies part at a Gaussian of
        detail / (1 - detail) pixels of a face of 64, and of fewer, in proportion, in holes that are shallower than
        SHALLOW, where the known pixels tell the fine detail
    Returns (B, H, W, 3) float32 in [-1, 1], equal to both where known.
    """
    if detail == 1:
        return lifelike
    depths = mean_depths(known)
    change = np.interp(depths, (SHALLOW, DEEP), SHARES)[:, None, None, None] * (likely - lifelike)
    if detail:
        deviations = detail / (1 - detail) * np.minimum(depths / SHALLOW, 1) * known.shape[1] / 64
        change = np.stack([ndimage.gaussian_filter(each, (deviation, deviation, 0), mode="nearest")
                           for each, deviation in zip(change, deviations)])
    mixed = np.clip(lifelike + change, -1, 1).astype(np.float32)
    return np.where(known[..., None], lifelike, mixed)
