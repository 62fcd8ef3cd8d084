"""How photos with two damaged faces come back: portraits side by side, the right one smaller, completed by the command.

python -m benchmarks.photo_pairs samples/ --count 24

Every pair gets every kind of damage: a hole on both faces; a speck on the larger face and a hole on the smaller; a
fold across both. Printed are of how many pairs both faces were completed, how many came back at all, and the mean PSNR
in the hole on the larger and on the smaller face, over the pairs that came back.
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dataset.listing import find_photos
from metrics.images import psnr
from pictures.photo import read_photo
from preprocess.faces import FaceFinder
from shell.command import command

from .portraits import complete, draw_block, folders, make_parser, place_faces, read_restored, write_damaged

SMALLER = 0.8                                           # the height of the right portrait, over what it was
SPECK, FOLD = 1, 3                                      # pixels of the photo from the middle to the border


def join(left, right):
    """Two (H, W, 3) uint8 portraits side by side on grey, the right one smaller."""
    right = Image.fromarray(right)
    right = np.asarray(right.resize([round(SMALLER * side) for side in right.size]))
    pair = np.full((max(len(left), len(right)), left.shape[1] + right.shape[1], 3), 128, np.uint8)
    pair[:len(left), :left.shape[1]], pair[:len(right), left.shape[1]:] = left, right
    return pair


def draw_holes(kind, blocks):
    """The damage on each of two faces, (H, W) bool, by the holes over nose and mouth, the larger face's first."""
    if kind == "both":
        return blocks
    middles = [np.argwhere(block).mean(axis=0).astype(int) for block in blocks]
    drawn = np.zeros_like(blocks[0])
    if kind == "speck":
        drawn[tuple(slice(at - SPECK, at + SPECK + 1) for at in middles[0])] = True
        return drawn, blocks[1]
    (row, column), (end, last) = middles
    for at in range(drawn.shape[1]):
        middle = round(row + (at - column) * (end - row) / (last - column))
        drawn[max(middle - FOLD, 0):max(middle + FOLD + 1, 0), at] = True
    return [drawn & block for block in blocks] + [drawn]


KINDS = "both", "speck", "fold"


def find_pairs(folder, count):
    """{name: (photo, [hole over nose and mouth of each of its faces])} of the first pairs of which both are found."""
    sources, finder, pairs = [source.path for source in find_photos([folder])[0]], FaceFinder(), {}
    for left, right in zip(sources[::2], sources[1::2]):
        photo = join(read_photo(left).pixels, read_photo(right).pixels)
        blocks = [draw_block(matrix, photo.shape[:2]) for matrix in place_faces(finder, photo)]
        if len(blocks) == 2:
            pairs[f"{Path(left).stem}_{Path(right).stem}"] = photo, blocks
        if len(pairs) == count:
            break
    return pairs


def complete_pairs(kind, pairs, folder, arguments):
    """Run the command on pairs with a kind of damage; returns the holes on each of their faces, and what came back."""
    holes = {name: draw_holes(kind, blocks) for name, (_, blocks) in pairs.items()}
    for name, (photo, _) in pairs.items():
        write_damaged(folder, name, photo, np.any(holes[name], axis=0))
    return holes, complete(folder, folder / "holes", arguments=["--paste_back", *arguments])


@command
def main(argv=None):
    options = parse(argv)
    pairs = find_pairs(options.portraits, options.count)
    print(f"{'damage':8} {'both faces':>10} {'came back':>10} {'larger dB':>10} {'smaller dB':>10}")
    for kind, folder in folders(options.pictures, KINDS):
        print_row(kind, pairs, folder, *complete_pairs(kind, pairs, folder, options.arguments))


def print_row(kind, pairs, folder, holes, back):
    """A row of the table; back : {name: record} of what came back."""
    restored = {name: read_restored(folder, name) for name in back}
    both = sum(len(record.get("further_faces", ())) == 1 for record in back.values())
    decibels = [np.mean([psnr(pairs[name][0], restored[name], holes[name][face]) for name in back] or [np.nan])
                for face in (0, 1)]
    print(f"{kind:8} {both:>7}/{len(pairs)} {len(back):>7}/{len(pairs)} {decibels[0]:10.2f} {decibels[1]:10.2f}",
          flush=True)


def parse(argv=None):
    return make_parser(__doc__, count=24).parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
