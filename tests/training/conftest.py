"""What the tests of training share."""
import pytest

from network import tf
from tests.training.small_dcgan import prepared


@pytest.fixture(scope="session")
def dcgan():
    """A DCGAN after one step, so that its optimizers, statistics and average are not what they began with."""
    dcgan = prepared()
    dcgan.train_step(tf.random.stateless_uniform((8, 64, 64, 3), (1, 1), -1, 1), tf.constant(0, tf.int64))
    return dcgan
