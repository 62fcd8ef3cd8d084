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

    def fill(face, known, seed=0):
        weights = np.repeat(context_weights(known).ravel(), 3)
        near = np.flatnonzero(weights)
        if not len(near):
            return face.copy()
        losses = np.zeros(by_pixel.shape[1], np.float32)
        for values, value, weight in zip(by_pixel[near], to_uint8(face).ravel()[near], weights[near]):
            losses += weight * (np.maximum(values, value) - np.minimum(values, value))
        best = by_pixel[:, np.argmin(losses)].reshape(face.shape)
        return blend_poisson(face[None], to_float(best)[None], known[None])[0]
    return fill
