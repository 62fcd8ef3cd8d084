"""One face with a hole, as the commands hand it to a method."""
import dataclasses
import hashlib
import os

import numpy as np

from helpers import NO_INPUT, BadPhoto, UsageError, read_photo, resize
from listing import fingerprint

from .masks import MASKS


@dataclasses.dataclass
class Face:
    """One input.

    name : relative output name; source : path; fingerprint : of the file, as listing.fingerprint gives it
    pixels : (H, W, 3) uint8; known : (H, W) bool, True where the face is kept
    seed : a whole number that depends on the known pixels alone; notes : remarks on how it was read
    """
    name: str
    source: str
    fingerprint: tuple
    pixels: np.ndarray
    known: np.ndarray
    seed: int
    notes: list


def read_face(source, name, size, *, mask="center", seed=0, fit="refuse", holes=None, **settings):
    """Read an aligned face and make its hole.

    size : side that the face must have; fit : "refuse", "resize" or "crop" a picture of another size
    mask : a name of masks.MASKS; settings : passed to it; seed : decides holes and starts
    holes : a holes.Holes in place of mask and settings

    Returns a Face. Raises BadPhoto, with reason wrong_size for another size.
    """
    stamp = fingerprint(source)
    photo = read_photo(source)
    pixels, notes = photo.pixels, photo.notes
    height, width = pixels.shape[:2]
    if (height, width) != (size, size):
        if fit == "refuse":
            raise BadPhoto("wrong_size", f"{width}x{height}, needed is {size}x{size}: align the photo first "
                           "(python -m preprocess.align_dlib), or choose --fit resize or --fit crop")
        pixels, notes = resize(pixels, size, fit), [*notes, f"{fit} from {width}x{height}"]
    known, remarks = (holes(photo, name, size, fit) if holes else
                      (make_hole(mask, size, name, seed, **settings), []))
    return Face(name, source, stamp, pixels, known, seed_face(pixels, known, seed), [*notes, *remarks])


def find_size(paths):
    """The side of the first face that can be read, the shorter one if it is not square.

    Raises UsageError (exit code 3) if none can be read.
    """
    for path in paths:
        try:
            return min(read_photo(path).pixels.shape[:2])
        except BadPhoto:
            continue
    raise UsageError("none of the faces can be read", NO_INPUT)


def make_hole(mask, size, name, seed, **settings):
    """The known pixels of a face, (size, size) bool; a drawn hole depends on the seed and the face's name alone."""
    return MASKS[mask](size, np.random.default_rng(digest_number(seed, os.fsencode(name))), **settings)


def seed_face(pixels, known, seed):
    """A face's own seed, which depends on the run's seed and on what is known of the face."""
    return digest_number(seed, pixels[known].tobytes() + known.tobytes())


def digest_number(seed, content):
    """A whole number below 2**63 that is a function of a seed and some bytes."""
    return int.from_bytes(hashlib.sha256(b"%d:" % seed + content).digest()[:8], "big") >> 1
