"""What people read is true: the floors, the links, the command lines and their options."""
import ast
import functools
import importlib
import io
import re
import shlex
from contextlib import redirect_stdout
from dataclasses import fields
from pathlib import Path

import pytest

import helpers
from training.run_folders import check_places
from training.settings import Places

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [
    *ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "checkpoint" / "README.md"])
TEXTS = {page: (ROOT / page).read_text() for page in PAGES}
LINK = re.compile(r"\]\(([^)\s]+)\)")
OPTION = re.compile(r"(?<![\w-])--[A-Za-z][\w-]*")
START = re.compile(r"(?<![\w/.-])python (?=-m [a-z]|\S+\.py\b)(.*)")
SUBCOMMANDS = "models.train", "completion.latent"                   # whose second word has options of its own
WITHOUT_HELP = "baselines.", "tests.", "pytest"                     # what only passes its options on, or is not ours
OTHERS = {"--nthreads", "--nodes", "--ntasks-per-node", "--gpus-per-node", "--no-binary", "--logdir"}    # not ours


def floors_of_tests():
    """{module: floor} as tests/test_floors.py has it, the commands included."""
    tree = ast.parse((ROOT / "tests" / "test_floors.py").read_text())
    found = {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body
             if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) in ("FLOORS", "COMMANDS")}
    return found["FLOORS"] | dict.fromkeys(found["COMMANDS"], 9)


def floors_of_page():
    """{module: floor} of the table in docs/architecture.md: | floor | `room/` or `module.py` | ..."""
    rows = re.findall(r"^\| (\d+) \| `([^`]+)` \|", TEXTS["docs/architecture.md"], re.M)
    return {name.removesuffix("/").removesuffix(".py").replace("/", "."): int(floor) for floor, name in rows}


def test_the_architecture_has_the_floors_that_are_tested():
    assert floors_of_page() == floors_of_tests()


def test_the_architecture_names_every_room():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert floors_of_page().keys() >= folders | {path.stem for path in ROOT.glob("*.py")}


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_exist(page):
    for target in LINK.findall(TEXTS[page]):
        if re.match(r"\w+:", target):
            continue
        path, _, heading = target.partition("#")
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), f"{page} points at {target}"
        assert not heading or heading in headings(there), f"{page} points at {target}, which has no such heading"


def headings(page):
    """The headings of a page as links name them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_picture_is_shown_somewhere():
    shown = {Path(target).name for text in TEXTS.values() for target in LINK.findall(text)}
    assert {path.name for path in ROOT.glob("docs/*") if path.suffix != ".md"} <= shown


def test_the_readme_is_short():
    assert len(TEXTS["README.md"].splitlines()) <= 150


def command_lines():
    """(page, words) of every command of the toolkit that a page quotes, in a block or between backticks."""
    for page, text in TEXTS.items():
        blocks = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
        quoted = re.findall(r"`([^`\n]+)`", re.sub(r"^```\n.*?^```", "", text, flags=re.M | re.S))
        for line in [line for block in blocks for line in block.splitlines()] + quoted:
            if found := START.search(line):
                yield page, shlex.split(re.sub(r"\s#.*", "", found[1]).rstrip('"'))


def module_of(words):
    """The module that a command line runs."""
    return words[1] if words[0] == "-m" else words[0].removesuffix(".py")


@functools.cache
def options_of(module, *subcommand):
    """The options that a command's --help lists."""
    if Path(ROOT, *module.split(".")).is_dir():
        module += ".__main__"
    out = io.StringIO()
    with redirect_stdout(out), pytest.raises(SystemExit) as ended:
        importlib.import_module(module).parse([*subcommand, "--help"])
    assert ended.value.code == 0
    return set(OPTION.findall(out.getvalue()))


LINES = sorted({(page, *words) for page, words in command_lines()})


def test_the_command_lines_are_found():
    modules = {module_of(words) for _, *words in LINES}
    assert modules >= {"face_completion", "train_network", "evaluate_completion", "preprocess.align_dlib",
                       "preprocess.split_dataset", "preprocess.pack_dataset", "models.train", "models.samples",
                       "completion.masks", "benchmarks.speed"}


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_quoted_commands_have_their_options(line):
    page, *words = line
    module, options = module_of(words), {word for word in words if OPTION.fullmatch(word)}
    path = Path(ROOT, *module.split("."))
    assert path.with_suffix(".py").exists() or (path / "__main__.py").exists() or module == "pytest", module
    if module in SUBCOMMANDS and len(words) > 2 and words[2].islower():
        assert options <= options_of(module, words[2]), page
    elif not module.startswith(WITHOUT_HELP):
        assert not options or options <= options_of(module), page
    else:
        assert not options, page


@pytest.mark.parametrize("line", [line for line in LINES if "--export" in line], ids=" ".join)
def test_quoted_trainings_may_write_where_they_say(line, monkeypatch):
    monkeypatch.chdir(ROOT)
    _, *words = line
    given = [word for word in words[2 if words[0] == "-m" else 1:] if word != "CHANGE" and not word.startswith("$")]
    options = importlib.import_module(module_of(words)).parse([*given, "--dataset", "faces"])
    check_places(Places(*(getattr(options, field.name) for field in fields(Places))))


def test_every_option_that_a_page_names_is_one_of_some_command():
    known = set(OTHERS)
    for _, *words in LINES:
        module = module_of(words)
        if module in SUBCOMMANDS and len(words) > 2 and words[2].islower():
            known |= options_of(module, words[2])
        elif not module.startswith(WITHOUT_HELP):
            known |= options_of(module)
    unknown = {(page, option) for page, text in TEXTS.items() for option in OPTION.findall(text) if option not in known}
    assert not unknown


@pytest.mark.parametrize("name", ["CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "LICENSE"])
def test_what_a_stranger_looks_for_is_there(name):
    assert (ROOT / name).read_text().strip()


def test_the_citation_is_of_this_version():
    assert f"\nversion: {helpers.VERSION}\n" in (ROOT / "CITATION.cff").read_text()
