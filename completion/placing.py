"""Where the faces of a damaged photo lie."""
import dataclasses

import numpy as np

from helpers import BadPhoto
from preprocess.faces import place_faces

from .membrane import fill_harmonic
from .pouring import to_levels


@dataclasses.dataclass(frozen=True)
class Placement:
    """A face of a photo.

    matrix : the affine map (2, 3) from the photo's (x, y) to the crop's; notes : remarks on it
    """
    matrix: np.ndarray
    notes: tuple = ()


class FacePlacer:
    """Finds the faces of photos, under damage too.

    finder : preprocess.faces.FaceFinder; template : a name of preprocess.templates.TEMPLATES; size : side of the crops
    """

    def __init__(self, finder, template, size):
        self.finder, self.template, self.size = finder, template, size

    def __call__(self, pixels, known):
        """The Placements of all faces of a photo, the largest first, by what is known of it.

        pixels : (H, W, 3) uint8; known : (H, W) bool. Raises BadPhoto no_face.
        """
        whole = pixels.copy()
        whole[~known] = to_levels(fill_harmonic(pixels, known))
        try:
            return [Placement(matrix) for matrix, _ in place_faces(self.finder, whole, self.size, self.template)]
        except BadPhoto as problem:
            hint = "" if known.all() else "; the hole may hide too much of it"
            raise BadPhoto(problem.reason, problem.detail + hint) from problem
