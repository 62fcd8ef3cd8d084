"""The tone of a photo: what is filled in has the colours that the photo itself has."""
import numpy as np

LUMA = np.array([0.299, 0.587, 0.114])                  # of ITU-R BT.601, as Pillow makes grey pictures


def keep_tone(pixels, known):
    """The same picture, without colour in the hole if it has none where it is known.

    pixels : (H, W, 3) uint8, its hole filled; known : (H, W) bool
    Returns (H, W, 3) uint8, equal to `pixels` wherever `known`.
    """
    visible = pixels[known]
    if (visible != visible[:, :1]).any():
        return pixels
    toned = pixels.copy()
    toned[~known] = np.rint(pixels[~known] @ LUMA).astype(np.uint8)[:, None]
    return toned
