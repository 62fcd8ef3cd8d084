"""Split a folder of faces into three that share no photo, nor one that is nearly the same.

Files are hard links where possible.

python -m preprocess.split_dataset PROCESSED/ split/ --train 60000 --validation 5000 --test 1000
"""
import argparse
import contextlib
import os
import sys
from pathlib import Path

import numpy as np

import helpers
from dataset.listing import read_lines
from dataset.splits import SIDES, join_groups, read_identities, split_by_partition, split_by_seed, without_copies
from helpers import BadPhoto, UsageError, counted
from pictures.photo import read_photo
from shell.command import command
from shell.lock import LOCK, check_file, claim_folder, inside
from shell.messages import report_failures, say, warn
from shell.options import Parser, number, whole_number
from shell.progress import Progress
from shell.sources import find_in_folder

PAGE = "dataset.html"
NEAR = 32                                               # bits; recompressed crops differ in up to 20, faces in 56


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("input", metavar="INPUT", help="folder of aligned faces")
    parser.add_argument("output", metavar="OUTPUT", help="folder for train/, validation/, test/ and their lists")
    for side in SIDES:
        parser.add_argument(f"--{side}", type=_count_or_share, metavar="N", help=f"faces of {side}: a count, "
                            "or a share such as 0.8 (needed without --partition; with it, at most so many)")
    parser.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides who goes where")
    parser.add_argument("--partition", metavar="FILE", help="CelebA's list_eval_partition.txt instead of a seed")
    parser.add_argument("--identity", metavar="FILE", help="keeps each person on one side: CelebA's "
                        "identity_CelebA.txt, or the word folder where each person has one, as in LFW")
    parser.add_argument("--near", type=whole_number(0, 127), default=NEAR, metavar="BITS", help="faces whose hashes of "
                        "255 bits differ in at most so many are near-duplicates and go to one side; 0 looks for none")
    options = parser.parse_args(argv)
    if options.partition and options.identity:
        parser.error("--identity is for splits by a seed: a --partition says itself who goes where")
    return options


def _count_or_share(text):
    """An argparse type: a whole number, or a share above 0 and below 1."""
    if text.startswith(("0.", ".")):
        return number(0, above=0)(text)
    try:
        return whole_number()(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; or a share above 0 and below 1, such as 0.8") from error


@command
def main(argv=None):
    options = parse(argv)
    sizes = {side: getattr(options, side) for side in SIDES}
    if not options.partition and None in sizes.values():
        raise UsageError("name --train, --validation and --test, or a --partition file")
    check_file(Path(options.output, LOCK))
    sources, failures = find_in_folder(options.input, exclude=options.output, warn=warn)
    names = {os.path.relpath(source.path, source.root): source.path for source in sources}
    with Progress(len(names), "photos read") as progress:
        unique = without_copies(progress.each(read_all(names, failures)))
    with Progress(None, "looking for near-duplicates"):
        pairs = find_near([names[name] for name in unique], options.near) if options.near else []
    split, unknown = deal(unique, to_counts(sizes, len(unique)), pairs, options)
    with claim_folder(options.output, "split"), Progress(None, "photos placed") as progress:
        check_output(Path(options.output), split)
        for side in SIDES:
            folder = Path(options.output, side)
            helpers.make_folder(folder)
            for name in progress.each(split[side]):
                helpers.link_file(names[name], folder / name)
            lines = b"".join(os.fsencode(name) + b"\n" for name in split[side])
            helpers.write_file(Path(options.output, f"{side}.txt"), lines)
        show(split, names, [(unique[i], unique[j], bits) for i, j, bits in pairs], options)
    if len(unique) < len(names):
        warn(f"left out: {counted(len(names) - len(unique), 'copy', 'copies')} of other photos")
    if unknown:
        warn(f"left out: {counted(len(unknown), 'photo')} without a line in {options.partition}, such as {unknown[0]}")
    report_failures(failures)
    say(", ".join(f"{len(split[side]):,} {side}" for side in SIDES) + f" in {options.output}")
    return helpers.SOME_FAILED if failures else 0


def read_all(names, failures):
    """Yield (name, bytes) of every file that can be read; the others join the failures."""
    for name, path in names.items():
        try:
            yield name, helpers.read_file(path)
        except BadPhoto as problem:
            failures.append((path, problem))


def find_near(paths, bits):
    """[(i, j, distance)] of the near-duplicates among pictures; what is no picture is like no other."""
    from dataset.duplicates import near_pairs, picture_hash
    hashes, places = [], []
    for index, path in enumerate(paths):
        with contextlib.suppress(BadPhoto):
            hashes.append(picture_hash(read_photo(path).pixels))
            places.append(index)
    return [(places[i], places[j], distance) for i, j, distance in near_pairs(np.array(hashes), bits)] if hashes else []


def to_counts(sizes, total):
    """Sizes with shares of `total` as counts, so that sides which are all of it leave none out."""
    counts, share = {}, 0.0
    for side, size in sizes.items():
        if isinstance(size, float):
            begun, share = share, share + size
            size = round(min(share, 1) * total) - round(begun * total)
        counts[side] = size
    if share > 1 + 1e-9:
        raise UsageError(f"the shares add up to {share:g}, more than 1")
    return counts


def deal(names, sizes, pairs, options):
    """({side: names}, names left out because the partition does not know them)."""
    if not options.partition:
        groups = join_groups(names, people_of(names, options.identity), [(i, j) for i, j, _ in pairs])
        shares = [side for side in SIDES if isinstance(getattr(options, side), float)]
        return split_by_seed(names, sizes, options.seed, groups, shares), []
    stems = {Path(name).stem: name for name in names}
    if len(stems) < len(names):
        raise UsageError("two faces share a file name: a --partition cannot tell them apart")
    split, unknown = split_by_partition(stems, read_lines(options.partition, "the partition"), sizes)
    if len(unknown) == len(names):
        raise UsageError(f"{options.partition} names none of the photos in {options.input}, such as {names[0]}")
    return split, unknown


def people_of(names, identity):
    """Who is on each picture, or a name of its own where nobody knows."""
    if identity is None:
        return names
    if identity == "folder":
        return [str(Path(name).parent) for name in names]
    people, stems = read_identities(read_lines(identity, "the identities")), [Path(name).stem for name in names]
    if unknown := [name for name, stem in zip(names, stems) if stem not in people]:
        warn(f"{counted(len(unknown), 'photo')} without a line in {identity}, each taken for a person of its own, such "
             f"as {unknown[0]}")
    return [f"person {people[stem]}" if stem in people else name for name, stem in zip(names, stems)]


def show(split, names, near, options):
    """Say what near-duplicates there are, and write the page of the data set."""
    from output.dataset_page import write_dataset_page
    sides = {name: side for side, dealt in split.items() for name in dealt}
    if apart := [pair for pair in near if len({sides[name] for name in pair[:2] if name in sides}) > 1]:
        warn(f"{counted(len(apart), 'pair')} of near-duplicates on two sides, as {options.partition} has it, such as "
             f"{apart[0][0]} and {apart[0][1]}")
    write_dataset_page(Path(options.output, PAGE), {side: [names[name] for name in split[side]] for side in SIDES},
                       [(names[one], names[other], bits) for one, other, bits in near],
                       {name: getattr(options, name) for name in ("input", *SIDES, "seed", "partition", "identity",
                                                                  "near")})


def check_output(output, split):
    """Raise UsageError if another split lies there: its photos would end up on two sides."""
    for side in SIDES:
        folder, expected = output / side, set(split[side])
        for name in split[side]:
            inside(output, os.path.join(side, name))
        if not folder.is_dir():
            if folder.exists():
                raise UsageError(f"{folder} is no folder", helpers.BAD_OUTPUT)
            continue
        present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
                   and not helpers.TEMPORARY.fullmatch(path.name)}
        if strange := sorted(present - expected):
            raise UsageError(f"{folder} holds {counted(len(strange), 'file')} of another split, such as {strange[0]}: "
                             "choose another OUTPUT", helpers.BAD_OUTPUT)


if __name__ == "__main__":
    sys.exit(main())
