"""How painted photos come back: strokes of green on portraits, as editors paint them, completed by the command.

python -m benchmarks.photo_strokes samples/ --count 48

Strokes are three scratches of 3 to 12 pixels across the face or a blob over an eye or the mouth. Brushes are hard, soft
(Gaussian) or wide (the outer half of the radius fades). Files are PNG, or JPEG of quality 90 with chroma at half the
resolution. Printed are of how many photos came back, the mean and the least PSNR in all pixels that the brush has
touched, and the size of the hole over that of these.
"""
import itertools
import sys

import numpy as np
from PIL import Image
from scipy import ndimage

from completion.holes import OwnHoles
from completion.masks import digest_number
from metrics.images import psnr
from pictures.photo import read_photo
from shell.command import command

from .portraits import complete, find_portraits, folders, make_parser, read_restored

COLOUR, MASK = (0, 255, 0), "color:#00ff00"
EYE, MOUTH = slice(36, 42), slice(48, 68)               # of the 68 landmarks
FILES = {"png": {}, "jpg": {"quality": 90, "subsampling": "4:2:0"}}


def draw_scratches(landmarks, rng):
    """[(points of a curve (N, 2), radius)] of scratches across a face."""
    middle, side = landmarks.mean(axis=0), np.ptp(landmarks[:, 0])
    for _ in range(3):
        angle, centre = rng.uniform(0, 2 * np.pi), middle + rng.uniform(-0.3, 0.3, 2) * side
        reach = 0.6 * side * np.array([np.cos(angle), np.sin(angle)])
        yield bend(centre - reach, centre + rng.uniform(-0.15, 0.15, 2) * side, centre + reach), rng.uniform(1.5, 6)


def draw_blob(landmarks, rng):
    """The same of a blob over an eye or the mouth."""
    centre = landmarks[EYE if rng.random() < 0.5 else MOUTH].mean(axis=0)
    radius = rng.uniform(0.07, 0.12) * np.ptp(landmarks[:, 0])
    yield bend(centre - (0.7 * radius, 0), centre + rng.uniform(-5, 5, 2), centre + (0.7 * radius, 0)), radius


def bend(start, middle, end, count=2000):
    """Points of a quadratic Bezier curve, (count, 2)."""
    at = np.linspace(0, 1, count)[:, None]
    return (1 - at) ** 2 * start + 2 * at * (1 - at) * middle + at ** 2 * end


STROKES = {"scratches": draw_scratches, "blob": draw_blob}
BRUSHES = {"hard": lambda depth, radius: (depth >= 0).astype(float),
           "soft": lambda depth, radius: ndimage.gaussian_filter((depth >= 0).astype(float), max(0.3 * radius, 0.7)),
           "wide": lambda depth, radius: np.clip(2 * depth / radius, 0, 1)}


def draw_alpha(strokes, brush, shape):
    """How opaque the paint is, (H, W) in [0, 1]."""
    clear = np.ones(shape)
    for points, radius in strokes:
        away, at = np.ones(shape, bool), np.rint(points).astype(int)
        at = at[((at >= 0) & (at < shape[::-1])).all(axis=1)]
        away[at[:, 1], at[:, 0]] = False
        if not away.all():
            clear *= 1 - brush(radius - ndimage.distance_transform_edt(away), radius)
    return np.where(clear < 1 - 1 / 255, 1 - clear, 0)


def complete_painted(portraits, stroke, brush, suffix, folder, arguments):
    """Paint all portraits and run the command on them; returns {name: alpha}, and what came back."""
    alphas = {}
    (folder / "photos").mkdir(parents=True)
    for name, (pixels, landmarks) in portraits.items():
        strokes = STROKES[stroke](landmarks, np.random.default_rng(digest_number(0, f"{stroke} {name}".encode())))
        alpha = alphas[name] = draw_alpha(list(strokes), BRUSHES[brush], pixels.shape[:2])
        painted = pixels * (1 - alpha[..., None]) + alpha[..., None] * COLOUR
        Image.fromarray(np.rint(painted).astype(np.uint8)).save(folder / "photos" / f"{name}.{suffix}", **FILES[suffix])
    return alphas, complete(folder, MASK, arguments=["--paste_back", *arguments])


def print_row(label, portraits, folder, alphas, back):
    """A row of the table; back : the names of what came back."""
    decibels, sizes = [], []
    for name in back:
        touched, photo = alphas[name] > 0, read_photo(next((folder / "photos").glob(f"{name}.*")))
        decibels.append(psnr(portraits[name][0], read_restored(folder, name), touched))
        sizes.append(np.count_nonzero(~OwnHoles(MASK).of_photo(photo, name, name)[0]) / touched.sum())
    print(f"{label} {len(back):>7}/{len(portraits)} {np.mean(decibels):8.2f} {np.min(decibels):8.2f} "
          f"{np.mean(sizes):8.2f}", flush=True)


@command
def main(argv=None):
    options = parse(argv)
    portraits = find_portraits(options.portraits, options.count)
    print(f"{'strokes':10} {'brush':6} {'file':5} {'came back':>9} {'mean dB':>8} {'least dB':>8} {'hole':>8}")
    for kind, folder in folders(options.pictures, map("-".join, itertools.product(STROKES, BRUSHES, FILES))):
        stroke, brush, suffix = kind.split("-")
        print_row(f"{stroke:10} {brush:6} {suffix:5}", portraits, folder,
                  *complete_painted(portraits, stroke, brush, suffix, folder, options.arguments))


def parse(argv=None):
    return make_parser(__doc__).parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
