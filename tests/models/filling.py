"""What the tests of the models that fill holes share."""
import numpy as np

from completion.masks import MASKS
from network import tf


def check_that_faces_are_filled_alone(model, faces):
    """A face is filled alike alone and in company, whatever lies under its hole, and keeps what is known bit for bit.

    faces : (5, S, S, 3) float32 in [-1, 1]. Returns them filled; the first one's hole is its centre.
    """
    known = np.stack([MASKS[name](64, np.random.default_rng(1)) for name in ("center", "left", "half", "O1", "random")])
    together = model.fill_batch(faces, known, range(5))
    np.testing.assert_array_equal(together[known], faces[known])
    for index in (0, 4):
        alone = model.fill_batch(faces[index:index + 1], known[index:index + 1], [index])
        np.testing.assert_array_equal(alone[0], together[index])
    other = np.where(known[..., None], faces, 1 - faces)
    np.testing.assert_array_equal(model.fill_batch(other, known, range(5))[~known], together[~known])
    return together


def weights(save):
    """{name: value} of every number in a save."""
    reader = tf.train.load_checkpoint(str(save / "tensors"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in name}
