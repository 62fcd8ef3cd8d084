"""Put a guess into the hole of a face."""
import functools

import numpy as np
from scipy import sparse
from scipy.sparse import linalg


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

    Returns (B, H, W, 3) float32 in [-1, 1], equal to `faces` bit for bit wherever `known`.
    Raises ValueError if the shapes differ or nothing is known of a face.
    Source: Perez, Gangnet, Blake, "Poisson Image Editing", SIGGRAPH 2003, equations 7 and 8.
    """
    if faces.shape != guesses.shape or faces.shape[:3] != known.shape:
        raise ValueError(f"shapes differ: faces {faces.shape}, guesses {guesses.shape}, known {known.shape}")
    if not known.any(axis=(1, 2)).all():
        raise ValueError("nothing is known of a face: there is nothing to blend with")
    blended = paste(faces, guesses, known)
    holes, groups = np.unique(known.reshape(len(known), -1), axis=0, return_inverse=True)
    for group, hole in enumerate(holes):
        members = np.flatnonzero(groups.reshape(-1) == group)
        if hole.all():
            continue
        solve, spread = _membrane(hole.tobytes(), known.shape[1:])
        offset = (faces[members] - guesses[members]).reshape(len(members), -1, 3)[:, hole].astype(np.float64)
        columns = spread @ offset.transpose(1, 0, 2).reshape(hole.sum(), -1)
        poured = solve(columns).reshape(-1, len(members), 3).transpose(1, 0, 2)
        rows, pixels = np.ix_(members, np.flatnonzero(~hole))
        flat = blended.reshape(len(blended), -1, 3)
        flat[rows, pixels] = np.clip(flat[rows, pixels] + poured, -1, 1)
    return blended


@functools.lru_cache(maxsize=64)
def _membrane(hole_bytes, shape):
    """(solver of the hole's Laplace equation, sparse map from known pixels to its right-hand side)."""
    known = np.frombuffer(hole_bytes, bool)
    pixels = np.arange(known.size).reshape(shape)
    pairs = np.concatenate([np.stack([a.ravel(), b.ravel()]) for a, b in
                            ((pixels[:, 1:], pixels[:, :-1]), (pixels[1:], pixels[:-1]))], axis=1)
    pairs = np.concatenate([pairs, pairs[::-1]], axis=1)
    links = sparse.csr_matrix((np.ones(pairs.shape[1]), pairs), (known.size, known.size))
    laplacian = sparse.diags(np.asarray(links.sum(1)).ravel()) - links
    return linalg.factorized(laplacian[~known][:, ~known].tocsc()), links[~known][:, known]


BLENDS = {"poisson": blend_poisson, "none": paste}
