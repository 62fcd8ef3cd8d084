"""The packing command from end to end."""
import os
import shutil

import numpy as np
import pytest

import train_network
from dataset.folder import load_faces
from dataset.store import Pack, unfinished_pack
from helpers import BAD_OUTPUT, NO_INPUT, SOME_FAILED
from preprocess import pack_dataset
from shell.lock import claim_folder


def test_a_folder_becomes_a_pack_and_what_is_broken_is_named(openface, tmp_path, run):
    shutil.copytree(openface, tmp_path / "faces")
    (tmp_path / "faces" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ended = run(pack_dataset.main, tmp_path / "faces", tmp_path / "pack", "--size", 64)
    assert ended.code == SOME_FAILED and "broken.png" in ended.err and "12 faces packed" in ended.out
    np.testing.assert_array_equal(Pack(tmp_path / "pack", 64)[:], load_faces(openface, 64)[0])


@pytest.mark.fault("F22", "pack")
def test_a_second_process_packing_to_the_same_place_is_refused_and_a_killed_ones_leftovers_do_not_count(
        openface, tmp_path, run):
    unfinished = unfinished_pack(tmp_path / "pack")
    with claim_folder(unfinished):
        ended = run(pack_dataset.main, openface, tmp_path / "pack")
    assert ended.code == BAD_OUTPUT and f"process {os.getpid()}" in ended.err and unfinished.exists()
    np.save(unfinished / "faces-00007.npy", np.zeros(3))
    assert run(pack_dataset.main, openface, tmp_path / "pack").code == 0
    assert sorted(path.name for path in (tmp_path / "pack").glob("[!.]*")) == ["faces-00000.npy", "pack.json"]
    assert run(pack_dataset.main, openface, tmp_path / "pack").code == BAD_OUTPUT and not unfinished.exists()


def test_a_folder_without_faces_of_that_size_is_no_usable_input(openface, tmp_path, run):
    ended = run(pack_dataset.main, openface, tmp_path / "pack", "--size", 32)
    assert ended.code == NO_INPUT and not (tmp_path / "pack").exists()


def test_a_run_begun_on_a_folder_goes_on_with_its_pack(openface, tmp_path, run):
    assert not run(pack_dataset.main, openface, tmp_path / "pack").code
    options = ["--batch_size", 4, "--z_dim", 4, "--gf_dim", 1, "--df_dim", 1, "--checkpoint_dir", tmp_path / "saves",
               "--log_dir", tmp_path / "logs"]
    assert not run(train_network.main, "--dataset", openface, "--epoch", 1, *options).code
    ended = run(train_network.main, "--dataset", tmp_path / "pack", "--epoch", 2, *options)
    assert not ended.code and "going on from" in ended.out and "trained 6 steps" in ended.out


@pytest.mark.parametrize("output", [".", "/", "..", "../faces", "link"])
def test_what_is_there_already_is_no_output_by_any_name(openface, tmp_path, run, monkeypatch, output):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "link").symlink_to(tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path / "faces")
    ended = run(pack_dataset.main, openface, output)
    assert ended.code == BAD_OUTPUT and len(ended.err.splitlines()) == 1 and "exists" in ended.err
    assert [path.name for path in tmp_path.rglob("*")] == ["faces", "link"]


def test_what_others_keep_where_the_pack_is_written_stays(openface, tmp_path, run):
    (tmp_path / ".pack.unfinished").mkdir()
    (tmp_path / ".pack.unfinished" / "thesis.txt").write_text("mine")
    assert run(pack_dataset.main, openface, tmp_path / "pack").code == BAD_OUTPUT
    assert [path.name for path in tmp_path.rglob("*")] == [".pack.unfinished", "thesis.txt"]
