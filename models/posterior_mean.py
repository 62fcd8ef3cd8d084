"""Posterior mean: a network that answers a hole with what is most likely there on the average, not with one face.

It learns what answers are measured by: the mean over the faces of the logarithm of the squared error in the hole, which
is their PSNR (Chen et al., "HINet", CVPR Workshops 2021), and structural similarity (Zhao et al., "Loss Functions for
Image Restoration with Neural Networks", IEEE Trans. Computational Imaging 3, 2017). So it is smooth where a face could
be this or that.
"""
import dataclasses

from completion.blend import blend_matern
from helpers import UsageError
from nn.choices import Schedule
from nn.layers import fold, mean_of_replicas
from nn.optimizer import copy_weights, descend, falling, follow, make_adam
from nn.setup import tf

from .hole_filling import DrawnHoles, Filler, HoleFiller, reconstruction_loss
from .refinement import Refinement
from .residual_unet import LEVELS, ResidualUNet

FLOOR = 1e-4                                            # squared error below which nothing more is won: 46 dB
WINDOW = 7                                              # side of SSIM's
LEVEL, CONTRAST = 0.02 ** 2, 0.06 ** 2                  # SSIM's constants, (.01 * 2)^2 and (.03 * 2)^2


@dataclasses.dataclass(frozen=True)
class Architecture:
    """image_size : side of a face in pixels; mf_dim, blocks : width and blocks of its networks

    grown : number of Refinements around a ResidualUNet, each of which doubles its side
    """
    image_size: int = 64
    mf_dim: int = 32
    blocks: int = 1
    grown: int = 0

    def __post_init__(self):
        if self.image_size >> self.grown < 2 ** LEVELS:
            raise UsageError(f"a face of {self.image_size} pixels cannot be halved {self.grown} times (--grown)")


@dataclasses.dataclass(frozen=True)
class Training(Schedule):
    """How it is trained.

    masks : the holes it learns to fill, names with blanks between them
    average : decay of the exponential average of the weights that is used; 0 for none
    similarity : weight of 1 - SSIM in the hole, where the logarithm of the squared error has 1
    precision : what the network computes in, one of nn.choices.PRECISIONS
    """
    learning_rate: float = 0.001
    beta1: float = 0.9
    masks: str = "center"
    average: float = 0.0
    similarity: float = 1.0
    precision: str = "float32"


class PosteriorMean(HoleFiller):
    """A ResidualUNet, refined where it has grown, and the answer of which it sees in a face and in its mirror image."""
    kind, architecture_type, training_type = "posterior_mean", Architecture, Training
    averaged, switches = "network", ("average",)

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed, self.average = architecture, seed, None
        self.network = self._make_network()
        self.fill_batch = Filler(lambda faces, known, seeds: self.guess(faces, known), blend_matern)

    def _make_network(self):
        sizes = self.architecture
        network = ResidualUNet(sizes.image_size >> sizes.grown, sizes.mf_dim, sizes.blocks, self.seed)
        for _ in range(sizes.grown):
            network = Refinement(network, sizes.mf_dim, sizes.blocks, self.seed)
        return network

    def grow(self, smaller):
        """Take the network of a model of half the side, to refine it."""
        copy_weights(smaller.average or smaller.network, self.network.coarse)

    def guess(self, faces, known):
        """Whole faces (B, S, S, 3) in [-1, 1] for such faces, with 0 in the hole, and known (B, S, S)."""
        network = self.average or self.network
        both = network(faces, known), network(faces[:, :, ::-1], known[:, :, ::-1])[:, :, ::-1]
        return tf.clip_by_value((both[0] + both[1]) / 2, -1, 1)

    @property
    def precision(self):
        """What its convolutions compute in while it is trained."""
        return self.training.precision

    @property
    def shipped(self):
        """{name: network} of what completion needs."""
        return {"network": self.average or self.network}

    def prepare_training(self, training=Training()):
        """Make the optimizer, and the average if it is asked for; needed before train_step.

        Holes are drawn from a stock that takes some seconds to make where it has patterns.
        """
        self.training, self.masks = training, training.masks.split()
        self.holes = DrawnHoles(self.masks, self.architecture.image_size, self.seed)
        self.optimizer = make_adam(self.network, training)
        self.parts = {"network": self.network, "optimizer": self.optimizer}
        if training.average:
            self.average = self.parts["average"] = copy_weights(self.network, self._make_network())

    def train_step(self, faces, step):
        """One update by faces (B, S, S, 3) in [-1, 1].

        Returns scalars: psnr, the mean over the faces of that in the hole, in dB; dissimilarity, 1 - SSIM there;
        gradient, its length; learning_rate.
        """
        rate = falling(self.training, step)
        known = self.holes(tf.shape(faces)[0], fold(tf.constant([self.seed, 1], tf.int64), step))
        hole = tf.cast(~known, tf.float32)
        with tf.GradientTape() as tape:
            guesses = self.network(tf.cast(faces, self.training.precision), known, training=True)
            logarithm = log_error(guesses, faces, hole)
            unlike = dissimilarity(tf.where(known[..., None], faces, guesses), faces, hole)
            loss = logarithm + self.training.similarity * unlike
        length = descend(self.optimizer, self.network, rate, tape.gradient(loss, self.network.trainable_variables))
        if self.average:
            follow(self.average, self.network, step, self.training.average)
        psnr = 10 * (tf.math.log(4.0) - logarithm) / tf.math.log(10.0)
        return mean_of_replicas({"psnr": psnr, "dissimilarity": unlike}) | {"gradient": length, "learning_rate": rate}


def log_error(guesses, faces, hole):
    """The mean over the faces (B, S, S, 3) of the logarithm of the mean squared error where hole (B, S, S) is 1."""
    total = tf.reduce_sum(hole[..., None] * (guesses - faces) ** 2, axis=(1, 2, 3))
    return tf.reduce_mean(tf.math.log(tf.math.divide_no_nan(total, 3 * tf.reduce_sum(hole, axis=(1, 2))) + FLOOR))


def dissimilarity(completed, faces, hole):
    """1 - SSIM of faces (B, S, S, 3) in [-1, 1] where hole (B, S, S) is 1, by means over squares.

    Source: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE Trans. Image
    Processing 13, 2004, equation 13.
    """
    side = faces.shape[1]
    near = tf.linalg.band_part(tf.ones((side, side)), WINDOW // 2, WINDOW // 2)
    near /= tf.reduce_sum(near, axis=1, keepdims=True)

    def mean(values):                                   # a pooling, whose gradient takes eight times as long
        return tf.einsum("vw,bhwc->bhvc", near, tf.einsum("gh,bhwc->bgwc", near, values))
    one, other = mean(completed), mean(faces)
    spreads = mean(completed ** 2) - one ** 2 + mean(faces ** 2) - other ** 2
    similarity = ((2 * one * other + LEVEL) * (2 * (mean(completed * faces) - one * other) + CONTRAST) /
                  ((one ** 2 + other ** 2 + LEVEL) * (spreads + CONTRAST)))
    return reconstruction_loss(lambda values: values, 1 - similarity, tf.zeros_like(faces), hole)
