"""One update of z down its gradient.

An optimizer is a function (gradient, age, rate, first, second) -> (move, first, second) of tensors of z's shape; age
counts the updates from 1, `first` and `second` are what it remembers, 0 in the beginning.
"""
from nn.setup import tf

from . import recipes

BETA1, BETA2, TINY = 0.9, 0.999, 1e-8                   # of Adam
MOMENTUM = 0.9                                          # of Nesterov


def adam(gradient, age, rate, first, second):
    """Kingma and Ba, "Adam", ICLR 2015, algorithm 1; `first` and `second` are the means of gradients and squares."""
    first += (1 - BETA1) * (gradient - first)
    second += (1 - BETA2) * (gradient ** 2 - second)
    return -rate / (1 - BETA1 ** age) * first / (tf.sqrt(second / (1 - BETA2 ** age)) + TINY), first, second


def nesterov(gradient, age, rate, first, second):
    """Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013, equations 3
    and 4, in the form of Bengio et al., 2013, that takes the gradient where z is."""
    speed = MOMENTUM * first - rate * gradient
    return (1 + MOMENTUM) * speed - MOMENTUM * first, speed, second


OPTIMIZERS = dict(zip(recipes.OPTIMIZERS, (adam, nesterov), strict=True))
