"""Posterior mean: a network that answers a hole with what is most likely there on the average, not with one face.

It learns what answers are measured by: the mean over the faces of the logarithm of the squared error in the hole, which
is their PSNR (Chen et al., "HINet", CVPR Workshops 2021), and structural similarity (Zhao et al., "Loss Functions for
Image Restoration with Neural Networks", IEEE Trans. Computational Imaging 3, 2017). So it is smooth where a face could
be this or that.
"""
import dataclasses

from completion.blend import blend_matern
from helpers import UsageError
from nn.layers import mean_with_mirror_image
from nn.optimizer import copy_weights
from nn.setup import tf

from .hole_filling import HoleLearner, HoleSchedule, reconstruction_loss
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
class Training(HoleSchedule):
    """How it is trained.

    similarity : weight of 1 - SSIM in the hole, where the logarithm of the squared error has 1
    precision : what the network computes in, one of nn.choices.PRECISIONS
    """
    learning_rate: float = 0.001
    beta1: float = 0.9
    similarity: float = 1.0
    precision: str = "float32"


class PosteriorMean(HoleLearner):
    """A ResidualUNet, refined where it has grown, and the answer of which it sees in a face and in its mirror image."""
    kind, architecture_type, training_type = "posterior_mean", Architecture, Training
    main, switches, blend = "network", ("average",), staticmethod(blend_matern)
    dtype = tf.float32

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed = architecture, seed
        self.network = self.make_network()

    def make_network(self):
        """A ResidualUNet, and the Refinements around it."""
        sizes = self.architecture
        network = ResidualUNet(sizes.image_size >> sizes.grown, sizes.mf_dim, sizes.blocks, self.seed)
        for _ in range(sizes.grown):
            network = Refinement(network, sizes.mf_dim, sizes.blocks, self.seed)
        return network

    def grow(self, smaller):
        """Take the network of a model of half the side, to refine it."""
        copy_weights(smaller.used, self.network.coarse)

    def compute_in(self, precision):
        """Have the network compute in one of nn.choices.PRECISIONS; its answers stay float32."""
        self.dtype = tf.as_dtype(precision)

    def guess(self, faces, known, seeds=None):
        """The mean of what the network sees in the faces and in their mirror images, in [-1, 1]."""
        return tf.clip_by_value(mean_with_mirror_image(self.used, tf.cast(faces, self.dtype), known), -1, 1)

    def losses(self, faces, step):
        """By faces (B, S, S, 3) in [-1, 1].

        psnr, the mean over the faces of that in the hole, in dB; dissimilarity, 1 - SSIM there.
        """
        known = self.draw_holes(faces, step)
        hole = tf.cast(~known, tf.float32)
        guesses = self.network(tf.cast(faces, self.precision), known, training=True)
        logarithm = log_error(guesses, faces, hole)
        unlike = dissimilarity(tf.where(known[..., None], faces, guesses), faces, hole)
        psnr = 10 * (tf.math.log(4.0) - logarithm) / tf.math.log(10.0)
        return logarithm + self.training.similarity * unlike, {"psnr": psnr, "dissimilarity": unlike}


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
