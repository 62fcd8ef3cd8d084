"""A dry run says what a run would do, and leaves nothing behind."""
import tempfile

import pytest

import models.train
import train_network
from benchmarks.kill_training import write_faces
from helpers import BAD_CHECKPOINT, NO_INPUT
from network import DCGAN, Architecture
from training import loop
from training.checkpoint import export

SMALL = "--z_dim", 8, "--gf_dim", 2, "--df_dim", 2


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """Twelve faces in a folder of an otherwise empty one, where everything relative and temporary would go."""
    folder = write_faces(tmp_path / "faces", 12)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(faces, tmp_path, run):
    before = sorted(tmp_path.rglob("*"))
    ended = run(train_network.main, "--dataset", faces, "--validation", faces, *SMALL, "--epoch", 7, "--batch_size", 5,
                "--noise", 0.1, "--export", "mine", "--dry_run")
    assert (ended.code, ended.err) == (0, "") and sorted(tmp_path.rglob("*")) == before
    assert "faces: 12 of 64x64 pixels to train on and 12 of 64x64 pixels for validation" in ended.out
    assert "steps: 14, 7 epochs of 2, by 5 faces each; begins anew" in ended.out
    assert "saves in checkpoint/dcgan, curves and samples in logs/dcgan, the model in mine" in ended.out
    dcgan = DCGAN(Architecture(z_dim=8, gf_dim=2, df_dim=2))
    sizes = [sum(weight.shape.num_elements() for weight in network.trainable_variables)
             for network in (dcgan.generator, dcgan.discriminator)]
    assert "parameters: generator {:,}, discriminator {:,}\n".format(*sizes) in ended.out
    assert "memory: about 0.6 GB" in ended.out and "noise 0.1" in ended.out
    assert all(len(line) <= 100 for line in ended.out.splitlines())


def test_a_dry_run_of_a_learned_method_and_of_a_run_that_goes_on(faces, tmp_path, run):
    words = "vae", "--dataset", faces, *SMALL, "--epoch", 1
    assert run(models.train.main, *words).code == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    ended = run(models.train.main, *words, "--dry_run")
    assert ended.code == 0 and "vae/step-00000001 is the end, 1 epoch being 1 step: nothing is left" in ended.out
    assert "coder" in ended.out and "begins" not in ended.out
    ended = run(models.train.main, *words[:-1], 2, "--seed", 1, "--dry_run")
    assert "going on from checkpoint/vae/step-00000001, to 2 epochs in place of 1" in ended.out
    assert "other settings than before, those asked for now: --seed 0, asked for 1;" in ended.err
    refused = run(models.train.main, *words, "--gf_dim", 3, "--dry_run")
    assert refused.code == BAD_CHECKPOINT and "another architecture" in refused.err and not refused.out
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_dry_run_finds_what_would_end_the_run(faces, tmp_path, run):
    assert run(train_network.main, "--dataset", tmp_path / "temporary", "--dry_run").code == NO_INPUT


def test_few_faces_are_told_to_begin_with_the_shipped_model_where_it_fits(faces, run, monkeypatch):
    words = "--dataset", faces, "--batch_size", 4, "--dry_run"
    told = "few faces to begin with nothing, 12: --begin_from checkpoint/celeba64 "
    assert run(train_network.main, *words).err.count(told) == 1
    monkeypatch.setattr(loop, "FEW", 12)
    assert told not in run(train_network.main, *words).err
    monkeypatch.setattr(loop, "FEW", 13)
    assert told not in run(train_network.main, *words, *SMALL).err
    export(DCGAN(), "other", {"step": 0})
    assert told not in run(train_network.main, *words, "--begin_from", "other").err
