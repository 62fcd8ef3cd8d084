"""Refit the intervals of several answers: the factors of metrics.conformal.FACTORS, and what they cover.

python -m benchmarks.calibration processed-data/validation --first 1000 --count 500

Completes faces under every kind of hole, as face_completion.py --completions does, and prints for each kind its mean
depth and the conformal factor of the calibration faces, and of as many faces that follow, with these factors, the mean
half width in levels and the share of the truth that is covered.
"""
import itertools
import sys
from typing import NamedTuple

import numpy as np

from completion.face import FaceReader
from completion.holes import StandardHoles
from dataset.listing import find_photos
from helpers import NO_INPUT, UsageError
from methods import method_options
from metrics.conformal import FACTORS, conformal_factor, deviations
from metrics.depths import depths
from shell.command import command
from shell.options import Parser, whole_number
from shell.progress import Progress

SIZE = 64                                               # side of the faces


class Errors(NamedTuple):
    """Of a face: the mean depth of its hole, and of all values there |truth - completed| and deviations, (N, 3)."""
    depth: float
    errors: np.ndarray
    scales: np.ndarray


def complete(paths, masks, settings):
    """Yield the Errors of every face under a hole of each kind, one kind after the other."""
    from methods.batches import Completer
    readers = [FaceReader(StandardHoles(mask, settings.seed), SIZE, settings.seed) for mask in masks]
    batches = (tuple(read(path, path) for path in paths[first:first + settings.batch_size])
               for read in readers for first in range(0, len(paths), settings.batch_size))
    for face, completed in Completer({SIZE: settings})(batches):
        hole = ~face.known
        errors = np.abs(face.pixels.astype(float) - completed.pixels)[hole]
        scales = deviations(completed.answers, face.known)[hole]
        yield Errors(depths(face.known)[hole].mean(), errors, np.repeat(scales[:, None], 3, axis=1))


def join(faces):
    """(mean depth, errors, scales) of all values of some faces, the latter two (M,)."""
    errors, scales = (np.concatenate(parts).ravel() for parts in list(zip(*faces))[1:])
    return np.mean([one.depth for one in faces]), errors, scales


@command
def main(argv=None):
    options = parse(argv)
    paths = [source.path for source in find_photos([options.folder])[0]]
    paths = paths[options.first:options.first + 2 * options.count]
    if len(paths) < 2:
        raise UsageError(f"no two faces in {options.folder} from the {options.first + 1}th on", NO_INPUT)
    settings = method_options.method_settings(options, "latent", options.checkpoint)
    print(f"{'hole':8} {'faces':>6} {'depth':>6} {'factor':>7} {'half width':>11} {'covered':>8}")
    completed = complete(paths, FACTORS, settings)
    for mask in FACTORS:
        with Progress(len(paths), "faces") as progress:
            faces = list(progress.each(itertools.islice(completed, len(paths))))
        depth, errors, scales = join(faces[:len(faces) // 2])
        factor = conformal_factor(errors, scales)
        _, errors, scales = join(faces[len(faces) // 2:])
        print(f"{mask:8} {len(faces) // 2:6} {depth:6.2f} {factor:7.2f} {factor * scales.mean():11.1f} "
              f"{(errors <= factor * scales).mean():8.1%}", flush=True)


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("folder", metavar="FACES", help="folder of aligned faces that no model was trained on")
    parser.add_argument("--first", type=whole_number(), default=0, metavar="N", help="faces to pass over")
    parser.add_argument("--count", type=whole_number(1), default=500, metavar="N",
                        help="faces to calibrate on, and as many to check")
    parser.add_argument("--checkpoint", metavar="DIR", help="folder of the model (the shipped one)")
    method_options.add_method(parser)
    method_options.add_search(parser)
    parser.set_defaults(completions=4)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
