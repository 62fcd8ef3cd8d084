"""Noise of photos, through which a detector sees no faces or wrong ones, taken off where these are looked for."""
import numpy as np
from PIL import Image, ImageFilter

NOISY = 0.12                                            # of the contrast; 651 portraits and photos of the web have .08
REACH = 1.6                                             # pixels, the deviation of the smoothing
ROWS = 1000                                             # that are looked at, about


def is_noisy(pixels, known):
    """Whether what is known, (H, W) bool, of a photo, (H, W, 3) uint8, has much noise for its contrast.

    Noise is the median second difference along the rows, as edges have it in few places. Source: the filter of
    Immerkaer, "Fast Noise Variance Estimation", CVIU 1996, in one direction.
    """
    step = max(len(pixels) // ROWS, 1)
    pixels, known = pixels[::step], known[::step]
    grey = np.asarray(Image.fromarray(pixels).convert("L")).astype(np.int16)
    inside = known[:, :-2] & known[:, 1:-1] & known[:, 2:]
    if not inside.any():
        return False
    bend = np.abs(grey[:, :-2] - 2 * grey[:, 1:-1] + grey[:, 2:])[inside]
    return bool(np.median(bend) / (0.6745 * 6 ** 0.5) > NOISY * grey[known].std())


def smooth(pixels):
    """The photo, (H, W, 3) uint8, without what is finer than some pixels."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(REACH)))
