"""A pack: many faces in a few checksummed files, read where they lie, for data sets that memory does not hold.

A pack folder holds faces-00000.npy, faces-00001.npy, ..., each (n, S, S, 3) uint8 with n = SHARD but for the last, and
pack.json with their sha256 and the fingerprint of all faces in their order.
"""
import hashlib
import io
import itertools
import os
import shutil
from pathlib import Path

import numpy as np

import helpers
from helpers import BAD_OUTPUT, NO_INPUT, UsageError, read_json

SHARD = 4096                                            # faces a file, 50 MB at 64 pixels
DESCRIPTION, SHARDS = "pack.json", "faces-{}.npy"


def unfinished_pack(folder):
    """Where a pack lies while it is written."""
    return Path(folder).with_name(f".{Path(folder).name}.unfinished")


def write_pack(folder, faces, shard=SHARD):
    """Write a pack of an iterable of (S, S, 3) uint8 faces; it exists, whole, when this returns, or not at all.

    Until then it lies in `unfinished_pack(folder)`; a caller keeps other processes out of there.
    Returns how many faces there were. Raises UsageError if something else lies there, or there are no faces.
    """
    folder, faces = Path(folder), iter(faces)
    unfinished = unfinished_pack(folder)
    try:
        if folder.exists():
            raise UsageError(f"{folder} exists: choose another OUTPUT or remove it", BAD_OUTPUT)
        for leftover in unfinished.glob(SHARDS.format("*")):
            leftover.unlink()
        count = _write(unfinished, faces, shard)
        os.replace(unfinished, folder)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}", BAD_OUTPUT) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return count


def _write(folder, faces, shard):
    files, everything, count, size = {}, hashlib.sha256(), 0, 0
    while part := list(itertools.islice(faces, shard)):
        content, name = io.BytesIO(), SHARDS.format(f"{len(files):05d}")
        np.save(content, np.stack(part))
        everything.update(np.stack(part))
        helpers.write_file(folder / name, content.getvalue())
        files[name] = hashlib.sha256(content.getvalue()).hexdigest()
        count, size = count + len(part), len(part[0])
    if not count:
        raise UsageError("no usable faces to pack", NO_INPUT)
    helpers.write_json(folder / DESCRIPTION, {"faces": count, "image_size": size, "shard": shard, "files": files,
                                              "fingerprint": everything.hexdigest()})
    return count


def is_pack(folder):
    """Whether a folder says that it is a pack."""
    return Path(folder, DESCRIPTION).exists()


class Pack:
    """The faces of a pack, (N, S, S, 3) uint8: len(), .shape, and rows by a slice or an array of numbers from 0 on.

    Files are mapped, not read: memory holds what the system keeps of them, and gives it back when it needs it.
    check : function, called for every file that is compared with its checksum; what it raises ends that
    Raises UsageError (exit code 3) unless every file is there as it was written, with faces of `size` pixels a side.
    """

    def __init__(self, folder, size, check=lambda: None):
        folder, description = Path(folder), read_json(Path(folder, DESCRIPTION))
        try:
            self.fingerprint, self._shard, side = (description[key] for key in ("fingerprint", "shard", "image_size"))
            self.shape = description["faces"], side, side, 3
            files = description["files"].items()
        except (KeyError, AttributeError) as error:
            raise UsageError(f"{folder / DESCRIPTION} is no description of a pack", NO_INPUT) from error
        if side != size:
            raise UsageError(f"{folder} holds faces of {side}x{side} pixels, --image_size is {size}", NO_INPUT)
        self._files = []
        for name, digest in files:
            check()
            self._files.append(_open(folder / name, digest))

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        numbers = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        faces = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        for row, (file, place) in enumerate(zip(*divmod(numbers, self._shard))):
            faces[row] = self._files[file][place]
        return faces


def _open(path, expected):
    """The faces of a file, mapped, after it was compared with its sha256."""
    try:
        if helpers.file_sha256(path) == expected:
            return np.load(path, mmap_mode="r")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; pack the faces again", NO_INPUT) from error
    raise UsageError(f"{path} was changed or cut after it was written: pack the faces again", NO_INPUT)
