"""Batches of a size at which every face is computed alike, whatever its neighbours."""
import numpy as np

from .setup import tf

LANES = 8                                               # oneDNN sums in the same order for every multiple of it


def fill_lanes(array):
    """A tensor of an array (B, ...), its last row repeated up to a multiple of LANES."""
    spare = -len(array) % LANES
    return tf.constant(np.concatenate([array, np.repeat(array[-1:], spare, axis=0)]))
