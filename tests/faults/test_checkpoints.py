"""Saves and models that are cut, forged, of another kind or no models at all, for all who read them."""
import contextlib
import resource
import shutil
import time

import numpy as np
import pytest

from helpers import BAD_CHECKPOINT, BAD_OUTPUT, NOT_FINITE
from network import tf
from tests.training import test_model_folders

MAKERS = [getattr(test_model_folders, name) for name in (
    "a_pickle", "a_keras_file", "a_zip", "an_empty_folder", "nothing", "a_saved_model", "a_folder_of_pickles")]
TRAINED = "training", "learned"


@pytest.fixture(scope="module")
def runs():
    """{command: the home of a run of three steps, once it was asked for}"""
    return {}


@pytest.fixture
def ran(command, inputs, call, out, runs, request, tmp_path_factory):
    """A run of three steps, saved after each, in `out`: of the command, or such a folder of saves of a tiny DCGAN."""
    if command in TRAINED:
        if command not in runs:
            runs[command] = tmp_path_factory.mktemp(command) / "home"
            assert call(inputs, *EVERY_STEP, out=runs[command] / "out").code == 0
        shutil.copytree(runs[command], out.parent)
        return out
    for step in (1, 2, 3):
        shutil.copytree(request.getfixturevalue("model"), out.parent / "run" / f"step-{step:08d}")
    if command in ("latent", "export"):
        shutil.copytree(f"{request.getfixturevalue('encoded')}-learned", out.parent / "run-learned")
    return out.parent / "run"


EVERY_STEP = "--epoch", 3, "--save_every", 1


@pytest.fixture
def use(command, call, inputs):
    """use(folder, option, ...) calls the command with a model that it takes, or begins to train with."""
    def use(folder, *options):
        if command in ("samples", "export"):
            return call(folder)
        if command == "latent":
            return call(inputs, "--checkpoint", folder)
        latent = "latent", "--checkpoint", folder, "--num_iter", 1, "--recipe", "pool"
        return call(inputs, *{"training": ["--begin_from", folder], "learned": ["--begin_from", folder],
                              "completion": ["--method", *latent], "evaluation": ["--methods", *latent]}[command])
    return use


@pytest.fixture
def go_on(command, call, inputs, use):
    """go_on(folder, option, ...) calls the command so that it reads the newest save of a run's folder."""
    return lambda folder, *options: (call(inputs, *EVERY_STEP, *options) if command in TRAINED else use(folder))


def files_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"}


def cut(path):
    path.write_bytes(path.read_bytes()[:-2])


@pytest.mark.fault("F15", "learned")
def test_a_finished_run_started_again_trains_nothing(command, ran, go_on):
    before = files_of(ran)
    assert go_on(ran).code == 0 and files_of(ran) == before


@pytest.mark.fault("F31", "trained", "completion", "samples")
@pytest.mark.fault("F31", "evaluation", "latent", "export", slow=True)
def test_what_the_state_file_of_tensorflow_says_is_not_asked(command, ran, go_on):
    (ran / "checkpoint").write_bytes(b"model_checkpoint_path: \"/nowhere\"\n\xff")
    ended = go_on(ran)
    assert ended.code == 0, ended.err
    assert command not in TRAINED or "is the end" in ended.out and "step-00000003" in ended.out


@pytest.mark.fault("F32", "trained", "completion", "samples")
@pytest.mark.fault("F32", "evaluation", "latent", "export", slow=True)
def test_without_its_newest_save_a_run_is_taken_at_the_one_before_and_that_is_said(command, ran, go_on):
    (ran / "step-00000003" / "tensors.index").unlink()
    ended = go_on(ran)
    assert ended.code == 0 and "step-00000003" in ended.err and "falling back to the save before it" in ended.err
    assert command not in TRAINED or "step-00000002" in ended.out


@pytest.mark.fault("F33", "trained", "completion", "evaluation", "samples")
@pytest.mark.fault("F33", "latent", "export", slow=True)
def test_where_every_save_is_bad_it_stops_and_changes_nothing(command, ran, go_on):
    for path in ran.glob("step-*/tensors.data*"):
        cut(path)
    before = files_of(ran)
    ended = go_on(ran)
    assert (ended.code, len(ended.err.splitlines())) == (BAD_CHECKPOINT, 1) and files_of(ran) == before


@pytest.mark.fault("F33", "trained")
def test_a_save_that_is_asked_for_and_not_there_is_named(command, inputs, call, out):
    ended = call(inputs, "--resume_from", 10)
    assert ended.code == BAD_CHECKPOINT and "no save of step 10" in ended.err and not list(out.glob("step-*"))


@pytest.mark.fault("F34", "trained", "completion", "evaluation", "samples")
@pytest.mark.fault("F34", "latent", "export", slow=True)
def test_a_model_of_another_architecture_or_kind_is_refused_with_the_difference(command, ran, go_on, use):
    if command in TRAINED:
        ended = go_on(ran, "--z_dim", 5)
        assert "z_dim 4, asked for 5" in ended.err
    else:
        ended = use("checkpoint/celeba64-learned/context_encoder")
        assert "its kind is context_encoder" in ended.err
    assert (ended.code, len(ended.err.splitlines())) == (BAD_CHECKPOINT, 1)


@contextlib.contextmanager
def files_no_larger_than(size):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.fault("F35 F21", "trained")
def test_a_disk_that_is_full_during_a_save_leaves_the_last_good_one(command, ran, go_on):
    shutil.rmtree(ran / "step-00000003")
    for events in ran.parent.rglob("events.out.*"):     # they are larger than these saves
        events.unlink()
    before, large = files_of(ran), max(path.stat().st_size for path in ran.glob("*/tensors.data*"))
    with files_no_larger_than(large - 1):
        ended = go_on(ran)
    assert ended.code == BAD_OUTPUT and "cannot save" in ended.err.splitlines()[-1]
    assert files_of(ran) == before and not list(ran.glob(".step*"))
    assert go_on(ran).code == 0 and (ran / "step-00000003").is_dir()


def assert_equal_saves(first, second):
    readers = [tf.train.load_checkpoint(str(save / "tensors")) for save in (first, second)]
    names = [name for name in readers[0].get_variable_to_shape_map() if "VARIABLE_VALUE" in name]
    assert len(names) > 20
    for name in names:
        np.testing.assert_array_equal(*(reader.get_tensor(name) for reader in readers), err_msg=name)


@pytest.mark.fault("F30 F36 F44", "trained")
def test_a_run_broken_off_in_a_save_ends_with_the_numbers_of_an_unbroken_one(command, ran, go_on, runs):
    (ran / "step-00000003").rename(ran / ".step-00000003.unfinished")
    cut(ran / ".step-00000003.unfinished" / "manifest.json")
    assert go_on(ran).code == 0 and not list(ran.glob(".step*"))
    assert_equal_saves(*(folder / "step-00000003" for folder in (ran, runs[command] / "out")))


@pytest.mark.slow
@pytest.mark.fault("F30", "trained")
def test_a_run_that_is_killed_in_its_saves_ends_with_the_numbers_of_an_untouched_one(command, inputs, start_command,
                                                                                     call, out):
    often = "--epoch", 40, "--save_every", 1, "--keep", 99
    for _ in range(3):
        process, before = start_command(inputs, *often), len(list(out.glob("step-*")))
        while process.poll() is None and not (len(list(out.glob("step-*"))) > before and list(out.glob(".step-*"))):
            time.sleep(0.0005)
        process.kill()
        process.communicate()
    assert call(inputs, *often).code == 0 and call(inputs, *often, out=out.parent / "other").code == 0
    assert_equal_saves(*(folder / "step-00000040" for folder in (out, out.parent / "other")))


@pytest.mark.fault("F37", "learned")
def test_other_faces_are_refused_and_other_settings_warned_of(command, ran, go_on, put):
    ended = go_on(ran, "--learning_rate", 0.5, "--batch_size", 2)
    assert ended.code == 0 and "asked for 0.5" in ended.err and "batch_size 3, asked for 2" in ended.err
    put("another.png", "D000600")
    before = files_of(ran)
    ended = go_on(ran)
    assert ended.code == BAD_CHECKPOINT and "3 other faces than the 4" in ended.err and files_of(ran) == before


@pytest.mark.fault("F38", "trained", "completion", "evaluation", "samples")
@pytest.mark.fault("F38", "latent", "export", slow=True)
@pytest.mark.parametrize("make", MAKERS)
def test_what_is_no_model_is_refused_and_nothing_in_it_is_executed(command, use, tmp_path, make):
    path = make(tmp_path)
    ended = use(path)
    assert (ended.code, len(ended.err.splitlines())) == (BAD_CHECKPOINT, 1) and path.name in ended.err
    assert not (tmp_path / "sprung").exists()


@pytest.mark.fault("F40", "learned")
def test_a_learning_rate_that_explodes_ends_the_run_and_leaves_its_saves(command, ran, go_on, call, inputs):
    before = files_of(ran)
    ended = call(inputs, "--epoch", 30, "--learning_rate", 1e30, "--save_every", 50)
    assert ended.code == NOT_FINITE and "step " in ended.err and files_of(ran) == before


@pytest.mark.fault("F27", "learned")
def test_a_batch_larger_than_the_data_is_made_smaller_and_trains(command, inputs, call, done):
    ended = call(inputs, "--batch_size", 300)
    assert ended.code == 0 and "only 3 faces: training in batches of 3" in ended.err and done() == 3
