"""Placement: a network that sees a masked crop and says where the face lies in it.

It is asked for the template's three landmarks, which make the affine map of a crop; hidden ones it tells by the rest
of the face. The density that it learns for each is Laplace's in the plane, so that it also says how sure it is.
Source: Kendall and Gal, "What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?", NIPS 2017
(the deviation as a second answer, equation 8).
"""
import dataclasses
from functools import partial

import numpy as np

from helpers import to_float
from network import initial_weights
from nn.choices import Schedule
from nn.layers import BatchNorm, convolve, dense_to_vector, fold, variable
from nn.learner import Learner
from nn.setup import tf, traced

from .displaced_faces import MIRRORED, affine_maps, cut, displace, template_points

LAYERS = ((5, 2, 1), (3, 2, 2), (3, 1, 2), (3, 2, 4), (3, 1, 4), (3, 1, 4), (3, 2, 5), (3, 1, 5))
UNIT = 1 / 16                                           # of the side: what an answer of 1 means
EXAMINED, EXAMINATIONS = 512, 3                         # faces, and displacements of each


@dataclasses.dataclass(frozen=True)
class Architecture:
    """image_size : side of the faces that it learns from, twice that of its crops; pf_dim : filters of its outermost
    layer; template : a name of preprocess.templates.TEMPLATES
    """
    image_size: int = 128
    pf_dim: int = 24
    template: str = "innerEyesAndBottomLip"


@dataclasses.dataclass(frozen=True)
class Training(Schedule):
    """How it is trained.

    average : decay of the exponential average of the weights that is used; 0 for none
    shift, scale, turn : how far faces are moved, in pixels of the crop, as a share and in degrees
    jitter : standard deviation in pixels by which each of the three points is moved besides
    """
    average: float = 0.0
    shift: float = 6.0
    scale: float = 0.18
    turn: float = 8.0
    jitter: float = 1.0


class PlacementNetwork(tf.Module):
    """Crops (B, S, S, 3) and known (B, S, S) -> (B, 3, 3): of each landmark the way from the template in (x, y), and
    the logarithm of the Laplace density's width, all in units of UNIT.

    Eight convolutions of (side of the kernel, stride, multiple of pf_dim) with batch norm and leaky ReLU 0.2, and two
    dense layers. The fourth input channel is 1 in the hole, where the others are 0.
    """

    def __init__(self, sizes, seed=0):
        super().__init__("placement")
        weights = initial_weights(seed)
        widths = [4, *(multiple * sizes.pf_dim for _, _, multiple in LAYERS)]
        self.kernels = [weights((side, side, into, out), f"kernel_{i}")
                        for i, ((side, _, _), into, out) in enumerate(zip(LAYERS, widths, widths[1:]))]
        self.norms = [BatchNorm(width, f"norm_{i}") for i, width in enumerate(widths[1:])]
        innermost = (sizes.image_size // 32) ** 2 * widths[-1]
        self.hidden = weights((innermost, 3 * sizes.pf_dim), "hidden")
        self.hidden_bias = variable(tf.zeros(3 * sizes.pf_dim), "hidden_bias")
        self.answer = weights((3 * sizes.pf_dim, 9), "answer")
        self.bias = variable(tf.zeros(9), "bias")

    def __call__(self, crops, known, training=False):
        seen = tf.cast(known, tf.float32)[..., None]
        x = tf.concat((crops * seen, 1 - seen), axis=3)
        for (_, stride, _), kernel, norm in zip(LAYERS, self.kernels, self.norms):
            x = tf.nn.leaky_relu(norm.after(partial(convolve, stride=stride), x, kernel, training, axis=3), 0.2)
        x = tf.nn.leaky_relu(dense_to_vector(x, self.hidden) + self.hidden_bias, 0.2)
        return tf.reshape(dense_to_vector(x[:, None, None], self.answer) + self.bias, (-1, 3, 3))


class Placement(Learner):
    """The network, and how it learns from faces with room around them."""
    kind, architecture_type, training_type, examined = "placement", Architecture, Training, "own"
    main, switches = "network", ("average",)

    def __init__(self, architecture=Architecture(), seed=0):
        self.architecture, self.seed = architecture, seed
        self.size = architecture.image_size // 2
        self.template, self.points = architecture.template, template_points(architecture.template, self.size)
        self.network = self.make_network()
        self._answer = traced(lambda crops, known: self.used(crops, known))

    def make_network(self):
        """The PlacementNetwork as it begins."""
        return PlacementNetwork(self.architecture, 2 * self.seed)

    def locate(self, crop, known):
        """Where the template's landmarks lie in a crop, by what is known of it; a face's mirror image is asked too.

        crop : (S, S, 3) uint8; known : (S, S) bool
        Returns (3, 2) float64, (x, y) in pixels, and the expected distance of each from the truth, (3,) in pixels.
        """
        crops = np.stack([crop, crop[:, ::-1]]) * np.stack([known, known[:, ::-1]])[..., None]
        answer = self._answer(to_float(crops), np.stack([known, known[:, ::-1]])).numpy().astype(float)
        points = self.points + UNIT * self.size * answer[..., :2]
        points[1] = points[1][MIRRORED] * (-1, 1) + (self.size - 1, 0)
        widths = np.stack([answer[0, :, 2], answer[1, MIRRORED, 2]])
        return points.mean(axis=0), 2 * UNIT * self.size * np.exp(widths.mean(axis=0))

    def losses(self, faces, step):
        """By faces (B, 2 S, 2 S, 3) in [-1, 1], half a crop of room on every side of the template.

        placement_loss, the mean negative log density; error, the landmarks' mean distance in pixels.
        """
        batch = displace(faces, self.template, self.training, fold((self.seed, 1), step))
        distance, losses = self._compare(self.network(batch.crops, batch.known, training=True), batch.points)
        loss = tf.reduce_mean(losses)
        return loss, {"placement_loss": loss, "error": tf.reduce_mean(distance)}

    def _compare(self, answer, points):
        """(distances in pixels, negative log densities) of every landmark, (B, 3) each."""
        right = (points - self.points) / (UNIT * self.size)
        distance = tf.sqrt(tf.reduce_sum((answer[..., :2] - right) ** 2, axis=2) + 1e-6)
        width = tf.maximum(answer[..., 2], -6)
        return UNIT * self.size * distance, distance * tf.exp(-width) + 2 * width

    def displaced(self, faces, number):
        """The Displaced of faces (N, 2 S, 2 S, 3) in [-1, 1]; always the same of the same number."""
        return displace(tf.constant(faces), self.template, self.training, (self.seed, -1 - number))

    def examine(self, faces):
        """The mean distance in pixels of the landmarks of faces (N, 2 S, 2 S, 3) in [-1, 1], displaced, from the
        truth: before and after.
        """
        before, after = [], []
        for number in range(EXAMINATIONS):
            batch = self.displaced(faces[:EXAMINED], number)
            before.append(np.linalg.norm(batch.points - self.points, axis=2))
            after.append(self._compare(self._answer(batch.crops, batch.known), batch.points)[0])
        return {"displacement": float(np.mean(before)), "error": float(np.mean(after))}

    def samples(self, faces):
        """Displaced faces with their holes, and below as the network places them, (2 N, S, S, 3)."""
        batch = self.displaced(faces, 0)
        masked = tf.where(batch.known[..., None], batch.crops, 1.0)
        found = self.points + UNIT * self.size * self._answer(batch.crops, batch.known)[..., :2]
        right = tf.broadcast_to(self.points, tf.shape(found))
        return np.concatenate([masked, cut(masked, affine_maps(right, found), self.size)])
