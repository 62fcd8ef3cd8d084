"""Holes for training: a stock of each kind, drawn once, out of which every face gets one by the seed and the step."""
import numpy as np

from completion.masks import make_hole
from nn import tf
from nn.layers import draw

STOCK = 1024                                            # of each kind; drawing them anew would take longer than a step
FIXED = "center", "left", "right", "top", "bottom", "O1", "O2", "O3", "O4", "O5", "O6"


class DrawnHoles:
    """Draws holes in training.

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
