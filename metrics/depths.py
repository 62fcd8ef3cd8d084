"""How deep a hole is."""
from scipy import ndimage


def depths(known):
    """How far every pixel of the hole is from the nearest known one, (H, W), in pixels of a face of 64; else 0.

    known : (H, W) bool
    """
    return ndimage.distance_transform_edt(~known) * 64 / len(known)
