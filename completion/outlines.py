"""Outlines: closed lines in a hole, as are drawn around damage that was to be filled in."""
import numpy as np
from PIL import Image
from scipy import ndimage

MEGAPIXEL = 1_000_000                                   # to about which a hole is reduced where they are sought
SMALLEST = 16                                           # pixels across
AROUND = 0.8                                            # of a line that lies around what it encloses; scratches go on
LEAST = 0.5                                             # of a line's pixels, that it encloses
SOME, MOST = 0.001, 0.6                                 # of a picture, that is enclosed by what was drawn around damage
SQUARE = np.ones((3, 3), bool)


def share_enclosed(hole):
    """The share in [0, 1] of a picture that outlines enclose and that is no hole; 0 below SOME and above MOST.

    hole : (H, W) bool. Lines count as closed where a gap is no longer than they are wide. What reaches all four sides
    of the picture is a border, a frame encloses most of it, and scratches that cross go on beyond what they enclose.
    """
    small = _reduce(hole)
    parts, _ = ndimage.label(small, SQUARE)
    enclosed = 0
    for label, box in enumerate(ndimage.find_objects(parts), 1):
        across = [side.stop - side.start for side in box]
        if min(across) >= SMALLEST and tuple(across) != small.shape:
            enclosed += _count_enclosed(parts[box] == label)
    share = enclosed / small.size
    return share if SOME <= share <= MOST else 0.0


def _reduce(hole):
    """A hole of at most about a megapixel, in which each pixel is hole that has something of it."""
    scale = min(1, (MEGAPIXEL / hole.size) ** 0.5)
    size = [max(round(side * scale), 1) for side in hole.shape[::-1]]
    return np.asarray(Image.fromarray(hole * np.uint8(255)).resize(size, Image.Resampling.BOX)) > 0


def _count_enclosed(line):
    """How many pixels a connected line, (h, w) bool, encloses; 0 if it is no outline."""
    half = int(ndimage.distance_transform_cdt(np.pad(line, 1)).max())       # of its width
    line = np.pad(line, 3 * half + 2)
    outside, _ = ndimage.label(~ndimage.binary_dilation(line, SQUARE, half))
    inside = outside > 1                                # 1 is what the padding belongs to
    if not inside.any():
        return 0
    around = ndimage.binary_dilation(inside, SQUARE, 3 * half + 1)
    enclosed = np.count_nonzero(ndimage.binary_dilation(inside, SQUARE, half) & ~line)
    return enclosed if around[line].mean() >= AROUND and enclosed >= LEAST * np.count_nonzero(line) else 0
