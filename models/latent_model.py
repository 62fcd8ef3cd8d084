"""What an autoencoder and a VAE have in common: an encoder, a decoder, and completion by searching the latent."""
import dataclasses
import functools
import math

import network
from completion.blend import blend_poisson
from completion.recipes import POOL
from completion.search import Latent, Search
from network import KERNEL, SMALLEST, Generator, initial_weights
from nn import tf
from nn.layers import BatchNorm, dense_to_vector, draw, halve, halve_pixels, mean_of_replicas, variable
from nn.optimizer import apply, falling, make_adam

WIDEST = 1 - 1e-6                                       # at the search's very border a normal latent would be infinite
LOG_2_PI = math.log(2 * math.pi)


@dataclasses.dataclass(frozen=True)
class Architecture:
    """image_size : side of a face in pixels; z_dim : length of the latent; gf_dim, df_dim : filters of the decoder's
    last and of the encoder's first layer, every layer inwards has twice as many
    """
    image_size: int = 64
    z_dim: int = 100
    gf_dim: int = 16
    df_dim: int = 16


@dataclasses.dataclass(frozen=True)
class Training:
    """steps : updates in the whole run; learning_rate, beta1 : of Adam; decay : share of the run, at its end, over
    which the rate falls to 0
    """
    steps: int = 5000
    learning_rate: float = 0.0002
    beta1: float = 0.5
    decay: float = 0.0


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


class LatentModel:
    """A coder, its training and the search of its latent.

    The search's z in [-1, 1] are ranks: a latent is the normal quantile of (z + 1) / 2, so that U(-1, 1) becomes the
    latents' own density, and no latent is out of reach.
    A subclass has a kind, `outputs` (of the encoder for each latent) and _losses(faces, step) -> {name: scalar}, the
    first of which is minimized.
    """
    architecture_type, training_type, averaged, optional = Architecture, Training, None, ()

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed = architecture, seed
        self.coder = Coder(architecture, self.outputs * architecture.z_dim, seed)

    @property
    def shipped(self):
        """{name: network} of what completion needs."""
        return {"coder": self.coder}

    @property
    def parts(self):
        """{name: object} of all that training changes."""
        return {"coder": self.coder, "optimizer": self.optimizer}

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

    def make_search(self, recipe, seed=0, compute=tf.function):
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

    def prepare_training(self, training=Training()):
        """Make the optimizer; needed before train_step."""
        self.training = training
        self.optimizer = make_adam(self.coder, training.learning_rate, training.beta1)

    def train_step(self, faces, step):
        """One update; in a replica of tf.distribute, its part of one.

        faces : (B, S, S, 3) float32 in [-1, 1]; step : int64 scalar, which with the seed decides all noise
        Returns the losses, the gradient's length and the learning_rate.
        """
        training = self.training
        self.optimizer.learning_rate = falling(training.learning_rate, training.decay,
                                               tf.cast(step, tf.float32) / training.steps)
        with tf.GradientTape() as tape:
            found = self._losses(faces, step)
            loss = next(iter(found.values())) / faces[0].shape.num_elements()       # a value's, whatever the size
        gradient = apply(self.optimizer, self.coder, tape.gradient(loss, self.coder.trainable_variables))
        found = dict(zip(found, mean_of_replicas(list(found.values()))))
        return found | {"gradient": gradient, "learning_rate": tf.convert_to_tensor(self.optimizer.learning_rate)}
