"""Affine maps (2, 3) of points (x, y)."""
import numpy as np


def move(matrix, points):
    """Where a map takes points (N, 2)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def invert(matrix):
    """The map back."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def chain(first, second):
    """The map that does one after the other."""
    return np.column_stack([second[:, :2] @ first[:, :2], move(second, first[:, 2])])


def through(points, targets):
    """The map that takes three points (3, 2) exactly to their targets (3, 2)."""
    return np.linalg.solve(np.column_stack([points, np.ones(3)]), targets).T


def nearest(points, targets):
    """The map that takes points (N, 2) nearest to their targets (N, 2), in least squares."""
    return np.linalg.lstsq(np.column_stack([points, np.ones(len(points))]), targets)[0].T
