"""Laplace's equation on holes of any shape and size: what a soap film does between the pixels around them."""
import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import linalg

from .factorizations import Factorizations

DIRECT = 20_000                                         # pixels of a hole that a factorisation still fills fastest
TOLERANCE = 1e-3                                        # of the residual: 0.05 levels of 255 in a hole of 300x300
ANCHOR = 1e-10                                          # draws to 0 what nothing holds, and the rest by no more


def fill_harmonic(values, known, hole=None, factors=None):
    """Continue values into a hole with the harmonic function that agrees with them on its border.

    Parameters
    ----------
    values : (H, W, C) float, never looked at but on the known pixels next to the hole
    known : (H, W) bool
    hole : (H, W) bool, the pixels to be filled, by default all that are not known. Where the hole meets the image's
        border, or pixels that are neither hole nor known, the boundary is natural
    factors : a Factorizations of `factorize` that keeps those of this hole for the next values, by default the one of
        all aligned faces; or `factorize` itself, which keeps none

    Returns (N, C) float64, the values of the hole's N pixels in the order of np.nonzero(hole); 0 in a connected part of
    the hole that no known pixel touches. Up to DIRECT pixels it is exact, from there on good to TOLERANCE.
    """
    hole = ~known if hole is None else hole
    if not hole.any():
        return np.empty((0, values.shape[2]))
    box = box_around(hole, 1)
    hole, known, values = hole[box], known[box], values[box]
    ring = known & ndimage.binary_dilation(hole)
    if np.count_nonzero(hole) <= DIRECT:
        solver, spread = (factors or _factorize_once)(hole.tobytes(), ring.tobytes(), hole.shape)
        return solver.solve(spread @ values[ring].astype(np.float64))
    laplacian, spread = _equation(hole, ring)
    return _solve_large(laplacian, _coarsen(laplacian, *np.nonzero(hole)), spread @ values[ring].astype(np.float64))


def box_around(mask, margin):
    """The slices of the smallest box that holds all that is True in a mask (H, W), with so many pixels around it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return tuple(slice(max(places[0] - margin, 0), places[-1] + margin + 1) for places in (rows, columns))


def factorize(hole, ring, shape):
    """(factors of the hole's Laplace equation, sparse map from the ring's values to its right-hand side)."""
    laplacian, spread = _equation(*(np.frombuffer(part, bool).reshape(shape) for part in (hole, ring)))
    return linalg.splu(laplacian.tocsc()), spread


_factorize_once = Factorizations(factorize)


def _equation(hole, ring):
    """(the matrix of the hole's Laplace equation, sparse map from the ring's values to its right-hand side)."""
    rows, columns = np.nonzero(hole)
    numbers, count, pairs = np.full(hole.shape, -1, np.int32), len(rows), []
    numbers[ring], numbers[hole] = np.arange(np.count_nonzero(ring)) + count, np.arange(count)
    for down, right in ((-1, 0), (0, -1), (0, 1), (1, 0)):
        beside, across = rows + down, columns + right
        inside = (beside >= 0) & (beside < hole.shape[0]) & (across >= 0) & (across < hole.shape[1])
        neighbours = numbers[beside[inside], across[inside]]
        linked = neighbours >= 0
        pairs.append((np.flatnonzero(inside)[linked], neighbours[linked]))
    pixels, neighbours = map(np.concatenate, zip(*pairs))
    links = sparse.csr_matrix((np.ones(len(pixels)), (pixels, neighbours)), (count, numbers.max() + 1)).tocsc()
    laplacian = sparse.diags(np.asarray(links.sum(1)).ravel() + ANCHOR) - links[:, :count]
    return laplacian.tocsr(), links[:, count:].tocsr()


def _solve_large(matrix, hierarchy, columns):
    """Conjugate gradients, preconditioned by a multigrid cycle, for every column."""
    cycle = linalg.LinearOperator(matrix.shape, lambda residual: _cycle(hierarchy, residual.ravel()))
    return np.stack([linalg.cg(matrix, column, rtol=TOLERANCE, M=cycle)[0] for column in columns.T], axis=1)


def _coarsen(matrix, rows, columns):
    """A multigrid hierarchy by smoothed aggregation of 3x3 pixels: the levels, and the solver of the coarsest.

    Source: Vanek, Mandel, Brezina, "Algebraic multigrid by smoothed aggregation", Computing 56, 1996.
    """
    levels = []
    while matrix.shape[0] > DIRECT:
        rows, columns = rows // 3, columns // 3
        _, first, members = np.unique(rows * (columns.max() + 1) + columns, return_index=True, return_inverse=True)
        rows, columns = rows[first], columns[first]
        constant = sparse.csr_matrix((np.ones(len(members)), (np.arange(len(members)), members.ravel())))
        damped = sparse.diags(2 / 3 / matrix.diagonal())            # 4 / 3 over the spectral radius, which is below 2
        prolong = constant - damped @ (matrix @ constant)
        levels.append((matrix, prolong, damped.diagonal()))
        matrix = (prolong.T @ matrix @ prolong).tocsr()
    return levels, linalg.factorized(matrix.tocsc())


def _cycle(hierarchy, residual, depth=0):
    """A symmetric V-cycle from 0: one damped Jacobi step before and one after the correction by the coarser level."""
    levels, solve = hierarchy
    if depth == len(levels):
        return solve(residual)
    matrix, prolong, damped = levels[depth]
    error = damped * residual
    error += prolong @ _cycle(hierarchy, prolong.T @ (residual - matrix @ error), depth + 1)
    return error + damped * (residual - matrix @ error)
