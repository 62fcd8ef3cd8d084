"""Which of several faces each part of a photo's hole belongs to."""
import numpy as np
from scipy import ndimage

from preprocess.affine import chain
from preprocess.faces import find_window, is_covered

MUCH_INSIDE = 0.6                                       # of a hole that lies in faces if these are the right ones
ABOVE, BESIDE = 0.6, 0.3                                # of a crop's side, that its head reaches beyond it
EDGE = 24                                               # a crop's side over the width of its border, which is not used


def used_part(matrix, size):
    """(the map to it, its side) of what is used of a crop: all but its border, where the networks see nothing beyond.

    matrix : (2, 3) from the photo's (x, y) to the crop's; size : the crop's side in pixels
    """
    border = size // EDGE
    return matrix - [[0, 0, border]], size - 2 * border


def touches(known, matrix, size):
    """Whether a hole, where the photo is not `known`, (H, W) bool, reaches into the crop of a face."""
    _, hole = _hole_in_crop(known, matrix, size)
    return bool(hole.any())


def lies_on_heads(known, matrices, size):
    """Whether most of a hole, where the photo is not `known`, lies on heads: foreheads and ears around the crops too.

    matrices : of the faces, as below; size : the crops' side
    """
    wide, high = 1 + 2 * BESIDE, 1 + ABOVE
    larger = np.array([(1 / wide, 0, size * BESIDE / wide), (0, 1 / high, size * ABOVE / high)])
    left = ~known
    for matrix in matrices:
        window, hole = _hole_in_crop(known, chain(matrix, larger), size)
        left[window] &= ~hole
    return np.count_nonzero(left) <= (1 - MUCH_INSIDE) * np.count_nonzero(~known)


def share_inside(known, matrix, size):
    """The share in [0, 1] that the crop of a face shows of those connected parts of a hole that reach into it."""
    parts, _ = ndimage.label(~known, np.ones((3, 3)))
    window, hole = _hole_in_crop(known, matrix, size)
    inside = parts[window][hole]
    return inside.size / max(np.count_nonzero(np.isin(parts, inside)), 1)


def find_owners(known, matrices, sizes):
    """The face that completes each pixel of a hole.

    A pixel belongs to the face whose crop shows it; of several, to that of which the pixel's connected part of the hole
    (in all eight directions) covers most, and if it covers as much of both, to the first.

    known : (H, W) bool; matrices : of the faces, (2, 3) from the photo's (x, y) to the crop's; sizes : the crops' sides
    Returns (H, W) int32: 0 where the photo is known or no crop shows it, else 1 + the index of the face.
    """
    parts, _ = ndimage.label(~known, np.ones((3, 3)))
    owners, covers = np.zeros(known.shape, np.int32), np.zeros(known.shape, np.int32)
    for number, (matrix, size) in enumerate(zip(matrices, sizes), 1):
        window, hole = _hole_in_crop(known, matrix, size)
        counts = np.bincount(parts[window][hole], minlength=1)
        larger = hole & (counts[np.where(hole, parts[window], 0)] > covers[window])
        owners[window][larger] = number
        covers[window][larger] = counts[parts[window][larger]]
    return owners


def _hole_in_crop(known, matrix, size):
    """(the window of the photo that holds the crop, the pixels of the hole in it that the crop shows)."""
    window = find_window(matrix, size, *known.shape)
    hole = ~known[window]
    rows, columns = np.nonzero(hole)
    hole[rows, columns] = is_covered(matrix, size, rows + window[0].start, columns + window[1].start)
    return window, hole
