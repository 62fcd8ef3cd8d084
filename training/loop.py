"""A training run of any model: its faces, its devices, where it goes on, and the loop.

A model is an object with a kind, an `architecture`, `parts` (all that training changes, by name), `shipped` (what is
used afterwards), prepare_training(training) and train_step(faces, step) -> {name: scalar}; its class names both types
of settings. `training` has at least steps. What the user is told goes through `warn` and `say`.
"""
import dataclasses
import json
import shlex
import shutil
import sys
import time
from pathlib import Path

import numpy as np

import helpers
from dataset.folder import fingerprint, open_faces
from dataset.stream import batches
from helpers import UsageError, read_json, read_records
from nn import tf

from . import checkpoint, devices
from .health import diagnose
from .journal import SCALARS, Journal
from .manifest import describe_model, kind_of


@dataclasses.dataclass(frozen=True)
class Run:
    """How long, in what order and where a model is trained, and what is kept: the options of these names."""
    epoch: int
    batch_size: int
    seed: int
    flip: bool
    save_every: int
    sample_every: int
    report_every: int
    keep: int
    device: str
    strategy: str
    xla: bool
    begin_from: str | None = None


def carry_out(model_type, options, saves, log, *, is_chief, sample, examine, progress, stop, warn, say,
              annotate=lambda faces, check: faces):
    """Train a model as a command's options say; returns the last step.

    options : has the attributes of Run, of both of the model's settings, and dataset, validation, strict, resume_from,
        other_data and export; saves, log : the run's folders
    sample, examine : functions (model, faces, validation faces or None) of which each makes what `train` calls so
    progress : function (total, unit, first) -> a command's Progress; stop : its StopRequest
    annotate : function, (faces, check) -> what train_step gets of them, such as (N, S, S, 4) uint8 with labels; it
        calls `check` now and then, which raises when the user wants to stop
    """
    faces, validation = (folder and read_faces(folder, options.image_size, options.strict, warn, stop.check)
                         for folder in (options.dataset, options.validation))
    if len(faces) < options.batch_size:
        warn(f"only {len(faces)} faces: training in batches of {len(faces)}")
        options.batch_size = len(faces)
    run, steps = settings(Run, options), options.epoch * (len(faces) // options.batch_size)
    architecture = settings(model_type.architecture_type, options)
    training = settings(model_type.training_type, options, steps=steps)
    strategy, model, store, record = prepare(model_type, architecture, training, run, faces, saves, warn)
    if devices.is_slow(getattr(training, "precision", None)):
        warn(devices.SLOW)
    first = resume(store, record, model, step=options.resume_from, other_data=options.other_data, is_chief=is_chief,
                   warn=warn, say=say)
    if is_chief:
        check_log(log, first, run.save_every)
        drop_best(saves / "best", first)
    journal = Journal(log, first, warn) if is_chief else None
    if journal and not first:
        journal.text("options", f"`{shlex.join(sys.argv)}`\n\n```\n{json.dumps(record, indent=2)}\n```")
    examination = examine(model, faces, validation) if journal and validation is not None else None
    with progress(steps * run.batch_size, "faces", first * run.batch_size) as shown:
        step = train(model, annotate(faces, stop.check) if first < steps else faces, run, first, strategy=strategy,
                     store=store, record=record, journal=journal, sample=sample(model, faces, validation),
                     examine=examination, stop=stop, progress=shown, warn=warn)
    if options.export and is_chief:
        checkpoint.export(model, options.export, record | {"step": step}, options.half)
    return step


def settings(kind, options, **others):
    """An instance of a settings class from the options of the same names."""
    names = {field.name for field in dataclasses.fields(kind)} - others.keys()
    return kind(**{name: getattr(options, name) for name in names}, **others)


def read_faces(folder, size, strict, warn, check):
    """The faces of a folder or pack, (N, S, S, 3) uint8; warns of what was left out, or refuses it if `strict`.

    check : function, called for every file, that raises when the user wants to stop
    """
    faces, failures = open_faces(folder, size, check)
    for path, problem in failures[:10]:
        warn(f"{path}: {problem}")
    if failures:
        if strict:
            raise UsageError(f"{len(failures)} unusable files in {folder} (--strict)", helpers.SOME_FAILED)
        warn(f"{len(failures)} unusable files in {folder} were left out")
    if not len(faces):
        raise UsageError(f"no images found in {folder}", helpers.NO_INPUT)
    return faces


def prepare(model_type, architecture, training, run, faces, saves, warn):
    """The devices, the networks ready to be trained, the store of their saves, and a record of what decides the run."""
    devices.use_device(run.device)
    strategy = devices.make_strategy(run.strategy)
    devices.check_memory(devices.share(run.batch_size, strategy), architecture)
    with strategy.scope():
        model, begun = model_type(architecture, run.seed), run.begin_from and not checkpoint.has_saves(saves)
        if begun:
            checkpoint.take_weights(model, run.begin_from, warn)
        model.prepare_training(training)
    record = {"kind": model.kind, "architecture": dataclasses.asdict(architecture),
              "training": dataclasses.asdict(training), "batch_size": run.batch_size, "flip": run.flip,
              "seed": run.seed, "data": fingerprint(faces), "faces": len(faces),
              "begin_from": describe_model(run.begin_from)["model"] if begun else None,
              "generator": describe_model(training.generator)["model"] if hasattr(training, "generator") else None}
    return strategy, model, checkpoint.Checkpoint(saves, model.parts, run.keep), record


def resume(store, record, model, *, step, other_data, is_chief, warn, say):
    """Load the newest good save, or that of `step`, if there is one, and return the step to go on from.

    other_data : go on although the faces have changed
    Raises UsageError (exit code 4) if the save cannot be that of this run.
    """
    manifest, save, troubles = store.newest(step)
    for trouble in troubles:
        warn(f"{trouble}: falling back to the save before it")
    if is_chief:
        store.sweep()
    if manifest is None:
        return 0
    if (kind := kind_of(manifest)) != model.kind:
        raise UsageError(f"{save} is of a {kind}: choose another --run", helpers.BAD_CHECKPOINT)
    for name, settings_type in (("architecture", model.architecture_type), ("training", model.training_type)):
        try:
            manifest[name] = dataclasses.asdict(settings_type(**manifest[name]))    # an older save lacks the newer ones
        except (KeyError, TypeError) as error:
            raise UsageError(f"{save} was written by another version ({error}): choose another --run",
                             helpers.BAD_CHECKPOINT) from error
    if changed := checkpoint.differences(manifest["architecture"], record["architecture"]):
        raise UsageError(f"{save} has another architecture: {changed}; choose another --run", helpers.BAD_CHECKPOINT)
    if manifest["data"] != record["data"] and not other_data:
        raise UsageError(f"{save} was trained on {manifest['faces']} other faces than the {record['faces']} of "
                         "--dataset: choose another --run, or insist with --other_data", helpers.BAD_CHECKPOINT)
    if manifest.get("generator") not in (None, record["generator"]):
        raise UsageError(f"{save} was trained on another generator than there is now in "
                         f"{record['training']['generator']}: choose another --run", helpers.BAD_CHECKPOINT)
    record["begin_from"] = manifest.get("begin_from")
    for name in ("average", "adversarial"):             # whether these are 0 decides what a save holds
        if bool(manifest["training"].get(name)) != bool(record["training"].get(name)):
            raise UsageError(f"{save} was trained with --{name} {manifest['training'][name]}: ask for the same, or "
                             "choose another --run", helpers.BAD_CHECKPOINT)
    for name in ("training", "batch_size", "flip", "seed"):
        old, new = (value if isinstance(value, dict) else {name: value} for value in (manifest[name], record[name]))
        if changed := checkpoint.differences(old, new):
            warn(f"going on with other settings than before: {changed}")
    store.restore(save)
    say(f"going on from {save}")
    return manifest["step"]


def check_log(log, first, save_every):
    """Raise UsageError (exit code 5) if a new run would erase the curves of another one, whose saves lie elsewhere.

    A run that was killed before its first save has logged no more than `save_every` steps.
    """
    last = 0 if first else max((record["step"] for record in read_records(log / SCALARS)), default=0)
    if last > save_every:
        raise UsageError(f"{log} holds the curves of another run, up to step {last}: choose another --run or "
                         "--log_dir, or remove it", helpers.BAD_OUTPUT)


def drop_best(folder, step):
    """Remove the best model if it comes from after the step to which the run has gone back; it is found again."""
    if read_json(folder / checkpoint.MANIFEST).get("step", 0) > step:
        shutil.rmtree(folder)


def train(model, faces, run, first, *, strategy, store, record, journal, sample, examine, progress, stop, warn):
    """The training loop, from step `first` to the end of the last epoch or to a stop; returns the last step.

    All workers compute the updates; the chief, who alone has a journal, examines, logs and saves.

    sample : function () -> (N, S, S, 3) faces in [-1, 1] that show how far the model is
    examine : function () -> {name: number} with hole_ssim, called every epoch, or None
    progress, stop : a command's Progress and StopRequest
    """
    def stream(*replicas):
        return batches(faces, batch_size=run.batch_size, epochs=run.epoch, seed=run.seed, first_step=first,
                       flip=run.flip, replicas=replicas)

    def show():
        journal.samples(step, helpers.tile(helpers.to_uint8(sample())))

    devices.check_agreement(strategy, first)
    step, last, per_epoch = first, model.training.steps, len(faces) // run.batch_size
    update = devices.replicate(model.train_step, strategy, run.xla)
    if journal and step == 0:
        show()
    reported, clock = first, time.monotonic()
    with devices.watch_workers():
        for batch in devices.distribute(strategy, stream):
            found = update(batch, step)
            step += 1
            due = step % run.save_every == 0 or step == last
            if step % run.report_every == 0 or due:
                numbers = {name: float(value) for name, value in found.items()}
                check_finite(numbers.values(), step, store.folder)
            if not journal:
                stop.check()
                continue
            if step % run.report_every == 0:
                speed = (step - reported) * run.batch_size / (time.monotonic() - clock)
                progress.update((step - reported) * run.batch_size, epoch=f"{step / per_epoch:.2f}", **{
                    name: f"{value:.3f}" for name, value in numbers.items() if name.endswith("loss")})
                journal.scalars(step, numbers | {"faces_per_second": speed})
                reported, clock = step, time.monotonic()
            if examine and step % per_epoch == 0:
                scores = examine()
                journal.scalars(step, scores)
                keep_best(model, store.folder / "best", record | {"step": step, "scores": scores})
                if trouble := diagnose(scores):
                    warn(f"step {step}: {trouble}")
            if step % run.sample_every == 0 or step == last:
                show()
            if due or stop.signal:                          # asked now: the signal may have come during the examination
                check_finite(_weights(model), step, store.folder)
                journal.flush()
                store.save(step, epoch=step // per_epoch, **record)
                stop.check()
    return step


def keep_best(model, folder, record):
    """Write the model into `folder` if it completes faces better, by SSIM in the hole, than the one that lies there."""
    best = read_json(Path(folder, checkpoint.MANIFEST)).get("scores", {})
    if record["scores"]["hole_ssim"] > best.get("hole_ssim", -1):
        checkpoint.export(model, folder, record)


def check_finite(values, step, saves):
    """Raise UsageError (exit code 6) if a number or weight is NaN or infinite."""
    if not all(np.isfinite(value).all() for value in values):
        raise UsageError(f"step {step}: a loss or weight is no longer finite; the saves in {saves} are untouched, "
                         "go on from there with a smaller --learning_rate", helpers.NOT_FINITE)


def _weights(model):
    return [weight for part in model.parts.values() if isinstance(part, tf.Module) for weight in part.variables]
