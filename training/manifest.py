"""What a model says of itself, read without TensorFlow."""
import json
import re
from pathlib import Path

from completion.face import SIZES
from helpers import BAD_CHECKPOINT, UsageError, digest_record, file_sha256, read_bytes

ROOT = Path(__file__).parents[1]
MANIFEST = "manifest.json"
LIKELY = "posterior_mean"                               # the kind that says beside a search what is likely
SAVE = re.compile(r"step-\d{8,}")
# What a manifest may hold where it holds it, and what an architecture is made of: sizes, switches and names.
TYPES = {"architecture": dict, "training": dict, "earlier": list, "files": dict, "scores": dict, "versions": dict,
         "kind": str, "data": str, "manifest": str, "begin_from": (str, type(None)), "generator": (str, type(None)),
         "step": int, "epoch": int, "faces": int, "batch_size": int, "seed": int, "flip": bool}
LARGEST = 65_536                                        # of a size


class BrokenSave(Exception):
    """A save whose files are missing or are not the ones that were written."""


def list_saves(folder):
    """The save folders of a run, newest first."""
    return sorted((path for path in Path(folder).glob("step-*") if path.is_dir() and SAVE.fullmatch(path.name)),
                  reverse=True)


def read_manifest(save):
    """The manifest of a save folder, after every file was checked against it. Raises BrokenSave."""
    try:
        manifest = json.loads(read_bytes(_inside(save, MANIFEST)))
        if manifest["manifest"] != manifest_digest(manifest):
            raise BrokenSave(f"{save / MANIFEST} was changed after it was written")
        _check_types(manifest, save)
        for name, expected in manifest["files"].items():
            if file_sha256(_inside(save, name)) != expected:
                raise BrokenSave(f"{save / name} was changed or cut after it was written")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BrokenSave(f"{save} is incomplete") from error
    return manifest


def _inside(save, name):
    """The path of a file right inside a save; BrokenSave if it is a link or lies elsewhere."""
    path = save / name
    if name != path.name or path.is_symlink():
        raise BrokenSave(f"{path} lies outside")
    return path


def _check_types(manifest, save):
    """Raise BrokenSave if a manifest holds something that no save of ours does."""
    wrong = [name for name, types in TYPES.items() if name in manifest and not isinstance(manifest[name], types)]
    sizes = {} if "architecture" in wrong else manifest.get("architecture", {})
    wrong += [name for name, value in sizes.items() if not isinstance(value, (int, str)) or
              isinstance(value, int) and not 0 <= value <= LARGEST]
    if wrong:
        raise BrokenSave(f"{save / MANIFEST} describes no model: {', '.join(wrong)}")


def manifest_digest(manifest):
    """The sha256 of a manifest without the one that it holds."""
    return digest_record({key: value for key, value in manifest.items() if key != "manifest"})


def describe_model(folder, kinds=()):
    """{"model": digest of a model's manifest, which holds those of its files, "image_size": side of its faces}.

    Arguments and errors are those of find_model.
    """
    manifest, save = find_model(folder, kinds)
    return {"model": file_sha256(save / MANIFEST)[:16], "image_size": manifest["architecture"]["image_size"]}


def kind_of(manifest):
    """What kind of model a manifest describes; the first ones, which do not say, are DCGANs."""
    return manifest.get("kind", "dcgan")


def shipped(kind, side=64):
    """The folder of the shipped model of a kind for faces of `side` pixels, as the commands take it."""
    alone = {"dcgan": f"checkpoint/celeba{side}", "placement": "checkpoint/celeba64-placement",
             "damage": "checkpoint/damage"}
    return alone.get(kind, f"checkpoint/celeba{side}-learned/{kind}")


def is_model(folder):
    """Whether a folder holds one model, even a damaged one, and not the saves of a run."""
    return any((locate(folder) / file).exists() for file in (MANIFEST, "tensors.index"))


def likely_of(encoder, *others):
    """The folder of the network whose answer fills the holes for the latent encoder in a folder, or None.

    It is the first that there is of the one beside the encoder, of `others`, and of the one that it was trained with;
    without any, the first folder where it should be. Errors are those of find_model.
    """
    manifest, _ = find_model(encoder)
    if not manifest["architecture"].get("from_likely"):
        return None
    places = str(Path(encoder).parent / LIKELY), *others, manifest.get("training", {}).get("likely")
    return next((place for place in places if isinstance(place, str) and is_model(place)), places[0])


def locate(folder):
    """A model's folder where it is named, or else beside the code, where the shipped ones lie."""
    folder = Path(folder)
    return ROOT / folder if not folder.exists() and (ROOT / folder).exists() else folder


def find_model(folder, kinds=(), warn=lambda text: None):
    """(manifest, save folder) of a model.

    folder : of a shipped model, of a run (its newest good save counts) or of one save
    kinds : of models that will do, () for any; warn : function, called with what is wrong with each newer save
    Raises UsageError (exit code 4) if there is no good manifest, or one of another kind.
    """
    troubles, folder = [], locate(folder)
    for save in [folder] if (folder / MANIFEST).exists() else list_saves(folder):
        try:
            manifest = read_manifest(save)
            if not isinstance(manifest.get("architecture", {}).get("image_size"), int):
                raise BrokenSave(f"{save / MANIFEST} describes no model")
        except BrokenSave as trouble:
            troubles.append(str(trouble))
            continue
        for trouble in troubles:
            warn(f"{trouble}: falling back to the save before it")
        if kinds and (kind := kind_of(manifest)) not in kinds:
            raise unusable(folder, f"its kind is {kind}, not {' or '.join(kinds)}", kinds)
        return manifest, save
    raise unusable(folder, "; ".join(troubles) or "there is none", kinds)


def unusable(folder, trouble, kinds=()):
    """The UsageError (exit code 4) of a folder where a model of one of `kinds`, of any if there is none, should be."""
    places = dict.fromkeys(shipped(kind, side) for kind in kinds or ("dcgan",) for side in SIZES)
    examples = " or ".join(place for place in places if (ROOT / place).exists() and locate(folder) != ROOT / place)
    return UsageError(f"no usable model in {folder}: {trouble}; name the folder of a run or of a shipped model"
                      f"{examples and f', such as {examples}'}", BAD_CHECKPOINT)
