"""What is said of methods and recipes is what the documentation has measured."""
import re

import evaluate_completion
import face_completion
from completion.recipes import RECIPES, SOURCES
from methods import METHODS
from methods.documented import PAGES, read_table


def cells(lines, name):
    return next(re.split(r"  +", line) for line in lines if line.split(" ")[0] == name)


def test_every_method_is_listed_with_quality_and_time_of_its_row_in_the_documentation(run):
    ended = run(evaluate_completion.main, "--list_methods")
    lines = ended.out.splitlines()
    assert ended.code == 0 and all(len(line) <= 100 for line in lines)
    assert [line.split(" ")[0] for line in lines[-len(METHODS):]] == list(METHODS)
    text = (PAGES / "evaluation.md").read_text().replace("**", "")
    for name in ("latent", "telea", "nearest"):
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}`") and line.count("/") > 9)
        assert cells(lines, name)[2] == row.split("|")[2].strip()
        assert re.fullmatch(r"[\d.,]+( to [\d,]+)?", cells(lines, name)[3])
    assert cells(lines, "nearest")[1] == "training faces" and "November 2026" in lines[0]


def test_every_recipe_is_listed_with_its_figures_and_its_source(run):
    ended = run(face_completion.main, "--list_recipes")
    lines = ended.out.splitlines()
    assert ended.code == 0 and all(len(line) <= 100 for line in lines)
    for name in RECIPES:
        assert re.fullmatch(r"\d\d\.\d\d / \.\d{3}", cells(lines, name)[2]) and cells(lines, name)[3]
        assert any(line.startswith(f"{name}: {SOURCES[name]}"[:60]) for line in lines)


def test_a_table_is_read_without_its_type():
    caption, head, rows = read_table("evaluation.md", "Recipes")
    assert " ".join(caption).endswith("(docs/evaluation.md):") and head[0] == "recipe" and len(rows) == len(RECIPES)
    assert rows[0][0] == "`best`" and "*" not in "".join(rows[0])
