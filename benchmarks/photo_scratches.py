"""How well damage is found in photos, and how well it is mended: drawn on portraits in two manners.

python -m benchmarks.photo_scratches samples/ --count 48 --restore

Of COUNT portraits, each damaged by completion.drawn_damage, as the network has learned it, and by Pillow's lines and
ellipses, which it has not seen: the overlap of what is found and what was drawn over their union, the share of the
undamaged pixels that are found, and with --restore the PSNR in the damaged pixels before and after
face_completion.py --paste_back --mask auto. Of the portraits as they are: the share of the pixels that are found.
"""
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from completion.damage_holes import find_damage
from completion.drawn_damage import as_jpeg, change_tone, compress, draw_damage
from dataset.listing import find_photos
from helpers import NO_INPUT, UsageError, counted, write_picture
from metrics.images import psnr
from models import DAMAGE, model_type
from pictures.photo import read_photo
from shell.command import command
from shell.options import Parser, whole_number
from training.checkpoint import load_model

from .photo_strokes import bend
from .portraits import complete, read_restored

DRAWN = 64                                              # of 255, from which on a pixel of a blurred stroke is damaged


def draw_by_kinds(pixels, rng):
    """(damaged, hole) as the network has learned it; at about the density of its examples."""
    damaged, hole = draw_damage(pixels, rng, rng.integers(3, 13))
    return compress(change_tone(damaged, rng), rng), hole


def draw_by_pillow(pixels, rng):
    """(damaged, hole) by Pillow's lines and ellipses, sharp or blurred, opaque or not; half of them as JPEG."""
    image, hole = Image.fromarray(pixels), np.zeros(pixels.shape[:2], bool)
    for paint in rng.choice(PAINTS, rng.integers(2, 7)):
        layer = Image.new("L", image.size)
        color, width = paint(ImageDraw.Draw(layer), image.size, rng)
        if rng.random() < 0.5:
            layer = layer.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
        hole |= np.asarray(layer) >= DRAWN
        opacity = rng.uniform(0.55, 1) if width > 1 else 1
        image.paste(tuple(map(int, color)), mask=layer.point(lambda value, share=opacity: round(value * share)))
    drawn = np.asarray(image)
    return (as_jpeg(drawn, int(rng.integers(80, 96))) if rng.random() < 0.5 else drawn), hole


def paint_scratch(draw, size, rng):
    """A straight or curved line; returns its color and width, as all of these do."""
    ends, width = rng.uniform(-0.1, 1.1, (3, 2)) * size, int(rng.integers(1, 9))
    if rng.random() < 0.5:
        ends[1] = (ends[0] + ends[2]) / 2
    draw.line([tuple(point) for point in bend(*ends, 40)], 255, width, "curve")
    return _any_color(rng), width


def paint_fold(draw, size, rng):
    """A white line from border to border."""
    width, height = size
    across = [(-5, rng.uniform(0, height)), (width / 2, rng.uniform(0, height)), (width + 5, rng.uniform(0, height))]
    points = across if rng.random() < 0.5 else [(y * width / height, x * height / width) for x, y in across]
    thickness = int(rng.integers(2, 7))
    draw.line(points, 255, thickness)
    return rng.uniform(225, 255, 3), thickness


def paint_crack(draw, size, rng):
    """A jagged line that turns at every few pixels."""
    point, width = rng.uniform(0, 1, 2) * size, int(rng.integers(1, 4))
    points = [tuple(point + step) for step in np.cumsum(rng.normal(0, 5, (rng.integers(10, 60), 2)) + rng.normal(
        0, 3, 2), axis=0)]
    draw.line(points, 255, width)
    return rng.uniform(200, 255, 3) if rng.random() < 0.6 else rng.uniform(0, 50, 3), width


def paint_spots(draw, size, rng):
    """Stains of 5 to 30 pixels."""
    for _ in range(rng.integers(1, 5)):
        (x, y), (across, down) = rng.uniform(0, 1, 2) * size, rng.uniform(2.5, 15, 2)
        draw.ellipse((x - across, y - down, x + across, y + down), 255)
    return _any_color(rng), 5


def paint_dust(draw, size, rng):
    """Specks of 1 to 5 pixels."""
    for _ in range(rng.integers(5, 50)):
        (x, y), radius = rng.uniform(0, 1, 2) * size, rng.uniform(0.5, 2.5)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return _any_color(rng), 1


def paint_film_lines(draw, size, rng):
    """Upright lines over the whole height."""
    for _ in range(rng.integers(1, 6)):
        x, width = rng.uniform(0, size[0]), int(rng.integers(1, 4))
        draw.line([(x, 0), (x + rng.normal(0, 3), size[1])], 255, width)
    return _any_color(rng), 1


PAINTS = paint_scratch, paint_fold, paint_crack, paint_spots, paint_dust, paint_film_lines
MANNERS = {"as learned": draw_by_kinds, "by Pillow": draw_by_pillow}


def _any_color(rng):
    """Bright, dark, or any."""
    kind = rng.random()
    return rng.uniform(200, 255, 3) if kind < 0.45 else rng.uniform(0, 50, 3) if kind < 0.75 else rng.uniform(0, 255, 3)


def overlap(found, hole):
    """Intersection over union of two holes (H, W)."""
    return np.count_nonzero(found & hole) / max(np.count_nonzero(found | hole), 1)


def restore(damaged):
    """The photos (H, W, 3) uint8 as face_completion.py restores them, None where it fails."""
    names = [f"{number:04d}" for number in range(len(damaged))]
    with tempfile.TemporaryDirectory() as folder:
        for name, pixels in zip(names, damaged):
            write_picture(Path(folder, "photos", f"{name}.png"), pixels)
        back = complete(folder, "auto", arguments=["--paste_back"])
        return [read_restored(folder, name) if name in back else None for name in names]


def report_damaged(name, photos, find, mend):
    """Print what is found of damage drawn in one manner, and with `mend` how it is mended."""
    drawn = [MANNERS[name](pixels, np.random.default_rng(number)) for number, pixels in photos]
    found = [find(damaged) for damaged, _ in drawn]
    ious = [overlap(one, hole) for one, (_, hole) in zip(found, drawn)]
    false = np.mean([np.mean(one[~hole]) for one, (_, hole) in zip(found, drawn)])
    missed = np.mean([np.mean(~one[hole]) for one, (_, hole) in zip(found, drawn) if hole.any()])
    print(f"{name}: overlap over union {np.mean(ious):.3f} (tenth percentile {np.percentile(ious, 10):.3f}), "
          f"{missed:.1%} of the damage missed, {false:.2%} of the rest found", flush=True)
    if mend:
        pairs = [(psnr(truth, damaged, hole), psnr(truth, restored, hole)) for (_, truth), (damaged, hole), restored in
                 zip(photos, drawn, restore([damaged for damaged, _ in drawn])) if restored is not None]
        before, after = np.mean(pairs or [(np.nan, np.nan)], axis=0)
        print(f"{name}: PSNR in the damage {before:.2f} dB, restored {after:.2f} dB ({counted(len(pairs), 'photo')})",
              flush=True)


def report_whole(photos, find):
    """Print what is found where nothing is."""
    shares = np.array([find(pixels).mean() for _, pixels in photos])
    print(f"undamaged: {shares.mean():.4%} found, 99th percentile {np.percentile(shares, 99):.3%}, at most "
          f"{shares.max():.3%}, nothing in {np.count_nonzero(shares == 0)} of {len(shares)}", flush=True)


@command
def main(argv=None):
    options = parse(argv)
    sources, _ = find_photos([options.folder])
    photos = [(number, read_photo(source.path).pixels) for number, source in enumerate(sources)][options.first:]
    if not photos:
        raise UsageError(f"no photo in {options.folder} from the {options.first + 1}th on", NO_INPUT)
    finder, _ = load_model(options.model, model_type("damage"))
    find = partial(find_damage, probability=finder.probability)
    report_whole(photos[:options.whole], find)
    for name in MANNERS:
        report_damaged(name, photos[:options.count], find, options.restore)


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("folder", metavar="PORTRAITS", help="folder of undamaged photos")
    parser.add_argument("--first", type=whole_number(), default=0, metavar="N", help="photos to pass over")
    parser.add_argument("--count", type=whole_number(1), default=100, metavar="N", help="photos to damage")
    parser.add_argument("--whole", type=whole_number(1), default=400, metavar="N", help="photos to leave as they are")
    parser.add_argument("--model", default=DAMAGE, metavar="DIR", help="folder of the network that finds damage")
    parser.add_argument("--restore", action="store_true", help="mend them too, by the shipped network")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
