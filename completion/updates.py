"""How many updates of the search a hole is worth.

They fit G's face to the known pixels, which say much of unknown ones beside them and nothing of those in the middle of
a large hole, where the encoder's answer is as good as it gets.
"""
import numpy as np

from metrics.depths import depths

NEAR, FAR = 4.5, 5.5                                    # mean distances, pixels of a face of 64: all updates, none
ROUND = 5


def updates_for(known, most):
    """The updates (B,) int that each hole is worth, in fives from 0 to `most`, as measured on validation faces.

    known : (B, H, W) bool, True where the face is kept
    """
    share = np.interp(mean_depths(known), (NEAR, FAR), (1, 0))
    return np.minimum(np.ceil(share * most / ROUND).astype(int) * ROUND, most)


def mean_depths(known):
    """The mean distance (B,) of a hole's pixels to known ones, in pixels of a face of 64; inf where there is no hole.

    known : as above
    """
    return np.array([np.inf if kept.all() else depths(kept)[~kept].mean() for kept in known])
