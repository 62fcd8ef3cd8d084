"""How well faces are placed and completed in photos whose hole hides their landmarks.

python -m benchmarks.photo_placement samples/ --count 20 --holes eyes nose_and_mouth

Every portrait gets every hole, in the photo's own pixels, and is restored three times: with the face where dlib finds
it on a smooth fill, where completion.placing finds it, and where it lies by the landmarks of the whole photo. Printed
are how many came back, and how many of these with a place that is wrong, 5 pixels of the crop or more; the mean error
of the template's points in pixels of the crop and its 90th percentile; PSNR in the hole of those that came back, and
how far it is below what the true place gives of the same photos; and of how many the twelve landmarks of the eyes,
found in the restored photo, lie within .12 eye distances of those of the whole photo.
"""
import dataclasses
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from completion.membrane import fill_harmonic
from completion.placing import FacePlacer, Placement
from completion.pouring import pour_back
from dataset.listing import find_photos
from helpers import BadPhoto, to_float, to_levels, to_uint8, write_picture
from methods import completion_options, method_options
from methods.table import make_method
from metrics.images import psnr
from models import load_locator
from preprocess.affine import invert, move
from preprocess.faces import FaceFinder, warp, warp_known
from preprocess.templates import TEMPLATES
from shell.command import command
from shell.options import whole_number

from .portraits import SIZE, TEMPLATE, each_portrait, make_parser, place, place_faces

NEAR, WRONG = 0.12, 5
EYES = slice(36, 48)


class Portrait(NamedTuple):
    """A whole photo, (H, W, 3) uint8, the 68 landmarks of its largest face, and the matrix (2, 3) to its crop."""
    name: str
    pixels: np.ndarray
    landmarks: np.ndarray
    matrix: np.ndarray


@dataclasses.dataclass
class Restored:
    """A portrait under a hole: where the face was found, error in pixels of the crop, and the photo that came back."""
    portrait: Portrait
    known: np.ndarray
    matrix: np.ndarray
    error: float
    pixels: np.ndarray | None = None


def rectangle(shape, left, top, right, bottom):
    """A hole, (H, W) bool."""
    hole = np.zeros(shape, bool)
    hole[max(round(top), 0):round(bottom), max(round(left), 0):round(right)] = True
    return hole


def eye_band(marks, shape, rng):
    """The whole width of the face from above the brows to below the eyes."""
    height = np.ptp(marks[EYES, 1])
    return rectangle(shape, marks[:17, 0].min(), marks[17:27, 1].min(), marks[:17, 0].max(),
                     marks[EYES, 1].max() + 0.8 * height)


def eyes(marks, shape, rng):
    """An ellipse over each eye."""
    rows, columns = np.indices(shape)
    hole = np.zeros(shape, bool)
    for eye in (marks[36:42], marks[42:48]):
        (x, y), width = eye.mean(axis=0), np.ptp(eye[:, 0])
        hole |= ((columns - x) / (0.9 * width)) ** 2 + ((rows - y) / (0.7 * width)) ** 2 < 1
    return hole


def nose_and_mouth(marks, shape, rng):
    """From the middle of the nose to below the lips."""
    width = np.ptp(marks[48:60, 0])
    return rectangle(shape, marks[48:60, 0].min() - 0.15 * width, marks[28, 1], marks[48:60, 0].max() + 0.15 * width,
                     marks[48:60, 1].max() + 0.15 * width)


def mouth(marks, shape, rng):
    """The lips and what is next to them."""
    width = np.ptp(marks[48:60, 0])
    return rectangle(shape, *(marks[48:60].min(axis=0) - 0.15 * width), *(marks[48:60].max(axis=0) + 0.15 * width))


def half(marks, shape, rng):
    """One side of the face, from the brows to the chin."""
    left, right = marks[:17, 0].min(), marks[:17, 0].max()
    middle = marks[27:31, 0].mean()
    sides = (left, middle) if rng.random() < 0.5 else (middle, right)
    return rectangle(shape, sides[0], marks[17:27, 1].min(), sides[1], marks[:17, 1].max())


def random_rectangle(marks, shape, rng):
    """A third to two thirds of the face's width and height, anywhere in it."""
    low, extent = marks.min(axis=0), np.ptp(marks, axis=0)
    size = extent * rng.uniform(1 / 3, 2 / 3, 2)
    corner = low + (extent - size) * rng.random(2)
    return rectangle(shape, *corner, *(corner + size))


HOLES = {"eye_band": eye_band, "eyes": eyes, "nose_and_mouth": nose_and_mouth, "mouth": mouth,
         "eyes_and_mouth": lambda *photo: eyes(*photo) | mouth(*photo),
         "eye_band_and_mouth": lambda *photo: eye_band(*photo) | mouth(*photo), "half": half,
         "random": random_rectangle}


def parse(argv=None):
    parser = make_parser(__doc__)
    parser.add_argument("--first", type=whole_number(), default=0, metavar="N", help="photos to leave out before them")
    parser.add_argument("--holes", nargs="+", choices=list(HOLES), default=list(HOLES), help="holes to draw")
    parser.add_argument("--place_only", action="store_true", help="restore nothing, print the errors")
    return parser.parse_args(argv)


@command
def main(argv=None):
    options = parse(argv)
    finder = FaceFinder()
    portraits = read_portraits(finder, options)
    ways = {"dlib on a fill": partial(place_on_fill, finder),
            "placing": FacePlacer(finder, TEMPLATE, SIZE, load_locator), "truth": None}
    fill = None if options.place_only else make_fill(options.arguments)
    print(f"{'hole':18} {'placed by':16} {'back':>9} {'wrong':>6} {'error':>6} {'p90':>6} {'PSNR':>6} {'below':>6} "
          f"{'eyes':>9}")
    for name in options.holes:
        results = {way: [place_one(find, portrait, name) for portrait in portraits] for way, find in ways.items()}
        for way, faces in results.items():
            if fill:
                restore([face for face in faces if face], fill)
            if options.pictures:
                write_pictures(options.pictures, name, way, faces)
        print_rows(name, results, finder, bool(fill))


def read_portraits(finder, options):
    """[Portrait] of those of a folder in which a face is found."""
    sources = find_photos([options.portraits])[0][options.first:options.first + options.count]
    return [Portrait(*portrait, matrix=place(portrait[-1])) for portrait in each_portrait(finder, sources)]


def place_on_fill(finder, pixels, known):
    """The Placements of the faces that dlib finds on a smooth fill of the hole, as if nothing were hidden."""
    whole = pixels.copy()
    whole[~known] = to_levels(fill_harmonic(pixels, known))
    return [Placement(matrix) for matrix in place_faces(finder, whole)]


def place_one(find, portrait, name):
    """The Restored of a portrait under a hole, nothing poured in yet; None if no face was found for sure."""
    rng = np.random.default_rng([len(name), sum(map(ord, portrait.name))])
    known = ~HOLES[name](portrait.landmarks, portrait.pixels.shape[:2], rng)
    if find is None:
        return Restored(portrait, known, portrait.matrix, 0.0)
    try:
        placement = find(np.where(known[..., None], portrait.pixels, 0).astype(np.uint8), known)[0]
    except (BadPhoto, IndexError):
        return None
    if placement.doubtful:
        return None
    return Restored(portrait, known, placement.matrix, placement_error(placement.matrix, portrait.matrix))


def placement_error(matrix, truth):
    """Mean distance in pixels of the crop by which a matrix (2, 3) misses the template's points."""
    points = SIZE * np.array(TEMPLATES[TEMPLATE][1])
    return float(np.linalg.norm(move(matrix, move(invert(truth), points)) - points, axis=1).mean())


def make_fill(arguments):
    """The method of a command line of face_completion.py: a function (faces, known, seeds) -> completed faces."""
    options = completion_options.make_parser("").parse_args(arguments)
    method = make_method(method_options.method_settings(options, options.method, options.checkpoint), SIZE)
    return lambda *arguments: method(*arguments, lambda *_, **__: None).faces


def restore(faces, fill):
    """Complete and pour back every Restored."""
    damaged = [np.where(face.known[..., None], face.portrait.pixels, 0).astype(np.uint8) for face in faces]
    crops = np.stack([warp(pixels, face.matrix, SIZE)[0] for pixels, face in zip(damaged, faces)])
    known = np.stack([warp_known(face.known, face.matrix, SIZE) for face in faces])
    completed = to_uint8(fill(to_float(crops), known, list(range(len(faces)))))
    completed = np.where(known[..., None], crops, completed)
    for pixels, face, crop in zip(damaged, faces, completed):
        face.pixels = pour_back(pixels, face.known, [crop], [face.matrix])


def write_pictures(folder, hole, way, faces):
    """Write what came back, beside the damaged photo."""
    for face in filter(None, faces):
        masked = np.where(face.known[..., None], face.portrait.pixels, 255).astype(np.uint8)
        pair = [masked] if face.pixels is None else [masked, face.pixels]
        write_picture(Path(folder, hole, way.replace(" ", "_"), f"{face.portrait.name}.png"),
                      np.concatenate(pair, axis=1))


def print_rows(name, results, finder, restored):
    """A row for every way of placing."""
    for way, faces in results.items():
        pairs = [(face, truth) for face, truth in zip(faces, results["truth"]) if face]
        errors = [face.error for face, _ in pairs]
        row = (f"{name:18} {way:16} {len(pairs):4}/{len(faces):<4} {sum(error >= WRONG for error in errors):6} "
               f"{np.mean(errors):6.2f} {np.quantile(errors, 0.9):6.2f}")
        if restored:
            decibels, best = np.mean([[psnr(face.portrait.pixels, face.pixels, ~face.known) for face in pair]
                                      for pair in pairs], axis=0)
            near = sum(eyes_are_near(finder, face) for face, _ in pairs)
            row += f" {decibels:6.2f} {best - decibels:6.2f} {near:4}/{len(faces):<4}"
        print(row, flush=True)


def eyes_are_near(finder, face):
    """Whether dlib finds the eyes of the restored photo where those of the whole photo are."""
    truth, boxes = face.portrait.landmarks[EYES], finder.boxes(face.pixels)
    if not boxes:
        return False
    found = finder.landmarks(face.pixels, boxes[0])[EYES]
    apart = np.linalg.norm(truth[:6].mean(axis=0) - truth[6:].mean(axis=0))
    return bool(np.linalg.norm(found - truth, axis=1).mean() <= NEAR * apart)


if __name__ == "__main__":
    sys.exit(main())
