"""A run on disk: saves that are whole or absent, describe themselves, and are found again whatever is broken.

A run folder holds step-00000500/, step-00001000/, ..., each with TensorFlow's tensor files and a manifest.json that
names the step, the architecture, whatever else the caller records, and the sha256 of every file. A model folder, as
`export` writes it, is one such save without the optimizers.
"""
import contextlib
import dataclasses
import os
import tempfile
from pathlib import Path

import numpy as np

import network
from helpers import BAD_CHECKPOINT, BAD_OUTPUT, UsageError, file_sha256, write_json
from nn.setup import plain_words, quiet_stderr, tf
from shell.records import tell_changes

from .manifest import (
    MANIFEST,
    BrokenSave,
    find_model,
    list_saves,
    manifest_digest,
    read_manifest,
    unusable,
)
from .run_folders import LEFTOVER, check_model_folder, remove_save, remove_saved_model

TENSORS, UNFINISHED, REPLACED = "tensors", ".unfinished", ".replaced"


class Checkpoint:
    """The saves of one run; `parts` are the TensorFlow objects to keep, by name."""

    def __init__(self, folder, parts, keep=3):
        self.folder, self.keep = Path(folder), keep
        self._tensors = tf.train.Checkpoint(**parts)

    def sweep(self):
        """Remove what a killed process left of an unfinished save, and put back what it was about to replace."""
        for leftover in self.folder.glob(".*"):
            if LEFTOVER.fullmatch(leftover.name):
                finished = self.folder / leftover.name[1:].removesuffix(REPLACED).removesuffix(UNFINISHED)
                if leftover.name.endswith(REPLACED) and not finished.exists():
                    os.replace(leftover, finished)
                remove_save(leftover)

    def newest(self, step=None):
        """(manifest, folder, [why each newer save is bad]) of the newest good save; (None, None, []) without saves.

        step : consider the save of this step alone
        Raises UsageError (exit code 4) if there is no save of that step, or none that is good.
        """
        troubles, saves = [], list_saves(self.folder)
        if step is not None:
            saves = [save for save in saves if save.name == _name(step)]
            if not saves:
                steps = [str(int(save.name.removeprefix("step-"))) for save in list_saves(self.folder)]
                raise UsageError(f"no save of step {step} in {self.folder}; there are {', '.join(steps) or 'none'}",
                                 BAD_CHECKPOINT)
        for save in saves:
            try:
                return read_manifest(save), save, troubles
            except BrokenSave as trouble:
                troubles.append(str(trouble))
        if saves:
            raise UsageError(f"no save in {self.folder} is usable ({'; '.join(troubles)}): nothing was changed; "
                             "choose another --run or remove the folder", BAD_CHECKPOINT)
        return None, None, troubles

    def restore(self, save):
        """Load every part from a save. The optimizers have to be built before.

        Raises UsageError (exit code 4) if a weight is not finite.
        """
        with _naming_the_trouble(save):
            _check_weights(save)
        with _readable(save) as tensors:
            status = self._tensors.read(str(tensors))
            status.expect_partial().assert_consumed()   # without the first, the second's failure is told twice

    def save(self, step, **record):
        """Write everything; the save exists when this returns, whole, or not at all."""
        name = _name(step)
        _write(self._tensors, self.folder, name, {"step": step, **record})
        saves = list_saves(self.folder)
        later = [save for save in saves if save.name > name]        # broken, or dropped by --resume_from
        for old in later + saves[len(later) + self.keep:]:
            remove_save(old)


def _name(step):
    return f"step-{step:08d}"


def _write(tensors, folder, name, record, half=False):
    unfinished = folder / f".{name}{UNFINISHED}"
    try:
        remove_save(unfinished)
        unfinished.mkdir(parents=True)
        tensors.write(str(unfinished / TENSORS))
        if half:
            with _readable(unfinished) as kept:
                _convert(kept, kept, tf.float32, tf.float16)
        files = {path.name: file_sha256(path) for path in sorted(unfinished.iterdir())}
        versions = {"tensorflow": tf.__version__, "keras": tf.keras.__version__}
        manifest = {**record, "versions": versions, "files": files}
        write_json(unfinished / MANIFEST, manifest | {"manifest": manifest_digest(manifest)})
        for path in (*unfinished.iterdir(), unfinished):
            _sync(path)
        _put_in_place(unfinished, folder / name)
    except (OSError, tf.errors.OpError) as error:
        remove_save(unfinished)
        raise UsageError(f"cannot save to {folder}: {plain_words(error)}; the save before it is kept, run the same "
                         "command again to go on from there", BAD_OUTPUT) from error


def _put_in_place(unfinished, finished):
    """Rename a whole save; the one that it replaces goes, but for what somebody else put into it."""
    replaced = finished.with_name(f".{finished.name}{REPLACED}")
    if finished.exists():
        remove_save(replaced)
        os.replace(finished, replaced)
    os.replace(unfinished, finished)
    _sync(finished.parent)
    remove_save(replaced)
    for foreign in replaced.glob("*"):
        os.replace(foreign, finished / foreign.name)
    remove_save(replaced)


def _sync(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def export(model, folder, record, half=False):
    """Write a model folder that can be shipped: the networks that completion needs, no optimizer.

    half : write tensors of more than one dimension as float16, in half the space
    """
    check_model_folder(folder)
    folder = Path(folder).resolve()
    _write(tf.train.Checkpoint(**model.shipped), folder.parent, folder.name, {
        **record, "kind": model.kind, "architecture": dataclasses.asdict(model.architecture)}, half=half)


def write_function(module, function, folder):
    """Write a compiled function of a tf.Module as TensorFlow's SavedModel in a new folder, whole or not at all.

    What a killed process left of the same folder is removed first.
    Raises UsageError (exit code 5) if it cannot be written, or if something else is there.
    """
    folder = Path(folder).absolute()
    unfinished = folder.with_name(f".{folder.name}{UNFINISHED}")
    remove_saved_model(unfinished)
    try:
        unfinished.mkdir(parents=True)
        tf.saved_model.save(module, str(unfinished), signatures=function)
        os.replace(unfinished, folder)
    except FileExistsError as error:
        raise UsageError(f"cannot write {folder}: {unfinished} holds files of others", BAD_OUTPUT) from error
    except (OSError, tf.errors.OpError) as error:
        raise UsageError(f"cannot write {folder}: {plain_words(error)}", BAD_OUTPUT) from error
    finally:
        remove_saved_model(unfinished)


def _convert(source, target, old, new):
    """Copy TensorFlow's tensor files with all kernels of one type turned into another."""
    reader = tf.train.load_checkpoint(str(source))
    names = sorted(reader.get_variable_to_shape_map())
    tensors = [tf.constant(reader.get_tensor(name)) for name in names]
    tensors = [tf.cast(tensor, new) if tensor.dtype == old and len(tensor.shape) > 1 else tensor for tensor in tensors]
    tf.raw_ops.SaveV2(prefix=str(target), tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors)


@contextlib.contextmanager
def _readable(save):
    """The prefix of a save's tensor files for TensorFlow, which takes some letters of a path, such as [, for a pattern.

    Then it lies in a temporary folder of links to them.
    """
    if not set("*?[]{}\\") & set(str(save)):
        yield Path(save, TENSORS)
        return
    with _temporary_folder(lambda folder: Path(folder, "save").symlink_to(Path(save).resolve())) as folder:
        yield Path(folder, "save", TENSORS)


@contextlib.contextmanager
def _as_float32(save):
    """The prefix of a save's tensors whose kernels are all float32: its own or, if it has them in half, of a copy."""
    with _readable(save) as tensors:
        if tf.float16 not in tf.train.load_checkpoint(str(tensors)).get_variable_to_dtype_map().values():
            yield tensors
            return
        def fill(folder):
            with quiet_stderr():                        # TensorFlow regrets its slow float16
                _convert(tensors, Path(folder, TENSORS), tf.float16, tf.float32)
        with _temporary_folder(fill) as folder:
            yield Path(folder, TENSORS)


@contextlib.contextmanager
def _temporary_folder(fill):
    """A folder that `fill` has written into; UsageError (exit code 5) if it cannot."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            fill(folder)
        except (OSError, tf.errors.OpError) as error:
            raise UsageError(f"cannot write to the temporary folder {tempfile.tempdir or ''}: {plain_words(error)}; "
                             "name one that has room in TMPDIR", BAD_OUTPUT) from error
        yield folder


def load_model(folder, model_type=network.DCGAN, warn=lambda text: None):
    """The model of a model folder, of a run folder (its newest good save) or of one save, and its manifest.

    model_type : a class of nn.trainable.Trainable; warn : as find_model takes it
    Only TensorFlow's tensor files are read, nothing in them is executed. Raises UsageError (exit code 4) for anything
    else: a missing folder, a file, a Keras or SavedModel archive, a broken save, a model of another kind or with a
    weight that is not finite.
    """
    manifest, save = find_model(folder, (model_type.kind,), warn)
    with _naming_the_trouble(folder, model_type.kind):
        model = model_type(model_type.architecture_type(**manifest["architecture"]))
        _check_weights(save)
        _read_weights(model, save).assert_existing_objects_matched()
    return model, manifest


def take_weights(model, folder, warn=lambda text: None):
    """Give a new model the weights of the one in a folder, but for what only one of them has of `model.optional`.

    One of half the side is grown, if the new model is one that can have grown from it.

    Raises UsageError (exit code 4) as load_model does, and if the models have different architectures otherwise.
    """
    manifest, save = find_model(folder, (model.kind,), warn)
    with _naming_the_trouble(folder, model.kind):
        old, new = (dataclasses.asdict(architecture) for architecture in
                    (model.architecture_type(**manifest["architecture"]), model.architecture))
    if "grown" in old and new | {name: old[name] for name in model.optional} == old | {
            "image_size": 2 * old["image_size"], "grown": old["grown"] + 1}:
        model.grow(load_model(folder, type(model), warn)[0])
        return
    if changes := tell_changes(old, {name: value for name, value in new.items() if name not in model.optional}):
        raise UsageError(f"{folder} is no beginning, for it has another architecture ({changes}): ask for the same, or "
                         "begin from another model", BAD_CHECKPOINT)
    with _naming_the_trouble(folder, model.kind):
        _check_weights(save)
        _read_weights(model, save)


@contextlib.contextmanager
def _naming_the_trouble(folder, *kinds):
    try:
        yield
    except (BrokenSave, UsageError, KeyError, TypeError, ValueError, AssertionError, tf.errors.OpError) as error:
        if getattr(error, "exit_code", None) == BAD_OUTPUT:  # nothing is wrong with the model
            raise
        unfit = isinstance(error, AssertionError) or "incompatible tensor" in str(error)
        reason = "its tensors do not fit its description" if unfit else error
        raise unusable(folder, reason, kinds) from error


def _read_weights(model, save):
    """Read what a model ships out of a save, of an averaged network the average if it is there; the read's status."""
    with _as_float32(save) as tensors:
        kept = {name.split("/")[0] for name, _ in tf.train.list_variables(str(tensors))}
        parts = {"average" if name == model.main and "average" in kept else name: part
                 for name, part in model.shipped.items()}
        return tf.train.Checkpoint(**parts).read(str(tensors)).expect_partial()


def _check_weights(save):
    """Raise BrokenSave if a weight of a save is not finite, were it of a network that nobody asks for."""
    with _readable(save) as tensors:
        reader = tf.train.load_checkpoint(str(tensors))
        for name, kind in reader.get_variable_to_dtype_map().items():
            is_weight = kind.is_floating and "optimizer" not in name.split("/")[0]
            if is_weight and not np.isfinite(reader.get_tensor(name)).all():
                raise BrokenSave("a weight is not finite")
