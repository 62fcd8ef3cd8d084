"""Saves that are whole or absent, found again whatever is broken, and models that execute nothing."""
import functools
import json
import pickle
import resource
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from helpers import BAD_CHECKPOINT, BAD_OUTPUT, UsageError
from network import DCGAN, Architecture, Training
from training.checkpoint import Checkpoint, differences, export, load_model

SMALL = Architecture(z_dim=4, gf_dim=2, df_dim=2)
RECORD = {"architecture": {"image_size": 64, "z_dim": 4, "gf_dim": 2, "df_dim": 2}, "training": {"average": 0.5}}
FILES = ["tensors.data-00000-of-00001", "tensors.index", "manifest.json"]


def trained(seed=0, average=0.5, steps=1):
    dcgan = DCGAN(SMALL, seed)
    dcgan.prepare_training(Training(average=average))
    faces = tf.random.stateless_uniform((8, 64, 64, 3), (seed, 1), -1, 1)
    for step in range(steps):
        dcgan.train_step(faces, tf.constant(step, tf.int64))
    return dcgan


def parts(dcgan):
    kept = {"generator": dcgan.generator, "discriminator": dcgan.discriminator, "g_optimizer": dcgan.g_optimizer,
            "d_optimizer": dcgan.d_optimizer, "average": dcgan.average}
    return {name: part for name, part in kept.items() if part}


def values(dcgan):
    return [variable.numpy() for part in parts(dcgan).values() for variable in part.variables]


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def faces_of(dcgan):
    return dcgan.generate(tf.random.stateless_uniform((8, 4), (9, 9), -1, 1)).numpy()


@pytest.fixture(scope="module")
def dcgan():
    return trained()


@pytest.fixture(scope="module")
def two_saves(dcgan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("two") / "run"
    store = Checkpoint(folder, parts(dcgan))
    store.save(1, **RECORD)
    store.save(2, **RECORD)
    return folder


@pytest.fixture
def run(two_saves, tmp_path):
    return Path(shutil.copytree(two_saves, tmp_path / "run"))


def test_a_restored_run_has_every_number_of_the_saved_one_down_to_the_optimizers_slots(dcgan, run):
    other = trained(seed=5, steps=2)
    saved = values(dcgan)
    assert not all(np.array_equal(a, b) for a, b in zip(saved, values(other)))
    Checkpoint(run, parts(other)).restore(run / "step-00000002")
    restored = values(other)
    assert len(saved) == len(restored) > 60
    assert all(np.array_equal(a, b) for a, b in zip(saved, restored))
    assert int(other.g_optimizer.iterations) == 1


def test_the_newest_save_comes_with_what_was_recorded(run):
    manifest, save, troubles = Checkpoint(run, {}).newest()
    assert (manifest["step"], save, troubles) == (2, run / "step-00000002", [])
    assert manifest["architecture"] == RECORD["architecture"]
    assert manifest["versions"]["tensorflow"] == tf.__version__


def test_a_folder_without_saves_is_a_new_run(tmp_path):
    assert Checkpoint(tmp_path / "nothing", {}).newest() == (None, None, [])


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_a_damaged_newest_save_is_passed_over_and_named(run, name, damage):
    damage(run / "step-00000002" / name)
    manifest, save, [trouble] = Checkpoint(run, {}).newest()
    assert (manifest["step"], save.name) == (1, "step-00000001")
    assert "step-00000002" in trouble
    assert load_model(run)[1]["step"] == 1


def test_no_flipped_bit_of_a_manifest_is_believed(run):
    path = run / "step-00000002" / "manifest.json"
    whole = path.read_bytes()
    believed = []
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        if Checkpoint(run, {}).newest()[1].name == "step-00000002":
            believed.append(whole[max(place - 20, 0):place + 5].decode())
    assert not believed, f"{len(believed)} of {len(whole)}, such as {believed[::60]}"


def test_a_save_folder_that_is_empty_is_passed_over(run):
    (run / "step-00000003").mkdir()
    manifest, _, [trouble] = Checkpoint(run, {}).newest()
    assert manifest["step"] == 2 and "step-00000003" in trouble


def test_when_every_save_is_bad_it_stops_and_changes_nothing(run):
    for save in run.glob("step-*"):
        flip(save / FILES[0])
    before = contents(run)
    for load in (Checkpoint(run, {}).newest, functools.partial(load_model, run)):
        with pytest.raises(UsageError, match="step-00000001.*nothing was changed|nothing was changed") as caught:
            load()
        assert caught.value.exit_code == BAD_CHECKPOINT
    assert contents(run) == before


def test_a_garbage_state_file_is_not_asked(run):
    (run / "checkpoint").write_bytes(b"\0garbage")
    assert Checkpoint(run, {}).newest()[0]["step"] == 2


def test_leftovers_of_a_killed_save_are_no_saves_and_are_swept(run):
    leftover = run / ".step-00000003"
    shutil.copytree(run / "step-00000002", leftover)
    store = Checkpoint(run, {})
    assert store.newest()[0]["step"] == 2
    store.sweep()
    assert sorted(path.name for path in run.iterdir()) == ["step-00000001", "step-00000002"]


def test_a_leftover_does_not_get_into_the_save_of_the_same_step(dcgan, run):
    (run / ".step-00000003").mkdir()
    (run / ".step-00000003" / "half").write_bytes(b"a")
    Checkpoint(run, parts(dcgan)).save(3, **RECORD)
    assert sorted(path.name for path in (run / "step-00000003").iterdir()) == sorted(FILES)
    assert not (run / ".step-00000003").exists()


@pytest.mark.parametrize("keep", [1, 3])
def test_the_newest_saves_are_kept_and_no_others(dcgan, tmp_path, keep):
    store = Checkpoint(tmp_path, parts(dcgan), keep)
    for step in (1, 2, 9, 10, 100):
        store.save(step, **RECORD)
    kept = [f"step-{step:08d}" for step in (1, 2, 9, 10, 100)][-keep:]
    assert sorted(path.name for path in tmp_path.iterdir()) == kept


def test_a_save_just_made_is_kept_though_a_broken_one_bears_a_higher_step(dcgan, run):
    (run / "step-00000009").mkdir()
    store = Checkpoint(run, parts(dcgan), keep=1)
    store.save(3, **RECORD)
    assert store.newest()[0]["step"] == 3


def test_saving_a_step_again_replaces_a_broken_save_of_it(dcgan, run):
    flip(run / "step-00000002" / FILES[0])
    store = Checkpoint(run, parts(dcgan))
    store.save(2, **RECORD)
    manifest, _, troubles = store.newest()
    assert manifest["step"] == 2 and not troubles


def test_a_full_disk_keeps_the_saves_before_and_says_so(dcgan, run):
    before = contents(run)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(UsageError, match="cannot save") as caught:
            Checkpoint(run, parts(dcgan)).save(3, **RECORD)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.exit_code == BAD_OUTPUT
    assert contents(run) == before


def test_differences_name_what_was_and_what_is_asked_for():
    assert differences({"gf_dim": 16, "z_dim": 100}, {"gf_dim": 32, "z_dim": 100}) == "gf_dim 16, asked for 32"
    assert differences({"z_dim": 100}, {"z_dim": 100}) == ""


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_an_exported_model_gives_the_same_faces_and_the_same_realism(tmp_path, average):
    dcgan = trained(average=average)
    export(dcgan, tmp_path / "model", {"step": 1, "training": {"average": average}})
    loaded, manifest = load_model(tmp_path / "model")
    np.testing.assert_array_equal(faces_of(loaded), faces_of(dcgan))
    np.testing.assert_array_equal(loaded.realism(faces_of(dcgan)), dcgan.realism(faces_of(dcgan)))
    assert (manifest["step"], loaded.architecture) == (1, SMALL)


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_the_model_of_a_run_gives_the_faces_that_the_run_samples(tmp_path, average):
    dcgan = trained(average=average)
    Checkpoint(tmp_path, parts(dcgan)).save(1, **RECORD | {"training": {"average": average}})
    for folder in (tmp_path, tmp_path / "step-00000001"):
        np.testing.assert_array_equal(faces_of(load_model(folder)[0]), faces_of(dcgan))


def test_an_exported_model_may_have_any_name(dcgan, tmp_path):
    export(dcgan, tmp_path / "two-step-model", RECORD)
    np.testing.assert_array_equal(faces_of(load_model(tmp_path / "two-step-model")[0]), faces_of(dcgan))


def test_an_exported_model_holds_no_optimizer(dcgan, tmp_path):
    export(dcgan, tmp_path / "model", RECORD)
    names = [name for name, _ in tf.train.list_variables(str(tmp_path / "model" / "tensors"))]
    assert any(name.startswith("generator/dense") for name in names)
    assert not [name for name in names if "optimizer" in name or "average" in name]


def test_exporting_again_replaces_the_model(tmp_path):
    for seed in (0, 1):
        dcgan = trained(seed)
        export(dcgan, tmp_path / "model", RECORD)
    np.testing.assert_array_equal(faces_of(load_model(tmp_path / "model")[0]), faces_of(dcgan))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("name", ["thesis", "."])
def test_exporting_never_removes_a_folder_that_holds_something_else(dcgan, tmp_path, monkeypatch, name):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    monkeypatch.chdir(tmp_path / "thesis" if name == "." else tmp_path)
    try:
        export(dcgan, Path(name), RECORD)
    except UsageError as error:
        assert error.exit_code == BAD_OUTPUT
    assert (tmp_path / "thesis" / "chapter1.txt").exists()


class Trap:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def a_pickle(folder):
    (folder / "x.pkl").write_bytes(pickle.dumps(Trap(folder / "sprung")))
    return folder / "x.pkl"


def a_keras_file(folder):
    with zipfile.ZipFile(folder / "x.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Lambda"}))
    return folder / "x.keras"


def a_zip(folder):
    with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(10**7))
    return folder / "x.zip"


def an_empty_folder(folder):
    (folder / "empty").mkdir()
    return folder / "empty"


def nothing(folder):
    return folder / "nothing"


def a_saved_model(folder):
    (folder / "saved" / "variables").mkdir(parents=True)
    (folder / "saved" / "saved_model.pb").write_bytes(b"\x08\x01")
    return folder / "saved"


def a_folder_of_pickles(folder):
    (folder / "run" / "step-00000001").mkdir(parents=True)
    shutil.move(a_pickle(folder), folder / "run" / "step-00000001" / "manifest.json")
    return folder / "run"


@pytest.mark.parametrize("make", [a_pickle, a_keras_file, a_zip, an_empty_folder, nothing, a_saved_model,
                                  a_folder_of_pickles])
def test_what_is_no_model_is_refused_and_nothing_in_it_is_executed(tmp_path, make):
    path = make(tmp_path)
    with pytest.raises(UsageError) as caught:
        load_model(path)
    assert caught.value.exit_code == BAD_CHECKPOINT
    assert path.name in str(caught.value)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("architecture", [{"image_size": 32}, {"colour": 3}, {"gf_dim": 4}, {"gf_dim": -1},
                                          {"z_dim": "many"}, None])
def test_a_manifest_that_does_not_describe_its_tensors_is_refused(dcgan, tmp_path, architecture):
    described = architecture and RECORD["architecture"] | architecture
    Checkpoint(tmp_path, parts(dcgan)).save(1, **RECORD | {"architecture": described})
    with pytest.raises(UsageError) as caught:
        load_model(tmp_path)
    assert caught.value.exit_code == BAD_CHECKPOINT
