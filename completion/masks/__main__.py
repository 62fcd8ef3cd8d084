"""Draw holes of every kind as PNG, white where a face is to be completed, and manifest.json.

python -m completion.masks holes/ --size 64 --seed 0 --count 10
"""
import sys
from pathlib import Path

import numpy as np

import helpers
from helpers import UsageError, counted
from shell.command import command
from shell.lock import claim_folder, inside
from shell.messages import say
from shell.options import Parser, whole_number
from shell.progress import Progress

from . import MASKS, make_hole


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("output", metavar="OUT", help="folder for <mask>/0000.png, ... and manifest.json")
    parser.add_argument("--masks", nargs="+", choices=list(MASKS), default=list(MASKS), help="which kinds")
    parser.add_argument("--size", type=whole_number(8, 8192), default=64, metavar="PIXELS", help="side of the pictures")
    parser.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides the drawn holes")
    parser.add_argument("--count", type=whole_number(1), default=10, metavar="N", help="holes of each kind")
    return parser.parse_args(argv)


@command
def main(argv=None):
    options = parse(argv)
    shares, output = {}, Path(options.output)
    with claim_folder(output, "holes"), Progress(len(options.masks) * options.count, "holes") as progress:
        old, new = helpers.read_json(output / "manifest.json"), {"size": options.size, "seed": options.seed}
        if changed := [name for name, value in new.items() if old.get(name, value) != value]:
            raise UsageError(f"{output} holds holes of another {' and '.join(changed)}: choose another OUT",
                             helpers.BAD_OUTPUT)
        for mask in options.masks:
            for index in progress.each(range(options.count)):
                name = f"{mask}/{index:04d}"
                hole = ~make_hole(mask, options.size, name, options.seed)
                picture = np.repeat(hole[..., None] * np.uint8(255), 3, axis=2)
                helpers.write_picture(inside(output, f"{name}.png"), picture)
                shares[f"{name}.png"] = round(float(hole.mean()), 5)
        helpers.write_json(output / "manifest.json", {
            **new, "white": "hole", "version": helpers.VERSION, "share_of_hole": read_shares(output, old) | shares})
    say(f"{counted(len(shares), 'hole')} in {output}")


def read_shares(output, manifest):
    """{picture: share of its hole} of a manifest, as far as the pictures are still there."""
    shares = manifest.get("share_of_hole")
    return {name: share for name, share in (shares if isinstance(shares, dict) else {}).items()
            if (output / name).is_file()}


if __name__ == "__main__":
    sys.exit(main())
