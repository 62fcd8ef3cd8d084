"""One face with a hole, as the commands hand it to a method."""
import contextlib
import dataclasses
import functools

import numpy as np

from helpers import BadPhoto, file_stamp, resize
from pictures.photo import read_photo

from .masks import digest_number

SIZES = 64, 128                                         # sides of the shipped models' faces
FURTHER = "face_{}"                                     # folder of a photo's second face, third ..., in its own
CROP_SIZES = 4                                          # times the model's size: what is larger is no aligned face


class Told(str):
    """A remark on a face that its user is told at once, and does not find in the record alone."""


@dataclasses.dataclass
class Face:
    """One input.

    name : relative output name; source : path; stamp : as take_stamp gives it
    pixels : (H, W, 3) uint8; known : (H, W) bool, True where the face is kept
    seed : a whole number, the face's own, as seed_face gives it; notes : remarks on how it was read, some of them Told
    number, faces : its place, from 1 on, among the faces of its file that are completed, and how many these are
    """
    name: str
    source: str
    stamp: tuple
    pixels: np.ndarray
    known: np.ndarray
    seed: int
    notes: list
    number: int = 1
    faces: int = 1

    @property
    def where(self):
        """What messages call it: its file, and which of its faces it is if it is not the first."""
        return self.source if self.number == 1 else f"{self.source}, face {self.number}"

    @property
    def masked(self):
        """The picture with its hole white, (H, W, 3) uint8."""
        return np.where(self.known[..., None], self.pixels, np.uint8(255))

    @functools.cached_property
    def tone(self):
        """The colour of every luminance, (256, 3) uint8, if it has one tone, else None, as tone.find_tone finds it."""
        from .tone import find_tone  # half a second that --help need not wait for
        return find_tone(self.pixels, self.known)


@dataclasses.dataclass(frozen=True)
class FaceReader:
    """Reads aligned faces and makes their holes.

    holes : a holes.StandardHoles or holes.OwnHoles; size : side that a face must have
    seed : decides the faces' own seeds
    fit : "refuse", "resize" or "crop" a picture of another size; None of commands that offer only the first
    """
    holes: object
    size: int
    seed: int = 0
    fit: str | None = None

    def __call__(self, source, name):
        """The Face of a file. Raises BadPhoto, such as wrong_size, or nothing_known if all of it is hole."""
        stamp, photo = take_stamp(source, name, self.holes), read_photo(source)
        pixels, notes = self._sized(photo)
        known, remarks = self.holes.of_face(photo, source, name, self.size, fit=self.fit)
        if not known.any():
            raise BadPhoto("nothing_known", "the hole covers the whole face")
        return Face(name, source, stamp, pixels, known=known, seed=seed_face(pixels, known, self.seed),
                    notes=[*notes, *remarks])

    def _sized(self, photo):
        """(pixels of the right size, notes)."""
        (height, width), size = photo.pixels.shape[:2], self.size
        if (height, width) == (size, size):
            return photo.pixels, photo.notes
        if self.fit in (None, "refuse"):
            raise BadPhoto("wrong_size", f"{width}x{height}, needed is {size}x{size}: {self._advise(height, width)}")
        return resize(photo.pixels, size, self.fit), [*photo.notes, f"{self.fit} from {width}x{height}"]

    def _advise(self, height, width):
        """What can be done with a picture of another size."""
        advice = "align the photo first (python -m preprocess.align_dlib)"
        if height == width and width in SIZES:
            advice = f"name a model of {width} pixels by --checkpoint, such as checkpoint/celeba{width}, or {advice}"
        elif self.fit and max(height, width) > self.size and (height != width or height > CROP_SIZES * self.size):
            advice = f"complete a whole photo with --paste_back, {advice}"
        return f"{advice}, or choose --fit resize or --fit crop" if self.fit else advice


def take_stamp(source, name, holes):
    """The sizes and times of a face's file and of its own mask, if it has one, by which both are known again."""
    return (*file_stamp(source), *holes.stamp(name))


def find_size(paths, fit="refuse"):
    """The side of the first face that can be used, None if there is none; fit : as for FaceReader.

    A picture that is not square can be used only where it is made so; then its shorter side counts.
    """
    for path in paths:
        with contextlib.suppress(BadPhoto):
            height, width = read_photo(path).pixels.shape[:2]
            if height == width or fit != "refuse":
                return min(height, width)
    return None


def seed_face(pixels, known, seed):
    """A face's own seed, which depends on the run's seed and on what is known of the face."""
    return digest_number(seed, pixels[known].tobytes() + known.tobytes())
