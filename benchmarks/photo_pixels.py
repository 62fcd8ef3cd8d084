"""How portraits come back in their own pixels: by the shipped model of each size, and by methods that need no model.

python -m benchmarks.photo_pixels samples/ --count 48 --ways 64 128 telea

Every portrait gets every hole. A number is a size of face_completion.py --paste_back; the other methods fill the photo
itself. Printed are how many came back and, over these, in the hole and in the photo's own pixels, PSNR and SSIM
(Gaussian 11/1.5), and the distance of dlib's face descriptor to the true face's.
"""
import sys

import numpy as np

from completion.face import SIZES
from completion.masks import digest_number
from completion.membrane import box_around
from helpers import to_float, to_uint8
from methods.classical import FILLS
from metrics.identity import CHIP, FaceDescriber, identity_distance
from metrics.images import psnr, ssim_map
from preprocess import dlib_models
from preprocess.faces import alignment_matrix, warp
from shell.command import command

from . import photo_placement
from .photo_strokes import BRUSHES, draw_alpha, draw_scratches
from .portraits import TEMPLATE, complete, find_portraits, folders, make_parser, read_restored, write_damaged

WAYS = *map(str, SIZES), "telea", "navier_stokes", "biharmonic", "patchmatch"
AROUND = 64                                             # pixels around the hole that the other methods see


def one_eye(marks, shape, rng):
    """The hole of both eyes on one side of the nose."""
    hole, columns = photo_placement.eyes(marks, shape, rng), np.arange(shape[1])
    return hole & ((columns < marks[27, 0]) == (rng.random() < 0.5))


def strokes(marks, shape, rng):
    """Three scratches across the face."""
    return draw_alpha(draw_scratches(marks, rng), BRUSHES["hard"], shape) > 0


HOLES = {"mouth": photo_placement.mouth, "nose_and_mouth": photo_placement.nose_and_mouth, "one_eye": one_eye,
         "eyes": photo_placement.eyes, "strokes": strokes}


def fill_around(name, photo, hole):
    """A photo (H, W, 3) uint8 whose hole (H, W) bool a classical method has filled from what is around it."""
    box, filled = box_around(hole, AROUND), photo.copy()
    filled[box] = to_uint8(FILLS[name](to_float(photo[box]), ~hole[box], 0))
    return filled


def restore(way, folder, portraits, holes, arguments):
    """{name: the photo as it came back} of the portraits with these holes."""
    if way in FILLS:
        return {name: fill_around(way, photo, holes[name]) for name, (photo, _) in portraits.items()}
    back = complete(folder, folder / "holes", way, arguments=["--paste_back", "--size", way, *arguments])
    return {name: read_restored(folder, name, way) for name in back}


class Judge:
    """Measures restored portraits; portraits : {name: (photo, landmarks)}."""

    def __init__(self, portraits):
        self.portraits, self._describer = portraits, FaceDescriber(dlib_models.checked(dlib_models.DESCRIPTOR))
        self._truths = {name: self._describe(name, photo) for name, (photo, _) in portraits.items()}

    def __call__(self, name, restored, hole):
        """(PSNR, SSIM, identity distance) of one that came back."""
        photo = self.portraits[name][0]
        return (psnr(photo, restored, hole), ssim_map(photo, restored)[hole].mean(),
                identity_distance(self._truths[name], self._describe(name, restored))[0])

    def _describe(self, name, pixels):
        matrix = alignment_matrix(self.portraits[name][1], CHIP, TEMPLATE)
        return self._describer.describe(warp(pixels, matrix, CHIP)[0][None])


def parse(argv=None):
    parser = make_parser(__doc__, count=100)
    parser.add_argument("--holes", nargs="+", choices=list(HOLES), default=list(HOLES), help="holes to draw")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="how to fill them")
    return parser.parse_args(argv)


@command
def main(argv=None):
    options = parse(argv)
    portraits = find_portraits(options.portraits, options.count)
    judge = Judge(portraits)
    print(f"{'hole':16} {'way':14} {'back':>9} {'PSNR':>6} {'SSIM':>6} {'identity':>9}")
    for kind, folder in folders(options.pictures, options.holes):
        holes = {}
        for name, (photo, marks) in portraits.items():
            rng = np.random.default_rng(digest_number(0, name.encode()))
            holes[name] = HOLES[kind](marks, photo.shape[:2], rng)
            write_damaged(folder, name, photo, holes[name])
        for way in options.ways:
            back = restore(way, folder, portraits, holes, options.arguments)
            scores = [judge(name, restored, holes[name]) for name, restored in back.items()]
            decibels, similarity, apart = np.mean(scores, axis=0) if scores else [np.nan] * 3
            print(f"{kind:16} {way:14} {len(back):4}/{len(portraits):<4} {decibels:6.2f} {similarity:6.3f} "
                  f"{apart:9.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
