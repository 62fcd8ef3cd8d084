"""A command that is refused leaves nothing behind that was not there before."""
import contextlib
import fcntl
import os
import shutil
import sys

import pytest

import evaluate_completion
import face_completion
import train_network
from helpers import BAD_CHECKPOINT, BAD_OUTPUT, NO_INPUT, USAGE, UsageError
from models import LEARNED, train
from shell.lock import LOCK, claim_folder

MODELS = "dcgan", *LEARNED.values(), "placement", "damage"


def tree(folder):
    return sorted(folder.rglob("*"))


def call_training(run, model, faces, home, *more):
    main, name = (train_network.main, []) if model == "dcgan" else (train.main, [model])
    return run(main, *name, "--dataset", faces, "--checkpoint_dir", home / "saves", "--log_dir", home / "logs",
               "--epoch", 1, *more)


def sized(model, size):
    return [] if model == "latent_encoder" else ["--image_size", size]


@pytest.mark.parametrize("model", dict.fromkeys(MODELS))
def test_a_training_on_faces_of_another_size_leaves_nothing(run, samples, openface, tmp_path, model):
    faces = samples if model == "latent_encoder" else openface
    for more in ([], ["--dry_run"]):
        ended = call_training(run, model, faces, tmp_path, *sized(model, 128), *more)
        assert ended.code == NO_INPUT and not tree(tmp_path), ended.err


@pytest.mark.parametrize("model", [model for model in dict.fromkeys(MODELS) if model != "damage"])
def test_a_training_from_a_model_of_another_kind_leaves_nothing(run, openface, tmp_path, model):
    other = "checkpoint/damage"
    for more in ([], ["--dry_run"]):
        ended = call_training(run, model, openface, tmp_path, *sized(model, 64), "--begin_from", other, *more)
        assert ended.code == BAD_CHECKPOINT and not tree(tmp_path), ended.err


def test_a_training_that_is_refused_leaves_what_was_there(run, openface, tmp_path):
    (tmp_path / "logs/vae").mkdir(parents=True)
    (tmp_path / "logs/vae/mine").write_text("mine")
    before = tree(tmp_path)
    ended = call_training(run, "vae", openface, tmp_path, "--resume_from", 3)
    assert ended.code == BAD_CHECKPOINT and tree(tmp_path) == before


@pytest.mark.parametrize("command", ["completion", "evaluation"])
def test_a_method_whose_library_is_missing_leaves_nothing(command, inputs, run, out, monkeypatch, tmp_path):
    main, option = ((face_completion.main, "--method") if command == "completion" else
                    (evaluate_completion.main, "--methods"))
    before = tree(tmp_path)
    monkeypatch.setitem(sys.modules, "cv2", None)
    ended = run(main, inputs, option, "telea", "--out_dir", out)
    assert ended.code == USAGE and "opencv" in ended.err and tree(tmp_path) == before, ended.err


def test_a_completion_whose_model_is_broken_leaves_no_log_either(run, openface, model, tmp_path):
    shutil.copytree(model, tmp_path / "model")
    next((tmp_path / "model").glob("*data*")).write_bytes(b"no weights")
    before = tree(tmp_path)
    ended = run(face_completion.main, openface, "--checkpoint", tmp_path / "model", "--recipe", "seed", "--out_dir",
                tmp_path / "out", "--log_dir", tmp_path / "logs")
    assert ended.code == BAD_CHECKPOINT and tree(tmp_path) == before, ended.err


@pytest.mark.parametrize("command", ["completion"])
def test_a_folder_of_somebody_else_gets_no_lock(command, inputs, call, out):
    (out / "report.html").parent.mkdir(parents=True)
    (out / "report.html").write_text("mine")
    assert call(inputs).code == BAD_OUTPUT and [path.name for path in tree(out)] == ["report.html"]


def test_a_claim_is_taken_back_by_an_error_alone_and_not_from_others_who_share_it(tmp_path):
    folder = tmp_path / "new" / "folder"
    with claim_folder(folder):
        pass
    assert tree(tmp_path) == [folder.parent, folder, folder / LOCK]
    shutil.rmtree(folder.parent)
    with contextlib.suppress(KeyError), claim_folder(folder):
        raise KeyError
    assert not tree(tmp_path)
    with contextlib.suppress(KeyError), claim_folder(folder, shared=True):
        other = claim_folder(folder, shared=True)
        raise KeyError
    assert (folder / LOCK).exists()
    with pytest.raises(UsageError, match="in use"):
        claim_folder(folder)
    other.close()
    claim_folder(folder).close()


def test_who_opens_a_lock_as_it_is_taken_back_locks_the_next_one(tmp_path, monkeypatch):
    opened, lock = [], fcntl.flock

    def flock(file, how):
        if not opened:                                  # the one that was there is taken back in between
            opened.append(os.unlink(tmp_path / LOCK))
        lock(file, how)
    monkeypatch.setattr(fcntl, "flock", flock)
    with claim_folder(tmp_path), pytest.raises(UsageError, match="in use"):
        claim_folder(tmp_path)
