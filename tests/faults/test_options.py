"""The command line of every command: what it refuses, what it says by itself, and who may read that."""
import os
import re
import resource

import pytest

import helpers
from helpers import USAGE
from preprocess import dlib_models
from tests.faults.conftest import words

WRONG = {"alignment": (["--size", "0"], ["--jobs", "-3"], ["--margin", "nan"]),
         "split": (["--train", "-3"], ["--seed", "abc"], ["--test", "1.5"]),
         "pack": (["--size", "0"], ["--size", "abc"], ["--fit", "bend"]),
         "training": (["--batch_size", "0"], ["--batch_size", "-3"], ["--epoch", "0"], ["--learning_rate", "nan"]),
         "learned": (["--batch_size", "abc"], ["--epoch", "0"], ["--learning_rate", "nan"], ["--beta1", "inf"]),
         "completion": (["--batch_size", "0"], ["--batch_size", "-3"], ["--batch_size", "abc"], ["--seed", "nan"]),
         "evaluation": (["--batch_size", "0"], ["--limit", "-3"], ["--jobs", "abc"]),
         "check": (["--count", "-3"], ["--count", "abc"]),
         "onnx": (["--batch_size", "0"], ["--detail", "nan"], ["--detail", "2"], ["--num_iter", "3"]),
         "compare": (["--limit", "3"], ["one_more"], ["--jobs", "abc"]), "reproduce": (["--limit", "0"],),
         "latent": (["--num_iter", "-1"], ["--batch_size", "0"], ["--seed", "abc"], ["--steps", "3"]),
         "export": (["one", "too", "many"],),
         "masks": (["--size", "0"], ["--count", "-3"], ["--seed", "abc"]),
         "samples": (["--count", "0"], ["--count", "-3"], ["--count", "abc"]),
         "shape": (["one", "too", "many"],)}


@pytest.mark.fault("F26", "all")
def test_a_wrong_option_is_one_line_and_nothing_is_begun(command, call, tmp_path):
    for wrong in (*WRONG[command], ["--nonsense"], ["--versio"]):
        ended = call(tmp_path / "inputs", *wrong)
        assert (ended.code, ended.err.count("\n")) == (USAGE, 1) and ": error: " in ended.err, wrong
    assert not list(tmp_path.iterdir())


@pytest.mark.fault("F26", "all")
def test_a_blank_is_no_value_of_any_option(command, call, tmp_path):
    for option in re.findall(r"^ +(--\w+) [A-Z]", call(tmp_path / "inputs", "--help").out, re.M):
        for blank in ([option, ""], [option, " "], [f"{option}="]):
            ended = call(tmp_path / "inputs", *blank)
            assert (ended.code, ended.err.count("\n")) == (USAGE, 1) and ": error: " in ended.err, blank
    assert not list(tmp_path.iterdir())


@pytest.mark.fault("F28", "all")
def test_help_and_version_come_within_half_a_second_of_work(command, finish, out):
    for option, shown in (("--help", "usage:"), ("--version", helpers.VERSION)):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = finish("-m", words(command, None, out)[0], option)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert ended.code == 0 and shown in ended.out and not ended.err
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


@pytest.mark.fault("F29", "alignment", "split", "check", "pack", "completion", "onnx", "compare", "masks", "shape")
@pytest.mark.fault("F29", "trained", "evaluation", "samples", "latent", "export", slow=True)
def test_a_reader_that_goes_away_ends_nothing(command, inputs, start_command):
    reader, writer = os.pipe()
    os.close(reader)
    process = start_command(inputs, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0 and "Traceback" not in err and "Error" not in err and "\r" not in err


@pytest.mark.fault("F43", "learned", "completion", "evaluation")
@pytest.mark.fault("F43", "latent", slow=True)
def test_a_gpu_that_is_not_there_is_refused(command, inputs, call, model):
    options = {"completion": ["--method", "latent", "--checkpoint", model],
               "evaluation": ["--methods", "latent", "--checkpoint", model]}.get(command, [])
    ended = call(inputs, *options, "--device", "gpu")
    assert ended.code == USAGE and "GPU" in ended.err and "--device cpu" in ended.err


@pytest.mark.fault("F47", "completion", "onnx", "evaluation")
def test_a_page_in_the_place_of_dlibs_model_is_refused_before_any_work(command, inputs, call, tmp_path, monkeypatch):
    (tmp_path / "page.dat").write_text("<!doctype html><title>404</title>")
    monkeypatch.setattr(dlib_models, "_packaged", lambda model: tmp_path / "page.dat")
    ended = call(inputs, *["--paste_back", "--mask_type", "O1"] if command != "evaluation" else [])
    assert (ended.code, ended.err.count("\n")) == (USAGE, 1) and re.search("expected sha256 .*, got ", ended.err)
    assert not list((tmp_path / "home").rglob("*.png"))


@pytest.mark.fault("F27", "completion", "onnx", "evaluation")
@pytest.mark.fault("F27", "latent", slow=True)
def test_a_batch_larger_than_the_work_is_made_smaller(command, inputs, call, done):
    assert call(inputs, "--batch_size", 300).code == 0 and done() == 3
