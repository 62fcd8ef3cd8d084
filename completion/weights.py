"""How much each known pixel counts: those near the hole say most about what is missing."""
import numpy as np
from scipy import ndimage


def context_weights(known, window=7):
    """The importance of every pixel for the context loss.

    W_i = sum over the neighbours j of i of (1 - M_j) / |N(i)| where pixel i is known, else 0, with N(i) the pixels of
    the window around i that lie in the image (Yeh et al., CVPR 2017, equation 3).

    Parameters
    ----------
    known : (H, W) or (B, H, W) bool, True where the face is kept
    window : side of the neighbourhood, odd; 0 counts every known pixel alike

    Returns float32 of the same shape, in [0, 1).
    """
    known = np.asarray(known, bool)
    if not window:
        return known.astype(np.float32)
    size = (1,) * (known.ndim - 2) + (window, window)
    holes = ndimage.uniform_filter((~known).astype(np.float64), size, mode="constant")
    inside = ndimage.uniform_filter(np.ones(known.shape), size, mode="constant")
    return (np.where(known, np.clip(holes / inside, 0, 1), 0)).round(9).astype(np.float32)
