"""What a command says of its options, and of one that it does not know."""
import importlib
import re
import shlex

import pytest

from completion import latent
from shell.options import Listing, Parser

COMMANDS = ["face_completion", "train_network", "evaluate_completion", "preprocess.align_dlib",
            "preprocess.split_dataset", "preprocess.pack_dataset", "preprocess.check_dataset", "preprocess.learn_shape",
            "models.train", "models.samples", "completion.masks.__main__", "completion.latent", "completion.export",
            "output.beside", "benchmarks.reproduce", "benchmarks.fairness", "benchmarks.dial"]
SUBCOMMANDS = "models.train", "completion.latent"


@pytest.fixture
def parser():
    parser = Parser("Fills holes.", "fill a.png\nfill b.png", prog="fill")
    parser.add_argument("photo", metavar="PHOTO")
    parser.add_argument("--method", choices=("laplace", "telea"), default="telea", help="how to fill")
    parser.add_argument("--sides", type=int, nargs="+", choices=(64, 128), default=[64, 128], help="sizes")
    parser.add_argument("--model", help="whose")
    parser.add_argument("--share", type=float, default=0.0, help="how much")
    parser.add_argument("--list", action=Listing, lines=lambda: ["one", "two"], help="what there is")
    return parser


def said(call, capsys):
    with pytest.raises(SystemExit) as end:
        call()
    return end.value.code, *capsys.readouterr()


def test_choices_are_shown_once_and_no_default_is_none(parser):
    text = parser.format_help()
    assert text.startswith("usage: fill PHOTO [options]\n")
    assert text.count("laplace") == 1 and text.count("128") == 2 and "None" not in text
    assert "how to fill (one of laplace, telea; default: telea)" in text
    assert "(one of 64, 128; default: 64 128)" in " ".join(text.split()) and "how much (default: 0.0)" in text
    assert text.endswith("examples:\n  fill a.png\n  fill b.png\n")


@pytest.mark.parametrize("words, meant", [
    (["x", "--metod", "telea"], "there is no option --metod, did you mean --method?"),
    (["--methid=telea"], "there is no option --methid, did you mean --method?"),
    (["x", "--qqq"], "there is no option --qqq (--help"),
    (["x", "--method", "laplce"], "argument --method: takes no 'laplce', did you mean laplace? (choose from laplace,"),
    (["x", "--sides", "65"], "argument --sides: takes no 65 (choose from 64, 128)")], ids=" ".join)
def test_what_may_have_been_meant_is_asked_in_the_one_line(parser, capsys, words, meant):
    code, out, err = said(lambda: parser.parse_args(words), capsys)
    assert (code, out, err.count("\n")) == (2, "", 1) and err.startswith("fill: error: ") and meant in err


@pytest.mark.parametrize("words, name", [
    (["x", "--model", ""], "--model"), (["x", "--model="], "--model"), (["x", "--model", " \t"], "--model"),
    (["x", "--method", ""], "--method"), (["x", "--sides", "64", ""], "--sides"), ([""], "PHOTO")])
def test_a_blank_such_as_of_a_variable_that_is_not_set_is_no_value(parser, capsys, words, name):
    code, out, err = said(lambda: parser.parse_args(words), capsys)
    assert (code, out, err.count("\n")) == (2, "", 1) and f"argument {name}: needs a value, got '" in err


def test_a_file_may_have_blanks_for_a_name(parser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / " ").touch()
    assert parser.parse_args([" ", "--model", " "]).model == " "


def test_words_that_only_look_like_options_are_inputs(parser):
    assert parser.parse_args(["--", "--metod"]).photo == "--metod"
    assert parser.parse_args(["--model=--x", "a.png"]).model == "--x"


def test_a_listing_is_told_and_ends(parser, capsys):
    assert said(lambda: parser.parse_args(["--list"]), capsys) == (0, "one\ntwo\n", "")


def help_of(module, *words):
    import io
    from contextlib import redirect_stdout
    with redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit):
        importlib.import_module(module).parse([*words, "--help"])
    return out.getvalue()


@pytest.mark.parametrize("module", COMMANDS)
def test_the_help_of_every_command_ends_with_examples_that_it_takes(module, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = help_of(module)
    assert "None)" not in text and "{" not in text
    assert max(map(len, text.splitlines())) <= 100
    examples = text.partition("\nexamples:\n")[2].splitlines()
    own = [words for words in map(shlex.split, examples) if module.split(".__")[0] in (
        words[1].removesuffix(".py"), words[2])]
    assert own
    for words in own:
        options = [word for word in words if word.startswith("--")]
        known = help_of(module, *(words[3:4] if module in SUBCOMMANDS else []))
        assert all(re.search(rf"^ +(-\w, )?{option}\b", known, re.M) for option in options)


@pytest.mark.parametrize("tool", latent.TOOLS)
def test_the_help_of_every_latent_tool_ends_with_an_example_that_it_takes(tool):
    _, *words = shlex.split(help_of("completion.latent", tool).partition("\nexamples:\n")[2])
    assert words[:3] == ["-m", "completion.latent", tool] and latent.parse(words[2:]).tool == tool


def test_a_learned_method_names_itself_as_it_is_typed():
    text = help_of("models.train", "vae")
    assert re.match(r"usage: \S.* vae --dataset DIR \[options\]\n", text) and text.count("[options]") == 1
