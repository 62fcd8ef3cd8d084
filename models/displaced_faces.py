"""Faces cut out at a wrong place, with a hole and in another tone: what the placement network learns from."""
from typing import NamedTuple

import numpy as np

from nn.layers import draw, fold
from nn.setup import tf
from preprocess.templates import TEMPLATES

MIRRORED = [1, 0, 2]                                    # the landmarks of a template, as a mirror image has them
HOLES = 3                                               # at most, of a crop
COMMON = (0.95, 0.5, 0.25)                              # how often each of them is there
SEPIA = (1.0, 0.86, 0.68)                               # where greys may go


class Displaced(NamedTuple):
    """A batch of crops (B, S, S, 3) in [-1, 1], what is known of them (B, S, S) bool, and where the template's
    landmarks lie in them, (B, 3, 2) as (x, y) in pixels.
    """
    crops: tf.Tensor
    known: tf.Tensor
    points: tf.Tensor


def template_points(template, size):
    """Where a template has its three landmarks in a crop, (3, 2) float32 as (x, y) in pixels."""
    return np.array(TEMPLATES[template][1], np.float32) * size


def displace(faces, template, training, seed):
    """The Displaced of faces with room of half a crop around the template, (B, 2 S, 2 S, 3) in [-1, 1].

    training : has shift in pixels, scale, turn in degrees and jitter in pixels; seed : pair of TensorFlow's stateless
    generators. What lies outside the photo, which is black there, is not known.
    """
    count, size = tf.shape(faces)[0], faces.shape[1] // 2
    right = template_points(template, size)
    points = _move(right, count, size, training, fold(seed, 0))
    mirrored = draw(tf.random.stateless_uniform, (count, 1, 1), fold(seed, 1)) < 0.5
    targets = tf.where(mirrored, tf.gather(right, MIRRORED), right) + size / 2
    crops = cut(faces, affine_maps(points, targets), size)
    known = _draw_known(count, size, fold(seed, 2)) & (tf.reduce_max(crops, axis=3) > -1)
    return Displaced(_tone(crops, fold(seed, 3)), known, points)


def affine_maps(points, targets):
    """The affine maps (B, 2, 3) that take three points each, (B, 3, 2), to their targets, (B, 3, 2)."""
    return tf.linalg.matrix_transpose(tf.linalg.solve(tf.pad(points, ((0, 0), (0, 0), (0, 1)), constant_values=1.0),
                                                      targets))


def cut(faces, maps, size):
    """Crops (B, size, size, C) of faces, bilinear, where maps (B, 2, 3) take a crop's (x, y) to its face's."""
    transforms = tf.pad(tf.reshape(maps, (-1, 6)), ((0, 0), (0, 2)))
    return tf.raw_ops.ImageProjectiveTransformV3(images=faces, transforms=transforms, output_shape=(size, size),
                                                 fill_value=-1.0, interpolation="BILINEAR", fill_mode="CONSTANT")


def _move(right, count, size, training, seed):
    """Points (B, 3, 2) that are moved, scaled and turned around the middle, and each a little for itself."""
    amount = draw(tf.random.stateless_uniform, (count, 4), fold(seed, 0), -1.0, 1.0)
    scale = tf.exp(amount[:, 2] * np.log1p(training.scale))
    angle = amount[:, 3] * np.radians(training.turn)
    along, across = scale * tf.cos(angle), scale * tf.sin(angle)
    turn = tf.reshape(tf.stack((along, across, -across, along), axis=1), (-1, 2, 2))
    middle = (size - 1) / 2
    jitter = draw(tf.random.stateless_normal, (count, 3, 2), fold(seed, 1), 0.0, training.jitter)
    return middle + (right - middle) @ turn + training.shift * amount[:, None, :2] + jitter


def _draw_known(count, size, seed):
    """(B, S, S) bool, False in up to HOLES bands, rectangles and ellipses."""
    uniform = draw(tf.random.stateless_uniform, (count, HOLES, 8), seed)[..., None, None]
    there, band, power, width, height = (uniform[:, :, number] for number in range(5))
    half_width = tf.where(band < 0.35, 2.0, 0.05 + 0.4 * width) * size
    half_height = tf.where(band > 0.88, 2.0, 0.05 + 0.27 * height) * size
    place = tf.range(size, dtype=tf.float32)
    across, down = (tf.abs(axis - size * uniform[:, :, number]) / half for number, half, axis in
                    ((5, half_width, place[None]), (6, half_height, place[:, None])))
    power = tf.where(power < 0.4, 2.0, 16.0)
    holes = (across ** power + down ** power < 1) & (there < tf.constant(COMMON)[:, None, None])
    return ~tf.reduce_any(holes, axis=1)


def _tone(crops, seed):
    """Crops in another light, some of them grey or sepia, with noise."""
    count, *shape = tf.shape(crops)[0], *crops.shape[1:]
    amount = draw(tf.random.stateless_uniform, (count, 5), fold(seed, 0))[:, :, None, None, None]
    grey = tf.reduce_mean(crops, axis=3, keepdims=True)
    sepia = (grey + 1) * tf.pow(SEPIA, 2 * amount[:, 1] - 0.5) - 1
    crops = tf.where(amount[:, 0] < 0.35, sepia, crops)
    crops = crops * (0.6 + 0.6 * amount[:, 2]) + 0.5 * (amount[:, 3] - 0.5)
    return crops + 0.08 * amount[:, 4] ** 2 * draw(tf.random.stateless_normal, (count, *shape), fold(seed, 1))
