"""Pictures that are nearly the same: another compression, size or brightness of one."""
import numpy as np
from PIL import Image
from scipy.fft import dctn

REDUCED, KEPT = 32, 16                                  # sides of the reduced picture, and of its low frequencies
BLOCK = 2 ** 26                                         # distances that are computed at once


def picture_hash(pixels):
    """(255,) bool of an (H, W, 3) uint8 picture: which low frequencies of its grey levels are above their median.

    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010, "pHash", with 16x16
    frequencies instead of 8x8, by which aligned faces are told apart.
    """
    grey = Image.fromarray(pixels).convert("L").resize((REDUCED, REDUCED), Image.Resampling.BOX)
    frequencies = dctn(np.asarray(grey, np.float32), norm="ortho")[:KEPT, :KEPT].ravel()[1:]
    return frequencies > np.median(frequencies)


def near_pairs(hashes, most):
    """Yield (i, j, distance) of the pairs i < j of hashes (N, 255) bool that differ in at most `most` bits."""
    signs = np.where(hashes, np.float32(1), np.float32(-1))
    rows = max(1, BLOCK // max(1, len(signs)))
    for first in range(0, len(signs), rows):
        agreement = signs[first:first + rows] @ signs[first:].T
        for i, j in np.argwhere(agreement >= hashes.shape[1] - 2 * most):
            if i < j:
                yield int(first + i), int(first + j), int(hashes.shape[1] - agreement[i, j]) // 2
