"""What the models that fill holes share: the holes that they learn, their loss, and how faces are handed to them."""
import numpy as np

from completion.blend import blend_poisson
from completion.masks import make_hole
from nn.lanes import fill_lanes
from nn.layers import draw
from nn.setup import tf, traced
from nn.trainable import Trainable

STOCK = 1024                                            # of each kind; drawing them anew would take longer than a step
FIXED = "center", "left", "right", "top", "bottom", "O1", "O2", "O3", "O4", "O5", "O6"


class HoleFiller(Trainable):
    """A model with fill_batch; `masks` are names of completion.masks.MASKS, the holes on which it is examined."""
    examined, masks = "holes", ("center", "random")

    def make_holes(self, count):
        """{mask: (count, S, S) bool}, always the same."""
        size = self.architecture.image_size
        return {mask: np.stack([make_hole(mask, size, f"{index}", self.seed) for index in range(count)])
                for mask in dict.fromkeys(self.masks)}

    def samples(self, faces):
        """The faces under each kind of hole: rows of masked, completed and true ones."""
        rows = []
        for known in self.make_holes(len(faces)).values():
            rows += [np.where(known[..., None], faces, 1), self.fill_batch(faces, known, range(len(faces))), faces]
        return np.concatenate(rows)


class DrawnHoles:
    """Draws holes in training, out of a stock of each kind, by the seed and the step.

    masks : names of completion.masks.MASKS; one that stands there twice comes twice as often
    size : side in pixels; seed : decides the stock
    """

    def __init__(self, masks, size, seed):
        made = {mask: [make_hole(mask, size, f"{mask}/{index}", seed) for index in range(1 if mask in FIXED else STOCK)]
                for mask in masks}
        ends = dict(zip(made, np.cumsum([len(holes) for holes in made.values()])))
        self._kinds = tf.constant([(ends[mask] - len(made[mask]), len(made[mask])) for mask in masks], tf.float32)
        self._stock = tf.constant(np.concatenate(list(made.values())))

    def __call__(self, count, seed):
        """(count, S, S) bool, True where a face is kept, by a seed pair of TensorFlow's stateless generators."""
        uniform = draw(tf.random.stateless_uniform, (count, 2), seed)
        kind = tf.gather(self._kinds, tf.cast(uniform[:, 0] * len(self._kinds), tf.int32))
        return tf.gather(self._stock, tf.cast(kind[:, 0] + tf.floor(uniform[:, 1] * kind[:, 1]), tf.int32))


def reconstruction_loss(distance, guesses, faces, weights):
    """The weighted mean distance of the values of each face, averaged over the faces; one without a hole counts as 0.

    distance : a function of differences; guesses, faces : (B, S, S, 3); weights : (B, S, S)
    """
    total = tf.reduce_sum(weights[..., None] * distance(guesses - faces), axis=(1, 2, 3))
    return tf.reduce_mean(tf.math.divide_no_nan(total, 3 * tf.reduce_sum(weights, axis=(1, 2))))


class Filler:
    """fill_batch by a network's guess, poured into the hole without a seam.

    guess : function of tensors (faces (B, S, S, 3) with 0 in the hole, known (B, S, S), seeds (B,) int64) -> faces
    blend : how, a function as completion.blend has them
    """

    def __init__(self, guess, blend=blend_poisson):
        self._guess, self._blend = traced(guess), blend

    def __call__(self, faces, known, seeds):
        """Complete (B, S, S, 3) float32 faces in [-1, 1], never looking under the hole.

        known : (B, S, S) bool, True where a face is kept; seeds : B integers of at least 0
        Returns (B, S, S, 3), equal to `faces` bit for bit where known; no result depends on its neighbours.
        """
        visible = np.where(known[..., None], faces, 0).astype(np.float32)
        guesses = self._guess(*(fill_lanes(array) for array in (visible, known, np.array(seeds, np.int64))))
        return self._blend(faces, guesses.numpy()[:len(faces)], known)
