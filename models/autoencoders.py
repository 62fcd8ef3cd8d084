"""Autoencoder and variational autoencoder: an encoder, a decoder, and completion by searching the latent.

Sources: Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 2006; Kingma and
Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
"""
import dataclasses
import functools
import math

import numpy as np

import network
from completion.blend import blend_poisson
from completion.recipes import POOL
from completion.search import Latent, Search
from network import KERNEL, SMALLEST, Generator, initial_weights
from nn.choices import Schedule, Sizes
from nn.lanes import fill_lanes
from nn.layers import BatchNorm, dense_to_vector, draw, fold, halve, halve_pixels, mean_of_replicas, variable
from nn.learner import Learner
from nn.setup import tf, traced

MOMENTUM = 0.99                                         # of the autoencoder's statistics of its latents
ROUNDS = 30                                             # of iterated encoding
WIDEST = 1 - 1e-6                                       # at the search's very border a normal latent would be infinite
LOG_2_PI = math.log(2 * math.pi)


@dataclasses.dataclass(frozen=True)
class Architecture(Sizes):
    """z_dim : length of the latent; gf_dim, df_dim : filters of the decoder's last and of the encoder's first layer"""
    z_dim: int = 100


class Coder(tf.Module):
    """A decoder of the shape of the DCGAN's generator, and an encoder of that of its discriminator.

    outputs : numbers that the encoder gives for a face. The decoder's pixels are normal around its face, all with one
    variance, whose logarithm `log_variance` is learned (Rybkin et al., "Simple and Effective VAE Training with
    Calibrated Decoders", ICML 2021). The latents are normal with `mean` and `deviation`, (z_dim,).
    """

    def __init__(self, architecture, outputs, seed=0):
        super().__init__("coder")
        sizes = network.Architecture(architecture.image_size, architecture.z_dim, architecture.gf_dim)
        widths = [3] + [architecture.df_dim << layer for layer in range(sizes.layers)]
        weights = initial_weights(2 * seed + 1)
        self.kernels = [weights((KERNEL, KERNEL, into, out), f"kernel_{i}")
                        for i, (into, out) in enumerate(zip(widths, widths[1:]))]
        self.norms = [BatchNorm(width, f"norm_{i}") for i, width in enumerate(widths[1:])]
        self.dense = weights((SMALLEST * SMALLEST * widths[-1], outputs), "dense")
        self.bias = variable(tf.zeros(outputs), "bias")
        self.decoder = Generator(sizes, 2 * seed)
        self.log_variance = variable(tf.zeros(()), "log_variance")
        self.mean = variable(tf.zeros(architecture.z_dim), "mean", trainable=False)
        self.deviation = variable(tf.ones(architecture.z_dim), "deviation", trainable=False)

    def encode(self, faces, training=False):
        """Faces (B, S, S, 3) in [-1, 1] -> (B, outputs)."""
        x = faces
        for layer, norm, kernel in zip([halve_pixels] + [halve] * len(self.norms), self.norms, self.kernels):
            x = tf.nn.leaky_relu(norm.after(layer, x, kernel, training, axis=3), 0.2)
        return dense_to_vector(x, self.dense) + self.bias

    def negative_log_likelihood(self, faces, decoded):
        """-log p(x | z), (B,), of faces (B, S, S, 3) around what was decoded."""
        squares = (faces - decoded) ** 2 * tf.exp(-self.log_variance)
        return tf.reduce_sum(squares + self.log_variance + LOG_2_PI, axis=(1, 2, 3)) / 2


class LatentModel(Learner):
    """A coder, its training and the search of its latent.

    The search's z in [-1, 1] are ranks: a latent is the normal quantile of (z + 1) / 2, so that U(-1, 1) becomes the
    latents' own density, and no latent is out of reach.
    A subclass has a kind, `outputs` (of the encoder for each latent) and _losses(faces, step) -> {name: scalar}, of
    which "loss" is minimized.
    """
    architecture_type, training_type, main, examined = Architecture, Schedule, "coder", "latents"

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed = architecture, seed
        self.coder = Coder(architecture, self.outputs * architecture.z_dim, seed)

    def latents_of(self, faces):
        """The most likely latents (B, z_dim) of faces (B, S, S, 3) in [-1, 1]."""
        return self.coder.encode(faces)[:, :self.architecture.z_dim]

    def decode(self, latents):
        """Faces (B, S, S, 3) float32 in [-1, 1] of latents (B, z_dim)."""
        return self.coder.decoder(latents)

    def normal_latents(self, z):
        """The latents that the search's z (B, z_dim) in [-1, 1] stand for."""
        return self.coder.mean + self.coder.deviation * math.sqrt(2) * tf.math.erfinv(WIDEST * z)

    def generate(self, z):
        """Faces (B, S, S, 3) float32 in [-1, 1] of the search's z (B, z_dim)."""
        return self.decode(self.normal_latents(z))

    def prior_loss(self, z):
        """-log p of the latents that the search's z (B, z_dim) stand for, (B,)."""
        rest = 2 * tf.math.erfinv(WIDEST * z) ** 2
        return tf.reduce_sum(rest + 2 * tf.math.log(self.coder.deviation) + LOG_2_PI, axis=1) / 2

    def sample(self, count):
        """Faces of `count` latents from their own density, always the same."""
        shape = count, self.architecture.z_dim
        return self.generate(draw(tf.random.stateless_uniform, shape, tf.constant([self.seed, -1], tf.int64), -1, 1))

    def samples(self, faces):
        """Always the same 64 faces."""
        return self.sample(64)

    def make_search(self, recipe, seed=0, compute=traced):
        """The latent search on the decoder, with the latents' density as its prior; compute as Search takes it."""
        self.coder.decoder.dtype = tf.as_dtype(recipe.precision)
        return Search(Latent(self.generate, self.architecture.z_dim, prior=self.prior_loss), recipe, seed,
                      compute=compute)

    @functools.cached_property
    def _search(self):
        return self.make_search(POOL, self.seed)

    def fill_batch(self, faces, known, seeds):
        """Complete (B, S, S, 3) faces in [-1, 1] by the recipe `pool`; known (B, S, S) bool, seeds B integers."""
        return blend_poisson(faces, self._search(faces, known, seeds).guess, known)

    def losses(self, faces, step):
        """By faces (B, S, S, 3) in [-1, 1]; what is minimized is a value's, whatever the size."""
        losses = self._losses(faces, step)
        return losses["loss"] / faces[0].shape.num_elements(), losses


class Autoencoder(LatentModel):
    """Its latents are taken for normal, with the mean and deviation that they had in training."""
    kind, outputs = "autoencoder", 1

    def _losses(self, faces, step):
        latents = self.coder.encode(faces, training=True)
        mean, square = mean_of_replicas([tf.reduce_mean(moment, axis=0) for moment in (latents, latents ** 2)])
        deviation = tf.sqrt(tf.maximum(square - mean ** 2, 1e-6))
        for learned, seen in ((self.coder.mean, mean), (self.coder.deviation, deviation)):
            learned.assign_sub((1 - MOMENTUM) * (learned - seen))
        decoded = self.coder.decoder(latents, training=True)
        return {"loss": tf.reduce_mean(self.coder.negative_log_likelihood(faces, decoded)),
                "squared_error": tf.reduce_mean((faces - decoded) ** 2)}


def divergence(mean, log_variance):
    """KL(N(mean, variance) || N(0, 1)), (B,), of (B, z_dim): appendix B of the paper."""
    return tf.reduce_sum(mean ** 2 + tf.exp(log_variance) - 1 - log_variance, axis=1) / 2


class VAE(LatentModel):
    """Its latents are N(0, 1); the encoder gives mean and logarithm of the variance of each face's."""
    kind, outputs = "vae", 2

    def _losses(self, faces, step):
        """The evidence lower bound in nats a face and its two terms (equation 10), by one latent a face."""
        mean, log_variance = tf.split(self.coder.encode(faces, training=True), 2, axis=1)
        seed = fold((self.seed, 0), step)
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
