"""Fill the table of docs/reliability.md: into every cell, the tests that are marked with its row and command.

python -m tests.fault_table

A test says what it shows by `@pytest.mark.fault("F01 F02", "alignment", ...)`, with names of COMMANDS or GROUPS.
"""
import ast
import itertools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
COMMANDS = ("alignment", "split", "check", "pack", "training", "learned", "completion", "onnx", "evaluation", "compare",
            "reproduce", "masks", "samples", "shape", "latent", "export")
GROUPS = {"all": COMMANDS, "trained": ("training", "learned"),
          "writers": tuple(command for command in COMMANDS if command not in ("check", "compare")),
          "readers": ("alignment", "pack", "training", "learned", "completion", "onnx", "evaluation")}
ROW, HEADING = re.compile(r"\| (F\d\d) \|"), "## The tests\n"
LINKS = re.compile(r"\[\d+\]\([^)]*\) ?")


def expand(names):
    """The commands that a marker names, by themselves or by their group."""
    return [command for name in names for command in GROUPS.get(name, (name,))]


def read_marks():
    """{(row, command): [(file, test), ...]} of all markers, in the order of files and lines."""
    marks = {}
    for path in sorted(ROOT.glob("tests/**/test_*.py")):
        for test in ast.walk(ast.parse(path.read_text())):
            for mark in getattr(test, "decorator_list", ()):
                if ast.unparse(mark).startswith("pytest.mark.fault("):
                    rows, *names = map(ast.literal_eval, mark.args)
                    for row, command in itertools.product(rows.split(), expand(names)):
                        marks.setdefault((row, command), []).append((path.relative_to(ROOT).as_posix(), test.name))
    return marks


def fill(page, marks):
    """The page with the tests of `marks` in its cells and in its list; what says why a cell has no test stays."""
    tests = sorted({test for marked in marks.values() for test in marked})
    numbers = {test: number for number, test in enumerate(tests, 1)}
    lines = [_fill_row(line, marks, numbers) for line in page.partition(HEADING)[0].splitlines(keepends=True)]
    return "".join(lines) + HEADING + "".join(_list_tests(numbers))


def _fill_row(line, marks, numbers):
    if not (found := ROW.match(line)):
        return line
    parts = line.strip().strip("|").split("|")
    for at, command in enumerate(COMMANDS, -len(COMMANDS)):
        tests = marks.get((found[1], command), ())
        reason = LINKS.sub("", parts[at]).strip()
        parts[at] = f" {' '.join([reason, *(f'[{numbers[test]}](../{test[0]})' for test in tests)]).strip()} "
    return f"|{'|'.join(parts)}|\n"


def _list_tests(numbers):
    shown = None
    for (path, name), number in numbers.items():
        if path != shown:
            yield f"\n[{path}](../{path})\n\n"
        shown = path
        yield f"- {number} `{name.removeprefix('test_')}`\n"


if __name__ == "__main__":
    PAGE.write_text(fill(PAGE.read_text(), read_marks()))
