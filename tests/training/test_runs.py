"""Runs of the training command: what they leave, and that they repeat themselves, stop and go on to the same end."""
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.kill_training import write_faces
from helpers import BAD_CHECKPOINT, BAD_OUTPUT, NOT_FINITE, read_json
from pictures.photo import read_photo
from tests.training.small_runs import (
    STEPS,
    arguments,
    contents,
    curves,
    event_steps,
    read_events,
    saves,
    tensors,
    train,
)
from training.checkpoint import load_model
from training.manifest import ROOT, describe_model


def copy_as_of(step, unbroken, home):
    """A copy of a run as a process leaves it that is killed some time after the save of a step."""
    shutil.copytree(unbroken, home)
    for later in [later for later in saves(home) if later > step]:
        shutil.rmtree(home / "checkpoint" / "dcgan" / f"step-{later:08d}")
    return home


def assert_same_run(home, other):
    first, second = tensors(home), tensors(other)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    assert curves(home) == curves(other)
    for step in (0, 12, STEPS):
        sheets = [folder / "logs" / "dcgan" / "samples" / f"{step:04d}.png" for folder in (home, other)]
        assert sheets[0].read_bytes() == sheets[1].read_bytes()


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return write_faces(tmp_path_factory.mktemp("data") / "faces", 24)


@pytest.fixture(scope="module")
def unbroken(faces, tmp_path_factory):
    """A finished run of 8 epochs of 3 steps, saved every 5."""
    home = tmp_path_factory.mktemp("unbroken") / "home"
    assert train(faces, home) == 0
    return home


@pytest.fixture(scope="module")
def stopped(faces, tmp_path_factory):
    """{signal: (home, exit code, standard output)} of runs that got the signal after their first save."""
    runs = {}
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        home = tmp_path_factory.mktemp(number.name)
        command = [sys.executable, str(ROOT / "train_network.py"), *arguments(faces, home)]
        runs[number] = home, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    waiting, deadline = dict(runs), time.monotonic() + 300
    while waiting and time.monotonic() < deadline:
        for number, (home, process) in list(waiting.items()):
            if saves(home) or process.poll() is not None:
                process.send_signal(number)
                del waiting[number]
        time.sleep(0.002)
    for _, process in waiting.values():
        process.kill()
    return {number: (home, process.communicate()[0], process.returncode) for number, (home, process) in runs.items()}


def test_a_run_leaves_saves_curves_samples_and_events(unbroken):
    assert saves(unbroken) == [5, 10, 15, 20, STEPS]
    points = curves(unbroken)
    assert [point["step"] for point in points] == [*range(1, STEPS + 1)]
    tags = "step d_loss g_loss d_real d_fake d_accuracy d_gradient g_gradient learning_rate".split()
    assert all(sorted(point) == sorted(tags) for point in points)
    assert all(0 < point[tag] < 1 for point in points for tag in ("d_real", "d_fake"))
    assert event_steps(unbroken, "loss/d_loss") == [*range(1, STEPS + 1)]
    assert event_steps(unbroken, "samples") == [0, 12, STEPS]
    assert event_steps(unbroken, "options") == event_steps(unbroken, "_hparams_/session_start_info") == [0]
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
    (table,) = (HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info.hparams
                for _, value in read_events(unbroken, "_hparams_/session_start_info"))
    assert (table["augment"].string_value, table["batch_size"].number_value) == ("none", 8)
    assert read_photo(unbroken / "logs" / "dcgan" / "samples" / "0024.png").pixels.shape == (512, 512, 3)


def test_a_save_records_what_made_it(unbroken):
    manifest = load_model(unbroken / "checkpoint" / "dcgan")[1]
    assert (manifest["step"], manifest["epoch"], manifest["faces"], manifest["batch_size"]) == (STEPS, 8, 24, 8)
    assert manifest["architecture"] == {"image_size": 64, "z_dim": 8, "gf_dim": 2, "df_dim": 2, "grown": 0,
                                        "d_norm": "batch"}
    assert manifest["training"]["average"] == 0.9


def test_training_teaches_the_discriminator_to_tell_faces_from_the_generators(unbroken):
    first, last = curves(unbroken)[0], curves(unbroken)[-1]
    assert last["d_loss"] < first["d_loss"]
    assert last["d_real"] - last["d_fake"] > first["d_real"] - first["d_fake"]


@pytest.mark.fault("F44", "training")
def test_the_same_seed_twice_gives_equal_weights_logs_and_samples(faces, unbroken, tmp_path):
    assert train(faces, tmp_path) == 0
    assert_same_run(tmp_path, unbroken)


@pytest.mark.fault("F36", "training")
def test_a_run_resumed_in_the_middle_of_an_epoch_equals_an_unbroken_one(faces, unbroken, tmp_path, capsys):
    home = copy_as_of(20, unbroken, tmp_path / "home")
    assert train(faces, home) == 0
    assert f"going on from {home}/checkpoint/dcgan/step-00000020" in capsys.readouterr().out
    assert_same_run(home, unbroken)
    assert event_steps(home, "loss/d_loss") == [*range(1, STEPS + 1)]
    assert event_steps(home, "samples") == [0, 12, STEPS]


def test_a_run_that_falls_back_to_the_save_between_two_epochs_equals_an_unbroken_one(faces, unbroken, tmp_path, capsys):
    home = copy_as_of(20, unbroken, tmp_path / "home")
    (home / "checkpoint" / "dcgan" / "step-00000020" / "tensors.index").unlink()
    (home / "checkpoint" / "dcgan" / ".step-00000023.unfinished").mkdir()
    assert train(faces, home) == 0
    shown = capsys.readouterr()
    assert "step-00000020" in shown.err and "going on from" in shown.out and "step-00000015" in shown.out
    assert_same_run(home, unbroken)
    assert not (home / "checkpoint" / "dcgan" / ".step-00000023.unfinished").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.fault("F39", "training")
def test_a_run_asked_to_stop_saves_what_it_has_and_says_how_to_go_on(stopped, number, code):
    home, output, returncode = stopped[number]
    assert returncode == code
    assert "resume with" in output
    assert saves(home)[-1] < STEPS
    assert curves(home)[-1]["step"] == saves(home)[-1]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.fault("F36 F39", "training")
def test_a_stopped_run_goes_on_as_if_nothing_had_been(faces, unbroken, stopped, number):
    home, _, returncode = stopped[number]
    assert returncode != 0
    assert saves(home)[-1] < STEPS
    assert train(faces, home) == 0
    assert_same_run(home, unbroken)


@pytest.mark.fault("F15", "training")
def test_a_finished_run_started_again_trains_nothing_and_says_so(faces, unbroken, tmp_path, capsys):
    home = Path(shutil.copytree(unbroken, tmp_path / "home"))
    saved, logged = contents(home / "checkpoint"), curves(home)
    assert train(faces, home) == 0
    assert contents(home / "checkpoint") == saved
    assert curves(home) == logged
    shown = capsys.readouterr()
    assert "is the end, 8 epochs being 24 steps: nothing is left to train" in shown.out and not shown.err
    assert "24 steps trained before" in shown.out and "going on" not in shown.out


def test_a_finished_run_is_exported_with_what_it_was_trained_by(faces, unbroken, tmp_path, capsys):
    home = Path(shutil.copytree(unbroken, tmp_path / "home"))
    other = "--learning_rate", "1e-12", "--seed", "7", "--no-flip", "--epoch", "4", "--batch_size", "6"
    assert train(faces, home, *other, "--export", str(tmp_path / "model")) == 0
    assert "change nothing: --learning_rate 0.0003, asked for 1e-12; --batch_size 8, asked" in capsys.readouterr().err
    exported, trained = (read_json(folder / "manifest.json") for folder in (
        tmp_path / "model", unbroken / f"checkpoint/dcgan/step-{STEPS:08d}"))
    ours = exported.keys() - {"versions", "files", "manifest"}
    assert {"training", "seed", "flip", "batch_size", "data", "step", "earlier"} <= ours
    assert {key: exported[key] for key in ours} == {key: trained[key] for key in ours}


def test_a_run_that_is_made_longer_goes_on_to_more_epochs_without_a_warning(faces, unbroken, tmp_path, capsys):
    home = Path(shutil.copytree(unbroken, tmp_path / "home"))
    assert train(faces, home, "--epoch", "9") == 0
    shown = capsys.readouterr()
    assert "step-00000024, to 9 epochs in place of 8; shares of the run, such as --decay, are of" in shown.out
    assert "trained 27 steps" in shown.out and "warning" not in shown.err


@pytest.mark.fault("F37", "training")
def test_another_learning_rate_is_warned_of_and_used(faces, unbroken, tmp_path, capsys):
    home = copy_as_of(20, unbroken, tmp_path / "home")
    assert train(faces, home, "--learning_rate", "1e-12", "--decay", "0") == 0
    assert "those asked for now: --learning_rate 0.0003, asked for 1e-12; --decay 0.5, asked for 0.0; ask for" in (
        capsys.readouterr().err)
    manifest, parted = (read_json(home / f"checkpoint/dcgan/step-{step:08d}/manifest.json") for step in (STEPS, 20))
    (part,) = manifest["earlier"]
    assert part == {"until": 20, **{name: parted[name] for name in part.keys() - {"until"}}} and not parted["earlier"]
    assert (part["training"]["learning_rate"], manifest["training"]["learning_rate"]) == (0.0003, 1e-12)
    assert event_steps(home, "options") == [0, 21]
    before, after = tensors(home, 20), tensors(home)
    learned = [name for name in before if "_trainable_variables" in name]
    assert len(learned) > 10
    for name in learned:
        np.testing.assert_allclose(after[name], before[name], atol=1e-9)


@pytest.mark.fault("F40", "training")
def test_a_learning_rate_that_explodes_ends_within_a_few_steps_and_leaves_the_saves(faces, unbroken, tmp_path, capsys):
    home = copy_as_of(15, unbroken, tmp_path / "home")
    saved = contents(home / "checkpoint")
    assert train(faces, home, "--learning_rate", "1e10", "--decay", "0", "--save_every", "50") == NOT_FINITE
    assert contents(home / "checkpoint") == saved
    message = capsys.readouterr().err.splitlines()[-1]
    assert any(f"step {step}:" in message for step in range(16, 22)) and "go on from there" in message
    assert train(faces, tmp_path / "new", "--learning_rate", "1e10", "--save_every", "50") == NOT_FINITE
    assert "nothing was saved yet, begin again" in capsys.readouterr().err


@pytest.mark.fault("F37", "training")
def test_other_faces_are_refused_and_nothing_is_changed(faces, unbroken, tmp_path, capsys):
    home = Path(shutil.copytree(unbroken, tmp_path / "home"))
    other = write_faces(tmp_path / "other", 8)
    before = contents(home)
    assert train(other, home) == BAD_CHECKPOINT
    assert "24 other faces than the 8" in capsys.readouterr().err
    assert contents(home) == before


def test_other_faces_are_trained_on_when_one_insists(unbroken, tmp_path):
    home = Path(shutil.copytree(unbroken, tmp_path / "home"))
    other = write_faces(tmp_path / "other", 8)
    assert train(other, home, "--other_data", "--epoch", str(STEPS + 1)) == 0
    assert saves(home)[-1] == STEPS + 1


def test_a_save_of_another_architecture_is_refused_with_the_difference(faces, unbroken, tmp_path, capsys):
    home = Path(shutil.copytree(unbroken, tmp_path / "home"))
    before = contents(home)
    assert train(faces, home, "--gf_dim", "4", "--z_dim", "9") == BAD_CHECKPOINT
    message = capsys.readouterr().err
    assert "gf_dim 2, asked for 4" in message and "z_dim 8, asked for 9" in message
    assert contents(home) == before


def test_when_every_save_is_bad_training_stops_and_changes_nothing(faces, unbroken, tmp_path, capsys):
    home = copy_as_of(10, unbroken, tmp_path / "home")
    for data in (home / "checkpoint" / "dcgan").glob("step-*/tensors.data*"):
        data.write_bytes(data.read_bytes()[:-1])
    before = contents(home)
    assert train(faces, home) == BAD_CHECKPOINT
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert contents(home) == before


def test_one_may_go_back_to_an_earlier_save(faces, unbroken, tmp_path, capsys):
    home = tmp_path / "home"
    shutil.copytree(unbroken, home)
    assert train(faces, home, "--resume_from", "10") == 0
    assert "step-00000010" in capsys.readouterr().out
    assert_same_run(home, unbroken)
    assert train(faces, home, "--resume_from", "11") == BAD_CHECKPOINT
    assert "no save of step 11" in capsys.readouterr().err


def test_a_new_run_begins_with_the_weights_of_another_and_resumes_its_own(faces, unbroken, tmp_path):
    begin = "--begin_from", str(unbroken / "checkpoint/dcgan"), "--learning_rate", "1e-12"
    assert train(faces, tmp_path, *begin) == 0
    old, new = (load_model(home / "checkpoint/dcgan")[0].generator for home in (unbroken, tmp_path))
    for one, other in zip(old.trainable_variables, new.trainable_variables):
        np.testing.assert_allclose(one, other, atol=1e-6)
    before = contents(tmp_path / "checkpoint")
    assert train(faces, tmp_path, *begin) == 0 and contents(tmp_path / "checkpoint") == before
    manifest = json.loads((tmp_path / f"checkpoint/dcgan/step-{STEPS:08d}/manifest.json").read_text())
    assert manifest["begin_from"] == describe_model(unbroken / "checkpoint/dcgan")["model"]


def test_weights_of_other_networks_are_no_beginning(faces, unbroken, tmp_path, capsys):
    for folder, problem in ((unbroken / "checkpoint/dcgan", "gf_dim 2, asked for 4"), (tmp_path / "none", "none")):
        assert train(faces, tmp_path, "--gf_dim", "4", "--begin_from", str(folder)) == BAD_CHECKPOINT
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1 and str(folder) in error and problem in error
        assert ("such as checkpoint/celeba64" in error) == (problem == "none")      # no advice to name what was named


def test_a_run_killed_before_its_first_save_may_save_more_often_when_it_begins_again(faces, unbroken, tmp_path):
    home = copy_as_of(0, unbroken, tmp_path / "home")
    assert train(faces, home, "--save_every", "3") == 0
    assert curves(home) == curves(unbroken)


def test_a_finished_runs_curves_are_not_erased_by_one_whose_saves_lie_elsewhere(faces, unbroken, tmp_path, capsys):
    home = Path(shutil.copytree(unbroken, tmp_path / "home"))
    before = contents(home)
    assert train(faces, home, "--checkpoint_dir", str(tmp_path / "other"), "--save_every", "99") == BAD_OUTPUT
    assert "curves of another run, up to step 24" in capsys.readouterr().err
    assert contents(home) == before and not contents(tmp_path / "other")
