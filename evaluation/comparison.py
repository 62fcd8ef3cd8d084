"""Two finished evaluations face by face."""
import itertools
from pathlib import Path

from helpers import NO_INPUT, UsageError, counted, file_stamp, read_json
from metrics.intervals import paired_difference
from metrics.ranking import better
from shell.lock import find_kind
from shell.records import read_records

from .evaluated_folder import KEY, KIND, RESULTS

METRICS = "hole_psnr", "hole_ssim", "identity"


def compare(first, second, warn):
    """Yield a line on how many faces two evaluations have, and one for every mask, method and metric of both.

    The latter has the mean paired difference, its interval, and a verdict.
    first, second : folders of evaluations; warn : function, called with a line on each of which not all is there
    Raises UsageError: exit code 3 if a folder holds no evaluation or no whole result, 2 if they share nothing, or if
    faces or holes of the same name differ.
    """
    a, b = (read_results(folder, warn) for folder in (first, second))
    shared = sorted(a.keys() & b.keys())
    _check_comparable(first, second, a, b, shared=shared)
    counts = [len({face for *_, face in results}) for results in (shared, a, b)]
    yield f"{counted(counts[0], 'face')} in both: {first} has {counts[1]:,}, {second} has {counts[2]:,}"
    for (mask, method), keys in itertools.groupby(shared, key=lambda key: key[:2]):
        keys = list(keys)
        for metric in METRICS:
            pairs = [pair for key in keys if None not in (pair := (a[key].get(metric), b[key].get(metric)))]
            if not pairs:
                continue
            mean, low, high = paired_difference(*zip(*pairs))
            ahead = second if (mean > 0) == (better(metric) == "higher") else first
            verdict = "no clear difference" if low <= 0 <= high else f"{ahead} is better"
            yield (f"{mask} {method} {metric}: {mean:+.4f} [{low:+.4f}, {high:+.4f}] over "
                   f"{counted(len(pairs), 'face')}: {verdict}")


def read_results(folder, warn):
    """{(mask, method, face): record} of an evaluation's folder; raises UsageError (exit code 3) if it holds none.

    warn : function, called with a line if not all is there
    """
    try:
        if (kind := find_kind(folder)) not in (None, KIND):
            raise UsageError(f"{folder} holds results of another kind ({kind}), none of "
                             "evaluate_completion.py", NO_INPUT)
        results = {(record["mask"], record["method"], record["face"]): record
                   for record in read_records(Path(folder, RESULTS), only_sealed=True, **KEY)}
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}", NO_INPUT) from error
    if not results:
        raise UsageError(f"{folder} holds no finished evaluation", NO_INPUT)
    if not _is_whole(folder, len(results)):
        warn(f"{folder} is unfinished or damaged, with {counted(len(results), 'whole result')}: measure the others by "
             "the same evaluate_completion.py again")
    return results


def _is_whole(folder, count):
    """Whether a summary was made of just these records, and of no more than are there."""
    summary = read_json(Path(folder, "summary.json"))
    try:
        size, told = summary["asked"]["results"], sum(row["n"] for row in summary["rows"])
    except (KeyError, TypeError):                       # there is none, or it is damaged itself
        return False
    return size == file_stamp(Path(folder, RESULTS))[0] and told <= count


def _check_comparable(first, second, a, b, shared):
    """Raise UsageError unless the results a and b of two folders share keys, and these faces and holes are the same."""
    if not shared:
        raise UsageError(f"{first} and {second} share no face with the same mask and method")
    for part in ("face_sha256", "hole_sha256"):
        if odd := [key for key in shared if a[key][part] != b[key][part]]:
            mask, _, face = odd[0]
            raise UsageError(f"{first} and {second} differ in the {part.split('_')[0]} of {face} (mask {mask})")
