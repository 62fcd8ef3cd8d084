"""Where a run goes on, and when it may not."""
import dataclasses

from helpers import BAD_CHECKPOINT, UsageError, counted
from shell.records import tell_changes

from .machines import this_worker
from .manifest import kind_of

PART = "training", "batch_size", "flip", "seed", "data", "faces"   # what may change in the middle of a run


def resume(store, model, record, settings, console):
    """Load the newest good save, or that which was asked for, if there is one, and return the step to go on from.

    record : of the run, as its saves will have it; takes what decided the run's beginning from the save, and all that
        decided it if the save is the end
    Raises UsageError (exit code 4) if the save cannot be that of this run.
    """
    manifest, save = find_save(store, model, record, settings, console=console)
    if this_worker().is_chief:
        store.sweep()
    if manifest is None:
        return 0
    record["begin_from"], record["earlier"] = manifest.get("begin_from"), list_earlier(manifest, record)
    tell_beginning(manifest, save, record, settings, console=console)
    store.restore(save)
    if is_over(manifest, record):
        record.update({"earlier": []} | {key: manifest[key] for key in record.keys() & manifest.keys()})
    return manifest["step"]


def list_earlier(manifest, record):
    """What the parts of a run up to a save had, [{"until": step, and settings}], where that is not what a record has.

    Part by part, for these settings may have been others before as well.
    """
    part = {name: manifest[name] for name in PART}
    changed = part != {name: record[name] for name in PART}
    return manifest.get("earlier", []) + [{"until": manifest["step"], **part}] * changed


def is_over(manifest, record):
    """Whether the save of a manifest is the end of the run that a record describes, or lies beyond it."""
    return manifest["step"] >= record["training"]["steps"]


def tell_beginning(manifest, save, record, settings, console):
    """Say where a run goes on, to which end if that is another than before, and by which other settings."""
    asked = counted(settings.run.epoch, "epoch")
    before = manifest["training"]["steps"] // (manifest["faces"] // manifest["batch_size"])
    longer = f", to {asked} in place of {before}" if before != settings.run.epoch else ""
    shares = "; shares of the run, such as --decay, are of the new length" if record["training"].get("decay") else ""
    old, new = ({**run["training"], **{name: run[name] for name in ("batch_size", "flip", "seed")}, "steps": None}
                for run in (manifest, record))
    changes = tell_changes(old, new)
    if is_over(manifest, record):
        console.say(f"{save} is the end, {asked} being {counted(record['training']['steps'], 'step')}: nothing is left "
                    "to train; a larger --epoch goes on")
        trouble = f"other settings than it was trained by change nothing: {changes}"
    else:
        console.say(f"going on from {save}{longer}{longer and shares}")
        trouble = (f"going on with other settings than before, those asked for now: {changes}; ask for the same to go "
                   "on as before")
    if changes:
        console.warn(trouble)


def find_save(store, model, record, settings, console):
    """(manifest, folder) of the save that `resume` loads, (None, None) if there is none; arguments and errors alike."""
    manifest, save, troubles = store.newest(settings.run.resume_from)
    for trouble in troubles:
        console.warn(f"{trouble}: falling back to the save before it")
    if manifest is not None:
        manifest = _complete(manifest, save, model)
        _check(manifest, save, model, record, other_data=settings.faces.other_data)
    return manifest, save


def _complete(manifest, save, model):
    """The manifest with the settings that an older save lacks, at their defaults."""
    if (kind := kind_of(manifest)) != model.kind:
        raise UsageError(f"{save} is of a {kind}: choose another --run", BAD_CHECKPOINT)
    try:
        return manifest | {name: dataclasses.asdict(settings_type(**manifest[name])) for name, settings_type in (
            ("architecture", model.architecture_type), ("training", model.training_type))}
    except (KeyError, TypeError) as error:
        raise UsageError(f"{save} was written by another version ({error}): choose another --run",
                         BAD_CHECKPOINT) from error


def _check(manifest, save, model, record, other_data):
    """Refuse a save that another architecture, other faces, another generator or other networks have made."""
    trouble = None
    if changes := tell_changes(manifest["architecture"], record["architecture"]):
        trouble = f"has another architecture ({changes}): ask for the same, or choose another --run"
    elif manifest["data"] != record["data"] and not other_data:
        trouble = (f"was trained on {manifest['faces']} other faces than the {record['faces']} of --dataset: choose "
                   "another --run, or insist with --other_data")
    elif manifest.get("generator") not in (None, record["generator"]):
        trouble = (f"was trained on other networks than there are now in {' and '.join(model.foundations)}: choose "
                   "another --run")
    for name in model.switches:
        if bool(manifest["training"][name]) != bool(record["training"][name]):
            trouble = trouble or (f"was trained with --{name} {manifest['training'][name]}: ask for the same, or "
                                  "choose another --run")
    if trouble:
        raise UsageError(f"{save} {trouble}", BAD_CHECKPOINT)
