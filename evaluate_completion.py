"""Complete faces by many methods under many holes, and measure every result against the truth.

python evaluate_completion.py faces/ --methods latent laplace --masks center half --limit 1000
python evaluate_completion.py --compare measured/ another/
"""
import interrupts  # noqa: F401

import itertools
import os
import sys
from functools import partial

import helpers
from evaluation import evaluation_options
from evaluation.comparison import compare
from evaluation.evaluated_folder import EvaluatedFolder, Recorder
from helpers import UsageError, counted, file_stamp
from methods import CLASSICAL, LEARNED
from models import shipped
from preprocess import dlib_models
from shell.command import command
from shell.messages import report_failures, say, warn
from shell.progress import Progress
from shell.signals import StopRequest
from shell.sources import find_inputs, output_names
from training.manifest import is_model

parse = partial(evaluation_options.parse, __doc__)


@command
def main(argv=None):
    inputs, plan, methods, compared = parse(argv)
    if compared:
        return say_differences(*compared)
    sources, failures = find_inputs(*inputs, exclude=plan.out_dir)
    named = zip(output_names(sources), (source.path for source in sources))
    faces = dict(itertools.islice(named, plan.limit))
    report_failures(failures)
    folder = EvaluatedFolder(plan.out_dir, {name: file_stamp(path) for name, path in faces.items()})
    settings = describe(folder, faces, plan, methods)
    with folder.claim(), StopRequest() as stop:
        folder.check_settings(settings)
        folder.check_origins(faces)
        wanted = set(itertools.product(faces, plan.masks, methods))
        with Progress(None, "looking at what is there"):
            missing = wanted - (done := folder.find_done())
        if missing:
            size, left = settings["image_size"], {method for *_, method in missing}
            completers = make_ready({name: methods[name] for name in methods if name in left}, size, plan, stop.check)
            folder.begin(settings)
            from evaluation.measuring import Measurement
            with Recorder(folder, done) as recorder:
                failures += Measurement(missing, faces, plan, size=size, completers=completers, recorder=recorder,
                                        check=stop.check).run()
            missing -= folder.find_done()
        with Progress(None, "writing tables, report and figure"):
            from evaluation.conclusion import conclude
            reasons = [(str(path), str(problem)) for path, problem in failures]
            conclude(folder, faces, plan, methods, failures=reasons)
    before = len(wanted & done)
    return summarize(folder.path, len(wanted) - before - len(missing), before, failures)


def summarize(folder, computed, before, failures):
    """Print the table, and how many results were computed and there before; returns the exit code."""
    for line in helpers.read_bytes(folder / "summary.txt").decode().splitlines():
        say(line)
    say(f"{counted(computed, 'result')} computed, {before} were there, {counted(len(failures), 'photo')} failed; "
        f"report in {folder / 'report.html'}")
    return helpers.SOME_FAILED if failures else 0


def say_differences(first, second):
    """Compare two finished evaluations; returns the exit code."""
    doubts = []
    lines = list(compare(first, second, doubts.append))
    for doubt in doubts:
        warn(doubt)
    for line in lines:
        say(line)
    return helpers.SOME_FAILED if doubts else 0


def describe(folder, faces, plan, methods):
    """What all results of a folder have in common, as a JSON record.

    Raises UsageError if a model is missing, or completes faces of another size than these have.
    """
    size = folder.find_size(faces.values())
    record = {"seed": plan.seed, "version": helpers.VERSION, "image_size": size}
    for name, settings in sorted(methods.items(), key=lambda each: each[0] != "latent"):     # whose size others follow
        described = settings.describe()
        if described.get("image_size", size) != size:
            raise UsageError(f"{described['checkpoint']} completes faces of {described['image_size']} pixels a side, "
                             f"these have {size}: name one of that size by {advise(settings, size)}")
        if settings.search:
            record |= {key: described[key] for key in ("recipe", "model", "encoder", "likely", "completions",
                                                       "out_interval")}
        elif name in LEARNED:
            record[LEARNED[name]] = described["model"]
            record |= {f"{LEARNED[name]}_likely": described["likely"]} if "likely" in described else {}
        else:
            record |= described
    return record


def advise(settings, size):
    """The option that names a model of a method for faces of a size, and the shipped one if there is one."""
    kind = settings.search.model if settings.search else LEARNED[settings.name]
    option, place = ("--checkpoint", shipped(kind, size)) if settings.search else (
        "--learned", os.path.dirname(shipped(kind, size)))
    return option + (f", such as {place}" if is_model(shipped(kind, size)) else "")


def make_ready(methods, size, plan, check):
    """{name: the methods.batches.Completer of a method}, whose networks are loaded.

    Raises UsageError before any work if a method lacks its library, its faces or its model, or the metrics theirs.
    """
    from methods.batches import Completer
    from methods.classical import make_fills
    with Progress(None, "loading models"):
        train_faces = [settings.train_faces for settings in methods.values() if settings.train_faces]
        make_fills(size, next(iter(train_faces), None), [name for name in methods if name in CLASSICAL])
        dlib_models.checked(dlib_models.DESCRIPTOR)
        completers = {name: Completer({size: settings}, plan.scheduler, plan.jobs, check)
                      for name, settings in methods.items()}
        for completer in completers.values():
            check()
            completer.load()
        return completers


if __name__ == "__main__":
    sys.exit(main())
