"""Crops of faces that have been found: where they are cut, by which limits they count, and how they are described."""
import dataclasses

import numpy as np
from scipy import ndimage

from helpers import BadPhoto

from .affine import chain
from .faces import alignment_matrix, warp

GREY = np.array([0.299, 0.587, 0.114])                  # ITU-R BT.601


@dataclasses.dataclass(frozen=True)
class Frame:
    """Where a face comes to lie in its crop, of `size` pixels a side; the rest as alignment_matrix() has it."""
    size: int = 64
    template: str = "innerEyesAndBottomLip"
    margin: float = 0.0
    transform: str = "affine"
    points: str = "68"

    def matrix(self, landmarks):
        """alignment_matrix() of a face with these landmarks (N, 2)."""
        return alignment_matrix(landmarks, self.size, self.template, self.margin, self.transform, self.points)


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a face has to be: `min_face` in pixels of the photo, the rest as cut_face() records it."""
    only_single: bool = False
    most_outside: float = 0.5
    min_face: int = 0
    max_shear: float | None = None
    min_sharpness: float = 0.0


@dataclasses.dataclass(frozen=True)
class Jitter:
    """Random warps for training crops: how many, and how far at most, in sides of the crop, as a factor, in degrees."""
    count: int = 0
    shift: float = 0.03
    scale: float = 0.05
    turn: float = 5.0


def cut_face(pixels, face, frame, limits):
    """Cut a faces.Face out of a photo, (H, W, 3) uint8.

    Returns the (size, size, 3) uint8 crop, its matrix (2, 3), and a record: box, score, landmarks, matrix, the share
    outside the photo, and what describe() says.
    Raises BadPhoto with reason too_small, sheared, cut_by_border or blurred, by the limits.
    """
    width = face.box[2] - face.box[0] + 1
    if width < limits.min_face:
        raise BadPhoto("too_small", f"a face of {width} pixels, at least {limits.min_face} asked for")
    matrix = frame.matrix(face.landmarks)
    crop, outside = warp(pixels, matrix, frame.size)
    about = describe(crop, matrix)
    if limits.max_shear is not None and about["shear"] > limits.max_shear:
        raise BadPhoto("sheared", f"by {about['shear']:g}, at most {limits.max_shear:g} asked for")
    if outside > limits.most_outside:
        raise BadPhoto("cut_by_border", f"{outside:.0%} of the crop lies outside the photo")
    if about["sharpness"] < limits.min_sharpness:
        raise BadPhoto("blurred", f"sharpness {about['sharpness']:g}, at least {limits.min_sharpness:g} asked for")
    return crop, matrix, {**face.record, "matrix": matrix.round(6).tolist(), "outside": round(outside, 4), **about}


def describe(crop, matrix):
    """What tells a poor crop, (size, size, 3) uint8, from a good one.

    scale : pixels of the crop for one of the photo; shear : how much longer the map makes what it makes longest than
    what it makes shortest, 0 for a similarity; sharpness : variance of the Laplacian of the grey levels (Pech-Pacheco
    et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000); brightness : their mean, in [0, 255]
    """
    grey, lengths = crop @ GREY, np.linalg.svd(matrix[:, :2], compute_uv=False)
    return {"scale": round(float(np.sqrt(lengths.prod())), 4), "shear": round(float(lengths[0] / lengths[1] - 1), 4),
            "sharpness": round(float(ndimage.laplace(grey).var()), 1), "brightness": round(float(grey.mean()), 1)}


def shaken(pixels, matrix, size, jitter, seed):
    """Yield the crops (size, size, 3) uint8 that random warps around the crop's centre give; seed : of numbers."""
    centre = np.array([size - 1, size - 1]) / 2
    for number in range(jitter.count):
        rng = np.random.default_rng([*seed, number])
        turn, scale = np.radians(rng.uniform(-jitter.turn, jitter.turn)), rng.uniform(-jitter.scale, jitter.scale)
        linear = (1 + scale) * np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))])
        shift = size * rng.uniform(-jitter.shift, jitter.shift, 2)
        yield warp(pixels, chain(matrix, np.column_stack([linear, centre + shift - linear @ centre])), size)[0]
