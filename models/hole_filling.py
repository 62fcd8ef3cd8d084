"""What the models that fill holes share: how faces are handed to them, the holes that they learn, and their loss."""
import dataclasses
import functools
from abc import abstractmethod

import numpy as np

from completion.blend import blend_poisson
from completion.masks import make_hole
from nn.choices import Schedule
from nn.lanes import fill_lanes
from nn.layers import draw, fold
from nn.learner import Learner
from nn.setup import tf, traced
from nn.trainable import Trainable

STOCK = 1024                                            # of each kind; drawing them anew would take longer than a step
FIXED = "center", "left", "right", "top", "bottom", "O1", "O2", "O3", "O4", "O5", "O6"


class HoleFiller(Trainable):
    """A model that fills holes; `masks` are names of completion.masks.MASKS, the holes on which it is examined.

    blend : how a guess is put into the hole, a function as completion.blend has them
    """
    examined, masks, blend = "holes", ("center", "random"), staticmethod(blend_poisson)

    @abstractmethod
    def guess(self, faces, known, seeds):
        """Whole faces (B, S, S, 3) for such tensors, 0 in the hole, known (B, S, S) and seeds (B,) int64."""

    def fill_batch(self, faces, known, seeds):
        """Complete (B, S, S, 3) float32 faces in [-1, 1], never looking under the hole.

        known : (B, S, S) bool, True where a face is kept; seeds : B integers of at least 0
        Returns (B, S, S, 3), equal to `faces` bit for bit where known; no result depends on its neighbours.
        """
        return self.blend(faces, self.guess_batch(faces, known, seeds), known)

    def guess_batch(self, faces, known, seeds):
        """What fill_batch puts into the holes, as whole faces (B, S, S, 3) float32."""
        visible = np.where(known[..., None], faces, 0).astype(np.float32)
        guesses = self._traced_guess(*(fill_lanes(array) for array in (visible, known, np.array(seeds, np.int64))))
        return guesses.numpy()[:len(faces)]

    @functools.cached_property
    def _traced_guess(self):
        return traced(self.guess)

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


@dataclasses.dataclass(frozen=True)
class HoleSchedule(Schedule):
    """masks : the holes to learn, names with blanks between them

    average : decay of the exponential average of the weights that is used; 0 for none
    """
    masks: str = "center"
    average: float = 0.0


class HoleLearner(HoleFiller, Learner):
    """A HoleFiller that learns the holes of its training, a HoleSchedule."""

    def prepare_training(self, training):
        """As Learner does; of some kinds of holes it takes seconds to make a stock."""
        super().prepare_training(training)
        self.masks = training.masks.split()
        self._drawn = DrawnHoles(self.masks, self.architecture.image_size, self.seed)

    def draw_holes(self, faces, step):
        """Known (B, S, S) bool for the faces (B, S, S, 3) of a step."""
        return self._drawn(tf.shape(faces)[0], fold((self.seed, 1), step))


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
