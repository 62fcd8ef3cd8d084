"""Say what of a data set is missing or damaged: photos, aligned faces, a split or a pack.

Every picture below a folder is read to its end, and those are looked for that are named: in what align_dlib and
split_dataset wrote there, and in a list of the data set's own; a pack is held to its checksums.

python -m preprocess.check_dataset img_align_celeba/ --list list_eval_partition.txt
"""
import collections
import os
import sys
from pathlib import Path

import helpers
from dataset.listing import ALIGNMENT, find_photos, read_lines
from dataset.splits import SIDES
from dataset.store import DESCRIPTION, Pack, is_pack
from helpers import BadPhoto, UsageError, counted, read_bytes, read_json
from pictures.photo import SUFFIXES, read_photo
from shell.command import command
from shell.messages import report_failures, say
from shell.options import Parser, whole_number
from shell.progress import Progress
from shell.records import read_records
from shell.signals import StopRequest
from shell.sources import read_list


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("folder", metavar="DIR", help="folder of photos, of aligned faces, of a split, or of a pack")
    parser.add_argument("--list", metavar="FILE", help="a text file whose lines begin with the name of a photo, such "
                        "as CelebA's list_eval_partition.txt; suffixes do not matter")
    parser.add_argument("--count", type=whole_number(), metavar="N", help="how many pictures there should be")
    return parser.parse_args(argv)


@command
def main(argv=None):
    options = parse(argv)
    return check_pack(options) if is_pack(options.folder) else check_folder(options)


def check_pack(options):
    """Say what a pack holds; returns the exit code. Raises UsageError (exit code 3) if it is not as it was written."""
    if options.list:
        raise UsageError(f"{options.folder} is a pack, which keeps no names: not with --list")
    side = read_json(Path(options.folder, DESCRIPTION)).get("image_size")
    with Progress(None, "files"), StopRequest() as stop:
        count = len(Pack(options.folder, side, stop.check))
    say(f"a pack of {counted(count, 'face')} ({side}x{side}), whole")
    return helpers.SOME_FAILED if is_other_count(options, count) else 0


def check_folder(options):
    """Say what of a folder of pictures is whole, damaged and missing; returns the exit code."""
    sources, failures = find_photos([options.folder])
    if not sources and all(problem.reason == "missing" for _, problem in failures):
        raise UsageError(f"no images found in {options.folder}", helpers.NO_INPUT)
    damaged, sizes = dict(failures), collections.Counter()
    with Progress(len(sources), "pictures") as progress, StopRequest() as stop:
        for source in sources:
            stop.check()
            try:
                height, width = read_photo(source.path).pixels.shape[:2]
                sizes[f"{width}x{height}"] += 1
            except BadPhoto as problem:
                damaged[source.path] = problem
            progress.update()
    report_failures(damaged.items())
    absent = sorted(find_absent(options, {os.path.relpath(source.path, source.root) for source in sources}))
    report_failures((name, BadPhoto("missing")) for name in absent)
    common = ", ".join(f"{count} of {size}" for size, count in sizes.most_common(3))
    others = f", {len(sizes) - 3} other sizes" if len(sizes) > 3 else ""
    say(f"{sizes.total()} whole ({common}{others}), {len(damaged)} damaged, {len(absent)} missing")
    wrong = is_other_count(options, sizes.total())
    return helpers.SOME_FAILED if damaged or absent or wrong else 0


def is_other_count(options, count):
    """Whether there should be another number of pictures, which is said then."""
    if wrong := options.count not in (None, count):
        say(f"expected {options.count}")
    return wrong


def find_absent(options, present):
    """The names that a list or a record has and no picture bears; present : paths below the folder."""
    folder, named = Path(options.folder), set()
    for record in read_records(folder / ALIGNMENT[0], only_sealed=True, source=str, status=str):
        named |= {record["output"], *record.get("further_outputs", ())} if record["status"] == "done" else set()
    for side in SIDES:
        if (folder / f"{side}.txt").is_file() and (folder / side).is_dir():
            named |= {os.path.join(side, name) for name in read_list(read_bytes(folder / f"{side}.txt"))}
    absent = named - present
    if options.list:
        stems = {Path(path).stem for path in present}
        first = [line.split()[0] for line in read_lines(options.list, "the list") if line.strip()]
        absent |= {name for name in first if Path(name).suffix.lower() in SUFFIXES and Path(name).stem not in stems}
    return absent


if __name__ == "__main__":
    sys.exit(main())
