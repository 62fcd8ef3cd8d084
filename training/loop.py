"""A training run of any model: its faces, its devices, where it goes on, and the loop."""
import dataclasses

import helpers
from dataset.folder import fingerprint, open_faces
from dataset.stream import batches
from helpers import UsageError, counted

from . import checkpoint, devices
from .chief import Bystander, Chief, check_finite
from .machines import this_worker
from .manifest import describe_model, list_saves
from .resume import resume
from .run_folders import check_log

FEW = 3000                                              # faces below which a run better begins with a trained model
NOTICE = 10                                             # steps after which a loss that is not finite is noticed


def train(model_type, settings, console):
    """Train a model to the end of its last epoch; returns the last step.

    model_type : a class of nn.trainable.Trainable; settings, console : values of training.settings

    The same call goes on from the newest save, to the same end. All workers compute; the chief alone writes.
    Raises UsageError for what the user can mend, and what console.check raises, the latter after a save.
    """
    # faces
    faces, validation, settings = prepare_faces(model_type, settings, console)
    run, last = settings.run, settings.training.steps

    # networks, devices, and where to go on
    with console.progress(None, "preparing the run"):
        model, record, strategy = make_model(model_type, settings, faces, console)
        update = devices.replicate(model.train_step, strategy, settings.devices.xla)
        store = checkpoint.Checkpoint(settings.places.saves, model.parts, run.keep)
        step = first = resume(store, model, record, settings, console=console)
        devices.check_agreement(strategy, first)
        keeper = Chief if this_worker().is_chief else Bystander
        chief = keeper(model, store, record, settings, console=console)
        examples = model.annotate(faces, store.folder, console) if first < last else faces
        chief.begin(first, faces, validation)

    # the loop
    console.hold()
    with devices.watch_workers(), console.progress(last * run.batch_size, "faces", first * run.batch_size) as progress:
        for batch in stream(examples, settings, first, strategy):
            figures, step = update(batch, step), step + 1
            if 0 in (step % min(run.report_every, NOTICE), step % run.save_every, last - step):
                check_finite(figures.values(), step, store.folder)
            chief.report(step, figures, progress)
            chief.examine(step)
            chief.sample(step)
            chief.save(step)
    chief.export(step)
    done = f"trained {counted(step, 'step')}" if step > first else f"{counted(step, 'step')} trained before"
    console.say(f"{done}; saves in {settings.places.saves}, curves and samples in {settings.places.log}")
    return step


def stream(faces, settings, first, strategy):
    """The batches from step `first` on, each element one for every replica of this machine."""
    def parts(*replicas):
        return batches(faces, batch_size=settings.run.batch_size, epochs=settings.run.epoch, seed=settings.run.seed,
                       first_step=first, flip=settings.faces.flip, replicas=replicas)
    return devices.distribute(strategy, parts)


def prepare_faces(model_type, settings, console):
    """The faces to train on, those of other people or None, as read_faces gives them, and the settings for so many."""
    check_log(settings.places, settings.run.save_every)
    folders = settings.faces.dataset, settings.faces.validation
    faces, validation = (folder and read_faces(folder, settings, console) for folder in folders)
    beginning, new = model_type.beginning, not (settings.run.begin_from or list_saves(settings.places.saves))
    if beginning and new and len(faces) < FEW and settings.architecture == model_type.architecture_type():
        console.warn(f"few faces to begin with nothing, {len(faces)}: --begin_from {beginning} begins with the shipped "
                     "model")
    return faces, validation, settle_length(settings, len(faces), console)


def read_faces(folder, settings, console):
    """The faces of a folder or pack, (N, S, S, 3) uint8; warns of what was left out, or refuses it if that is asked."""
    with console.progress(None, "faces read") as progress:
        def check():
            console.check()
            progress.update()
        faces, failures = open_faces(folder, settings.architecture.image_size, check, console.warn,
                                     exclude=settings.places.log)
    for path, problem in failures[:10]:
        console.warn(f"{path}: {problem}")
    if failures:
        if settings.faces.strict:
            raise UsageError(f"{counted(len(failures), 'unusable file')} in {folder} (--strict)", helpers.SOME_FAILED)
        console.warn(f"left out: {counted(len(failures), 'unusable file')} in {folder}")
    if not len(faces):
        why = (f"no usable faces in {folder}: all have another size"
               if {problem.reason for _, problem in failures} == {"wrong_size"} else f"no images found in {folder}")
        raise UsageError(why, helpers.NO_INPUT)
    return faces


def settle_length(settings, count, console):
    """The settings for so many faces: a batch is no larger, and the steps are those of all epochs."""
    run = dataclasses.replace(settings.run, batch_size=min(settings.run.batch_size, count))
    if run != settings.run:
        console.warn(f"only {counted(count, 'face')}: training in batches of {count}")
    training = dataclasses.replace(settings.training, steps=run.epoch * (count // run.batch_size))
    return dataclasses.replace(settings, run=run, training=training)


def make_model(model_type, settings, faces, console):
    """The model ready to be trained, a record of what decides its run, and the strategy of its devices."""
    run = settings.run
    strategy = devices.prepare(settings.devices, run.batch_size, settings.architecture)
    begin_from = None if list_saves(settings.places.saves) else run.begin_from
    with strategy.scope():
        model = model_type(settings.architecture, run.seed)
        if begin_from:
            checkpoint.take_weights(model, begin_from, console.warn)
        model.prepare_training(settings.training)
    if devices.is_slow(model.precision):
        console.warn(devices.SLOW)
    begun = begin_from and describe_model(begin_from)["model"]
    foundations = " ".join(describe_model(folder)["model"] for folder in model.foundations) or None
    return model, {"kind": model.kind, "architecture": dataclasses.asdict(settings.architecture),
                   "training": dataclasses.asdict(settings.training), "batch_size": run.batch_size,
                   "flip": settings.faces.flip, "seed": run.seed, "data": fingerprint(faces), "faces": len(faces),
                   "begin_from": begun, "earlier": [], "generator": foundations}, strategy
