"""What a method makes of a batch of faces."""
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
