"""Methods that fill a hole from faces seen before; what latent search has to beat without its network."""
import numpy as np

from completion.blend import blend_poisson
from completion.weights import context_weights
from helpers import to_float, to_uint8


def mean_face(train_faces):
    """A fill that blends the mean of (N, H, W, 3) uint8 training faces into the hole by Poisson."""
    mean = to_float(train_faces.mean(axis=0))

    def fill(face, known, seed=0):
        return blend_poisson(face[None], mean[None], known[None])[0]
    return fill


def nearest(train_faces):
    """A fill that blends in the training face with the smallest weighted context loss (Yeh et al., equation 4).

    train_faces : (N, H, W, 3) uint8. The loss is the one the latent search minimises, window 7.
    """
    by_pixel = np.ascontiguousarray(train_faces.reshape(len(train_faces), -1).T)        # (H * W * 3, N): rows are read

    def losses(pixels, levels, weights, faces=slice(None)):
        total = np.zeros(len(by_pixel[0, faces]), np.float32)
        for pixel, level, weight in zip(pixels, levels, weights):
            values = by_pixel[pixel][faces]
            total += weight * (np.maximum(values, level) - np.minimum(values, level))
        return total

    def fill(face, known, seed=0):
        weights = np.repeat(context_weights(known).ravel(), 3)
        heaviest_first = np.argsort(-weights, kind="stable")[:np.count_nonzero(weights)]
        if not len(heaviest_first):
            return face.copy()
        levels = to_uint8(face).ravel()
        head, tail = ((part, levels[part], weights[part]) for part in np.array_split(heaviest_first, 2))
        so_far = losses(*head)
        leader = np.argmin(so_far)
        possible = np.flatnonzero(so_far <= so_far[leader] + losses(*tail, faces=[leader]))  # a loss can only grow
        best = possible[np.argmin(so_far[possible] + losses(*tail, faces=possible))]
        return blend_poisson(face[None], to_float(by_pixel[:, best].reshape(face.shape))[None], known[None])[0]
    return fill
