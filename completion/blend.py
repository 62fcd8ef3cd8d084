"""Put a guess into the hole of a face."""
import functools

import numpy as np
from scipy import ndimage

from . import recipes
from .matern import fill_matern
from .membrane import fill_harmonic

FADE = 32                                               # over the face's side; measured best on validation faces


def paste(faces, guesses, known):
    """Copy the guesses into the holes as they are.

    faces, guesses : (B, H, W, 3) float32 in [-1, 1]; known : (B, H, W) bool, True where the face is kept
    Returns (B, H, W, 3), equal to `faces` bit for bit wherever `known`.
    """
    return np.where(known[..., None], faces, guesses)


def blend_poisson(faces, guesses, known):
    """Pour the guesses into the holes so that no seam shows.

    Minimises || grad x - grad guess ||^2 over the hole with x = face where known; where the hole meets the image's
    border the boundary is natural. For d = x - guess this is Laplace's equation with d = face - guess on the known
    neighbours: one sparse factorisation for each different hole.

    Parameters
    ----------
    faces, guesses : (B, H, W, 3) float32 in [-1, 1]
    known : (B, H, W) bool, True where the face is kept; in each face True somewhere

    Returns (B, H, W, 3) float32 in [-1, 1], equal to `faces` bit for bit wherever `known`. A guess of one colour gives
    no value outside the range of that of the known neighbours.
    Raises ValueError if the shapes differ or nothing is known of a face.
    Source: Perez, Gangnet, Blake, "Poisson Image Editing", SIGGRAPH 2003, equations 7 and 8.
    """
    return _pour(faces, guesses, known, fill_harmonic)


def blend_matern(faces, guesses, known):
    """Correct the guesses by the most likely offset, a smooth one that is known where the face is.

    x = guess + d, d the mean of a Matern random field given d = face - guess on the known pixels: it meets them without
    a seam and without a break of the slopes, and leaves the guess as it is where all of them are far. Between single
    known pixels it is much nearer the truth than Poisson's membrane, whose d has a spike at each of them.

    faces, guesses, known : as for blend_poisson; returns and raises as it does, but may leave the range of the known
    neighbours where the offset rises towards the border.
    """
    return _pour(faces, guesses, known, functools.partial(fill_matern, fade=FADE / known.shape[1]))


def _pour(faces, guesses, known, fill):
    """Add to the guesses in the holes what `fill`, (offsets (H, W, C), known) -> (N, C), makes of face - guess."""
    _check(faces, guesses, known)
    blended = paste(faces, guesses, known)
    holes, groups = np.unique(known.reshape(len(known), -1), axis=0, return_inverse=True)
    for group, hole in enumerate(~holes.reshape(-1, *known.shape[1:])):
        members = np.flatnonzero(groups.reshape(-1) == group)
        offsets = np.moveaxis(faces[members] - guesses[members], 0, 2)              # (H, W, members, 3)
        poured = fill(offsets.reshape(*hole.shape, -1), ~hole).reshape(-1, len(members), 3)
        rows, columns = np.nonzero(hole)
        places = members[:, None], rows, columns
        blended[places] = np.clip(blended[places] + np.swapaxes(poured, 0, 1), -1, 1)
    return blended


def blend_feather(faces, guesses, known, width=None):
    """Correct the guesses' colours along the border of the holes, and less and less inwards.

    x = guess + f(r) * sum_j w_j (face_j - guess_j) / sum_j w_j over the known pixels j nearer than `width` pixels, with
    w_j = ((width - r_j) / (width r_j))^2 at distance r_j, r the distance of the nearest known pixel and the fade
    f(r) = (1 + cos(pi r / width)) / 2. Beyond `width` the guess stays as it is: unlike Poisson's blend this keeps its
    own colours in the middle of a hole. What lies outside the image is not known, as in the hole.

    faces, guesses, known : as for blend_poisson; width : pixels, at least 2, by default an eighth of the height
    Returns and raises as blend_poisson does.
    Source: the weights are those of Franke and Nielson, "Smooth interpolation of large sets of scattered data",
    Int. J. Numerical Methods in Engineering 15, 1980; the fade is ours.
    """
    _check(faces, guesses, known)
    width = width or max(2, known.shape[1] // 8)
    reach = np.hypot(*np.mgrid[-width:width + 1, -width:width + 1])
    weights = np.where(reach > 0, np.clip(width - reach, 0, None) / (width * np.maximum(reach, 1)), 0) ** 2
    offsets = np.where(known[..., None], faces - guesses, 0).astype(np.float64)
    blended = paste(faces, guesses, known)
    for face, offset, kept in zip(blended, offsets, known):
        distance = ndimage.distance_transform_edt(~kept)
        near = ~kept & (distance < width)
        fade = (1 + np.cos(np.pi * distance[near] / width)) / 2
        total = ndimage.correlate(kept.astype(np.float64), weights, mode="constant")[near]
        mean = ndimage.correlate(offset, weights[..., None], mode="constant")[near] / total[:, None]
        face[near] = np.clip(face[near] + fade[:, None] * mean, -1, 1)
    return blended


def _check(faces, guesses, known):
    if faces.shape != guesses.shape or faces.shape[:3] != known.shape:
        raise ValueError(f"shapes differ: faces {faces.shape}, guesses {guesses.shape}, known {known.shape}")
    if not known.any(axis=(1, 2)).all():
        raise ValueError("nothing is known of a face: there is nothing to blend with")


BLENDS = dict(zip(recipes.BLENDS, (blend_poisson, blend_matern, blend_feather, paste), strict=True))
