"""The most likely values in a hole of a random field that is known around it: smoother there than a membrane."""
import functools

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from .factorizations import Factorizations


def fill_matern(values, known, fade):
    """Continue values into a hole with the mean of a Matern field, smoothness 1, given what it is where known.

    The field's precision is Q = (fade^2 - laplacian)^2, so that values and slopes pass the hole's border without a
    break, and what is further inside than some 1 / fade pixels becomes 0: x = -inverse(Q_hh) Q_hk values.

    Parameters
    ----------
    values : (H, W, C) float, of which those in the hole are never looked at
    known : (H, W) bool; the boundary is natural where the image ends
    fade : above 0, in 1 / pixels

    Returns (N, C) float64, the values of the hole's N pixels in the order of np.nonzero(~known).
    Source: Lindgren, Rue, Lindstrom, "An explicit link between Gaussian fields and Gaussian Markov random fields", J.
    Royal Statistical Society B 73, 2011, equation 2 with alpha = 2.
    """
    factors, spread = _factorize_once(known.tobytes(), known.shape, fade)
    return factors.solve(spread @ values[known].astype(np.float64))


def _factorize(known, shape, fade):
    """(factors of Q_hh, the sparse map -Q_hk from what is known to its right-hand side)."""
    known = np.frombuffer(known, bool)
    hole = _precision(shape, fade)[~known]
    factors = linalg.splu(hole[:, ~known].tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
                          options={"SymmetricMode": True})          # for Q_hh is symmetric and positive definite
    return factors, -hole[:, known]


_factorize_once = Factorizations(_factorize)


@functools.lru_cache(maxsize=4)
def _precision(shape, fade):
    rows, columns = (_second_differences(count) for count in shape)
    root = sparse.kronsum(columns, rows) + fade ** 2 * sparse.identity(shape[0] * shape[1])
    return (root @ root).tocsr()


def _second_differences(count):
    """-laplacian of a row of `count` pixels that ends freely."""
    ends = np.full(count, 2.0)
    ends[[0, -1]] = 1
    return sparse.diags([np.full(count - 1, -1.0), ends, np.full(count - 1, -1.0)], (-1, 0, 1))
