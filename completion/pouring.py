"""Completed faces poured into the holes of their photos."""
import numpy as np

from preprocess.faces import unwarp

from .membrane import fill_harmonic
from .tone import keep_tone


def pour_back(pixels, known, completed, matrix):
    """Put a completed crop into the hole of its photo, in the photo's resolution and so that no seam shows.

    Where the crop covers the hole its gradients are kept (Poisson's equation, natural at the crop's border); the rest
    of the hole is filled harmonically.

    pixels : (H, W, 3) uint8; known : (H, W) bool; completed : (size, size, 3) uint8; matrix : from photo to crop
    Returns (H, W, 3) uint8, equal to `pixels` wherever `known`, and independent of what lies under the hole.
    """
    restored = pixels.copy()
    window, guess, inside = unwarp(completed.astype(np.float64), matrix, *known.shape)
    part, hole, kept = restored[window], ~known[window] & inside, known[window] & inside
    part[hole] = to_levels(guess[hole] + fill_harmonic(part - guess, kept, hole))
    rest = ~known
    rest[window] &= ~inside
    restored[rest] = to_levels(fill_harmonic(restored, ~rest))
    return keep_tone(restored, known)


def to_levels(values):
    """Values around [0, 255] as uint8."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
