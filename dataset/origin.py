"""Of which photo a result was made, so that no result of another photo takes its place."""
import os

from helpers import BAD_OUTPUT, UsageError, digest_content, file_stamp

from .listing import digest_text


def take_origin(path):
    """What a result's record says of its photo: a digest of its true path, and the content's sha256."""
    return {"place": digest_place(path), "sha256": digest_content(path)}


def digest_place(path):
    """A short digest of a path's true one, which tells nobody whose folders these are."""
    return digest_text(os.path.realpath(path))


def may_be_of(record, path):
    """Whether a result may be of the photo at a path: that one lay there, whatever it was, or had the same content.

    record : of the result. Older ones do not say both: their photo's path as it was typed, and the size of its file,
    which comes first in its stamp, stand for them.
    """
    source = record.get("source")
    if (record.get("place") or source and digest_place(source)) in (digest_place(path), None):
        return True
    if "sha256" in record:
        return record["sha256"] == digest_content(path) != ""
    return (record.get("stamp") or record["fingerprint"])[0] == file_stamp(path)[0]


def refuse_others(folder, others, advice):
    """Raise UsageError (exit code 5) if results in a folder are of other photos than those that are asked for.

    others : {name of a result: the photo's path that was asked for}
    """
    if others:
        name, path = next(iter(others.items()))
        more = f" and {len(others) - 1:,} more" * (len(others) > 1)
        raise UsageError(f"{folder} holds the result of another photo called {name}, which {path} would replace{more}: "
                         f"{advice}", BAD_OUTPUT)
