"""Completion as a low-rank matrix."""
import numpy as np

from .laplace import laplace


def low_rank(face, known, seed=0, *, shrinkages=(4, 2, 1, 0.5, 0.25), iterations=10):
    """Fill the hole so that the picture, its channels side by side as one (H, 3 W) matrix, has low rank.

    Repeats x <- shrink(face where known, x in the hole), where shrink() lowers every singular value by a threshold
    that falls in stages, each starting from the result of the one before.
    Sources: Cai, Candes, Shen, "A Singular Value Thresholding Algorithm for Matrix Completion", SIAM J. Optim. 2010;
    Mazumder, Hastie, Tibshirani, "Spectral Regularization Algorithms" (soft-impute), JMLR 2010, algorithm 1.

    Parameters
    ----------
    face : (H, W, 3) float32 in [-1, 1], never looked at in the hole
    known : (H, W) bool, True where `face` is kept
    shrinkages : thresholds of the singular values, in falling order; iterations : steps at each of them

    Returns (H, W, 3) float32 in [-1, 1], equal to `face` bit for bit where known.
    """
    if known.all():
        return face.copy()
    filled = laplace(face, known).astype(np.float64)
    level = filled[known].mean(axis=0)
    for shrinkage in shrinkages:
        for _ in range(iterations):
            filled = np.where(known[..., None], face, _shrink(filled - level, shrinkage) + level)
    return np.clip(filled, -1, 1).astype(np.float32)


def _shrink(picture, threshold):
    """Lower the singular values of the (H, 3 W) matrix of a picture, none below 0."""
    height, width, channels = picture.shape
    matrix = picture.transpose(0, 2, 1).reshape(height, channels * width)
    squares, vectors = np.linalg.eigh(matrix @ matrix.T)                # 64 x 64: cheaper than decomposing the matrix
    values = np.sqrt(np.maximum(squares, 1e-12))
    shrunk = (vectors * np.maximum(1 - threshold / values, 0)) @ (vectors.T @ matrix)
    return shrunk.reshape(height, channels, width).transpose(0, 2, 1)
