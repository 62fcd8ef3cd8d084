"""One face with a hole, as the commands hand it to a method."""
import contextlib
import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np

from helpers import BadPhoto, file_stamp, read_photo, resize

from .masks import MASKS


@dataclasses.dataclass
class Face:
    """One input.

    name : relative output name; source : path; stamp : as take_stamp gives it
    pixels : (H, W, 3) uint8; known : (H, W) bool, True where the face is kept
    seed : a whole number, the face's own, as seed_face gives it; notes : remarks on how it was read
    """
    name: str
    source: str
    stamp: tuple
    pixels: np.ndarray
    known: np.ndarray
    seed: int
    notes: list


def read_face(source, name, size, *, mask="center", seed=0, fit="refuse", holes=None, **settings):
    """Read an aligned face and make its hole.

    size : side that the face must have; fit : "refuse", "resize" or "crop" a picture of another size
    mask : a name of masks.MASKS; settings : passed to it; seed : decides holes and starts
    holes : a holes.Holes in place of mask and settings

    Returns a Face. Raises BadPhoto, with reason wrong_size for another size, nothing_known if all of it is hole.
    """
    stamp = take_stamp(source, name, holes)
    photo = read_photo(source)
    pixels, notes = photo.pixels, photo.notes
    height, width = pixels.shape[:2]
    if (height, width) != (size, size):
        if fit == "refuse":
            raise BadPhoto("wrong_size", f"{width}x{height}, needed is {size}x{size}: align the photo first "
                           "(python -m preprocess.align_dlib), or choose --fit resize or --fit crop")
        pixels, notes = resize(pixels, size, fit), [*notes, f"{fit} from {width}x{height}"]
    known, remarks = (holes(photo, name, size, fit) if holes else
                      (make_hole(mask, size, Path(source).stem, seed, **settings), []))
    if not known.any():
        raise BadPhoto("nothing_known", "the hole covers the whole face")
    return Face(name, source, stamp, pixels, known, seed_face(pixels, known, seed), [*notes, *remarks])


def take_stamp(source, name, holes=None):
    """The sizes and times of a face's file and of its own mask, if it has one, by which both are known again."""
    return (*file_stamp(source), *(holes.stamp(name) if holes else ()))


def find_size(paths, fit="refuse"):
    """The side of the first face that can be used, None if there is none; fit : as for read_face.

    A picture that is not square can be used only where it is made so; then its shorter side counts.
    """
    for path in paths:
        with contextlib.suppress(BadPhoto):
            height, width = read_photo(path).pixels.shape[:2]
            if height == width or fit != "refuse":
                return min(height, width)
    return None


def make_hole(mask, size, name, seed, **settings):
    """The known pixels of a face, (size, size) bool; a drawn hole depends on the seed and the name alone."""
    return MASKS[mask](size, np.random.default_rng(digest_number(seed, os.fsencode(name))), **settings)


def seed_face(pixels, known, seed):
    """A face's own seed, which depends on the run's seed and on what is known of the face."""
    return digest_number(seed, pixels[known].tobytes() + known.tobytes())


def digest_number(seed, content):
    """A whole number below 2**63 that is a function of a seed and some bytes."""
    return int.from_bytes(hashlib.sha256(b"%d:" % seed + content).digest()[:8], "big") >> 1
