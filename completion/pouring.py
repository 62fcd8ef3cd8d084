"""Completed faces poured into the holes of their photos."""
import numpy as np
from scipy import ndimage

from helpers import to_levels
from preprocess.faces import is_covered, sample

from .membrane import factorize, fill_harmonic
from .owners import find_owners, used_part
from .tone import keep_tone


def pour_back(pixels, known, crops, matrices, factors=factorize):
    """Put completed crops into the hole of their photo, in the photo's resolution and so that no seam shows.

    Where a crop covers what is its own of the hole its gradients are kept (Poisson's equation, natural at the crop's
    border); the next crop meets what the one before it has filled in; the rest of the hole is filled harmonically.

    pixels : (H, W, 3) uint8; known : (H, W) bool
    crops : of the faces, (size, size, 3) uint8 each; matrices : from the photo to each crop, (F, 2, 3)
    factors : as fill_harmonic takes it, for several answers to one photo
    Returns (H, W, 3) uint8, equal to `pixels` wherever `known`, and independent of what lies under the hole.
    """
    restored, filled = pixels.copy(), known.copy()
    crops, matrices = zip(*map(_trim, crops, matrices)) if len(crops) else ((), ())
    owners = find_owners(known, matrices, map(len, crops))
    for number, box in enumerate(ndimage.find_objects(owners), 1):
        if box:
            box = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
            hole, matrix = owners[box] == number, matrices[number - 1]
            in_box = np.column_stack([matrix[:, :2], matrix @ (box[1].start, box[0].start, 1)])
            _pour(restored[box], filled[box], hole, crops[number - 1], matrix=in_box, factors=factors)
            filled[box] |= hole
    if not filled.all():
        restored[~filled] = to_levels(fill_harmonic(restored, filled, factors=factors))
    return keep_tone(restored, known)


def _trim(crop, matrix):
    """What is used of a crop, and the matrix to it."""
    matrix, side = used_part(matrix, len(crop))
    border = (len(crop) - side) // 2
    return crop[border:border + side, border:border + side], matrix


def _pour(picture, known, hole, crop, matrix, factors):
    """Fill the hole of a picture in place with what a crop has there, moved to the level of the known pixels."""
    ring = known & ndimage.binary_dilation(hole)
    ring[ring] = is_covered(matrix, len(crop), *np.nonzero(ring))
    offsets = np.zeros(picture.shape)                   # memory of which only the ring's is touched
    offsets[ring] = picture[ring] - sample(crop, matrix, *np.nonzero(ring))
    picture[hole] = to_levels(sample(crop, matrix, *np.nonzero(hole)) + fill_harmonic(offsets, ring, hole, factors))
