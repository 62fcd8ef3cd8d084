"""Split aligned faces into train, validation and test.

python -m preprocess.split_dataset PROCESSED/ processed-data/ --train 60000 --validation 5000 --test 1000
"""
import os
import sys
from pathlib import Path

import helpers
from dataset.listing import find_photos
from dataset.splits import SIDES, split_by_partition, split_by_seed, without_copies
from helpers import BadPhoto, UsageError
from shell.command import command
from shell.lock import LOCK, check_file, claim_folder, inside
from shell.messages import say, warn
from shell.options import Parser, output_path, whole_number
from shell.progress import Progress


def parse(argv=None):
    """The command line as a namespace."""
    parser = Parser("Split a folder of faces into three that share no photo. Files are hard links where possible.",
                    "python -m preprocess.split_dataset PROCESSED/ processed-data/ --train 60000 --validation 5000 "
                    "--test 1000")
    parser.add_argument("input", metavar="INPUT", help="folder of aligned faces")
    parser.add_argument("output", type=output_path, metavar="OUTPUT",
                        help="folder for train/, validation/, test/ and their lists")
    for side in SIDES:
        parser.add_argument(f"--{side}", type=whole_number(), metavar="N",
                            help=f"faces of {side} (needed without --partition; with it, at most so many)")
    parser.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides who goes where")
    parser.add_argument("--partition", metavar="FILE", help="CelebA's list_eval_partition.txt instead of a seed")
    return parser.parse_args(argv)


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    options = parse(argv)
    sizes = {side: getattr(options, side) for side in SIDES}
    if not options.partition and None in sizes.values():
        raise UsageError("name --train, --validation and --test, or a --partition file")
    check_file(Path(options.output, LOCK))
    sources, failures = find_photos([options.input], exclude=options.output, warn=warn)
    if not sources:
        raise UsageError(f"no images found in {options.input}", helpers.NO_INPUT)
    names = {os.path.relpath(source.path, source.root): source.path for source in sources}
    with Progress(len(names), "photos read") as progress:
        unique = without_copies(progress.each(read_all(names, failures)))
    split, unknown = deal(unique, sizes, options)
    with claim_folder(options.output, "split"), Progress(None, "photos placed") as progress:
        check_output(Path(options.output), split)
        for side in SIDES:
            folder = Path(options.output, side)
            helpers.make_folder(folder)
            for name in progress.each(split[side]):
                helpers.link_file(names[name], folder / name)
            lines = b"".join(os.fsencode(name) + b"\n" for name in split[side])
            helpers.write_file(Path(options.output, f"{side}.txt"), lines)
    if len(unique) < len(names):
        warn(f"{len(names) - len(unique)} copies of other photos were left out")
    if unknown:
        warn(f"{len(unknown)} photos are not in {options.partition} and were left out, such as {unknown[0]}")
    for path, problem in failures:
        warn(f"{path}: {problem}")
    say(", ".join(f"{len(split[side])} {side}" for side in SIDES) + f" in {options.output}")
    return helpers.SOME_FAILED if failures else 0


def read_all(names, failures):
    """Yield (name, bytes) of every file that can be read; the others join the failures."""
    for name, path in names.items():
        try:
            yield name, helpers.read_file(path)
        except BadPhoto as problem:
            failures.append((path, problem))


def deal(names, sizes, options):
    """({side: names}, names left out because the partition does not know them)."""
    if not options.partition:
        return split_by_seed(names, sizes, options.seed), []
    stems = {Path(name).stem: name for name in names}
    if len(stems) < len(names):
        raise UsageError("two faces share a file name: a --partition cannot tell them apart")
    try:
        with helpers.open_plain(options.partition) as file:
            partition = file.read().decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the partition {options.partition}: {error}") from error
    return split_by_partition(stems, partition, sizes)


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
        present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        if strange := sorted(present - expected):
            raise UsageError(f"{folder} holds {len(strange)} files of another split, such as {strange[0]}: choose "
                             "another OUTPUT")


if __name__ == "__main__":
    sys.exit(main())
