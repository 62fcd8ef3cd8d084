"""The training command: its options, faces that cannot be used, examinations and exports, and what it refuses."""
import contextlib
import io
import os
import shutil
import signal
import sys

import numpy as np
import pytest

import train_network
from benchmarks.kill_training import write_faces
from helpers import BAD_OUTPUT, NO_INPUT, OUT_OF_MEMORY, SOME_FAILED, USAGE
from models.context_encoder import DISTANCES
from network import tf
from nn import adversarial, choices
from shell.lock import claim_folder
from shell.progress import Progress
from tests.training.small_runs import contents, curves, event_steps, saves, tensors, train
from training.checkpoint import load_model


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return write_faces(tmp_path_factory.mktemp("data") / "faces", 24)


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


def test_a_signal_during_the_examination_is_not_lost_on_the_step_before_it(faces, tmp_path, monkeypatch):
    def examine(self):
        os.kill(os.getpid(), signal.SIGTERM)
        return {"hole_ssim": 0.5}
    monkeypatch.setattr("training.health.Health.__call__", examine)
    assert train(faces, tmp_path, "--validation", str(faces)) == 143
    assert saves(tmp_path) == [3]


def test_progress_comes_to_its_end_though_no_report_is_due_there(faces, tmp_path, monkeypatch):
    shown = []

    class Kept(Progress):
        def __exit__(self, *_):
            shown.append((self.unit, self.done, self.total))
            super().__exit__()
    monkeypatch.setattr("training.run_command.Progress", Kept)
    assert train(faces, tmp_path, "--epoch", "1", "--report_every", "2") == 0
    assert ("faces", 24, 24) in shown and [point["step"] for point in curves(tmp_path)] == [2]


@pytest.mark.fault("F41", "training")
def test_a_corrupt_file_is_left_out_and_counted(odd_run):
    home, messages = odd_run
    assert f"{home}/faces/05.png: " in messages
    assert "1 unusable file " in messages
    assert load_model(home / "checkpoint" / "dcgan")[1]["faces"] == 11


@pytest.mark.fault("F41", "training")
def test_a_corrupt_file_is_refused_by_strict(odd_run, tmp_path, capsys):
    assert train(odd_run[0] / "faces", tmp_path, "--strict") == SOME_FAILED
    assert "1 unusable file " in capsys.readouterr().err
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


def test_the_exported_model_is_the_one_that_was_trained(odd_run):
    home, _ = odd_run
    (model, manifest), (trained, _) = load_model(home / "model"), load_model(home / "checkpoint" / "dcgan")
    assert manifest["step"] == 2
    z = trained.latents(8)
    np.testing.assert_array_equal(model.generate(z), trained.generate(z))


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
