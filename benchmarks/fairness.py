"""For whom a method is worse: an evaluation's numbers by attributes of the faces, such as CelebA's forty.

python -m benchmarks.fairness measured/ --attributes list_attr_celeba.txt

For each hole, method and measure the faces with an attribute are compared with those without it: means, and their
difference with a 95 % interval and a test that is corrected for the number of attributes. With --against the numbers
are differences of two methods face by face, so that faces which are hard for every method do not count. Printed is the
worst group by each measure; fairness.md, .csv and .json have all.
"""
import sys
from pathlib import Path

import numpy as np

from dataset.listing import read_lines
from evaluation.comparison import read_results
from evaluation.tables import to_csv
from helpers import NO_INPUT, UsageError, counted, write_file, write_json
from metrics.intervals import group_difference, holm, mean_interval
from metrics.ranking import SIGNS, better
from shell.command import command
from shell.lock import claim_folder
from shell.messages import say, warn
from shell.options import Parser, whole_number
from shell.progress import Progress

MEASURES = {"hole_psnr": ".2f", "hole_ssim": ".3f", "identity": ".3f", "hole_tone": ".2f"}
CHANCE = .05                                            # of any false difference among all attributes
GROUPS = "with", "without"


def read_attributes(lines):
    """(names of the attributes, {file stem: (A,) bool}) of CelebA's list_attr_celeba.txt, or of it as CSV.

    lines : how many faces (may lack), the names, and "000001.jpg -1 1 ..." for each face
    Raises UsageError that names the first line which is another.
    """
    rows = [(number, fields) for number, line in enumerate(lines, 1) if (fields := line.replace(",", " ").split())]
    rows = rows[1:] if rows and len(rows[0][1]) == 1 and rows[0][1][0].isdecimal() else rows
    if len(rows) < 2:
        raise UsageError("the attributes are empty: expected a line of names, and a line for every face", NO_INPUT)
    names = [name for name in rows[0][1] if name != "image_id"]
    faces = {}
    for number, (file, *values) in rows[1:]:
        if len(values) != len(names) or set(values) - {"1", "-1"}:
            raise UsageError(f"line {number} of the attributes is {' '.join([file, *values])[:80]!r}, expected a file "
                             f"name and {len(names)} times 1 or -1")
        faces[file.rsplit(".", 1)[0]] = np.array(values) == "1"
    return names, faces


def compare_groups(values, has, measure, smallest):
    """What a measure says of each attribute that at least `smallest` faces have, and as many have not.

    values : (N,) numbers of the faces; has : {attribute: (N,) bool}

    Returns [{"attribute", "with": (n, mean, low, high), "without": the same, "difference": (mean of those with it minus
    mean of the others, low, high), "p" corrected by Holm, "worse": which of the two is clearly worse, or ""}].
    """
    rows, p_values, sign = [], [], SIGNS[better(measure)]
    for attribute, mask in has.items():
        groups = values[mask], values[~mask]
        if min(map(len, groups)) < smallest:
            continue
        *difference, p = group_difference(*groups)
        p_values.append(p)
        rows.append({"attribute": attribute, **{name: (len(group), *mean_interval(group))
                                                for name, group in zip(GROUPS, groups)}, "difference": difference})
    return [row | {"p": p, "worse": GROUPS[sign * row["difference"][0] > 0] if p < CHANCE else ""}
            for row, p in zip(rows, holm(p_values))]


def find_worst(rows, measure):
    """(row, "with" or "without") of the group with the worst mean among those that are clearly worse, else None."""
    sign = SIGNS[better(measure)]
    return min(((row, row["worse"]) for row in rows if row["worse"]), default=None,
               key=lambda group: sign * group[0][group[1]][1])


def read_numbers(results, attributes, against):
    """{(mask, method): {measure: (names, numbers)}} of an evaluation's faces that have attributes.

    results : as read_results gives them; against : the method whose numbers are taken off, or None
    """
    groups = {}
    for (mask, method, face), record in results.items():
        other = results.get((mask, against, face)) if against else {}
        if face not in attributes or method == against or other is None:
            continue
        for measure in MEASURES:
            pair = record.get(measure), other.get(measure) if against else 0
            if None not in pair:
                names, numbers = groups.setdefault((mask, method), {}).setdefault(measure, ([], []))
                names.append(face)
                numbers.append(pair[0] - pair[1])
    return groups


def as_csv(rows):
    """All comparisons, a line each."""
    numbers = "n", "mean", "low", "high"
    head = ["mask", "method", "measure", "attribute", *(f"{group}_{name}" for group in GROUPS for name in numbers),
            "difference", "difference_low", "difference_high", "p", "worse"]
    return to_csv(head, ([row["mask"], row["method"], row["measure"], row["attribute"], *row["with"], *row["without"],
                          *row["difference"], row["p"], row["worse"]] for row in rows))


def as_markdown(rows, mask, method):
    """A table of one mask and method: an attribute a line, with minus without it; bold is what no chance explains."""
    cells, counts = {}, {}
    for row in rows:
        mean, low, high = row["difference"]
        style = MEASURES[row["measure"]]
        text = f"{mean:+{style}} ± {(high - low) / 2:{style}}"
        cells.setdefault(row["attribute"], {})[row["measure"]] = f"**{text}**" if row["worse"] else text
        counts[row["attribute"]] = f"{row['with'][0]}, {row['without'][0]}"
    measures = [name for name in MEASURES if any(name in line for line in cells.values())]
    lines = [["attribute", "faces with, without", *measures], ["---"] * (2 + len(measures))]
    lines += [[attribute, counts[attribute], *(line.get(name, "–") for name in measures)]
              for attribute, line in cells.items()]
    return f"## {mask}, {method}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def compare_all(groups, names, attributes, smallest, progress):
    """The rows of compare_groups for every mask, method and measure, which they name."""
    rows = []
    for (mask, method), measures in progress.each(groups.items()):
        for measure, (faces, numbers) in measures.items():
            table = np.stack([attributes[face] for face in faces])
            compared = compare_groups(np.array(numbers), dict(zip(names, table.T)), measure, smallest)
            rows += [{"mask": mask, "method": method, "measure": measure, **row} for row in compared]
    return rows


def describe_worst(rows, mask, method, measure):
    """A line that names the worst group, and how far it is from the others."""
    rows = [row for row in rows if (row["mask"], row["method"], row["measure"]) == (mask, method, measure)]
    if (worst := find_worst(rows, measure)) is None:
        return f"{mask} {method} {measure}: no group is clearly worse"
    (row, group), style = worst, MEASURES[measure]
    mean, low, high = row["difference"]
    bounds = (mean, low, high) if group == "with" else (-mean, -high, -low)
    difference, low, high = (format(bound, f"+{style}") for bound in bounds)
    return (f"{mask} {method} {measure}: worst {group} {row['attribute']} ({counted(row[group][0], 'face')}): "
            f"{row[group][1]:{style}}, {difference} [{low}, {high}] from the others")


def check_names(results, attributes, path):
    """Warn of faces without attributes; raises UsageError (exit code 3) if none has any."""
    faces = {face for *_, face in results}
    if lost := sorted(faces - attributes.keys()):
        if len(lost) == len(faces):
            raise UsageError(f"none of {counted(len(faces), 'face')} is in {path}, such as {lost[0]}: their names must "
                             f"be those of the data, such as {next(iter(attributes))}", NO_INPUT)
        warn(f"left out: {len(lost):,} of {counted(len(faces), 'face')}, without a line in {path}, such as {lost[0]}")


@command
def main(argv=None):
    options = parse(argv)
    results = read_results(options.evaluation, warn)
    names, attributes = read_attributes(read_lines(options.attributes, "the attributes"))
    check_names(results, attributes, options.attributes)
    methods = {method for _, method, _ in results}
    if options.against and (options.against not in methods or len(methods) < 2):
        raise UsageError(f"--against {options.against} needs this method and another in {options.evaluation}, which "
                         f"has {', '.join(sorted(methods))}")
    groups = read_numbers(results, attributes, options.against)
    with Progress(len(groups), "holes and methods") as progress:
        rows = compare_all(groups, names, attributes, options.smallest, progress)
    if not rows:
        raise UsageError(f"no attribute parts the faces into two groups of {options.smallest} or more: evaluate more "
                         "faces, or lower --smallest", NO_INPUT)
    with claim_folder(options.out_dir):
        write(options.out_dir, rows, groups)
    for (mask, method), measures in groups.items():
        for measure in measures:
            say(describe_worst(rows, mask, method, measure))
    if absent := [name for name in MEASURES if all(name not in measures for measures in groups.values())]:
        warn(f"{options.evaluation} has no {', '.join(absent)}, which later evaluations measure")


def write(out, rows, groups):
    """Write fairness.md, .csv and .json."""
    tables = [as_markdown([row for row in rows if (row["mask"], row["method"]) == key], *key) for key in groups]
    write_file(Path(out, "fairness.md"), "\n".join(tables).encode())
    write_file(Path(out, "fairness.csv"), as_csv(rows).encode())
    write_json(Path(out, "fairness.json"), {"rows": rows})


def parse(argv=None):
    parser = Parser("Measure for which groups of faces a method is worse.",
                    "python -m benchmarks.fairness measured/ --attributes list_attr_celeba.txt\n"
                    "python -m benchmarks.fairness measured/ --attributes list_attr_celeba.txt --against laplace")
    parser.add_argument("evaluation", metavar="EVALUATION", help="folder that evaluate_completion.py has written")
    parser.add_argument("--attributes", required=True, metavar="FILE", help="CelebA's list_attr_celeba.txt, or another "
                        "file of its form")
    parser.add_argument("--against", metavar="METHOD", help="compare how far the others are from this method, face by "
                        "face")
    parser.add_argument("--smallest", type=whole_number(2), default=30, metavar="N", help="faces that a group needs; "
                        "an attribute with fewer on either side is left out")
    parser.add_argument("--out_dir", default="fairness", metavar="DIR", help="folder for the tables")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
