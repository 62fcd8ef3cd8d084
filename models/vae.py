"""Variational autoencoder.

Source: Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
"""
import numpy as np

from completion.blend import blend_poisson
from nn import tf
from nn.lanes import fill_lanes
from nn.layers import draw, fold

from .latent_model import LatentModel

ROUNDS = 30                                             # of iterated encoding


def divergence(mean, log_variance):
    """KL(N(mean, variance) || N(0, 1)), (B,), of (B, z_dim): appendix B of the paper."""
    return tf.reduce_sum(mean ** 2 + tf.exp(log_variance) - 1 - log_variance, axis=1) / 2


class VAE(LatentModel):
    """Its latents are N(0, 1); the encoder gives mean and logarithm of the variance of each face's."""
    kind, outputs = "vae", 2

    def _losses(self, faces, step):
        """The evidence lower bound in nats a face and its two terms (equation 10), by one latent a face."""
        mean, log_variance = tf.split(self.coder.encode(faces, training=True), 2, axis=1)
        seed = fold(tf.constant([self.seed, 0], tf.int64), step)
        noise = draw(tf.random.stateless_normal, (tf.shape(faces)[0], self.architecture.z_dim), seed)
        decoded = self.coder.decoder(mean + tf.exp(log_variance / 2) * noise, training=True)
        reconstruction = tf.reduce_mean(self.coder.negative_log_likelihood(faces, decoded))
        kl = tf.reduce_mean(divergence(mean, log_variance))
        return {"loss": reconstruction + kl, "evidence_lower_bound": -reconstruction - kl, "divergence": kl,
                "squared_error": tf.reduce_mean((faces - decoded) ** 2)}

    def fill_by_encoding(self, faces, known, seeds=None, rounds=ROUNDS):
        """Complete faces by encoding and decoding again and again, each time with the known pixels put back.

        faces : (B, S, S, 3) float32 in [-1, 1], grey at first in the hole; known : (B, S, S) bool
        Returns (B, S, S, 3), the last one blended by Poisson. Source: Rezende, Mohamed, Wierstra, "Stochastic
        Backpropagation and Approximate Inference in Deep Generative Models", ICML 2014, section 6.3, by means, not
        samples.
        """
        padded = fill_lanes(np.where(known[..., None], faces, 0).astype(np.float32))
        kept = fill_lanes(known)[..., None]
        for _ in range(rounds):
            guesses = self.decode(self.latents_of(padded))
            padded = tf.where(kept, padded, guesses)
        return blend_poisson(faces, guesses.numpy()[:len(faces)], known)
