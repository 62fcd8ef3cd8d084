"""The classical methods, and how they are made ready for faces of a certain size."""
import numpy as np

import helpers
from completion.masks import center
from dataset.folder import load_faces
from helpers import UsageError

from .laplace import laplace
from .libraries import biharmonic, navier_stokes, patchmatch, telea
from .low_rank import low_rank
from .total_variation import total_variation
from .training_faces import mean_face, nearest

FILLS = {fill.__name__: fill for fill in (laplace, total_variation, low_rank, patchmatch, telea, navier_stokes,
                                          biharmonic)}
FROM_FACES = {make.__name__: make for make in (mean_face, nearest)}     # (training faces) -> fill


def make_fills(size, train_faces, methods):
    """{name: fill} of those of `methods` that are in the tables, each tried once.

    Raises UsageError if a library is missing or no face of `size` pixels a side is in the folder `train_faces`.
    """
    fills = {name: fill for name, fill in FILLS.items() if name in methods}
    if needed := [name for name in methods if name in FROM_FACES]:
        training, _ = load_faces(train_faces, size)
        if not len(training):
            raise UsageError(f"no faces of {size}x{size} pixels in {train_faces}", helpers.NO_INPUT)
        fills |= {name: FROM_FACES[name](training) for name in needed}
    for fill in fills.values():                         # imports and first factorisations are no part of its time
        fill(np.zeros((size, size, 3), np.float32), center(size), 0)
    return fills


def make_fill_batch(method, size, train_faces):
    """A method as a function of a batch, (faces, known, seeds) -> faces, whose faces do not feel each other.

    faces : (B, size, size, 3) float32 in [-1, 1]; known : (B, size, size) bool; seeds : B integers
    Raises UsageError as make_fills does.
    """
    fill = make_fills(size, train_faces, [method])[method]
    return lambda *batch: np.stack([fill(face, known, seed) for face, known, seed in zip(*batch)])
