"""Models that are exported and loaded again, and that nothing else is taken for one or executed."""
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
from network import DCGAN, Architecture, tf
from tests.training.small_dcgan import FILES, RECORD, SMALL, faces_of, parts
from training.checkpoint import Checkpoint, export, load_model, write_function


@pytest.fixture(params=["averaged", "not averaged"])
def model(request, dcgan):
    """A DCGAN and the record of its training, with and without an average of its weights."""
    if request.param == "averaged":
        return dcgan, {"training": {"average": 0.5}}
    return DCGAN(SMALL, 3), {"training": {"average": 0.0}}


def test_exporting_leaves_a_hidden_folder_of_that_name_alone(dcgan, tmp_path):
    (tmp_path / ".mine").mkdir()
    export(dcgan, tmp_path / "mine", RECORD)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine", "mine"]


class Twice(tf.Module):
    """A function of one variable, as write_function takes it."""

    def __init__(self):
        super().__init__()
        self.factor = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None])])
    def __call__(self, x):
        return {"y": self.factor * x}


# What TensorFlow was writing when a process was killed.
HALF = ("variables/variables_temp/part-00000-of-00001.data-00000-of-00001.tempstate12", "fingerprint.pb.tmp3590ab",
        "variables/variables_temp/part-00000-of-00001.index", "variables/variables.index", "saved_model.pb")


def leave_half(folder, *more):
    for name in (*HALF, *more):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"a")
    (folder / "assets").mkdir()


def test_what_a_killed_export_of_a_function_left_is_swept_by_the_next_one(tmp_path):
    leave_half(tmp_path / ".saved.unfinished")
    leave_half(tmp_path / ".other.unfinished")
    module = Twice()
    write_function(module, module.__call__, tmp_path / "saved")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.unfinished", "saved"]
    answer = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"]
    np.testing.assert_array_equal(answer(x=tf.constant([3.0]))["y"], [6])


def test_sweeping_an_export_removes_nothing_of_others(tmp_path):
    leave_half(tmp_path / ".saved.unfinished", "variables/theirs.txt")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/saved_model.pb").write_bytes(b"a")
    (tmp_path / ".linked.unfinished").symlink_to("theirs")
    module = Twice()
    for name in ("saved", "linked"):
        with pytest.raises(UsageError, match="holds files of others") as caught:
            write_function(module, module.__call__, tmp_path / name)
        assert caught.value.exit_code == BAD_OUTPUT and not (tmp_path / name).exists()
    files = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == [".saved.unfinished/variables/theirs.txt", "theirs/saved_model.pb"]


def test_an_export_of_a_function_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def fail(module, folder, signatures):
        Path(folder, "saved_model.pb").write_bytes(b"a")
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(UsageError, match="No space left") as caught:
        write_function(Twice(), None, tmp_path / "saved")
    assert caught.value.exit_code == BAD_OUTPUT and not list(tmp_path.iterdir())


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
    with pytest.raises(UsageError, match="holds something that is no model") as caught:
        export(dcgan, Path(name), RECORD)
    assert caught.value.exit_code == BAD_OUTPUT and (tmp_path / "thesis" / "chapter1.txt").exists()


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
