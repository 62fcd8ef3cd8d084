"""Saves that are whole or absent, found again whatever is broken, and models that execute nothing."""
import contextlib
import functools
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest

from helpers import BAD_CHECKPOINT, BAD_OUTPUT, UsageError
from nn.setup import tf
from tests.training.small_dcgan import FILES, RECORD, parts, prepared, values
from training.checkpoint import Checkpoint, load_model, take_weights
from training.manifest import BrokenSave, read_manifest


def cut(path):
    path.write_bytes(path.read_bytes()[:-2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


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


@pytest.mark.parametrize("network, value", [("generator", np.nan), ("average", np.nan), ("discriminator", np.inf)])
def test_a_save_with_a_weight_that_is_not_finite_is_refused_though_nobody_asks_for_it(tmp_path, network, value):
    dcgan = prepared()
    parts(dcgan)[network].variables[0].assign(np.full(parts(dcgan)[network].variables[0].shape, value))
    store = Checkpoint(tmp_path / "run", parts(dcgan))
    store.save(1, **RECORD)
    for load in (load_model, functools.partial(take_weights, prepared()),
                 lambda folder: store.restore(folder / "step-00000001")):
        with pytest.raises(UsageError, match="a weight is not finite") as caught:
            load(tmp_path / "run")
        assert caught.value.exit_code == BAD_CHECKPOINT and "\n" not in str(caught.value)


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


def test_a_run_goes_on_in_a_folder_of_any_name(dcgan, tmp_path):
    run = tmp_path / "runs[1]"
    Checkpoint(run, parts(dcgan)).save(1, **RECORD)
    other = prepared(seed=5)
    store = Checkpoint(run, parts(other))
    store.restore(store.newest()[1])
    for saved, restored in zip(values(dcgan), values(other)):
        np.testing.assert_array_equal(restored, saved)
