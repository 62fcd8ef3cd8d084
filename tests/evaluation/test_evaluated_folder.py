"""The settings of an evaluation's results, with which no others are mixed."""
from pathlib import Path

import pytest

import evaluate_completion
from evaluation.evaluated_folder import EvaluatedFolder
from helpers import BAD_OUTPUT, UsageError
from shell.records import RecordFile
from training.manifest import shipped

FACES = Path(__file__).parents[1] / "data" / "openface64"


def begin(out, *words, without=()):
    """Leave a folder with a result of the evaluation that words of a command line ask for; returns (it, settings).

    without : settings that are left out, as older evaluations did
    """
    _, plan, methods, _ = evaluate_completion.parse([str(FACES), "--out_dir", str(out), *words])
    folder = EvaluatedFolder(out, {})
    settings = evaluate_completion.describe(folder, {"a": next(FACES.glob("*.png"))}, plan, methods)
    folder.begin({key: value for key, value in settings.items() if key not in without})
    with RecordFile(folder.path / "results.jsonl") as results:
        results.append({"face": "a", "mask": "center", "method": next(iter(methods))})
    return folder, settings


@pytest.mark.parametrize("without", [(), ("completions",)])
def test_several_answers_are_not_mixed_with_single_ones(run, tmp_path, without):
    folder, settings = begin(tmp_path / "out", "--methods", "latent", without=without)
    ended = run(evaluate_completion.main, FACES, "--methods", "latent", "--completions", 4, "--out_dir", folder.path)
    assert ended.code == BAD_OUTPUT and "(--completions 1, asked for 4)" in ended.err
    folder.check_settings(settings)                     # what was asked for goes on, in an older folder too


def test_single_answers_are_not_mixed_with_several(run, tmp_path):
    folder, _ = begin(tmp_path / "out", "--methods", "latent", "--completions", "4")
    ended = run(evaluate_completion.main, FACES, "--methods", "latent", "--out_dir", folder.path)
    assert ended.code == BAD_OUTPUT and "(--completions 4, asked for 1)" in ended.err


def test_searches_shown_at_other_iterations_are_not_mixed(run, tmp_path):
    folder, settings = begin(tmp_path / "out", "--methods", "latent")
    ended = run(evaluate_completion.main, FACES, "--methods", "latent", "--out_interval", 3, "--out_dir", folder.path)
    assert ended.code == BAD_OUTPUT and "(--out_interval 50, asked for 3)" in ended.err
    older, _ = begin(tmp_path / "older", "--methods", "latent", without=("out_interval",))
    older.check_settings(settings | {"out_interval": 3})                # which does not say what it was


def test_a_folder_of_other_methods_takes_several_answers(tmp_path):
    folder, _ = begin(tmp_path / "out", "--methods", "laplace")
    _, settings = begin(tmp_path / "other", "--methods", "latent", "--completions", "4")
    folder.check_settings(settings)


def test_an_encoder_measured_alone_is_not_mixed_with_what_another_likely_network_gives(tmp_path, monkeypatch):
    words = "--methods", "latent_encoder"
    monkeypatch.setattr("methods.method_options.likely_of", lambda _: shipped("posterior_mean"))
    folder, settings = begin(tmp_path / "out", *words)
    older, _ = begin(tmp_path / "older", *words, without=("latent_encoder_likely",))
    older.check_settings(settings)
    monkeypatch.setattr("methods.method_options.likely_of", lambda _: shipped("posterior_mean", 128))
    _, settings = begin(tmp_path / "other", *words)
    with pytest.raises(UsageError, match="another network of what is likely"):
        folder.check_settings(settings)
