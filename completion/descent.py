"""One update of z down its gradient.

Each is a function (gradient, age, rate, first, second) -> (move, first, second) of tensors of z's shape; age counts
the updates from 1, `first` and `second` are what the optimizer remembers, 0 in the beginning.
"""
from nn.setup import tf

from . import recipes

BETA1, BETA2, TINY = 0.9, 0.999, 1e-8                   # of Adam
MOMENTUM = 0.9                                          # of Nesterov


def adam(gradient, age, rate, mean, square):
    """Kingma and Ba, "Adam", ICLR 2015, algorithm 1."""
    mean += (1 - BETA1) * (gradient - mean)
    square += (1 - BETA2) * (gradient ** 2 - square)
    return -rate / (1 - BETA1 ** age) * mean / (tf.sqrt(square / (1 - BETA2 ** age)) + TINY), mean, square


def nesterov(gradient, age, rate, speed, unused):
    """Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013, equations 3
    and 4, in the form of Bengio et al., 2013, that takes the gradient where z is."""
    faster = MOMENTUM * speed - rate * gradient
    return (1 + MOMENTUM) * faster - MOMENTUM * speed, faster, unused


OPTIMIZERS = dict(zip(recipes.OPTIMIZERS, (adam, nesterov), strict=True))
