"""What the search minimises, one value a face.

Source: Yeh et al., "Semantic Image Inpainting with Deep Generative Models", CVPR 2017, equations 2 to 5.
"""
from nn.setup import tf

from . import recipes


def context_loss(guess, faces, weights):
    """|| W * (G(z) - y) ||_1, summed over pixels and channels.

    guess, faces : (B, H, W, 3) float32 in [-1, 1]; weights : (B, H, W), 0 in the hole. Returns (B,).
    """
    return tf.reduce_sum(weights[..., None] * tf.abs(guess - faces), axis=(1, 2, 3))


def prior_loss(logits):
    """log(1 - D(G(z))) of D's logits (B,): small where D takes a face for real. Returns (B,), in (-inf, 0)."""
    return -tf.nn.softplus(logits)


def prior_loss_unsaturated(logits):
    """-log D(G(z)) of D's logits (B,), which still falls where D is sure that a face is not real. Returns (B,) > 0.

    Source: Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014, section 3; Amos, "Image Completion with
    Deep Learning in TensorFlow", 2016.
    """
    return tf.nn.softplus(-logits)


PRIORS = dict(zip(recipes.PRIORS, (prior_loss, prior_loss_unsaturated), strict=True))
