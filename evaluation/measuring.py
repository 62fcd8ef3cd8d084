"""Measure completed faces: what one of an evaluation's processes does, and how all of them are given their work."""
import collections
import dataclasses
from functools import partial

import numpy as np

from completion.face import Face, FaceReader
from completion.holes import StandardHoles
from completion.reading import read_batches
from helpers import BadPhoto
from methods import method_options
from metrics.conformal import covered, half_widths
from metrics.diversity import diversity
from metrics.identity import FaceDescriber, identity_distance
from metrics.images import measure, psnr, recorded
from preprocess import dlib_models
from shell.messages import report_failure
from shell.processes import map_surviving
from shell.progress import Progress

AT_ONCE = 8                                             # faces that a process fills by a classical method


@dataclasses.dataclass(kw_only=True)
class MaskedFace(Face):
    """A Face with a hole of one kind; mask : its name."""
    mask: str


@dataclasses.dataclass
class Result:
    """What a method made of a face, to be measured.

    face : MaskedFace; method : its name; completed : a methods.batches.CompletedFace
    truth : the true face's descriptor, (128,) float32, or None if it is not known yet
    """
    face: MaskedFace
    method: str
    completed: object
    truth: np.ndarray | None

    @property
    def key(self):
        """The (face, mask, method) that it is known by."""
        return self.face.name, self.face.mask, self.method


def prepare(path):
    """Set a process up: load the face describer; path : as metrics.identity.FaceDescriber takes it."""
    global _describer
    _describer = FaceDescriber(path)


def measure_result(result):
    """(all numbers of a Result, the true face's descriptor, the completed one's), descriptors (128,) float32."""
    face, pixels = result.face, result.completed.pixels
    pictures = [pixels] if result.truth is not None else [face.pixels, pixels]
    *computed, descriptor = _describer.describe(np.stack(pictures))
    truth = computed[0] if computed else result.truth
    identity = float(identity_distance(truth[None], descriptor[None])[0])
    numbers = measure(face.pixels, pixels, face.known) | {"identity": round(identity, 5)}
    if result.completed.answers is not None and not face.known.all():
        numbers |= {name: recorded(value) for name, value in measure_answers(face, result.completed).items()}
    return numbers, truth, descriptor


def measure_answers(face, completed):
    """What several answers to a hole are worth: how much they differ, and how near the truth they are.

    Returns a dictionary: what metrics.diversity gives; best_psnr and mean_psnr, in dB in the hole, of the answer that
    ranks first and of the mean of all; half_width of the interval, in levels, and the share of the truth it `covered`.
    """
    answers, known = completed.answers, face.known
    widths = half_widths(answers, known)
    return {**diversity(answers, known), "best_psnr": psnr(face.pixels, answers[0], ~known),
            "mean_psnr": psnr(face.pixels, answers.mean(axis=0), ~known), "half_width": float(widths[~known].mean()),
            "covered": covered(face.pixels, completed.pixels, widths, known)}


class Measurement:
    """Completes what is missing of an evaluation, by one method after the other, and measures it.

    missing : {(face, mask, method)}; faces : {name: path}; plan : an evaluation_options.Plan; size : side of faces
    completers : {method: its methods.batches.Completer, loaded}; recorder : an evaluated_folder.Recorder
    check : function that raises when the user wants to stop
    """

    def __init__(self, missing, faces, plan, *, size, completers, recorder, check):
        self.missing, self.faces, self.plan, self.size = missing, faces, plan, size
        self.completers, self.recorder, self.check = completers, recorder, check
        self._failed = {}                               # {face: (path, BadPhoto)}
        self._frames = collections.defaultdict(list)    # {(face, mask, method): [(step, picture)]}

    def run(self):
        """Record all results; returns [(path, BadPhoto)] of the faces that failed, each once."""
        path, count = str(dlib_models.checked(dlib_models.DESCRIPTOR)), len(self.missing)
        with Progress(count, "results") as progress:
            for result, numbers in map_surviving(measure_result, self._complete(), min(self.plan.jobs, count),
                                                 prepare, arguments=(path,), check=self.check):
                progress.update()
                if isinstance(numbers, BadPhoto):
                    self._fail(result.face.source, result.face.name, numbers)
                else:
                    self.recorder.record(result, self._frames.pop(result.key, ()), *numbers)
        return list(self._failed.values())

    def _complete(self):
        """Yield a Result for every missing one that a method can give."""
        for name, complete in self.completers.items():
            settings = complete.methods[self.size]
            if not self.plan.scheduler:
                method_options.warn_if_slow(settings)
            for face, completed in complete(self._read(name, settings), on_step=partial(self._keep_step, name)):
                if isinstance(completed, BadPhoto):
                    self._fail(face.source, face.name, completed)
                    continue
                result = Result(face, name, completed, self.recorder.truths.get(face.name))
                self.recorder.folder.write_completed(result, self._frames.get(result.key, ()))
                yield result

    def _read(self, method, settings):
        """Yield tuples of MaskedFaces, as many as a method takes at a time."""
        batch_size = settings.batch_size if settings.has_network else min(settings.batch_size, AT_ONCE)
        for mask in self.plan.masks:
            tasks = [(path, face) for face, path in self.faces.items() if (face, mask, method) in self.missing]
            read_face = FaceReader(StandardHoles(mask, settings.seed), self.size, settings.seed)

            def read(source, name, mask=mask, read_face=read_face):
                return [MaskedFace(**vars(read_face(source, name)), mask=mask)]
            yield from read_batches(tasks, read, batch_size, self._fail, check=self.check)

    def _keep_step(self, method, batch, step, pixels, **figures):
        for face, picture in zip(batch, pixels):
            self._frames[face.name, face.mask, method].append((step, picture))

    def _fail(self, source, name, problem):
        """Say why a face failed, once for all its holes and methods."""
        if name not in self._failed:
            report_failure(source, problem)
            self._failed[name] = source, problem
