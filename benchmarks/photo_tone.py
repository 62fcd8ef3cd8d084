"""How photos of one tone come back: portraits in sepia and other tones, completed by the command.

python -m benchmarks.photo_tone samples/ --count 48

Every portrait gets every tone, and a hole over nose and mouth. Printed are of how many the tone was found; the 99th
percentile over the pixels of all holes of how far a colour is from the tone of the same luminance, in levels, and PSNR
in the hole, without any rule and as it is. With --aligned the portraits are aligned faces, else whole photos.
"""
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from completion.drawn_damage import as_jpeg
from completion.tone import LUMA
from dataset.listing import find_photos
from helpers import to_levels
from metrics.images import psnr
from pictures.photo import read_photo
from shell.command import command

from .portraits import complete, draw_block, find_portraits, folders, make_parser, place, read_restored, write_damaged

WITHOUT = ("from completion import tone; tone.find_tone = lambda *_: None; import face_completion, sys; "
           "sys.exit(face_completion.main())")
RUNS = {"before": ["-c", WITHOUT], "after": ["face_completion.py"]}


class Tone(NamedTuple):
    """Colours from black over evenly spaced greys to white; levels of noise in each channel; JPEG's quality."""
    colours: tuple
    noise: float = 0.0
    quality: int | None = None


SEPIA = (0, 0, 0), (150, 120, 85), (255, 245, 225)
TONES = {"grey": Tone(((0, 0, 0), (255, 255, 255))), "sepia": Tone(SEPIA),
         "cyanotype": Tone(((5, 20, 55), (60, 115, 160), (235, 245, 250))),
         "warm": Tone(((2, 0, 0), (131, 128, 123), (255, 254, 248))), "faded": Tone(((70, 58, 45), (232, 218, 190))),
         "noisy": Tone(SEPIA, noise=6), "jpeg": Tone(SEPIA, quality=75)}


def make_curve(tone):
    """The colour of every grey level, (256, 3) float64."""
    stops = np.linspace(0, 255, len(tone.colours))
    return np.stack([np.interp(np.arange(256), stops, channel) for channel in zip(*tone.colours)], axis=-1)


def put_in_tone(pixels, tone, seed):
    """An (H, W, 3) uint8 photo in a tone."""
    clean = make_curve(tone)[(pixels @ LUMA + 500) // 1000]
    noisy = clean + np.random.default_rng(seed).normal(0, tone.noise, clean.shape)
    return as_jpeg(to_levels(noisy), tone.quality) if tone.quality else to_levels(noisy)


def deviation(colours, tone):
    """Largest difference of a channel from the colour that the tone has at the same luminance, (N,) levels."""
    curve = make_curve(tone)
    luminances, levels = curve @ LUMA / 1000, colours @ LUMA / 1000
    tints = [np.interp(levels, luminances, channel - luminances) for channel in curve.T]
    return np.abs(colours - levels[:, None] - np.stack(tints, axis=-1)).max(axis=-1)


def draw_holes(folder, count, aligned):
    """{name: (photo, the hole over its nose and mouth)} of the first photos in which a face is found."""
    if aligned:
        photos = {Path(source.path).stem: read_photo(source.path).pixels for source in find_photos([folder])[0][:count]}
        return {name: (photo, draw_block(np.eye(2, 3), photo.shape[:2])) for name, photo in photos.items()}
    return {name: (photo, draw_block(place(landmarks), photo.shape[:2]))
            for name, (photo, landmarks) in find_portraits(folder, count).items()}


def complete_toned(toned, folder, options):
    """Run the command on {name: (photo, hole)} without the rule and with it; returns {name of RUNS: what came back}."""
    for name, (photo, hole) in toned.items():
        write_damaged(folder, name, photo, hole)
    arguments = [*(() if options.aligned else ["--paste_back"]), *options.arguments]
    return {run: complete(folder, folder / "holes", run, arguments=arguments, start=start)
            for run, start in RUNS.items()}


def print_row(name, toned, folder, back, file):
    """A row of the table; back : as complete_toned gives it; file : of the result in the folder of a face."""
    columns = []
    for run, records in back.items():
        pairs = [(toned[face], read_restored(folder, face, run, file)) for face in records]
        far = np.concatenate([deviation(after[hole], TONES[name]) for (_, hole), after in pairs] or [[np.nan]])
        decibels = np.mean([psnr(before, after, hole) for (before, hole), after in pairs] or [np.nan])
        columns += [np.quantile(far, 0.99), decibels]
    found = sum(record.get("one_tone", False) for record in records.values())
    print(f"{name:10} {found:>5}/{len(toned):<5}" + "".join(f"{value:10.2f}" for value in columns), flush=True)


@command
def main(argv=None):
    options = parse(argv)
    portraits = draw_holes(options.portraits, options.count, options.aligned)
    print(f"{'tone':10} {'found':11}{'99% before':>10}{'dB before':>10}{'99% after':>10}{'dB after':>10}")
    for name, folder in folders(options.pictures, TONES):
        toned = {stem: (put_in_tone(pixels, TONES[name], seed), hole)
                 for seed, (stem, (pixels, hole)) in enumerate(portraits.items())}
        print_row(name, toned, folder, complete_toned(toned, folder, options),
                  file="completed.png" if options.aligned else "restored.png")


def parse(argv=None):
    parser = make_parser(__doc__)
    parser.add_argument("--aligned", action="store_true", help="they are aligned faces of 64 pixels a side")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
