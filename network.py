"""The networks: a DCGAN for aligned faces, and the update that trains it.

Source: Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", ICLR 2016, with the sizes of the 2018 report. This module knows no files, folders, clocks or arguments.
"""
import contextlib
import dataclasses
import os

from helpers import UsageError


@contextlib.contextmanager
def quiet_stderr():
    """Keep TensorFlow's C++ libraries from telling the terminal that they found no GPU; Python errors still come."""
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


with quiet_stderr():
    import keras
    import tensorflow as tf

KERNEL = 5
SMALLEST = 4                                            # side of the first activations of G and the last of D
D_DENSE = 64
MOMENTUM, EPSILON = 0.9, 1e-5                           # of the batch-norm statistics
WEIGHT_DEVIATION = 0.02


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What has to be known to build both networks; the defaults are the report's.

    image_size : side of a face in pixels, 64 or 128
    z_dim : length of the latent z
    gf_dim, df_dim : filters of G's last and D's first hidden layer; every layer inwards has twice as many
    """
    image_size: int = 64
    z_dim: int = 100
    gf_dim: int = 16
    df_dim: int = 16

    def __post_init__(self):
        if self.image_size not in (64, 128):
            raise UsageError(f"faces have 64 or 128 pixels a side, got {self.image_size}")

    @property
    def layers(self):
        """Number of stride-2 layers between SMALLEST and image_size: 4 for 64 pixels, 5 for 128."""
        return (self.image_size // SMALLEST).bit_length() - 1


@dataclasses.dataclass(frozen=True)
class Training:
    """How the networks are trained; the defaults are the report's, the others are cures for its swings.

    steps : updates in the whole run; the schedules below refer to it
    learning_rate, beta1 : of both Adams
    decay : share of the run, at its end, over which the learning rate falls linearly to 0
    g_updates : updates of G for each update of D
    average : decay of the exponential average of G's weights that is sampled and saved; 0 for none
    real_label : target of D on real faces (one-sided label smoothing: Salimans et al., NeurIPS 2016)
    noise : deviation of the Gaussian noise on D's inputs, falling linearly to 0 (Sonderby et al., ICLR 2017)
    """
    steps: int = 5000
    learning_rate: float = 0.0003
    beta1: float = 0.5
    decay: float = 0.0
    g_updates: int = 1
    average: float = 0.0
    real_label: float = 1.0
    noise: float = 0.0


class BatchNorm(tf.Module):
    """Batch normalization of the channels that a layer gives (B, H, W, C)."""

    def __init__(self, channels, name=None):
        super().__init__(name)
        self.scale = tf.Variable(tf.ones(channels), name="scale")
        self.offset = tf.Variable(tf.zeros(channels), name="offset")
        self.mean = tf.Variable(tf.zeros(channels), trainable=False, name="mean")
        self.variance = tf.Variable(tf.ones(channels), trainable=False, name="variance")

    def after(self, layer, x, kernel, training, axis):
        """Normalize layer(x, kernel), whose output channels are the kernel's `axis`.

        By the batch's own statistics in training, and these are learned; else by the learned ones, which are folded
        into the kernel and so cost no pass over the activations.
        """
        if not training:
            scale = self.scale * tf.math.rsqrt(self.variance + EPSILON)
            along = [1] * len(kernel.shape)
            along[axis] = -1
            return layer(x, kernel * tf.reshape(scale, along)) + (self.offset - self.mean * scale)
        normalized, mean, variance = tf.compat.v1.nn.fused_batch_norm(layer(x, kernel), self.scale, self.offset,
                                                                      epsilon=EPSILON)
        for learned, seen in ((self.mean, mean), (self.variance, variance)):
            learned.assign_sub((1 - MOMENTUM) * (learned - seen))
        return normalized


class Generator(tf.Module):
    """z (B, z_dim) -> faces (B, S, S, 3) float32 in [-1, 1].

    A dense layer to 4x4, then 5x5 stride-2 transposed convolutions; batch norm and ReLU on all but the last, tanh on
    the last.
    """

    def __init__(self, architecture, seed=0):
        super().__init__("generator")
        widths = [architecture.gf_dim << layer for layer in reversed(range(architecture.layers))] + [3]
        draw = _initial_weights(seed)
        self.dense = draw((architecture.z_dim, SMALLEST * SMALLEST * widths[0]), "dense")
        self.kernels = [draw((KERNEL, KERNEL, out, into), f"kernel_{i}")
                        for i, (into, out) in enumerate(zip(widths, widths[1:]))]
        self.norms = [BatchNorm(width, f"norm_{i}") for i, width in enumerate(widths[:-1])]
        self.bias = tf.Variable(tf.zeros(3), name="bias")

    def __call__(self, z, training=False):
        return self.rest(self.first(z, training), training)

    def first(self, z, training=False):
        """z (B, z_dim) -> activations (B, 4, 4, C) behind the dense layer and its batch norm, before ReLU."""
        kernel = tf.reshape(self.dense, (z.shape[1], SMALLEST, SMALLEST, -1))
        return self.norms[0].after(_spread, z, kernel, training, axis=3)

    def rest(self, x, training=False):
        """Activations (B, 4, 4, C) of `first` -> faces (B, S, S, 3)."""
        for norm, kernel in zip(self.norms[1:], self.kernels):
            x = norm.after(_double, tf.nn.relu(x), kernel, training, axis=2)
        return tf.tanh(_double_to_pixels(tf.nn.relu(x), tf.convert_to_tensor(self.kernels[-1])) + self.bias)


class Discriminator(tf.Module):
    """Faces (B, S, S, 3) in [-1, 1] -> logits (B,); the sigmoid of a logit is the probability that a face is real.

    5x5 stride-2 convolutions, batch norm on all but the first (as the DCGAN paper has it), leaky ReLU 0.2, then a
    dense layer of 64 and one of 1.
    """

    def __init__(self, architecture, seed=0):
        super().__init__("discriminator")
        widths = [3] + [architecture.df_dim << layer for layer in range(architecture.layers)]
        draw = _initial_weights(seed)
        self.kernels = [draw((KERNEL, KERNEL, into, out), f"kernel_{i}")
                        for i, (into, out) in enumerate(zip(widths, widths[1:]))]
        self.bias = tf.Variable(tf.zeros(widths[1]), name="bias")
        self.norms = [BatchNorm(width, f"norm_{i}") for i, width in enumerate(widths[2:])]
        self.dense = draw((SMALLEST * SMALLEST * widths[-1], D_DENSE), "dense")
        self.dense_bias = tf.Variable(tf.zeros(D_DENSE), name="dense_bias")
        self.last = draw((D_DENSE, 1), "last")
        self.last_bias = tf.Variable(tf.zeros(1), name="last_bias")

    def __call__(self, faces, training=False):
        x = _halve_pixels(faces, tf.convert_to_tensor(self.kernels[0])) + self.bias
        for norm, kernel in zip(self.norms, self.kernels[1:]):
            x = norm.after(_halve, tf.nn.leaky_relu(x, 0.2), kernel, training, axis=3)
        x = tf.nn.leaky_relu(_gather(tf.nn.leaky_relu(x, 0.2), self.dense) + self.dense_bias, 0.2)
        return tf.reduce_sum(x * self.last[:, 0], axis=1) + self.last_bias


def _halve(x, kernel):
    """5x5 convolution of stride 2: (B, H, W, C) -> (B, H / 2, W / 2, out)."""
    return tf.nn.conv2d(x, kernel, 2, "SAME")


def _double(x, kernel):
    """5x5 transposed convolution of stride 2: (B, H, W, C) -> (B, 2 H, 2 W, out)."""
    _, height, width, _ = x.shape
    return tf.nn.conv2d_transpose(x, kernel, (tf.shape(x)[0], 2 * height, 2 * width, kernel.shape[2]), 2, "SAME")


# To three channels oneDNN's transposed convolution takes twice the time of the same sum as an ordinary convolution, in
# which every input pixel gives the four output pixels that it becomes. Only that direction is rewritten.

@tf.custom_gradient
def _double_to_pixels(x, kernel):
    """_double for very few output channels: G's last layer."""
    def gradient(above):
        return _halve(above, kernel), _kernel_gradient(above, kernel, x)
    return _double_by_blocks(x, kernel), gradient


@tf.custom_gradient
def _halve_pixels(x, kernel):
    """_halve for very few input channels: D's first layer."""
    def gradient(above):
        return _double_by_blocks(above, kernel), _kernel_gradient(x, kernel, above)
    return _halve(x, kernel), gradient


def _double_by_blocks(x, kernel):
    """_double as a 3x3 convolution to (B, H, W, 4 * out), whose channels are 2x2 blocks of the result.

    Output row 2 m + p is the sum over j of input row m - j times kernel row 2 j + 1 + p, where there is one.
    """
    _, _, out, into = kernel.shape
    blocks = tf.reshape(tf.pad(kernel, ((1, 0), (1, 0), (0, 0), (0, 0))), (3, 2, 3, 2, out, into))
    blocks = tf.reshape(tf.transpose(tf.reverse(blocks, (0, 2)), (0, 2, 5, 1, 3, 4)), (3, 3, into, 4 * out))
    return tf.nn.depth_to_space(tf.nn.conv2d(x, blocks, 1, "SAME"), 2)


def _kernel_gradient(large, kernel, small):
    """Gradient of a stride-2 kernel between the picture that it halves and the one that it doubles."""
    return tf.raw_ops.Conv2DBackpropFilter(input=large, filter_sizes=kernel.shape, out_backprop=small,
                                           strides=(1, 2, 2, 1), padding="SAME")


# The dense layers are convolutions, which oneDNN sums in the same order whatever the batch. It does not so sum matrix
# products, and a face's completion would depend on its neighbours.

def _spread(x, kernel):
    """Dense layer (B, C) -> (B, H, W, out) with a kernel of (C, H, W, out)."""
    channels, height, width, out = kernel.shape
    spread = tf.nn.conv2d(x[:, None, None], tf.reshape(kernel, (1, 1, channels, -1)), 1, "VALID")
    return tf.reshape(spread, (-1, height, width, out))


def _gather(x, weights):
    """Dense layer (B, H, W, C) -> (B, out) with weights of (H * W * C, out)."""
    _, height, width, channels = x.shape
    return tf.nn.conv2d(x, tf.reshape(weights, (height, width, channels, -1)), 1, "VALID")[:, 0, 0]


def _initial_weights(seed):
    """A function (shape, name) -> variable from N(0, 0.02), each call with a seed of its own."""
    drawn = []

    def draw(shape, name):
        drawn.append(name)
        values = tf.random.stateless_normal(shape, (seed, len(drawn)), stddev=WEIGHT_DEVIATION)
        return tf.Variable(values, name=name)
    return draw


class DCGAN:
    """A generator and a discriminator that are trained against each other.

    `generate` and `realism` use the learned batch-norm statistics: no face feels its neighbours in the batch.
    """

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

    def latents(self, count, *salt):
        """(count, z_dim) float32 from U(-1, 1), a function of the seed and `salt` (integers) alone."""
        return tf.random.stateless_uniform((count, self.architecture.z_dim), _seed(self.seed, *salt), -1, 1)

    def prepare_training(self, training=Training()):
        """Make the optimizers and, if asked for, the averaged generator; needed before train_step."""
        self.training = training
        self.d_optimizer, self.g_optimizer = (keras.optimizers.Adam(training.learning_rate, training.beta1)
                                              for _ in range(2))
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self.g_optimizer.build(self.generator.trainable_variables)
        if training.average:
            self.average = Generator(self.architecture, 2 * self.seed)

    def train_step(self, faces, step):
        """One update of D and `g_updates` of G.

        faces : (B, S, S, 3) float32 in [-1, 1]
        step : int64 scalar; with the seed it decides all noise, so that a resumed run repeats itself

        Returns scalars: d_loss, g_loss (binary cross-entropies, non-saturating G: Goodfellow et al., NeurIPS 2014,
        section 3), d_real and d_fake, the mean probabilities that D gives real faces and G's.
        """
        progress = tf.cast(step, tf.float32) / self.training.steps
        self._set_learning_rate(progress)
        noise = self.training.noise * tf.maximum(1 - progress, 0)
        z = self.latents(tf.shape(faces)[0], step, 0)
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            fakes = self.generator(z, training=True)
            real = self.discriminator(self._noisy(faces, noise, step, 1), training=True)
            fake = self.discriminator(self._noisy(fakes, noise, step, 2), training=True)
            d_loss = _cross_entropy(real, self.training.real_label) + _cross_entropy(fake, 0.0)
            g_loss = _cross_entropy(fake, 1.0)
        self._apply(self.d_optimizer, self.discriminator, d_tape, d_loss)
        self._apply(self.g_optimizer, self.generator, g_tape, g_loss)
        for update in range(1, self.training.g_updates):
            g_loss = self._update_generator(tf.shape(faces)[0], noise, step, 2 * update + 1)
        self._update_average(step)
        return {"d_loss": d_loss, "g_loss": g_loss,
                "d_real": tf.reduce_mean(tf.sigmoid(real)), "d_fake": tf.reduce_mean(tf.sigmoid(fake))}

    def _update_generator(self, count, noise, step, salt):
        with tf.GradientTape() as tape:
            fakes = self.generator(self.latents(count, step, salt), training=True)
            loss = _cross_entropy(self.discriminator(self._noisy(fakes, noise, step, salt + 1), training=True), 1.0)
        self._apply(self.g_optimizer, self.generator, tape, loss)
        return loss

    def _noisy(self, faces, deviation, step, salt):
        if not self.training.noise:
            return faces
        return faces + deviation * tf.random.stateless_normal(tf.shape(faces), _seed(self.seed, step, salt))

    def _set_learning_rate(self, progress):
        share = tf.clip_by_value((1 - progress) / self.training.decay, 0, 1) if self.training.decay else 1.0
        for optimizer in (self.d_optimizer, self.g_optimizer):
            optimizer.learning_rate = self.training.learning_rate * share

    def _update_average(self, step):
        """Follow G; the young average forgets faster, so that it does not carry the first weights along."""
        if self.average:
            age = tf.cast(step, tf.float32)
            keep = tf.minimum(self.training.average, (1 + age) / (10 + age))
            for kept, new in zip(self.average.variables, self.generator.variables):
                kept.assign_sub((1 - keep) * (kept - new))

    @staticmethod
    def _apply(optimizer, network, tape, loss):
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)


def _cross_entropy(logits, label):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.fill(tf.shape(logits), label), logits))


def _seed(seed, *salt):
    """A seed pair for TensorFlow's stateless generators from any number of integers."""
    pair = tf.constant([seed, 0], tf.int64)
    for value in salt:
        pair = tf.random.fold_in(pair, tf.cast(value, tf.int64))
    return pair
