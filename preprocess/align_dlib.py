"""Align the faces of a folder of photos as OpenFace did.

python -m preprocess.align_dlib RAW/ align innerEyesAndBottomLip PROCESSED/ --size 64
"""
import collections
import os
import sys
from pathlib import Path

import helpers
from helpers import BadPhoto, UsageError, file_stamp
from preprocess import dlib_models
from shell.command import command
from shell.dask_cluster import map_on_cluster
from shell.lock import claim_folder
from shell.messages import report_failure, say
from shell.options import Parser, number, output_path, whole_number
from shell.pictures import is_whole_png
from shell.processes import map_surviving
from shell.progress import Progress
from shell.records import RecordFile, compact, read_records
from shell.signals import StopRequest
from shell.sources import find_inputs, output_names

from .templates import TEMPLATES

RECORDS = "alignment.jsonl"


def parse(argv=None):
    """The command line as a namespace; the spelling is OpenFace's."""
    parser = Parser("Find, align and crop the face of every photo of a folder, and keep the folder's tree.",
                    "python -m preprocess.align_dlib RAW/ align innerEyesAndBottomLip PROCESSED/ --size 64")
    parser.add_argument("input", metavar="INPUT", help="folder of photos, or one photo")
    parser.add_argument("mode", choices=["align"], metavar="align", help="what to do; OpenFace's spelling")
    parser.add_argument("landmarks", choices=list(TEMPLATES), metavar="LANDMARKS",
                        help=f"the three landmarks put on the template: {' or '.join(TEMPLATES)}")
    parser.add_argument("output", type=output_path, metavar="OUTPUT", help=f"folder for the crops and {RECORDS}")
    parser.add_argument("--size", type=whole_number(8), default=64, metavar="PIXELS", help="side of the crops")
    parser.add_argument("--margin", type=number(0, 2), default=0.0, metavar="SHARE", help="room to keep around the "
                        "template on every side, in sides of the template; the placement network learns from 0.5")
    parser.add_argument("--dlibFacePredictor", metavar="FILE", help="dlib's 68-point model; without it, the one of "
                        "the package face_recognition_models")
    parser.add_argument("--skipMulti", action="store_true", help="refuse photos with several faces instead of "
                        "taking the largest")
    parser.add_argument("--verbose", action="store_true", help="a line for every photo")
    parser.add_argument("--jobs", type=whole_number(1), default=os.cpu_count(), metavar="N", help="processes")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="align on the workers of a Dask cluster, such as "
                        "tcp://host:8786; they have to see INPUT and OUTPUT")
    return parser.parse_args(argv)


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    options = parse(argv)
    sources, failures = find_inputs([options.input], exclude=options.output)
    dlib_models.checked(dlib_models.LANDMARKS, options.dlibFacePredictor)
    settings = f"{options.landmarks} {options.size}" + (" skipMulti" if options.skipMulti else "")
    settings += f" margin {options.margin:g}" if options.margin else ""
    with claim_folder(options.output, "alignment"), StopRequest() as stop:
        with Progress(None, "looking at what is there"):
            done = _find_done(options.output, settings)
        names = output_names(sources, reserved=(RECORDS,))
        tasks = [(source.path, f"{name}.png") for source, name in zip(sources, names)]
        tasks = [task for task in tasks if done.get(task[0]) != (task[1], *file_stamp(task[0]))]
        counts = collections.Counter(skipped=len(sources) - len(tasks))
        try:
            _align_all(tasks, failures, options, settings, counts=counts, check=stop.check)
        finally:
            failed = _summarize(counts, options.output)
        compact(Path(options.output, RECORDS), "source")
    return helpers.SOME_FAILED if failed else 0


def _find_done(folder, settings):
    """{source: (output, size, time of modification)} of the photos that need no work; refuses another run's folder."""
    done = {}
    for record in read_records(Path(folder, RECORDS), source=str, status=str):
        if record["status"] != "done":
            done.pop(record["source"], None)
            continue
        if record["settings"] != settings:
            raise UsageError(f"{folder} holds crops made with {record['settings']!r}, asked for {settings!r}: choose "
                             "another OUTPUT")
        if is_whole_png(Path(folder, record["output"])):
            done[record["source"]] = (record["output"], *record["fingerprint"])
    return done


def _align_all(tasks, failures, options, settings, counts, check):
    """Align every task; record and count what became of it, and of what could not be opened at all."""
    with RecordFile(Path(options.output, RECORDS)) as journal, Progress(len(tasks), "photos") as progress:
        def conclude(path, result):
            counts[result.reason if isinstance(result, BadPhoto) else "done"] += 1
            if isinstance(result, BadPhoto):
                journal.append({"source": path, "status": "failed", "reason": result.reason, "detail": result.detail})
                report_failure(path, result)
                return
            journal.append({"source": path, "status": "done", "settings": settings, **result})
            if options.verbose:
                say(f"done: {path} -> {result['output']}")
        for path, problem in failures:
            conclude(path, problem)
        for (path, _), result in _spread(tasks, options, check):
            conclude(path, result)
            progress.update()


def _spread(tasks, options, check):
    """Yield (task, its record or the BadPhoto that stopped it), by the processes of this machine or by a cluster."""
    from preprocess.alignment import align_one, prepare
    arguments = (os.getcwd(), options.output, options.dlibFacePredictor, options.size, options.landmarks,
                 {"only_single": options.skipMulti, "margin": options.margin})
    if not options.scheduler:
        jobs = max(1, min(options.jobs, len(tasks)))
        yield from map_surviving(align_one, tasks, jobs, prepare, arguments=arguments, check=check)
        return
    for task, result in map_on_cluster(align_one, tasks, options.scheduler, prepare, arguments=arguments, check=check):
        if not isinstance(result, BadPhoto) and not Path(options.output, task[1]).exists():
            raise UsageError(f"a worker wrote {task[1]}, but it is not here: {options.output} has to be a folder that "
                             "all machines see", helpers.BAD_OUTPUT)
        yield task, result


def _summarize(counts, folder):
    """Say how it went; returns how many photos failed."""
    done, skipped = counts.pop("done", 0), counts.pop("skipped", 0)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    say(f"{done} aligned, {skipped} skipped (done before), {counts.total()} failed{reasons and f' ({reasons})'}; "
        f"records in {Path(folder, RECORDS)}")
    return counts.total()


if __name__ == "__main__":
    sys.exit(main())
