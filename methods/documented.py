"""What was measured of methods and recipes, read from the documentation's tables, so that no number stands twice."""
import itertools
import re
import textwrap
from pathlib import Path

from completion.recipes import describe_recipes
from helpers import read_bytes
from models import LEARNED

from . import METHODS, NEED_FACES

PAGES = Path(__file__).resolve().parents[1] / "docs"
WIDTH = 100                                             # columns of a terminal


def list_methods():
    """Lines that name every method, what it needs, and its quality and time as the documentation has them."""
    captions, tables = zip(*(_figures(page, heading, "centre") for page, heading in
                             (("evaluation.md", "Every method, every hole"), ("numbers.md", "Completion"))))
    rows = [["method", "what it needs", "centre hole", "ms a face"]]
    needs = dict.fromkeys(METHODS, "nothing") | dict.fromkeys(("latent", *LEARNED), "a model") | dict.fromkeys(
        NEED_FACES, "training faces")
    rows += [[name, needs[name], *(figures.get(name, "–") for figures in tables)] for name in METHODS]
    return [*itertools.chain(*captions), "", *columns(rows)]


def list_recipes():
    """Lines that say what was measured of every recipe, and what it has other than the report's."""
    caption, head, rows = read_table("evaluation.md", "Recipes")
    kept = [place for place, name in enumerate(head) if name != "source"]
    lines = [textwrap.wrap(line, WIDTH, subsequent_indent="  ") for line in describe_recipes()]
    return [*caption, "", *columns([[row[place].strip("`") for place in kept] for row in (head, *rows)]), "",
            "where each comes from, and what it has other than the report's:", "", *itertools.chain(*lines)]


def columns(rows):
    """Rows of texts as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def read_table(page, heading):
    """(lines of what stands above it, head, rows) of the first table below a heading of a page, without bold type."""
    text = read_bytes(PAGES / page).decode().partition(f"\n## {heading}\n")[2]
    before, bar, table = text.partition("\n\n|")
    lines = itertools.takewhile(lambda line: line.startswith("|"), (bar.strip() + table).splitlines())
    head, _, *rows = ([cell.strip() for cell in line.replace("**", "").strip()[1:-1].split("|")] for line in lines)
    return textwrap.wrap(f"{before.splitlines()[-1].rstrip('.:')} (docs/{page}):", WIDTH), head, rows


def _figures(page, heading, column):
    """(lines above a table, {name: cell of a column} by the names in the rows' first cells, of each the first row)"""
    caption, head, rows = read_table(page, heading)
    named = ((name, row[head.index(column)]) for row in rows[::-1] for name in re.findall(r"`(\w+)`", row[0]))
    return caption, dict(named)
