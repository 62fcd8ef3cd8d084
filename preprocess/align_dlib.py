"""Find, align and crop the face of every photo of a folder, as OpenFace did, and keep the folder's tree.

python -m preprocess.align_dlib RAW/ align innerEyesAndBottomLip PROCESSED/ --size 64
"""
import collections
import contextlib
import os
import re
import sys
from pathlib import Path

import helpers
from dataset.listing import ALIGNMENT, read_landmarks
from dataset.origin import digest_place, may_be_of, refuse_others
from helpers import BadPhoto, UsageError, file_stamp
from preprocess import dlib_models
from shell.command import command
from shell.dask_cluster import map_on_cluster
from shell.lock import LOCK, claim_folder
from shell.messages import report_failure, say, warn
from shell.options import Parser, number, shard, whole_number
from shell.pictures import is_whole_png
from shell.processes import map_surviving
from shell.progress import Progress
from shell.records import RecordFile, compact, read_records
from shell.signals import StopRequest
from shell.sources import find_inputs, output_names

from .templates import TEMPLATES

(RECORDS, PAGE), SHARDS = ALIGNMENT, ".shards"
# Reasons that lie in the photo and the settings: the same command again would find them again.
JUDGED = {"no_face", "several_faces", "too_small", "sheared", "cut_by_border", "blurred", "no_landmarks"}
SEARCH = ("effort", "dlibFacePredictor", "points", "detector", "upsample", "turned", "skipMulti", "all_faces")
ADDED = re.compile(r"(.+)_(face|warp)\d+")              # names of what a photo gives beside its crop


def parse(argv=None):
    """The command line as a namespace; the spelling is OpenFace's, and its literal words may be left out."""
    parser = Parser(__doc__, usage="%(prog)s INPUT [align] [LANDMARKS] OUTPUT [options]")
    parser.add_argument("paths", nargs="+", metavar="INPUT OUTPUT", help="folder of photos, or "
                        "one photo; then, as OpenFace has it, align and the landmarks that are put on the template "
                        f"({' or '.join(TEMPLATES)}); last the folder for the crops, {RECORDS} and {PAGE}")
    parser.add_argument("--size", type=whole_number(8, 4096), default=64, metavar="PIXELS", help="side of the crops")
    parser.add_argument("--margin", type=number(0, 2), default=0.0, metavar="SHARE", help="room to keep around the "
                        "template on every side, in sides of the template; the placement network learns from 0.5")
    parser.add_argument("--transform", choices=["affine", "similarity"], default="affine", help="affine puts three "
                        "landmarks exactly on the template and may shear, similarity never shears")
    parser.add_argument("--verbose", action="store_true", help="a line for every photo")
    _add_search(parser.add_argument_group("how faces are found"))
    _add_limits(parser.add_argument_group("what becomes a crop"))
    _add_machines(parser.add_argument_group("on which machines"))
    options = parser.parse_inputs(argv)
    options.input, options.landmarks, options.output = _places(parser, options.paths)
    if options.effort == "fast" and (options.skipMulti or options.all_faces):
        parser.error("--fast looks for the largest face alone: not with --skipMulti or --all_faces")
    if options.jitter_bounds[0] > 0.5:
        parser.error("--jitter_bounds: the first, of the shift, is in sides of the crop and at most 0.5")
    if options.jitter_bounds[1] >= 1:
        parser.error("--jitter_bounds: the second, of the scale, has to be below 1")
    if options.landmark_file:
        parser.refuse_given(options, SEARCH, "looks for faces: not with --landmark_file")
    options.effort = "all" if options.skipMulti or options.all_faces else options.effort
    return options


def _add_search(group):
    effort = group.add_mutually_exclusive_group()
    effort.add_argument("--exact", dest="effort", action="store_const", const="exact", default="exact",
                        help="the largest face in just the box that OpenFace finds")
    effort.add_argument("--fast", dest="effort", action="store_const", const="fast", help="up to 2.4 times as fast; "
                        "the box of the largest face may lie a step of the detector beside OpenFace's")
    group.add_argument("--dlibFacePredictor", metavar="FILE", help="dlib's 68-point model; without it, the one of "
                       "the package face_recognition_models")
    group.add_argument("--points", choices=["68", "5"], default="68", help="dlib's landmark model: the smaller one "
                       "loads faster and may be used commercially")
    group.add_argument("--detector", choices=["hog", "cnn"], default="hog", help="OpenFace's detector, or dlib's "
                       "network, which takes many times as long")
    group.add_argument("--upsample", type=whole_number(0, 3), default=0, metavar="N", help="double a photo without a "
                       "face up to N times more than OpenFace does, for faces down to 20, 10, 5 pixels")
    group.add_argument("--turned", action="store_true", help="turn a photo without a face by 90, 180 and 270 degrees")
    group.add_argument("--landmark_file", metavar="FILE", help="CelebA's list_landmarks_align_celeba.txt or another "
                       "like it, instead of dlib: the crops have the same template")


def _add_limits(group):
    group.add_argument("--skipMulti", action="store_true", help="refuse photos with several faces instead of taking "
                       "the largest")
    group.add_argument("--all_faces", action="store_true", help="crops of the other faces too, as NAME_face2.png, ...")
    group.add_argument("--min_face", type=whole_number(), default=0, metavar="PIXELS", help="narrowest box of a face")
    group.add_argument("--max_shear", type=number(0), metavar="SHARE", help="how much longer the map may make what it "
                       "makes longest than what it makes shortest")
    group.add_argument("--min_sharpness", type=number(0), default=0.0, metavar="VARIANCE", help="least variance of "
                       "the Laplacian of the crop")
    group.add_argument("--jitter", type=whole_number(0, 1000), default=0, metavar="K", help="K random warps of each "
                       "crop too, as NAME_warp1.png, ...: a network trained on exact crops alone does worse on others")
    group.add_argument("--jitter_bounds", type=number(0, 90), nargs=3, default=(0.03, 0.05, 5.0),
                       metavar=("SHIFT", "SCALE", "TURN"), help="of these warps: in sides of the crop, as a share, in "
                       "degrees")
    group.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides the warps")


def _add_machines(group):
    group.add_argument("--jobs", type=whole_number(1), default=os.cpu_count(), metavar="N", help="processes")
    group.add_argument("--shard", type=shard, metavar="I/N", help="do the I-th of N parts, beside the others; the same "
                       "command without it joins their accounts and does what they left")
    group.add_argument("--scheduler", metavar="ADDRESS", help="align on the workers of a Dask cluster, such as "
                       "tcp://host:8786; they have to see INPUT and OUTPUT")


def _places(parser, words):
    """(input, landmarks, output) of INPUT [align] [LANDMARKS] OUTPUT."""
    if len(words) < 2:
        parser.error("name the folder of photos and the folder for the crops")
    source, *middle, output = words
    landmarks = middle[1:] if middle[:1] == ["align"] else middle
    if len(landmarks) > 1 or landmarks and landmarks[0] not in TEMPLATES:
        parser.error(f"between INPUT and OUTPUT may stand 'align' and {' or '.join(TEMPLATES)}, got {middle}")
    return source, (landmarks or list(TEMPLATES))[0], output


@command
def main(argv=None):
    options = parse(argv)
    sources, failures = find_inputs([options.input], exclude=options.output)
    landmarks = read_landmarks(options.landmark_file, warn) if options.landmark_file else None
    if not options.landmark_file:
        _check_models(options)
    names = output_names(sources, reserved=(RECORDS, PAGE))
    _refuse_collisions(names, options)
    tasks = [(source.path, name, landmarks and landmarks.get(Path(source.path).name))
             for source, name in zip(sources, names)]
    with _claim(options) as account, StopRequest() as stop:
        with Progress(None, "looking at what is there"):
            known = _find_known(account, options.output, settings := _settings(options))
            _refuse_others(tasks, account, options.output)
        if options.shard:
            index, count = options.shard
            tasks, failures = tasks[index - 1::count], failures[index - 1::count]
        counts = collections.Counter()
        left = [task for task in tasks if not _count_known(task, known, counts)]
        try:
            _align_all(left, failures, options, (settings, account), counts=counts, check=stop.check)
        finally:
            failed = _summarize(counts, account)
        compact(account, "source")
        if not options.shard:
            _write_page(options, settings, new=left or failures)
    return helpers.SOME_FAILED if failed else 0


def _check_models(options):
    """Raise UsageError before any work if a model of dlib's is missing."""
    dlib_models.checked(dlib_models.BY_POINTS[options.points], options.dlibFacePredictor)
    if options.detector == "cnn":
        dlib_models.checked(dlib_models.CNN)


def _refuse_collisions(names, options):
    """Raise UsageError if a photo is called what another's further faces or warps may be."""
    taken = set(names) if options.all_faces or options.jitter else ()
    for name in taken:
        if (match := ADDED.fullmatch(name)) and match[1] in taken:
            raise UsageError(f"rename {name}: its crop would be taken for one that {match[1]} gives beside its own")


def _refuse_others(tasks, account, folder):
    """Raise UsageError (exit code 5) if a crop of another photo lies where that of one of these tasks would go."""
    paths, own, others = {f"{name}.png": path for path, name, _ in tasks}, set(), {}
    for record in _records(account, folder):
        if (output := record.get("output")) in paths:
            if may_be_of(record, paths[output]):
                own.add(output)
            elif Path(folder, output).exists():
                others[output] = paths[output]
    refuse_others(folder, {output: path for output, path in others.items() if output not in own},
                  "choose another OUTPUT")


def _records(account, folder, only_sealed=True):
    """Yield what is recorded of photos in the folder, and in our own account if that is another's."""
    for path in dict.fromkeys((Path(folder, RECORDS), account)):
        yield from read_records(path, only_sealed, source=str, status=str)


def _settings(options):
    """What the crops depend on, as text: options that are not named have their defaults."""
    named = [options.landmarks, str(options.size)] + ["skipMulti"] * options.skipMulti
    for name, default in (("margin", 0), ("transform", "affine"), ("points", "68"), ("detector", "hog"),
                          ("upsample", 0), ("min_face", 0), ("max_shear", None), ("min_sharpness", 0), ("jitter", 0)):
        value = getattr(options, name)
        named += [f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"] * (value != default)
    named += [name for name in ("turned", "all_faces") if getattr(options, name)]
    named += [f"landmark_file {helpers.file_sha256(options.landmark_file)[:8]}"] if options.landmark_file else []
    named += ["fast"] * (options.effort == "fast")
    if options.jitter:
        named.append(" ".join(map("{:g}".format, (*options.jitter_bounds, options.seed))))
    return " ".join(named)


@contextlib.contextmanager
def _claim(options):
    """Keep others out of the folder, or out of the part of it that is ours; yields the path of our account."""
    with claim_folder(options.output, "alignment", shared=bool(options.shard)):
        if options.shard:
            part = Path(options.output, SHARDS, "{}-of-{}".format(*options.shard))
            with claim_folder(part, "alignment"):
                yield part / RECORDS
        else:
            account = Path(options.output, RECORDS)
            _join_shards(account)
            yield account


def _join_shards(account):
    """Append the accounts of shards to the whole one, and remove them; being stopped in between does no harm."""
    parts = sorted(account.parent.glob(f"{SHARDS}/*/{RECORDS}"))
    if parts:
        with RecordFile(account) as whole:
            for part in parts:
                for record in read_records(part, only_sealed=True, source=str, status=str):
                    whole.append(record)
        for part in parts:
            helpers.remove_files(part.parent, [RECORDS, LOCK])
        helpers.remove_files(account.parent / SHARDS, [])


def _find_known(account, folder, settings):
    """What needs no work: {source: ("skipped", its crop, stamp), or (reason, None, stamp) of a photo that has none}.

    Raises UsageError if the folder is another run's.
    """
    known = {}
    _check_settings(account, folder, settings)
    for record in _records(account, folder):
        source, stamp = record["source"], tuple(record.get("fingerprint", ()))
        known.pop(source, None)
        if record["status"] == "done":
            outputs = record["output"], *record.get("further_outputs", ())
            if all(is_whole_png(Path(folder, output)) for output in outputs):
                known[source] = "skipped", record["output"], stamp
        elif record.get("settings") == settings:
            known[source] = record["reason"], None, stamp
    return known


def _check_settings(account, folder, settings):
    """Raise UsageError (exit code 5) if there are crops of other settings, of version 0.1 too: without checksums."""
    for record in _records(account, folder, only_sealed=False):
        if record["status"] == "done" and (other := record.get("settings", settings)) != settings:
            raise UsageError(f"{folder} holds crops made with {other!r}, asked for {settings!r}: choose "
                             "another OUTPUT", helpers.BAD_OUTPUT)


def _count_known(task, known, counts):
    """Whether a photo needs no work; then it is counted."""
    path, name, _ = task
    what, output, stamp = known.get(path, (None, None, None))
    if stamp != file_stamp(path) or output not in (None, f"{name}.png"):
        return False
    counts[what] += 1
    return True


def _align_all(tasks, failures, options, where, counts, check):
    """Align every task; record and count what became of it, and of what could not be opened at all."""
    settings, account = where
    with RecordFile(account) as journal, Progress(len(tasks), "photos") as progress:
        def conclude(path, result):
            counts[result.reason if isinstance(result, BadPhoto) else "done"] += 1
            if isinstance(result, BadPhoto):
                known = {"settings": settings, "fingerprint": file_stamp(path)} if result.reason in JUDGED else {}
                journal.append({"source": path, "status": "failed", "reason": result.reason, "detail": result.detail,
                                **known})
                report_failure(path, result)
                return
            journal.append({"source": path, "place": digest_place(path), "status": "done", "settings": settings,
                            **result})
            if options.verbose:
                say(f"done: {path} -> {result['output']}")
        for path, problem in failures:
            conclude(path, problem)
        for task, result in _spread(tasks, options, check):
            conclude(task[0], result)
            progress.update()


def _spread(tasks, options, check):
    """Yield (task, its record or the BadPhoto that stopped it), by the processes of this machine or by a cluster."""
    from preprocess.alignment import align_one, prepare
    arguments = os.getcwd(), options.output, _plan(options)
    if not options.scheduler:
        jobs = max(1, min(options.jobs, len(tasks)))
        yield from map_surviving(align_one, tasks, jobs, prepare, arguments=arguments, check=check)
        return
    for task, result in map_on_cluster(align_one, tasks, options.scheduler, prepare, arguments=arguments, check=check):
        if not isinstance(result, BadPhoto) and not Path(options.output, result["output"]).exists():
            raise UsageError(f"a worker wrote {result['output']}, but it is not here: {options.output} has to be a "
                             "folder that all machines see", helpers.BAD_OUTPUT)
        yield task, result


def _plan(options):
    """The preprocess.alignment.Plan of the command line."""
    from preprocess.alignment import Frame, Jitter, Limits, Plan
    points = "celeba" if options.landmark_file else options.points
    return Plan(Frame(options.size, options.landmarks, options.margin, options.transform, points),
                Limits(only_single=options.skipMulti, min_face=options.min_face, max_shear=options.max_shear,
                       min_sharpness=options.min_sharpness),
                Jitter(options.jitter, *options.jitter_bounds),
                **{name: getattr(options, name) for name in ("all_faces", "seed", "detector", "effort", "upsample",
                                                             "turned")}, predictor=options.dlibFacePredictor)


def _summarize(counts, account):
    """Say how it went; returns how many photos failed."""
    done, skipped = counts.pop("done", 0), counts.pop("skipped", 0)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    say(f"{done} aligned, {skipped} skipped (done before), {counts.total()} failed{reasons and f' ({reasons})'}; "
        f"records in {account}")
    return counts.total()


def _write_page(options, settings, new):
    """Show what was rejected and what is worst, unless nothing is new."""
    from output.alignment_page import write_alignment_page
    path, account = Path(options.output, PAGE), Path(options.output, RECORDS)
    if new or not path.exists():
        photos = options.input if os.path.isdir(options.input) else os.path.dirname(options.input) or "."
        records = read_records(account, only_sealed=True, source=str, status=str)
        write_alignment_page(path, (photos, options.output), records, {"input": options.input, "crops": settings})


if __name__ == "__main__":
    sys.exit(main())
