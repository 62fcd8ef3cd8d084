"""The training command from end to end: runs that repeat themselves, resume, stop, and refuse."""
import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import train_network
from benchmarks.kill_training import write_faces
from helpers import BAD_CHECKPOINT, BAD_OUTPUT, NO_INPUT, NOT_FINITE, OUT_OF_MEMORY, SOME_FAILED, USAGE
from models.context_encoder import DISTANCES
from network import tf
from nn import adversarial, choices
from pictures.photo import read_photo
from shell.lock import claim_folder
from training.checkpoint import load_model
from training.manifest import describe_model

ROOT = Path(train_network.__file__).resolve().parent
STEPS = 24
OPTIONS = ["--epoch", "8", "--batch_size", "8", "--z_dim", "8", "--gf_dim", "2", "--df_dim", "2", "--save_every", "5",
           "--sample_every", "12", "--report_every", "1", "--keep", "99", "--decay", "0.5", "--noise", "0.1",
           "--average", "0.9"]


def arguments(faces, home, *more):
    return ["--dataset", str(faces), "--checkpoint_dir", str(home / "checkpoint"), "--log_dir", str(home / "logs"),
            *OPTIONS, *more]


def train(faces, home, *more):
    return train_network.main(arguments(faces, home, *more))


def saves(home):
    return sorted(int(path.name.removeprefix("step-")) for path in (home / "checkpoint" / "dcgan").glob("step-*"))


def tensors(home, step=STEPS):
    """{name: value} of every number in a save: weights, averages, statistics and the optimizers' slots."""
    reader = tf.train.load_checkpoint(str(home / "checkpoint" / "dcgan" / f"step-{step:08d}" / "tensors"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "VARIABLE_VALUE" in name}


def curves(home):
    lines = (home / "logs" / "dcgan" / "scalars.jsonl").read_text().splitlines()
    return [{tag: value for tag, value in json.loads(line).items() if tag != "faces_per_second"} for line in lines]


def event_steps(home, tag):
    from tensorboard.compat.proto.event_pb2 import Event
    read = [Event.FromString(content) for path in (home / "logs" / "dcgan").glob("events.out.tfevents.*")
            for content in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()]
    return sorted(event.step for event in read for value in event.summary.value if value.tag == tag)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"}


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


@pytest.fixture(scope="module")
def odd_run(tmp_path_factory):
    """(home, messages) of a run on a folder with a corrupt file, with a batch larger than it, and an export."""
    home = tmp_path_factory.mktemp("odd")
    folder = write_faces(home / "faces", 12)
    (folder / "05.png").write_bytes((folder / "05.png").read_bytes()[:300])
    messages = io.StringIO()
    with contextlib.redirect_stderr(messages):
        code = train(folder, home, "--batch_size", "300", "--epoch", "2", "--validation", str(folder),
                     "--export", str(home / "model"))
    assert code == 0
    return home, messages.getvalue()


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
@pytest.mark.fault("F36", "training")
@pytest.mark.fault("F39", "training")
def test_a_stopped_run_goes_on_as_if_nothing_had_been(faces, unbroken, stopped, number):
    home, _, returncode = stopped[number]
    assert returncode != 0
    assert saves(home)[-1] < STEPS
    assert train(faces, home) == 0
    assert_same_run(home, unbroken)


def test_a_signal_during_the_examination_is_not_lost_on_the_step_before_it(faces, tmp_path, monkeypatch):
    def examine(self):
        os.kill(os.getpid(), signal.SIGTERM)
        return {"hole_ssim": 0.5}
    monkeypatch.setattr("training.health.Health.__call__", examine)
    assert train(faces, tmp_path, "--validation", str(faces)) == 143
    assert saves(tmp_path) == [3]


@pytest.mark.fault("F15", "training")
def test_a_finished_run_started_again_trains_nothing(faces, unbroken, tmp_path):
    home = Path(shutil.copytree(unbroken, tmp_path / "home"))
    saved, logged = contents(home / "checkpoint"), curves(home)
    assert train(faces, home) == 0
    assert contents(home / "checkpoint") == saved
    assert curves(home) == logged


@pytest.mark.fault("F37", "training")
def test_another_learning_rate_is_warned_of_and_used(faces, unbroken, tmp_path, capsys):
    home = copy_as_of(20, unbroken, tmp_path / "home")
    assert train(faces, home, "--learning_rate", "1e-12", "--decay", "0") == 0
    assert "learning_rate 0.0003, asked for 1e-12" in capsys.readouterr().err
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


@pytest.mark.fault("F41", "training")
def test_a_corrupt_file_is_left_out_and_counted(odd_run):
    home, messages = odd_run
    assert f"{home}/faces/05.png: " in messages
    assert "1 unusable files" in messages
    assert load_model(home / "checkpoint" / "dcgan")[1]["faces"] == 11


@pytest.mark.fault("F41", "training")
def test_a_corrupt_file_is_refused_by_strict(odd_run, tmp_path, capsys):
    assert train(odd_run[0] / "faces", tmp_path, "--strict") == SOME_FAILED
    assert "1 unusable files" in capsys.readouterr().err
    assert saves(tmp_path) == []


@pytest.mark.fault("F27", "training")
def test_a_batch_larger_than_the_data_is_made_smaller_and_trains(odd_run):
    home, messages = odd_run
    assert "only 11 faces: training in batches of 11" in messages
    assert saves(home) == [2]


def test_the_run_is_examined_on_validation_faces_once_an_epoch(odd_run):
    examined = [point for point in curves(odd_run[0]) if "d_gap" in point]
    assert [point["step"] for point in examined] == [1, 2]
    assert event_steps(odd_run[0], "completions") == event_steps(odd_run[0], "validation/hole_psnr") == [1, 2]
    assert all({"d_wins", "diversity", "sliced_wasserstein", "hole_psnr", "hole_ssim"} < point.keys()
               for point in examined)


def test_the_model_that_completes_best_is_kept_beside_the_newest(odd_run):
    examined = [point for point in curves(odd_run[0]) if "d_gap" in point]
    _, manifest = load_model(odd_run[0] / "checkpoint" / "dcgan" / "best")
    best = max(examined, key=lambda point: point["hole_ssim"])
    assert manifest["step"] == best["step"] and manifest["scores"]["hole_ssim"] == best["hole_ssim"]


def test_one_may_go_back_to_an_earlier_save(faces, unbroken, tmp_path, capsys):
    home = tmp_path / "home"
    shutil.copytree(unbroken, home)
    assert train(faces, home, "--resume_from", "10") == 0
    assert "step-00000010" in capsys.readouterr().out
    assert_same_run(home, unbroken)
    assert train(faces, home, "--resume_from", "11") == BAD_CHECKPOINT
    assert "no save of step 11" in capsys.readouterr().err


def test_the_exported_model_is_the_one_that_was_trained(odd_run):
    home, _ = odd_run
    (model, manifest), (trained, _) = load_model(home / "model"), load_model(home / "checkpoint" / "dcgan")
    assert manifest["step"] == 2
    z = trained.latents(8)
    np.testing.assert_array_equal(model.generate(z), trained.generate(z))


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


@pytest.mark.fault("F43", "training")
def test_training_goes_on_without_tensorboard_after_one_warning(faces, tmp_path, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"] + ["tensorboard"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert train(faces, tmp_path, "--epoch", "1") == 0
    assert [line.startswith("warning") for line in capsys.readouterr().err.splitlines()] == [True]
    assert [point["step"] for point in curves(tmp_path)] == [1, 2, 3]


def test_a_preset_gives_way_to_what_the_command_line_says():
    options = train_network.parse(["--dataset", "faces", "--preset", "best", "--noise", "0.05"])
    assert (options.batch_size, options.average, options.noise) == (64, 0.999, 0.05)
    report = train_network.parse(["--dataset", "faces"])
    assert (report.batch_size, report.epoch, report.learning_rate, report.average) == (300, 25, 0.0003, 0)


def test_every_name_of_an_option_is_known_to_the_updates():
    assert set(train_network.LOSSES) == set(adversarial.LOSSES)
    assert set(train_network.PENALTIES) == set(adversarial.PENALTIES)
    assert set(train_network.AUGMENTATIONS) == set(adversarial.AUGMENTATIONS)
    assert set(choices.DISTANCES) == set(DISTANCES) and adversarial.REAL_ABOVE.keys() < set(train_network.LOSSES)


@pytest.mark.slow
@pytest.mark.parametrize("more", [["--d_norm", "spectral", "--loss", "hinge", "--d_learning_rate", "0.0004"],
                                  ["--d_norm", "none", "--loss", "wasserstein", "--penalty", "wgan_gp",
                                   "--precision", "bfloat16"],
                                  ["--penalty", "r1", "--penalty_every", "2", "--augment", "color", "cutout"]],
                         ids=" ".join)
def test_other_updates_resume_as_exactly(faces, tmp_path, more):
    for home, epochs in (("once", "2"), ("twice", "12")):
        for epoch in epochs:
            assert train(faces, tmp_path / home, *more, "--epoch", epoch, "--decay", "0", "--noise", "0") == 0
    once, twice = (tensors(tmp_path / home, 6) for home in ("once", "twice"))
    for name in once:
        np.testing.assert_array_equal(once[name], twice[name], err_msg=name)
    assert all(np.isfinite(value).all() for value in once.values() if value.dtype != object)


@pytest.mark.parametrize("wrong", [
    ["--batch_size", "0"], ["--batch_size", "-3"], ["--batch_size", "abc"], ["--epoch", "0"], ["--epoch", "1.5"],
    ["--learning_rate", "nan"], ["--learning_rate", "inf"], ["--learning_rate", "0"], ["--beta1", "1"],
    ["--average", "1"], ["--real_label", "0.2"], ["--image_size", "96"], ["--seed", "-1"],
    *([f"--{name}", "3000000000"] for name in ("seed", "epoch", "batch_size", "z_dim", "gf_dim", "df_dim", "keep",
                                               "save_every", "resume_from", "penalty_every", "g_updates")),
    ["--colour", "blue"], ["--batch", "8"], ["stray"]], ids=" ".join)
def test_a_wrong_option_is_a_usage_error_of_one_line(tmp_path, capsys, wrong):
    with pytest.raises(SystemExit) as caught:
        train(tmp_path, tmp_path, *wrong)
    assert caught.value.code == USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_data_set_has_to_be_named(capsys):
    with pytest.raises(SystemExit) as caught:
        train_network.main([])
    assert caught.value.code == USAGE
    assert "--dataset" in capsys.readouterr().err


def test_a_folder_without_faces_is_no_usable_input(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "absent"):
        assert train(tmp_path / folder, tmp_path) == NO_INPUT
        assert "no images found" in capsys.readouterr().err.splitlines()[-1]


def test_a_folder_of_faces_of_another_size_is_told_as_such(faces, tmp_path, capsys):
    assert train(faces, tmp_path, "--image_size", "128") == NO_INPUT
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"no usable faces in {faces}: all " in last and last.endswith("have another size")


@pytest.mark.fault("F42", "training")
def test_networks_that_cannot_fit_are_refused_before_they_are_built(faces, tmp_path, capsys):
    assert train(faces, tmp_path, "--gf_dim", "100000000") == OUT_OF_MEMORY
    assert "reduce --batch_size" in capsys.readouterr().err


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="this machine has a GPU")
@pytest.mark.fault("F43", "training")
def test_a_gpu_that_is_not_there_is_refused(faces, tmp_path, capsys):
    assert train(faces, tmp_path, "--device", "gpu") == USAGE
    assert "--device cpu" in capsys.readouterr().err


def test_the_folder_of_a_shipped_model_is_not_trained_into(faces, odd_run, tmp_path, capsys):
    shutil.copytree(odd_run[0] / "model", tmp_path / "checkpoint" / "celeba64")
    before = contents(tmp_path)
    assert train(faces, tmp_path, "--run", "celeba64") == USAGE
    assert "choose another --run" in capsys.readouterr().err
    assert contents(tmp_path) == before


@pytest.mark.parametrize("place", ["checkpoint", "logs"])
@pytest.mark.fault("F22", "training")
def test_a_run_in_use_is_refused_and_its_process_named(faces, tmp_path, capsys, place):
    with claim_folder(tmp_path / place / "dcgan"):
        assert train(faces, tmp_path) == BAD_OUTPUT
    assert f"in use by process {os.getpid()}" in capsys.readouterr().err


def test_an_export_that_would_destroy_something_is_refused_before_training(faces, tmp_path, capsys):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "novel.txt").write_text("years of work")
    assert train(faces, tmp_path, "--export", str(tmp_path / "home")) == BAD_OUTPUT
    assert "novel.txt" in capsys.readouterr().err and not saves(tmp_path)


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


def test_what_another_program_logged_stays(faces, tmp_path):
    (tmp_path / "logs" / "dcgan" / "samples").mkdir(parents=True)
    writer = tf.summary.create_file_writer(str(tmp_path / "logs" / "dcgan"))
    with writer.as_default():
        tf.summary.scalar("d_loss", 1.0, 1)
    writer.flush()
    (tmp_path / "logs" / "dcgan" / "samples" / "0001.png").write_bytes(b"mine")
    before = contents(tmp_path)
    assert train(faces, tmp_path, "--epoch", "1", "--seed", str(2 ** 31 - 1)) == 0
    assert contents(tmp_path).items() >= before.items() and saves(tmp_path) == [3]


def test_saves_and_curves_may_not_share_a_folder(faces, tmp_path, capsys):
    assert train(faces, tmp_path, "--checkpoint_dir", str(tmp_path / "both"),
                 "--log_dir", str(tmp_path / "both")) == USAGE
    assert "--log_dir" in capsys.readouterr().err


def test_a_file_in_place_of_the_run_folder_is_no_place_to_write(faces, tmp_path, capsys):
    (tmp_path / "logs").write_text("")
    assert train(faces, tmp_path) == BAD_OUTPUT
    assert "cannot write" in capsys.readouterr().err
