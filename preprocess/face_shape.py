"""Where the landmarks of a face are that nobody sees, by those that are seen.

Source: Cootes, Taylor, Cooper, Graham, "Active Shape Models - Their Training and Application", CVIU 61, 1995: a
Gaussian model of shapes that are freed of place, size and turn, fitted here to some of the landmarks only.
"""
from pathlib import Path

import numpy as np

from helpers import map_array

from .affine import move

SHAPES = Path(__file__).with_name("face_shape.npy")     # what preprocess.learn_shape wrote
MODES = 20                                              # principal components
ROUNDS = 10                                             # of fitting place and shape in turn
FEWEST = 5                                              # landmarks that have to be seen
NOISE = 1 / 64                                          # deviation of a landmark that is seen, in sides of the crop


def learn_shape(faces):
    """The mean shape and its principal components, each as long as one deviation: (1 + MODES, 136) float32.

    faces : (N, 68, 2) landmarks (x, y), each roughly aligned with the others, in sides of a crop
    """
    mean = faces.mean(axis=0)
    for _ in range(3):
        placed = np.stack([move(similarity(face, mean), face) for face in faces])
        mean = placed.mean(axis=0)
    _, deviations, components = np.linalg.svd((placed - mean).reshape(len(faces), -1), full_matrices=False)
    modes = components[:MODES] * deviations[:MODES, None] / np.sqrt(len(faces))
    return np.concatenate([mean.reshape(1, -1), modes]).astype(np.float32)


def complete_landmarks(landmarks, seen):
    """The 68 landmarks of a face, those that are not seen replaced by the likeliest ones.

    landmarks : (68, 2) as (x, y) in pixels; seen : (68,) bool
    Returns (68, 2), equal to `landmarks` where they are seen, or everywhere if fewer than FEWEST are.
    """
    if seen.sum() < FEWEST:
        return landmarks
    shapes = map_array(SHAPES)
    mean, modes = shapes[0].reshape(-1, 2).astype(float), shapes[1:].reshape(len(shapes) - 1, -1, 2).astype(float)
    of_seen = modes[:, seen].reshape(len(modes), -1)
    weights = np.linalg.solve(of_seen @ of_seen.T + NOISE ** 2 * np.eye(len(modes)), of_seen)
    shape = mean
    for _ in range(ROUNDS):
        to_shape = similarity(landmarks[seen], shape[seen])
        shape = mean + np.tensordot(weights @ (move(to_shape, landmarks[seen]) - mean[seen]).ravel(), modes, 1)
    to_photo = similarity(shape[seen], landmarks[seen])
    return np.where(seen[:, None], landmarks, move(to_photo, shape))


def similarity(points, targets):
    """The map (2, 3) that turns, scales and moves points (N, 2) nearest to their targets (N, 2), in least squares.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991, here
    as the division of complex numbers.
    """
    centre, goal = points.mean(axis=0), targets.mean(axis=0)
    moved, wanted = ((part - middle) @ (1, 1j) for part, middle in ((points, centre), (targets, goal)))
    turn = np.vdot(moved, wanted) / np.vdot(moved, moved)
    linear = np.array([(turn.real, -turn.imag), (turn.imag, turn.real)])
    return np.column_stack([linear, goal - linear @ centre])

