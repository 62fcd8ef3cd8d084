"""A pack: many faces in a few checksummed files, read where they lie, for data sets that memory does not hold.

A pack folder holds faces-00000.npy, faces-00001.npy, ..., each (n, S, S, 3) uint8 with n = SHARD but for the last, and
pack.json with their sha256 and the fingerprint of all faces in their order.
"""
import hashlib
import itertools
import os
import re
from pathlib import Path

import numpy as np

import helpers
from helpers import BAD_OUTPUT, NO_INPUT, UsageError, read_json, remove_files

SHARD = 4096                                            # faces a file, 50 MB at 64 pixels
DESCRIPTION, LOCK = "pack.json", ".lock"                # the second is shell.lock's
OURS = re.compile(rf"faces-\d{{5}}\.npy|pack\.json|\.lock|{helpers.TEMPORARY.pattern}")


def unfinished_pack(folder):
    """Where a pack lies while it is written. Raises UsageError (exit code 5) if something lies in the pack's place."""
    folder = Path(os.path.abspath(folder))
    if os.path.lexists(folder):
        raise UsageError(f"{folder} exists: choose another OUTPUT or remove it", BAD_OUTPUT)
    if (unfinished := folder.with_name(f".{folder.name}.unfinished")).is_symlink():
        raise UsageError(f"{unfinished} leads elsewhere: remove it", BAD_OUTPUT)
    return unfinished


def write_pack(folder, faces, shard=SHARD):
    """Write a pack of an iterable of (S, S, 3) uint8 faces; it exists, whole, when this returns, or not at all.

    Until then it lies in `unfinished_pack(folder)`; a caller keeps other processes out of there.
    Returns how many faces there were. Raises UsageError if something else lies there, or there are no faces.
    """
    unfinished = unfinished_pack(folder)
    try:
        if strange := _sweep(unfinished, keep=LOCK):
            raise UsageError(f"{unfinished} holds something that is no pack, such as {strange[0]}", BAD_OUTPUT)
        count = _write(unfinished, iter(faces), shard)
        helpers.move(unfinished, folder)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}", BAD_OUTPUT) from error
    finally:
        _sweep(unfinished)
    return count


def _sweep(folder, keep=None):
    """Remove our files from an unfinished pack but for that to keep; the names of what others put there."""
    names = os.listdir(folder) if folder.is_dir() else []
    remove_files(folder, [name for name in names if OURS.fullmatch(name) and name != keep])
    return [name for name in names if not OURS.fullmatch(name)]


def _write(folder, faces, shard):
    files, everything, count, size = {}, hashlib.sha256(), 0, 0
    while part := list(itertools.islice(faces, shard)):
        name, part = f"faces-{len(files):05d}.npy", np.stack(part)
        everything.update(part)
        helpers.write_array(folder / name, part)
        files[name] = helpers.file_sha256(folder / name)
        count, size = count + len(part), len(part[0])
    if not count:
        raise UsageError("no usable faces to pack", NO_INPUT)
    helpers.write_json(folder / DESCRIPTION, {"faces": count, "image_size": size, "shard": shard, "files": files,
                                              "fingerprint": everything.hexdigest()})
    return count


def is_pack(folder):
    """Whether a folder says that it is a pack."""
    return Path(folder, DESCRIPTION).exists()


class Shards:
    """The rows of several arrays one after the other, all of `shard` rows but for the last.

    len(), .shape, and rows by a slice or an array of numbers from 0 on.
    """

    def __init__(self, files, shard):
        self._files, self._shard = files, shard
        self.shape = sum(map(len, files)), *files[0].shape[1:]

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        numbers = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        chosen = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        for row, (file, place) in enumerate(zip(*divmod(numbers, self._shard))):
            chosen[row] = self._files[file][place]
        return chosen


class Pack(Shards):
    """The faces of a pack, (N, S, S, 3) uint8.

    Files are mapped, not read: memory holds what the system keeps of them, and gives it back when it needs it.
    check : function, called for every file that is compared with its checksum; what it raises ends that
    Raises UsageError (exit code 3) unless every file is there as it was written, with faces of `size` pixels a side.
    """

    def __init__(self, folder, size, check=lambda: None):
        folder, description = Path(folder), read_json(Path(folder, DESCRIPTION))
        try:
            self.fingerprint, shard, side = (description[key] for key in ("fingerprint", "shard", "image_size"))
            expected = list(description["files"].items())
            if not isinstance(shard, int) or shard < 1 or not expected or not all(
                    OURS.fullmatch(name) for name, _ in expected):
                raise KeyError("files")
        except (KeyError, AttributeError, TypeError) as error:
            raise UsageError(f"{folder / DESCRIPTION} is no description of a pack", NO_INPUT) from error
        if side != size:
            raise UsageError(f"{folder} holds faces of {side}x{side} pixels, --image_size is {size}", NO_INPUT)
        files = []
        for name, digest in expected:
            check()
            files.append(_open(folder / name, digest))
        if any(file.shape[1:] != (size, size, 3) or file.dtype != np.uint8 for file in files) or any(
                len(file) != shard for file in files[:-1]) or not 0 < len(files[-1]) <= shard:
            raise UsageError(f"{folder} holds other faces than its {DESCRIPTION} says: pack them again", NO_INPUT)
        super().__init__(files, len(files[0]))


def _open(path, expected):
    """The faces of a file, mapped, after it was compared with its sha256."""
    try:
        if helpers.file_sha256(path) == expected:
            return helpers.map_array(path)
    except Exception as error:                          # numpy fed a hostile header may raise anything at all
        raise UsageError(f"cannot read {path}: {error}; pack the faces again", NO_INPUT) from error
    raise UsageError(f"{path} was changed or cut after it was written: pack the faces again", NO_INPUT)
