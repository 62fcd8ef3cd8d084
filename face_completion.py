"""Complete faces whose hole is unknown, by searching the latent z of a trained DCGAN, or otherwise.

python face_completion.py processed-data/test/ --out_dir completed
python face_completion.py processed-data/test/ --out_dir smooth --method laplace
python face_completion.py portrait.png --paste_back --mask scratches.png --out_dir restored
"""
import interrupts  # noqa: F401

import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import helpers
from completion.face import Told, find_size, take_stamp
from completion.reading import PHOTO_BATCH, Gatherer, Subject, make_reader, read_batches
from dataset.listing import find_photos
from helpers import BadPhoto, counted
from methods import completion_options, method_options
from models import load_locator
from output.completed_folder import INSIDE, UNCERTAINTY_SCALE, CompletedFolder, digest
from shell.command import command
from shell.lock import claim_folder
from shell.messages import say, warn
from shell.progress import Progress
from shell.records import compact
from shell.signals import StopRequest
from shell.sources import find_inputs, output_names

parse = partial(completion_options.parse, __doc__)


@command
def main(argv=None):
    inputs, subject, settings, place, holes = parse(argv)
    from output.writer import FaceWriter
    sources, failures = find_inputs(*inputs, exclude=place.out_dir)
    names = output_names(sources, CompletedFolder.RESERVED, inner=INSIDE)
    warn_of_points(subject.points, sources)
    methods = by_size(settings, subject, sources)
    folder = CompletedFolder(place.out_dir, describe(holes, methods))
    with folder.claim(), claim_log(place), StopRequest() as stop:
        tasks = find_tasks(folder, sources, names, subject.holes, place.overwrite)
        with make_overview(folder, names, {name for _, name in tasks}) as overview:
            with FaceWriter(folder, overview, subject.has_truth, place.format,
                            show_holes=subject.holes.proposed and not subject.landmarks,
                            calibrated=all(each.says_how_sure for each in settings)) as writer:
                for source, problem in failures:
                    writer.fail(source, source, problem)
                if tasks:
                    complete_all(tasks, subject, methods, place, writer=writer, check=stop.check)
            compact(folder.results, "name")
            with Progress(None, "writing sheets and page"):
                finished = overview.finish(stop.check)
        if place.log_dir:
            draw_curves(folder, names, place)
    return summarize(folder.path, finished, writer, len(names) - len(tasks))


def by_size(settings, subject, sources):
    """{side of faces: the MethodSettings for them}, the smallest first.

    A network has a side of its own; other methods complete faces of the sides that photos are cut to, or that the
    first of the aligned faces has.
    """
    if settings[0].has_network:
        return {each.describe()["image_size"]: each for each in settings}
    sizes = subject.sizes if subject.landmarks else [find_size((source.path for source in sources), subject.fit) or 64]
    if settings[0].train_faces and len(sizes) > 1:      # faces of one size complete no others
        of_faces = find_size(source.path for source in find_photos([settings[0].train_faces])[0])
        sizes = [size for size in sizes if size == of_faces] or sizes
    return dict.fromkeys(sizes, settings[0])


def find_tasks(folder, sources, names, holes, overwrite):
    """[(path, name)] of the inputs whose results are not there, or are of another state of their files."""
    with Progress(None, "looking at what is there"):
        done = folder.open({name: (source.path, *take_stamp(source.path, name, holes))
                            for source, name in zip(sources, names)}, overwrite)
    return [(source.path, name) for source, name in zip(sources, names) if name not in done]


def complete_all(tasks, subject, methods, place, writer, check):
    """Read, complete and write every task (path, name), a batch at a time."""
    from methods.batches import Completer
    most = min(len(tasks), PHOTO_BATCH) if subject.landmarks else len(tasks)
    methods = {side: dataclasses.replace(each, batch_size=min(each.batch_size, most)) for side, each in methods.items()}
    settings, updates = next(iter(methods.values())), max(each.steps for each in methods.values())
    steps = 1 if subject.landmarks else updates         # a photo is read and poured back too
    with Progress(len(tasks) * steps, "face-iterations" if steps > 1 else "faces") as progress:
        if not place.scheduler:
            method_options.warn_if_slow(settings)
        read, gather = make_reader(subject, [*methods], load_locator), Gatherer()
        work = Work(subject, read, writer, progress, out_dir=place.out_dir, steps=steps, updates=updates)
        batches = map(tell_remarks, read_batches(tasks, work.read, settings.batch_size, work.fail, check=check))
        complete = Completer(methods, place.scheduler, check=check)
        for face, result in complete(batches, on_batch=writer.begin, on_step=work.on_step):
            progress.reach([face.name], steps)
            if gathered := gather(face, result):
                conclude(*gathered, subject.landmarks and read.restore, writer)
                check()                                 # pouring a batch of large photos back takes its time


@dataclasses.dataclass
class Work:
    """What happens to inputs until they are complete: they are read or refused, and counted and written step by step.

    subject : a reading.Subject; read_faces : what reading.make_reader makes of it
    writer : an output.writer.FaceWriter; out_dir : where it writes
    progress : counts `steps` for each face, which takes `updates`
    """
    subject: Subject
    read_faces: Callable
    writer: object
    progress: Progress
    out_dir: str
    steps: int
    updates: int

    def read(self, source, name):
        """The Faces of an input; raises BadPhoto, also if one of them would be written outside `out_dir`."""
        helpers.within(self.out_dir, os.path.join(name, ""))
        faces = self.read_faces(source, name)
        for face in faces[1:]:
            helpers.within(self.out_dir, os.path.join(face.name, ""))
        self.progress.expect(self.steps * (len(faces) - 1))
        return faces

    def fail(self, source, name, problem):
        """Count and record an input that cannot be read, with the hole, if one was proposed for a photo."""
        self.progress.reach([name], self.steps)
        known = self.read_faces.take_known(source) if self.subject.landmarks else None
        self.writer.fail(source, name, problem, known if self.subject.holes.proposed else None)

    def on_step(self, batch, step, pixels, **figures):
        """Count and write a step of a batch, as methods.batches.Completer has it."""
        self.progress.reach([face.name for face in batch], step * self.steps // max(self.updates, 1), **figures)
        self.writer.write_step(batch, step, pixels)


def conclude(faces, results, restore, writer):
    """Write what all faces of an input have become, or why one of them has come to nothing.

    results : a CompletedFace or BadPhoto of each; restore : of photos, a PhotoReader's
    """
    try:
        for problem in results:
            if isinstance(problem, BadPhoto):
                raise problem
        answers = zip(*([face.pixels, *(() if face.answers is None else face.answers)] for face in results))
        writer.finish(faces, results, restore(faces, answers) if restore else None)
    except BadPhoto as problem:
        writer.fail(faces[0].source, faces[0].name, problem)


def warn_of_points(points, sources):
    """Say which lines of a file of --points place no face."""
    if unused := points.unused(source.path for source in sources) if points else []:
        warn(f"named in --points and not completed: {counted(len(unused), 'photo')}, such as {unused[0]}")


def tell_remarks(batch):
    """Say what is Told of the faces of a batch, such as that a place is no more than estimated; returns the batch."""
    for face in batch:
        for note in face.notes:
            if isinstance(note, Told):
                warn(f"{face.where}: {note}")
    return batch


def describe(holes, methods):
    """Everything that decides a face's result, as a JSON record; holes : as describe_holes gives it."""
    (side, settings), *larger = methods.items()
    record = {**holes, "method": settings.name, "version": helpers.VERSION, "image_size": side, **settings.describe()}
    if larger:
        record["larger"] = {str(side): settings.describe() for side, settings in larger}
    if settings.search and settings.search.completions > 1:
        record["uncertainty_scale"] = UNCERTAINTY_SCALE
    return record


def make_overview(folder, names, unfinished):
    """What shows all faces, those that were done before included."""
    from output.overview import SHOWS, Overview
    done = folder.read_finished([name for name in names if name not in unfinished], SHOWS)
    return Overview(folder.path, names, folder.settings, {record["name"]: record for record in done})


def log_folder(place):
    """Where the curves of this folder of results are; no training's log lies there."""
    folder = Path(place.out_dir).resolve()
    return Path(place.log_dir, "completion", f"{folder.name}-{digest({'folder': os.fspath(folder)})}")


def claim_log(place):
    """Claim the folder of the curves, if there are to be any."""
    return claim_folder(log_folder(place), "log") if place.log_dir else contextlib.nullcontext()


def draw_curves(folder, names, place):
    """Write the course of every finished face's losses and gradients for TensorBoard."""
    with Progress(None, "writing curves"):
        from output.curves import write_curves
        budgets = [record["budget"] for record in folder.read_finished(names, ["budget"])]
        write_curves(log_folder(place), budgets, folder.settings, warn)


def summarize(folder, finished, writer, skipped):
    """Print how it went and what it scored; returns the exit code."""
    from output.overview import describe_scores
    say(f"{writer.completed} completed, {skipped} skipped (done before), {writer.failed} failed; results in {folder}")
    for where, scores in describe_scores(finished):
        say(f"{where}: {scores}")
    if apart := [record["diversity_rms"] for record in finished if "diversity_rms" in record]:
        say(f"the answers to a face differ by {sum(apart) / len(apart):.1f} levels in the hole (mean of "
            f"{counted(len(apart), 'face')})")
    return helpers.SOME_FAILED if writer.failed else 0


if __name__ == "__main__":
    sys.exit(main())
