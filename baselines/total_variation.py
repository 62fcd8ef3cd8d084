"""Inpainting by total variation: flat regions with sharp borders, as short as they can be."""
import numpy as np

from .laplace import laplace

STEP = 8 ** -0.5                                        # of primal and dual; the gradient's norm is at most sqrt(8)


def total_variation(face, known, seed=0, *, iterations=400, tolerance=1e-4):
    """Fill the hole so that the whole picture's total variation is smallest, all channels sharing their edges.

    min_x sum_pixels || (grad x_red, grad x_green, grad x_blue) ||_2 subject to x = face where known, by the
    primal-dual algorithm of Chambolle and Pock, "A First-Order Primal-Dual Algorithm", JMIV 2011, algorithm 1.
    Sources: Shen and Chan, "Mathematical Models for Local Nontexture Inpaintings", SIAM J. Appl. Math. 2002;
    Blomgren and Chan, "Color TV", IEEE TIP 1998.

    Parameters
    ----------
    face : (H, W, 3) float32 in [-1, 1], never looked at in the hole
    known : (H, W) bool, True where `face` is kept
    iterations : at most
    tolerance : stop when the mean change of an iteration over the hole falls below `tolerance` / 100

    Returns (H, W, 3) float32, equal to `face` bit for bit where known.
    """
    filled = laplace(face, known)
    if known.all():
        return filled
    ahead, dual = filled, np.zeros((2, *face.shape), np.float32)
    for _ in range(iterations):
        dual += STEP * _gradient(ahead)
        dual /= np.maximum(1, np.sqrt((dual ** 2).sum(axis=(0, 3), keepdims=True)))
        better = np.where(known[..., None], face, filled + STEP * _divergence(dual))
        ahead, change, filled = 2 * better - filled, np.abs(better - filled)[~known].mean(), better
        if change < tolerance / 100:
            break
    return np.clip(filled, -1, 1)


def variation(picture):
    """Colour total variation of (H, W, 3), the sum over all pixels of the length of the joint gradient."""
    return float(np.sqrt((_gradient(picture) ** 2).sum(axis=(0, 3))).sum())


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
