"""Saves that are whole or absent, found again whatever is broken, and models that execute nothing."""
import contextlib
import functools
import json
import pickle
import resource
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from helpers import BAD_CHECKPOINT, BAD_OUTPUT, UsageError
from network import DCGAN, Architecture, Training, tf
from training.checkpoint import Checkpoint, differences, export, load_model, take_weights
from training.manifest import BrokenSave, read_manifest

SMALL = Architecture(z_dim=4, gf_dim=2, df_dim=2)
RECORD = {"architecture": {"image_size": 64, "z_dim": 4, "gf_dim": 2, "df_dim": 2}, "training": {"average": 0.5}}
FILES = ["tensors.data-00000-of-00001", "tensors.index", "manifest.json"]


def prepared(seed=0):
    dcgan = DCGAN(SMALL, seed)
    dcgan.prepare_training(Training(average=0.5))
    return dcgan


def parts(dcgan):
    names = ("generator", "discriminator", "g_optimizer", "d_optimizer", "average")
    return {name: vars(dcgan)[name] for name in names if vars(dcgan).get(name)}


def values(dcgan):
    return [variable.numpy() for part in parts(dcgan).values() for variable in part.variables]


def cut(path):
    path.write_bytes(path.read_bytes()[:-2])


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
    """A DCGAN after one step, so that its optimizers, statistics and average are not what they began with."""
    dcgan = prepared()
    dcgan.train_step(tf.random.stateless_uniform((8, 64, 64, 3), (1, 1), -1, 1), tf.constant(0, tf.int64))
    return dcgan


@pytest.fixture(params=["averaged", "not averaged"])
def model(request, dcgan):
    """A DCGAN and the record of its training, with and without an average of its weights."""
    if request.param == "averaged":
        return dcgan, {"training": {"average": 0.5}}
    return DCGAN(SMALL, 3), {"training": {"average": 0.0}}


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
    other = prepared(seed=5)
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
@pytest.mark.fault("F32", "trained")
def test_a_damaged_newest_save_is_passed_over_and_named(run, name, damage):
    damage(run / "step-00000002" / name)
    manifest, save, [trouble] = Checkpoint(run, {}).newest()
    assert (manifest["step"], save.name) == (1, "step-00000001")
    assert "step-00000002" in trouble
    assert load_model(run)[1]["step"] == 1


def test_no_flipped_bit_of_a_manifest_is_believed(run):
    path = run / "step-00000002" / "manifest.json"
    whole, believed = path.read_bytes(), []
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        with contextlib.suppress(BrokenSave):
            read_manifest(path.parent)
            believed.append(place)
    assert not believed, f"bytes {believed} of {len(whole)}"


def test_a_save_folder_that_is_empty_is_passed_over(run):
    (run / "step-00000003").mkdir()
    manifest, _, [trouble] = Checkpoint(run, {}).newest()
    assert manifest["step"] == 2 and "step-00000003" in trouble


def test_when_every_save_is_bad_it_stops_and_changes_nothing(run):
    for save in run.glob("step-*"):
        flip(save / FILES[0])
    before = contents(run)
    for load, problem in ((Checkpoint(run, {}).newest, "step-00000001.*nothing was changed"),
                          (functools.partial(load_model, run), "no usable model in .*step-00000001")):
        with pytest.raises(UsageError, match=problem) as caught:
            load()
        assert caught.value.exit_code == BAD_CHECKPOINT
    assert contents(run) == before


def test_a_garbage_state_file_is_not_asked(run):
    (run / "checkpoint").write_bytes(b"\0garbage")
    assert Checkpoint(run, {}).newest()[0]["step"] == 2


def test_leftovers_of_a_killed_save_are_no_saves_and_are_swept(run):
    leftover = run / ".step-00000003.unfinished"
    shutil.copytree(run / "step-00000002", leftover)
    store = Checkpoint(run, {})
    assert store.newest()[0]["step"] == 2
    store.sweep()
    assert sorted(path.name for path in run.iterdir()) == ["step-00000001", "step-00000002"]


def test_what_others_put_into_a_run_folder_is_no_save_and_stays(dcgan, run):
    for name in (".git", "step-best", "step-00000001-good"):
        shutil.copytree(run / "step-00000001", run / name)
    store = Checkpoint(run, parts(dcgan), keep=1)
    assert store.newest()[0]["step"] == 2
    store.sweep()
    store.save(3, **RECORD)
    assert sorted(path.name for path in run.iterdir()) == [".git", "step-00000001-good", "step-00000003", "step-best"]


def test_what_others_put_into_a_save_or_beside_it_stays(dcgan, run, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "tensors.index").write_text("mine")
    (run / ".step-00000009.unfinished").symlink_to(tmp_path / "elsewhere")
    (run / ".step-00000008.unfinished").mkdir()
    mine = [run / "step-00000001" / "notes.txt", run / "step-00000001" / "tensors.data-00007-of-00009",
            run / "step-00000002" / "notes.txt", run / ".step-00000008.unfinished" / "thesis.txt",
            tmp_path / "elsewhere" / "tensors.index"]
    for path in mine:
        path.write_text("mine")
    store = Checkpoint(run, parts(dcgan), keep=1)
    store.sweep()
    store.save(2, **RECORD)                             # replaces one save and removes the other
    assert [path.read_text() for path in mine] == 5 * ["mine"]
    assert sorted(path.name for path in (run / "step-00000001").iterdir()) == ["notes.txt", mine[1].name]
    assert read_manifest(run / "step-00000002")["step"] == 2 and not (run / ".step-00000002.replaced").exists()
    with pytest.raises(UsageError, match="cannot save"):
        store.save(8, **RECORD)


def test_a_model_with_a_weight_that_is_not_finite_is_refused(tmp_path):
    for value in (np.nan, np.inf):
        dcgan = DCGAN(SMALL)
        dcgan.discriminator.bias.assign([0.0, value])
        export(dcgan, tmp_path / "model", RECORD)
        for load in (load_model, functools.partial(take_weights, DCGAN(SMALL))):
            with pytest.raises(UsageError, match="a weight is not finite") as caught:
                load(tmp_path / "model")
            assert caught.value.exit_code == BAD_CHECKPOINT and "\n" not in str(caught.value)


@pytest.mark.parametrize("network", ["generator", "average", "discriminator"])
def test_a_save_with_a_weight_that_is_not_finite_is_refused_though_nobody_asks_for_it(tmp_path, network):
    dcgan = prepared()
    parts(dcgan)[network].variables[0].assign(np.full(parts(dcgan)[network].variables[0].shape, np.nan))
    store = Checkpoint(tmp_path / "run", parts(dcgan))
    store.save(1, **RECORD)
    for load in (load_model, lambda folder: store.restore(folder / "step-00000001")):
        with pytest.raises(UsageError, match="a weight is not finite") as caught:
            load(tmp_path / "run")
        assert caught.value.exit_code == BAD_CHECKPOINT


def test_exporting_leaves_a_hidden_folder_of_that_name_alone(dcgan, tmp_path):
    (tmp_path / ".mine").mkdir()
    export(dcgan, tmp_path / "mine", RECORD)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine", "mine"]


def test_a_leftover_does_not_get_into_the_save_of_the_same_step(dcgan, run):
    (run / ".step-00000003.unfinished" / "tensors_temp").mkdir(parents=True)
    for name in ("tensors.index.tempstate12", ".17-0.tmp", "tensors_temp/part-00000-of-00001.data-00000-of-00001"):
        (run / ".step-00000003.unfinished" / name).write_bytes(b"a")
    Checkpoint(run, parts(dcgan)).save(3, **RECORD)
    assert sorted(path.name for path in (run / "step-00000003").iterdir()) == sorted(FILES)
    assert not (run / ".step-00000003.unfinished").exists()


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
        assert "{{" not in str(caught.value) and "[Op" not in str(caught.value)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.exit_code == BAD_OUTPUT
    assert contents(run) == before


@pytest.mark.parametrize("name, half", [("model", True), ("a[b]", False)])
def test_a_temporary_folder_that_cannot_be_written_is_not_the_models_fault(dcgan, tmp_path, monkeypatch, name, half):
    export(dcgan, tmp_path / name, RECORD, half)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(UsageError, match=f"temporary folder {tmp_path}/absent") as caught:
        load_model(tmp_path / name)
    assert caught.value.exit_code == BAD_OUTPUT


def test_a_full_temporary_folder_is_told_in_plain_words(dcgan, tmp_path, monkeypatch):
    export(dcgan, tmp_path / "model", RECORD, half=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(UsageError, match=f"temporary folder {tmp_path}") as caught:
            load_model(tmp_path / "model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.exit_code == BAD_OUTPUT and "{{" not in str(caught.value)


def test_differences_name_what_was_and_what_is_asked_for():
    assert differences({"gf_dim": 16, "z_dim": 100}, {"gf_dim": 32, "z_dim": 100}) == "gf_dim 16, asked for 32"
    assert differences({"z_dim": 100}, {"z_dim": 100}) == ""


def test_an_exported_model_gives_the_same_faces_and_the_same_realism(model, tmp_path):
    dcgan, record = model
    export(dcgan, tmp_path / "model", {"step": 1, **record})
    loaded, manifest = load_model(tmp_path / "model")
    np.testing.assert_array_equal(faces_of(loaded), faces_of(dcgan))
    np.testing.assert_array_equal(loaded.realism(faces_of(dcgan)), dcgan.realism(faces_of(dcgan)))
    assert (manifest["step"], loaded.architecture) == (1, SMALL)


def test_the_model_of_a_run_gives_the_faces_that_the_run_samples(model, tmp_path):
    dcgan, record = model
    Checkpoint(tmp_path, parts(dcgan)).save(1, **RECORD | record)
    for folder in (tmp_path, tmp_path / "step-00000001"):
        np.testing.assert_array_equal(faces_of(load_model(folder)[0]), faces_of(dcgan))


@pytest.mark.parametrize("name", ["two-step-model", "a[b]", "what?*", "{x,y}", "back\\slash", "new\nline", "ä"])
def test_an_exported_model_may_have_any_name(dcgan, tmp_path, name):
    for half in (False, True):
        export(dcgan, tmp_path / name, RECORD, half)
        np.testing.assert_allclose(faces_of(load_model(tmp_path / name)[0]), faces_of(dcgan), atol=1e-3)


def test_a_run_goes_on_in_a_folder_of_any_name(dcgan, tmp_path):
    run = tmp_path / "runs[1]"
    Checkpoint(run, parts(dcgan)).save(1, **RECORD)
    other = prepared(seed=5)
    store = Checkpoint(run, parts(other))
    store.restore(store.newest()[1])
    for saved, restored in zip(values(dcgan), values(other)):
        np.testing.assert_array_equal(restored, saved)


def test_an_exported_model_holds_no_optimizer(dcgan, tmp_path):
    export(dcgan, tmp_path / "model", RECORD)
    names = [name for name, _ in tf.train.list_variables(str(tmp_path / "model" / "tensors"))]
    assert any(name.startswith("generator/dense") for name in names)
    assert not [name for name in names if "optimizer" in name or "average" in name]


def test_a_model_exported_in_half_takes_half_the_space_and_gives_nearly_the_same_faces(tmp_path):
    dcgan = DCGAN(Architecture(z_dim=4))
    for half in (False, True):
        export(dcgan, tmp_path / str(half), {}, half)
    sizes = [(tmp_path / str(half) / FILES[0]).stat().st_size for half in (False, True)]
    assert sizes[1] < 0.53 * sizes[0]
    loaded, _ = load_model(tmp_path / "True")
    assert {variable.dtype for variable in loaded.generator.variables} == {tf.float32}
    np.testing.assert_allclose(faces_of(loaded), faces_of(dcgan), atol=1e-3)
    assert np.any(faces_of(loaded) != faces_of(dcgan))


def test_exporting_again_replaces_the_model(tmp_path):
    first, second = DCGAN(SMALL, 0), DCGAN(SMALL, 1)
    for dcgan in (first, second):
        export(dcgan, tmp_path / "model", RECORD | {"training": {"average": 0.0}})
    loaded = load_model(tmp_path / "model")[0]
    np.testing.assert_array_equal(faces_of(loaded), faces_of(second))
    assert not np.array_equal(faces_of(loaded), faces_of(first))
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
    assert path.name in str(caught.value) and len(str(caught.value)) < 1000
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("architecture", [{"image_size": 32}, {"colour": 3}, {"gf_dim": 4}, {"gf_dim": -1},
                                          {"z_dim": "many"}, None])
def test_a_manifest_that_does_not_describe_its_tensors_is_refused(dcgan, tmp_path, architecture):
    described = architecture and RECORD["architecture"] | architecture
    Checkpoint(tmp_path, parts(dcgan)).save(1, **RECORD | {"architecture": described})
    with pytest.raises(UsageError) as caught:
        load_model(tmp_path)
    assert caught.value.exit_code == BAD_CHECKPOINT
    assert len(str(caught.value)) < 1000
