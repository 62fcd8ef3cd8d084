"""Set what several runs of face_completion.py made of the same faces beside each other.

Of every face come the true and the masked one, as the last run saw them, then what each made of it, with its PSNR in
the hole and the name of the run's folder.

python -m output.beside sheet.png completed/ completed128/
"""
import sys
from pathlib import Path

import helpers
from helpers import NO_INPUT, BadPhoto, UsageError, counted
from pictures.photo import read_photo
from shell.command import command
from shell.lock import check_file
from shell.messages import say
from shell.options import Parser, whole_number
from shell.records import read_records

from .completed_folder import KEY, RESULTS
from .figures import caption, caption_width, write_sheet

ORIGINAL, MASKED, COMPLETED = "original.png", "masked.png", "completed.png"


@command
def main(argv=None):
    options = parse(argv)
    check_file(options.sheet)
    folders = [read_folder(folder) for folder in options.folders]
    names = [name for name in folders[-1] if all(name in records for records in folders)]
    if not names:
        raise UsageError("no face is complete in all of " + ", ".join(options.folders), NO_INPUT)
    names = names[::-(-len(names) // options.count)]
    rows = [draw_row(name, list(zip(options.folders, folders))) for name in names]
    side = max(max(len(picture), caption_width(text)) for row in rows for picture, text in row)
    write_sheet(options.sheet, [caption(picture, text, side) for row in rows for picture, text in row], len(rows[0]))
    say(f"{options.sheet}: {counted(len(names), 'face')}, true, masked, and of {', '.join(options.folders)}")


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("sheet", metavar="PNG", help="the picture to write")
    parser.add_argument("folders", nargs="+", metavar="COMPLETED", help="an --out_dir of face_completion.py")
    parser.add_argument("--count", type=whole_number(1, 200), default=8, metavar="N", help="faces at most, one a row")
    options = parser.parse_args(argv)
    if Path(options.sheet).suffix.lower() != ".png":
        parser.error(f"the sheet is written as PNG: call it {options.sheet}.png")
    return options


def read_folder(folder):
    """{name: record} of the faces that one run completed; UsageError (exit code 3) if there are none."""
    records = {record["name"]: record for record in read_records(Path(folder, RESULTS), **KEY)
               if record["status"] == "done" and {ORIGINAL, MASKED, COMPLETED} <= set(record["files"] or ())}
    if not records:
        raise UsageError(f"{folder} has no completed faces: name an --out_dir of face_completion.py", NO_INPUT)
    return records


def draw_row(name, folders):
    """[(picture, text)] of a face; folders : (folder, {name: record}) of each run.

    Raises UsageError (exit code 5) if one of its pictures is broken or gone.
    """
    def read(folder, file):
        path = Path(folder, name, file)
        try:
            return read_photo(path).pixels
        except BadPhoto as problem:
            raise UsageError(f"{path} cannot be read, {problem}: complete it again", helpers.BAD_OUTPUT) from problem
    last, _ = folders[-1]
    row = [(read(last, ORIGINAL), name), (read(last, MASKED), "masked")]
    for folder, records in folders:
        completed, psnr = read(folder, COMPLETED), records[name].get("hole_psnr")
        row.append((completed, (f"{psnr:.1f} dB, " if psnr is not None else "") + Path(folder).resolve().name))
    return row


if __name__ == "__main__":
    sys.exit(main())
