"""Measure a table of the documentation again, and say where it comes out otherwise.

python -m benchmarks.reproduce "every method" --dataset validation/ --train_faces train/
python -m benchmarks.reproduce recipes --dataset validation/

A row's first cell is its command: the method, and behind it the recipe or options of the search, all between backticks;
options alone are of the search.
"""
import hashlib
import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from completion.recipes import RECIPES
from evaluation.evaluated_folder import CONFIG, KEY, RESULTS
from helpers import NO_INPUT, SOME_FAILED, UsageError, counted, read_bytes, read_json, write_file
from methods import METHODS, NEED_FACES, documented
from models import LEARNED
from shell.command import command
from shell.lock import claim_folder
from shell.messages import say, warn
from shell.options import Parser, whole_number
from shell.records import read_records
from training.manifest import ROOT

LISTS, DIGESTS = "lists", "digests.json"
TOLERANCES = {"hole_psnr": (2, .01)}                    # digits of a figure, and by how much it may differ
OTHERS = 3, .001
MODELS = "model", "encoder", "likely", *sorted(set(LEARNED.values()))           # what an evaluation calls their digests


class Table(NamedTuple):
    """A table of the documentation.

    page, heading : as documented.read_table takes them; faces : name of their list; count : how many of them, in order
    columns : {its head: the hole}; metrics : what stands in a cell, with / between
    checkpoint : of the latent search, the shipped one of 64 pixels if it is None
    """
    page: str
    heading: str
    faces: str
    count: int
    columns: dict
    metrics: tuple
    checkpoint: str | None = None


HOLES = {"centre": "center", "random 80 %": "random", "half": "half", "pattern": "pattern"}
CENTRE = {"hole PSNR / SSIM": "center"}
SCORES = "hole_psnr", "hole_ssim"
ALL_SCORES = *SCORES, "identity", "face_frechet"
AT_128 = "checkpoint/celeba128"
TABLES = {
    "every method": Table("evaluation.md", "Every method, every hole", "validation_first_1000.txt", 1000, HOLES,
                          ALL_SCORES),
    "portraits": Table("evaluation.md", "Portraits", "portraits_399.txt", 399, HOLES, ALL_SCORES),
    "recipes": Table("evaluation.md", "Recipes", "validation_first_1000.txt", 32, CENTRE, SCORES),
    "dial": Table("search.md", "The dial", "validation_second_1000.txt", 256, CENTRE, SCORES),
    "128 pixels": Table("evaluation.md", "Faces of 128 pixels", "validation_first_1000.txt", 1000,
                        {"centre": "center"}, ALL_SCORES, AT_128),
    "other holes at 128": Table("evaluation.md", "Other holes at 128 pixels", "validation_first_1000.txt", 256,
                                {head: hole for head, hole in HOLES.items() if hole != "center"}, ALL_SCORES, AT_128),
    "sharp portraits": Table("evaluation.md", "Sharp portraits", "portraits_399.txt", 399, HOLES, ALL_SCORES, AT_128),
}


def read_row(cell):
    """(method, options of evaluate_completion.py) that a row's first cell means; raises UsageError if it means none.

    Only the latent search takes the recipe and options that stand behind it.
    """
    first, *others = re.findall(r"`([^`]+)`", cell) or [""]
    if first in RECIPES:
        return "latent", ["--recipe", first]
    if first.startswith("--"):
        return "latent", first.split()
    if first not in METHODS:
        raise UsageError(f"the row {cell!r} names no method or recipe")
    words = [["--recipe", word] if word in RECIPES else word.split() for word in others]
    return first, sum(words, []) if first == "latent" else []


def read_cell(text, metrics):
    """{metric: figure} of a cell, such as "22.98 / .694"; empty if nothing was measured."""
    return dict(zip(metrics, map(float, text.split("/")), strict=True)) if re.search(r"\d", text) else {}


def find_differences(figures, means):
    """The names of a cell's figures from which the measured means differ by more than the tolerance."""
    names = []
    for name, figure in figures.items():
        digits, tolerance = TOLERANCES.get(name, OTHERS)
        if name not in means or abs(round(means[name], digits) - figure) > tolerance + 1e-9:
            names.append(name)
    return names


def digest_faces(folder, names):
    """{"faces" and each hole's name: a digest of all of them in the order of the names} of an evaluation."""
    parts = {}
    for record in read_records(Path(folder, RESULTS), **KEY):
        parts.setdefault("faces", {})[record["face"]] = record["face_sha256"]
        parts.setdefault(record["mask"], {})[record["face"]] = record["hole_sha256"]
    return {kind: hashlib.sha256(" ".join(digests.get(name, "") for name in names).encode()).hexdigest()[:16]
            for kind, digests in parts.items()}


def name_model(method, checkpoint):
    """The options that have a method take its model of the shipped ones beside a checkpoint."""
    folder = str(ROOT / checkpoint)
    return (["--checkpoint", folder] if method == "latent" else
            ["--learned", f"{folder}-learned"] if method in LEARNED else [])


def write_list(table, dataset, out, count):
    """Write the list of the first `count` faces of a table; returns (its path, their names).

    A face that the list names without suffix is a PNG. Raises UsageError (exit code 3) if one of them is not in the
    data set.
    """
    lines = read_bytes(documented.PAGES / LISTS / table.faces).decode().splitlines()[:count]
    paths = [Path(dataset, line if Path(line).suffix else f"{line}.png").resolve() for line in lines]
    if lost := [path for path in paths if not path.is_file()]:
        raise UsageError(f"{counted(len(lost), 'face')} of {table.faces} missing in {dataset}, such as {lost[0].name}",
                         NO_INPUT)
    write_file(Path(out, "faces.txt"), "".join(f"{path}\n" for path in paths).encode())
    return Path(out, "faces.txt"), [path.stem for path in paths]


def evaluate(faces, method, masks, options, out):
    """Measure a method under some holes, as far as it has not been; faces : path of their list."""
    words = [sys.executable, ROOT / "evaluate_completion.py", "--from_file", faces, "--methods", method, "--masks",
             *masks, *options, "--out_dir", out]
    code = subprocess.run([str(word) for word in words], cwd=ROOT, stdout=subprocess.DEVNULL).returncode
    if code not in (0, SOME_FAILED):
        raise UsageError(f"evaluate_completion.py ended with {code}: {shlex.join(map(str, words[2:]))}",
                         128 - code if code < 0 else code)      # as a shell says that a signal has killed it


def check_row(table, row, head, folder):
    """Say what came out for each cell of a row beside what stands there; returns whether anything differs."""
    rows = {one["mask"]: one["metrics"] for one in read_json(Path(folder, "summary.json")).get("rows", ())}
    differs = False
    for column, mask in table.columns.items():
        figures = read_cell(row[head.index(column)], table.metrics)
        means = {name: interval[0] for name, interval in rows.get(mask, {}).items() if interval}
        odd = find_differences(figures, means)
        shown = (f"{show(name, means.get(name, math.nan))} ({show(name, figure)}{'!' * (name in odd)})"
                 for name, figure in figures.items())
        say(f"{row[0]}, {mask}: {' '.join(shown) or 'not in the table'}")
        differs |= bool(odd)
    return differs


def show(name, figure):
    """A figure of a metric as the documentation writes it, such as "22.80" and ".652"."""
    return f"{figure:.{TOLERANCES.get(name, OTHERS)[0]}f}".removeprefix("0")


def check_inputs(table, count, found):
    """Say whether faces and holes are those of the table; returns whether any differs."""
    faces = f"{count} by {table.checkpoint}" if table.checkpoint else str(count)
    known = read_json(documented.PAGES / LISTS / DIGESTS).get(table.faces, {}).get(faces, {})
    for kind, digest in found.items():
        say(f"{kind}: {digest}" + (f", the table's were {known[kind]}" if known.get(kind, digest) != digest else ""))
    return any(known.get(kind, digest) != digest for kind, digest in found.items())


@command
def main(argv=None):
    """Measure the table; returns 1 if anything differs from it."""
    options = parse(argv)
    table = TABLES[options.table]
    count, differs, digests = min(options.limit or table.count, table.count), False, {}
    _, head, rows = documented.read_table(table.page, table.heading)
    with claim_folder(options.out_dir):
        faces, names = write_list(table, options.dataset, options.out_dir, count)
        say(f"{', '.join(table.metrics)}, and in brackets those of the table, with ! where they differ:")
        for row in rows:
            method, words = read_row(row[0])
            if method in NEED_FACES and not options.train_faces:
                warn(f"{row[0]} needs --train_faces: passed over")
                continue
            words += ["--train_faces", os.path.abspath(options.train_faces)] if method in NEED_FACES else []
            words += name_model(method, table.checkpoint) if table.checkpoint else []
            masks = [mask for column, mask in table.columns.items()
                     if read_cell(row[head.index(column)], table.metrics)]
            folder = Path(options.out_dir, re.sub(r"[^\w.]+", "_", row[0]).strip("_")).resolve()
            evaluate(faces.resolve(), method, masks, words, folder)
            differs |= check_row(table, row, head, folder)
            config = read_json(folder / CONFIG)
            digests |= digest_faces(folder, names) | {key: config[key] for key in MODELS if config.get(key)}
    differs |= check_inputs(table, count, digests)
    if count < table.count:
        say(f"of {count} of the table's {table.count} faces: nothing follows from what differs")
    return SOME_FAILED if differs and count == table.count else 0


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("table", choices=list(TABLES), metavar="TABLE", help=" or ".join(TABLES))
    parser.add_argument("--dataset", required=True, metavar="DIR", help="folder of the aligned faces that docs/lists "
                        "names")
    parser.add_argument("--train_faces", metavar="DIR", help=f"aligned faces for {' and '.join(NEED_FACES)}, which are "
                        "passed over without them")
    parser.add_argument("--limit", type=whole_number(1), metavar="N", help="only the first N faces, as a trial: what "
                        "differs then is no failure")
    parser.add_argument("--out_dir", default="reproduced", metavar="DIR", help="folder for the "
                        "evaluations, a row each; the same command goes on where it was")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
