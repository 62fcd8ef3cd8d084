"""Methods that fill a hole from faces seen before; what latent search has to beat without its network."""
import numpy as np

from completion.blend import blend_poisson
from completion.weights import context_weights
from helpers import to_float


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
    def fill(face, known, seed=0):
        weights = context_weights(known)
        near = weights > 0
        if not near.any():
            return face.copy()
        differences = np.abs(train_faces[:, near].astype(np.float32) - (face[near] + 1) * np.float32(127.5))
        best = np.argmin(np.einsum("npc,p->n", differences, weights[near], optimize=True))
        return blend_poisson(face[None], to_float(train_faces[best])[None], known[None])[0]
    return fill
