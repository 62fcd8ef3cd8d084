"""Inpainting by total variation: flat regions with sharp borders, as short as they can be."""
import numpy as np

from completion.membrane import box_around

from .laplace import laplace

PRIMAL_STEP = 0.03                                      # of the order of a face's gradients
DUAL_STEP = 1 / (8 * PRIMAL_STEP)                       # the most that converges: the gradient's norm is sqrt(8)


def total_variation(face, known, seed=0, *, iterations=200, tolerance=2e-5):
    """Fill the hole so that the whole picture's total variation is smallest, all channels sharing their edges.

    min_x sum_pixels || (grad x_red, grad x_green, grad x_blue) ||_2 subject to x = face where known, by the
    primal-dual algorithm of Chambolle and Pock, "A First-Order Primal-Dual Algorithm", JMIV 2011, algorithm 1, from
    the harmonic fill and its normalised gradient.
    Sources: Shen and Chan, "Mathematical Models for Local Nontexture Inpaintings", SIAM J. Appl. Math. 2002;
    Blomgren and Chan, "Color TV", IEEE TIP 1998.

    Parameters
    ----------
    face : (H, W, 3) float32 in [-1, 1], never looked at in the hole
    known : (H, W) bool, True where `face` is kept
    iterations : at most
    tolerance : stop when the mean change of an iteration over the hole falls below it

    Returns (H, W, 3) float32, equal to `face` bit for bit where known.
    """
    filled = laplace(face, known)
    if not known.all():
        box = box_around(~known, 1)                     # what lies outside adds a constant to the variation
        filled[box] = _minimize(filled[box], known[box], iterations, tolerance)
    return filled


def _minimize(start, known, iterations, tolerance):
    filled = ahead = start
    dual = _into_unit_balls(_gradient(start) / 1e-6)
    for _ in range(iterations):
        dual = _into_unit_balls(dual + DUAL_STEP * _gradient(ahead))
        better = np.where(known[..., None], start, filled + PRIMAL_STEP * _divergence(dual))
        ahead, change, filled = 2 * better - filled, np.abs(better - filled)[~known].mean(), better
        if change < tolerance:
            break
    return np.clip(filled, -1, 1)


def _into_unit_balls(dual):
    """Shorten (2, H, W, 3) to a length of at most 1 at every pixel."""
    return dual / np.maximum(1, np.sqrt((dual ** 2).sum(axis=(0, 3), keepdims=True)))


def _gradient(picture):
    """(H, W, 3) -> (2, H, W, 3): forward differences, 0 across the border."""
    gradient = np.zeros((2, *picture.shape), picture.dtype)
    gradient[0, :-1] = picture[1:] - picture[:-1]
    gradient[1, :, :-1] = picture[:, 1:] - picture[:, :-1]
    return gradient


def _divergence(field):
    """(2, H, W, 3) -> (H, W, 3): minus the adjoint of _gradient."""
    divergence = np.zeros(field.shape[1:], field.dtype)
    divergence[:-1] += field[0, :-1]
    divergence[1:] -= field[0, :-1]
    divergence[:, :-1] += field[1, :, :-1]
    divergence[:, 1:] -= field[1, :, :-1]
    return divergence
