"""Where a run goes on, and when it may not."""
import dataclasses

from helpers import BAD_CHECKPOINT, UsageError

from .checkpoint import differences
from .machines import this_worker
from .manifest import kind_of


def resume(store, model, record, settings, console):
    """Load the newest good save, or that which was asked for, if there is one, and return the step to go on from.

    record : of the run, as its saves will have it; takes what decided the run's beginning from the save
    Raises UsageError (exit code 4) if the save cannot be that of this run.
    """
    manifest, save = find_save(store, model, record, settings, console=console)
    if this_worker().is_chief:
        store.sweep()
    if manifest is None:
        return 0
    record["begin_from"] = manifest.get("begin_from")
    for name in ("training", "batch_size", "flip", "seed"):
        old, new = (value if isinstance(value, dict) else {name: value} for value in (manifest[name], record[name]))
        if changed := differences(old, new):
            console.warn(f"going on with other settings than before: {changed}")
    store.restore(save)
    console.say(f"going on from {save}")
    return manifest["step"]


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
    if changed := differences(manifest["architecture"], record["architecture"]):
        trouble = f"has another architecture: {changed}; choose another --run"
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
