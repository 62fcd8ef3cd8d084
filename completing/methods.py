"""What completes a batch of faces, whichever way.

A method is a function (faces, known, seeds, on_step) -> Outcome of
    faces : (B, H, W, 3) float32 in [-1, 1], never looked at in the hole
    known : (B, H, W) bool, True where the face is kept; seeds : B integers
    on_step : function (step, completed faces, **figures), called at every step that is worth a picture, if any is
with the attributes `steps`, how many a face takes, and `unit`, what they are called.
"""
from typing import NamedTuple

import numpy as np


class Outcome(NamedTuple):
    """What a method made of B faces.

    faces : (B, H, W, 3) float32 in [-1, 1], completed
    records : B dictionaries, what the method has to say of each face
    answers : where several were asked for, as many arrays like `faces`, the best first; each record then has
        `completions`, a dictionary for each of them
    """
    faces: np.ndarray
    records: list
    answers: list = ()


class Filling:
    """A method without steps.

    fill_batch : function (faces, known, seeds) -> completed faces, (B, H, W, 3) float32
    """
    steps, unit = 1, "faces"

    def __init__(self, fill_batch):
        self.fill_batch = fill_batch

    def __call__(self, faces, known, seeds, on_step):
        return Outcome(self.fill_batch(faces, known, seeds), [{} for _ in faces])
