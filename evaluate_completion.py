"""Complete faces by many methods under many holes, and measure every result against the truth.

python evaluate_completion.py processed-data/validation/ --methods latent laplace --masks center half --limit 1000
python evaluate_completion.py --compare measured/ another/
"""
import interrupts  # noqa: F401

import collections
import itertools
import os
import sys
from functools import partial

import helpers
from completion.face import FaceReader
from completion.holes import StandardHoles
from completion.reading import read_batches
from evaluation import evaluation_options
from evaluation.comparison import compare
from evaluation.evaluated_folder import EvaluatedFolder, Recorder
from helpers import BadPhoto, UsageError, counted, file_stamp
from methods import CLASSICAL, LEARNED, method_options
from models import shipped
from preprocess import dlib_models
from shell.command import command
from shell.messages import report_failure, say, warn
from shell.processes import map_surviving
from shell.progress import Progress
from shell.signals import StopRequest
from shell.sources import find_inputs, output_names

AT_ONCE = 8                                             # faces that a process fills by a classical method
parse = partial(evaluation_options.parse, __doc__)


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    inputs, plan, methods, compared = parse(argv)
    if compared:
        return say_differences(*compared)
    sources, failures = find_inputs(*inputs, exclude=plan.out_dir)
    named = zip(output_names(sources), (source.path for source in sources))
    faces = dict(itertools.islice(named, plan.limit))
    for path, problem in failures:
        warn(f"{path}: {problem}")
    folder = EvaluatedFolder(plan.out_dir, {name: file_stamp(path) for name, path in faces.items()})
    settings = describe(folder, faces, plan, methods)
    with folder.claim(), StopRequest() as stop:
        folder.check_settings(settings)
        wanted = set(itertools.product(faces, plan.masks, methods))
        with Progress(None, "looking at what is there"):
            missing = wanted - (done := folder.find_done())
        if missing:
            methods_left = {method for *_, method in missing}
            needed = {name: methods[name] for name in methods if name in methods_left}
            completers = make_ready(needed, settings["image_size"], plan, stop.check)
            folder.begin(settings)
            with Recorder(folder, done) as recorder:
                failures += measure_all(missing, faces, plan, completers, size=settings["image_size"],
                                        recorder=recorder, check=stop.check)
            missing -= folder.find_done()
        with Progress(None, "writing tables, report and figure"):
            from evaluation.conclusion import conclude
            conclude(folder, faces, plan, methods, [(str(path), str(problem)) for path, problem in failures])
    for line in helpers.read_bytes(folder.path / "summary.txt").decode().splitlines():
        say(line)
    before = len(wanted & done)
    say(f"{counted(len(wanted) - before - len(missing), 'result')} computed, {before} were there, "
        f"{counted(len(failures), 'photo')} failed; report in {folder.path / 'report.html'}")
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
            record |= {key: described[key] for key in ("recipe", "model", "encoder", "likely")}
            record |= {"completions": settings.search.completions} if settings.search.completions > 1 else {}
        elif name in LEARNED:
            record[LEARNED[name]] = described["model"]
        else:
            record |= described
    return record


def advise(settings, size):
    """The option that names a model of a method for faces of a size, and the shipped one if there is one."""
    kind = settings.search.model if settings.search else LEARNED[settings.name]
    option, place = ("--checkpoint", shipped(kind, size)) if settings.search else (
        "--learned", os.path.dirname(shipped(kind, size)))
    return option + (f", such as {place}" if method_options.is_model(shipped(kind, size)) else "")


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


def measure_all(missing, faces, plan, completers, *, size, recorder, check):
    """Complete what is missing, by one method after the other, and measure it.

    Returns [(path, BadPhoto)] of the faces that failed, each once.

    missing : {(face, mask, method)}; faces : {name: path}; completers : as make_ready has them; size : side of faces
    recorder : an evaluated_folder.Recorder; check : function that raises when the user wants to stop
    """
    from evaluation import measuring
    fail, frames = Failures(), collections.defaultdict(list)    # frames : {(face, mask, method): [(step, picture)]}

    def keep_step(method, batch, step, pixels, **figures):
        for face, picture in zip(batch, pixels):
            frames[face.name, face.mask, method].append((step, picture))

    def results():
        for name, complete in completers.items():
            settings = complete.methods[size]
            if not plan.scheduler:
                method_options.warn_if_slow(settings)
            tasks = {mask: [(path, face) for face, path in faces.items() if (face, mask, name) in missing]
                     for mask in plan.masks}
            batches = read_masked(tasks, size, settings, fail=fail, check=check)
            for face, completed in complete(batches, on_step=partial(keep_step, name)):
                if isinstance(completed, BadPhoto):
                    fail(face.source, face.name, completed)
                    continue
                result = measuring.Result(face, name, completed, recorder.truths.get(face.name))
                recorder.folder.write_completed(result, frames.get(result.key, ()))
                yield result

    path, keys = str(dlib_models.checked(dlib_models.DESCRIPTOR)), len(missing)
    with Progress(keys, "results") as progress:
        for result, numbers in map_surviving(measuring.measure_result, results(), min(plan.jobs, keys),
                                             measuring.prepare, arguments=(path,), check=check):
            progress.update()
            if isinstance(numbers, BadPhoto):
                fail(result.face.source, result.face.name, numbers)
            else:
                recorder.record(result, frames.pop(result.key, ()), *numbers)
    return list(fail.of_faces.values())


class Failures:
    """Says why a face failed, once for all its holes and methods; of_faces : {name: (path, BadPhoto)}."""

    def __init__(self):
        self.of_faces = {}

    def __call__(self, source, name, problem):
        if name not in self.of_faces:
            report_failure(source, problem)
            self.of_faces[name] = source, problem


def read_masked(tasks, size, settings, *, fail, check):
    """Yield tuples of MaskedFaces, as many as a method takes at a time; tasks : {mask: [(path, face)]}."""
    from evaluation.measuring import MaskedFace
    batch_size = settings.batch_size if settings.has_network else min(settings.batch_size, AT_ONCE)
    for mask, of_mask in tasks.items():
        read_face = FaceReader(StandardHoles(mask, settings.seed), size, settings.seed)

        def read(source, name, mask=mask, read_face=read_face):
            return [MaskedFace(**vars(read_face(source, name)), mask=mask)]
        yield from read_batches(of_mask, read, batch_size, fail, check=check)


if __name__ == "__main__":
    sys.exit(main())
