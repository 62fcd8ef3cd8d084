"""The networks: a DCGAN for aligned faces, and the update that trains it.

Source: Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", ICLR 2016, with the sizes of the 2018 report. This module knows no files, folders, clocks or arguments.
"""
import dataclasses
import itertools

from helpers import UsageError
from nn import adversarial
from nn.choices import NORMS, Schedule
from nn.layers import (
    BatchNorm,
    Bias,
    SpectralNorm,
    dense_to_map,
    dense_to_vector,
    double,
    double_to_pixels,
    draw,
    fold,
    halve,
    halve_pixels,
    mean_of_replicas,
    variable,
)
from nn.optimizer import copy_weights, descend, falling, follow, make_adam
from nn.setup import tf
from nn.trainable import Trainable

KERNEL = 5
SMALLEST = 4                                            # side of the first activations of G and the last of D
D_DENSE = 64
WEIGHT_DEVIATION = 0.02


def count_layers(size):
    """Stride-2 layers between SMALLEST and a face's side: 3 for 32 pixels, 4 for 64, 5 for 128."""
    return (size // SMALLEST).bit_length() - 1


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What has to be known to build both networks; the defaults are the report's.

    image_size : side of a face in pixels, 32, 64 or 128
    z_dim : length of the latent z
    gf_dim, df_dim : filters of G's last and D's first hidden layer; every layer inwards has twice as many
    grown : outermost hidden layers by which a model of fewer pixels was grown; they have gf_dim and df_dim filters too
    d_norm : what keeps D's layers in bounds, one of nn.choices.NORMS
    """
    image_size: int = 64
    z_dim: int = 100
    gf_dim: int = 16
    df_dim: int = 16
    grown: int = 0
    d_norm: str = "batch"

    def __post_init__(self):
        if self.image_size not in (32, 64, 128):
            raise UsageError(f"faces have 32, 64 or 128 pixels a side, got {self.image_size}")
        if not 0 <= self.grown < self.layers:
            raise UsageError(f"of the {self.layers} layers for {self.image_size} pixels {self.grown} cannot have grown")
        if self.d_norm not in NORMS:
            raise UsageError(f"d_norm is one of {', '.join(NORMS)}, got {self.d_norm!r}")

    @property
    def layers(self):
        """Number of stride-2 layers of G, and of D."""
        return count_layers(self.image_size)

    def filters(self, outermost):
        """Filters of the hidden layers, from the outermost inwards, if that has so many."""
        return [outermost << max(layer - self.grown, 0) for layer in range(self.layers)]


@dataclasses.dataclass(frozen=True)
class Training(Schedule):
    """How the networks are trained; the defaults are the report's, the others are cures for its swings.

    g_updates : updates of G for each update of D
    average : decay of the exponential average of G's weights that is sampled and saved; 0 for none
    real_label : target of D on real faces (one-sided label smoothing: Salimans et al., NeurIPS 2016)
    noise : deviation of the Gaussian noise on D's inputs, falling linearly to 0 (Sonderby et al., ICLR 2017)
    d_learning_rate : of D's Adam, 0 for the same as G's (two time scales: Heusel et al., NeurIPS 2017)
    loss : a name of adversarial.LOSSES
    penalty : of D's slope, a name of adversarial.PENALTIES or "none"; penalty_weight : its factor
    penalty_every : updates from one penalty to the next, each as much heavier (Karras et al., CVPR 2020, appendix B)
    augment : names of adversarial.AUGMENTATIONS, with blanks between them
    precision : what the convolutions compute in, one of nn.choices.PRECISIONS; all else is float32
    """
    learning_rate: float = 0.0003
    g_updates: int = 1
    average: float = 0.0
    real_label: float = 1.0
    noise: float = 0.0
    d_learning_rate: float = 0.0
    loss: str = "cross_entropy"
    penalty: str = "none"
    penalty_weight: float = 1.0
    penalty_every: int = 1
    augment: str = ""
    precision: str = "float32"


class Generator(tf.Module):
    """z (B, z_dim) -> faces (B, S, S, 3) float32 in [-1, 1].

    A dense layer to 4x4, then 5x5 stride-2 transposed convolutions; batch norm and ReLU on all but the last, tanh on
    the last.
    """

    def __init__(self, architecture, seed=0):
        super().__init__("generator")
        self.dtype = tf.float32
        widths = architecture.filters(architecture.gf_dim)[::-1] + [3]
        weights = initial_weights(seed)
        self.dense = weights((architecture.z_dim, SMALLEST * SMALLEST * widths[0]), "dense")
        self.kernels = [weights((KERNEL, KERNEL, out, into), f"kernel_{i}")
                        for i, (into, out) in enumerate(zip(widths, widths[1:]))]
        self.norms = [BatchNorm(width, f"norm_{i}") for i, width in enumerate(widths[:-1])]
        self.bias = variable(tf.zeros(3), "bias")

    def __call__(self, z, training=False):
        return self.rest(self.first(z, training), training)

    def first(self, z, training=False):
        """z (B, z_dim) -> activations (B, 4, 4, C) behind the dense layer and its batch norm, before ReLU."""
        kernel = tf.reshape(self.dense, (z.shape[1], SMALLEST, SMALLEST, -1))
        return self.norms[0].after(dense_to_map, tf.cast(z, self.dtype), kernel, training, axis=3)

    def rest(self, x, training=False, done=0):
        """Activations (B, 4, 4, C) of `first`, or those that `done` layers have doubled -> faces (B, S, S, 3)."""
        for layer in range(done, len(self.norms) - 1):
            x = self.double(x, layer, training)
        pixels = double_to_pixels(tf.nn.relu(x), tf.cast(self.kernels[-1], x.dtype))
        return tf.tanh(tf.cast(pixels, tf.float32) + self.bias)

    def double(self, x, layer, training=False):
        """Activations before ReLU, (B, H, W, C), through hidden layer 0, 1, ... -> (B, 2 H, 2 W, C / 2)."""
        return self.norms[layer + 1].after(double, tf.nn.relu(x), self.kernels[layer], training, axis=2)

    def grow(self, smaller):
        """Take the weights of a generator of half the side: all but those of the outermost hidden layer are its."""
        self.dense.assign(smaller.dense)
        self.bias.assign(smaller.bias)
        for old, new in zip(smaller.kernels, (*self.kernels[:len(smaller.kernels) - 1], self.kernels[-1])):
            new.assign(old)
        for old, new in zip(smaller.norms, self.norms):
            copy_weights(old, new)


class Discriminator(tf.Module):
    """Faces (B, S, S, 3) in [-1, 1] -> logits (B,); the sigmoid of a logit is the probability that a face is real.

    5x5 stride-2 convolutions, batch norm on all but the first (as the DCGAN paper has it), leaky ReLU 0.2, then a
    dense layer of 64 and one of 1. With d_norm "none" biases take the place of batch norm, with "spectral" every kernel
    is divided by its spectral norm too.
    """

    def __init__(self, architecture, seed=0):
        super().__init__("discriminator")
        self.dtype = tf.float32
        widths = [3] + architecture.filters(architecture.df_dim)
        weights = initial_weights(seed)
        self.kernels = [weights((KERNEL, KERNEL, into, out), f"kernel_{i}")
                        for i, (into, out) in enumerate(zip(widths, widths[1:]))]
        self.bias = variable(tf.zeros(widths[1]), "bias")
        norm = BatchNorm if architecture.d_norm == "batch" else Bias
        self.norms = [norm(width, f"norm_{i}") for i, width in enumerate(widths[2:])]
        self.dense = weights((SMALLEST * SMALLEST * widths[-1], D_DENSE), "dense")
        self.dense_bias = variable(tf.zeros(D_DENSE), "dense_bias")
        self.last = weights((D_DENSE, 1), "last")
        self.last_bias = variable(tf.zeros(1), "last_bias")
        self.limits = [SpectralNorm(kernel.shape[-1]) for kernel in (*self.kernels, self.dense, self.last)
                       if architecture.d_norm == "spectral"]

    def __call__(self, faces, training=False):
        *kernels, dense, last = self._weights(training)
        x = tf.nn.leaky_relu(self._convolve(faces, kernels, training)[-1], 0.2)
        x = tf.nn.leaky_relu(tf.cast(dense_to_vector(x, tf.cast(dense, x.dtype)), tf.float32) + self.dense_bias, 0.2)
        return tf.reduce_sum(x * last[:, 0], axis=1) + self.last_bias

    def features(self, faces):
        """What the convolutions give, from the outermost inwards: [(B, S / 2, S / 2, df_dim), ...]."""
        return self._convolve(faces, self._weights(training=False)[:-2], training=False)

    def grow(self, smaller):
        """Take the weights of a discriminator of half the side: all but those of the second layer are its."""
        for old, new in zip(smaller.kernels, (self.kernels[0], *self.kernels[2:])):
            new.assign(old)
        for old, new in zip(smaller.norms, self.norms[1:]):
            copy_weights(old, new)
        for name in ("bias", "dense", "dense_bias", "last", "last_bias"):
            getattr(self, name).assign(getattr(smaller, name))

    def _convolve(self, faces, kernels, training):
        """What each convolution gives, from the outermost inwards, before its leaky ReLU."""
        x = halve_pixels(tf.cast(faces, self.dtype), tf.cast(kernels[0], self.dtype)) + tf.cast(self.bias, self.dtype)
        activations = [x]
        for norm, kernel in zip(self.norms, kernels[1:]):
            activations.append(norm.after(halve, tf.nn.leaky_relu(activations[-1], 0.2), kernel, training, axis=3))
        return activations

    def _weights(self, training):
        """The kernels and dense layers' weights, the innermost last, as they are in force."""
        weights = [tf.convert_to_tensor(weight) for weight in (*self.kernels, self.dense, self.last)]
        return [limit(weight, training) for limit, weight in zip(self.limits, weights)] or weights


def initial_weights(seed):
    """A function (shape, name) -> variable from N(0, 0.02), each call with a seed of its own."""
    numbers = itertools.count(1)

    def weights(shape, name):
        key = tf.constant((seed, next(numbers)), tf.int64)
        return variable(tf.random.stateless_normal(shape, key, stddev=WEIGHT_DEVIATION), name)
    return weights


class DCGAN(Trainable):
    """A generator and a discriminator that are trained against each other.

    `generate` and `realism` use the learned batch-norm statistics: no face feels its neighbours in the batch.
    """
    kind, architecture_type, training_type, examined = "dcgan", Architecture, Training, "samples"
    main, switches, beginning = "generator", ("average",), "checkpoint/celeba64"

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed = architecture, seed
        self.generator = Generator(architecture, 2 * seed)
        self.discriminator = Discriminator(architecture, 2 * seed + 1)
        self.average = None

    def generate(self, z):
        """Faces (B, S, S, 3) float32 in [-1, 1] of latents (B, z_dim), by the averaged weights where they are kept."""
        return (self.average or self.generator)(z)

    def realism(self, faces):
        """Logits (B,) of D for faces (B, S, S, 3) in [-1, 1]: log(D / (1 - D))."""
        return self.discriminator(faces)

    def grow(self, smaller):
        """Take the weights of a model of half the side."""
        self.generator.grow(smaller.generator)
        self.discriminator.grow(smaller.discriminator)

    def compute_in(self, precision):
        """Have the convolutions compute in one of nn.choices.PRECISIONS; weights and results stay float32."""
        self.generator.dtype = self.discriminator.dtype = tf.as_dtype(precision)

    @property
    def shipped(self):
        """{name: network} of what completion needs; of the generator, its average takes the place where it is kept."""
        return {"generator": self.average or self.generator, "discriminator": self.discriminator}

    def latents(self, count, *salt):
        """(count, z_dim) float32 from U(-1, 1), a function of the seed and `salt` (integers) alone."""
        shape = count, self.architecture.z_dim
        return draw(tf.random.stateless_uniform, shape, fold((self.seed, 0), *salt), -1, 1)

    def sample(self, count):
        """Faces of `count` latents, always the same."""
        return self.generate(self.latents(count, -1))

    def samples(self, faces):
        """Always the same 64 faces."""
        return self.sample(64)

    def prepare_training(self, training):
        """Make the optimizers and, if asked for, the averaged generator; needed before train_step."""
        self.training = training
        self.compute_in(training.precision)
        self.d_optimizer, self.g_optimizer = (make_adam(network, training)
                                              for network in (self.discriminator, self.generator))
        self.parts = {"generator": self.generator, "discriminator": self.discriminator,
                      "g_optimizer": self.g_optimizer, "d_optimizer": self.d_optimizer}
        if training.average:
            self.average = self.parts["average"] = copy_weights(
                self.generator, Generator(self.architecture, 2 * self.seed))

    def train_step(self, faces, step):
        """One update of D and `g_updates` of G by faces (B, S, S, 3) in [-1, 1]; all replicas have as many.

        Returns scalars: d_loss and g_loss (the defaults are binary cross-entropies, non-saturating for G: Goodfellow
        et al., NeurIPS 2014, section 3); d_real and d_fake, the mean probabilities of being real that D gives real
        faces and G's (of no meaning to losses whose D gives no logits); d_accuracy, the share of both that it tells
        right, where the loss has a level for it; d_gradient and g_gradient, the gradients' lengths; learning_rate.
        """
        training, count = self.training, tf.shape(faces)[0]
        rate, d_rate = falling(training, step), falling(training, step, training.d_learning_rate or None)
        loss_of_d, loss_of_g = adversarial.LOSSES[training.loss]
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            fakes = self.generator(self.latents(count, step, 0), training=True)
            real = self._judge(faces, step, 1)
            fake = self._judge(fakes, step, 2)
            d_loss, g_loss = loss_of_d(real, fake, training.real_label), loss_of_g(fake)
        slopes = d_tape.gradient(d_loss, self.discriminator.trainable_variables)
        if training.penalty != "none":
            slopes = [slope + more for slope, more in zip(slopes, self._penalize(faces, fakes, step))]
        lengths = {"d_gradient": descend(self.d_optimizer, self.discriminator, d_rate, slopes)}
        slopes = g_tape.gradient(g_loss, self.generator.trainable_variables)
        lengths["g_gradient"] = descend(self.g_optimizer, self.generator, rate, slopes)
        for update in range(1, training.g_updates):
            g_loss, slopes = self._improve(count, step, 2 * update + 1)
            lengths["g_gradient"] = descend(self.g_optimizer, self.generator, rate, slopes)
        if self.average:
            follow(self.average, self.generator, step, training.average)
        return mean_of_replicas({
            "d_loss": d_loss, "g_loss": g_loss, "d_real": tf.reduce_mean(tf.sigmoid(real)),
            "d_fake": tf.reduce_mean(tf.sigmoid(fake)), **lengths, **adversarial.accuracy(training.loss, real, fake),
        }) | {"learning_rate": rate}

    def _improve(self, count, step, salt):
        """G's loss on further latents, and its gradients."""
        with tf.GradientTape() as tape:
            fakes = self.generator(self.latents(count, step, salt), training=True)
            loss = adversarial.LOSSES[self.training.loss][1](self._judge(fakes, step, salt + 1))
        return loss, tape.gradient(loss, self.generator.trainable_variables)

    def _judge(self, faces, step, salt):
        """D's logits in training, of faces that are augmented and noisy if that is asked for."""
        if self.training.augment:
            faces = adversarial.augment(faces, self.training.augment.split(), fold((self.seed, 0), step, salt, 1))
        if self.training.noise:
            noise = self.training.noise * tf.maximum(1 - tf.cast(step, tf.float32) / self.training.steps, 0)
            shape = tf.shape(faces)[0], *faces.shape[1:]
            faces += noise * draw(tf.random.stateless_normal, shape, fold((self.seed, 0), step, salt))
        return self.discriminator(faces, training=True)

    def _penalize(self, faces, fakes, step):
        """Gradients of the penalty of D's slope at the steps that have one, else zeros.

        For this D judges by its learned statistics: the slope at a face is then that face's own.
        """
        variables, every = self.discriminator.trainable_variables, self.training.penalty_every
        mix = draw(tf.random.stateless_uniform, (tf.shape(faces)[0], 1, 1, 1), fold((self.seed, 0), step, -1))

        def gradients():
            with tf.GradientTape() as tape:
                slope = adversarial.PENALTIES[self.training.penalty](self.discriminator, faces, fakes, mix)
            slopes = tape.gradient(slope, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return [self.training.penalty_weight * every * slope for slope in slopes]
        return tf.cond(step % every == 0, gradients, lambda: [tf.zeros_like(variable) for variable in variables])
