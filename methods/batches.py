"""Batches of faces, completed by a method here, by processes of this machine, or by a cluster."""
import functools
import time
from collections import ChainMap
from typing import NamedTuple

import numpy as np

from completion.tone import SKIN, apply_tone
from helpers import BAD_CHECKPOINT, BadPhoto, UsageError, to_float, to_uint8
from shell.dask_cluster import map_on_cluster
from shell.processes import map_surviving
from training.manifest import describe_model

from .outcome import Outcome
from .table import make_method


class CompletedFace(NamedTuple):
    """A face as it is when it is complete.

    pixels : (H, W, 3) uint8, equal to what was read wherever that is known
    answers : (K, H, W, 3) uint8, the best first, where several were asked for, else None
    record : what the method has to say of it, with the `seconds` that it took, and whether it was completed in the
        `one_tone` that all of it has
    """
    pixels: np.ndarray
    answers: np.ndarray | None
    record: dict


class Completed(NamedTuple):
    """What a method made of a batch elsewhere: [(step, faces)] that are worth a picture, the Outcome, its seconds."""
    steps: list
    outcome: Outcome
    seconds: float


class Completer:
    """Completes batches of faces by one method; no face feels its neighbours.

    methods : {side of faces: MethodSettings}
    scheduler : address of a Dask cluster that completes; jobs : else, of methods without a network, processes
    check : function, called now and then, that raises when the user wants to stop
    """

    def __init__(self, methods, scheduler=None, jobs=1, check=lambda: None):
        self.methods, self.check = methods, check
        self._place = (scheduler, jobs) if scheduler or jobs > 1 and not self._networks else None

    @property
    def _networks(self):
        return [side for side, settings in self.methods.items() if settings.has_network]

    def load(self):
        """Load all networks, once, so that nothing is written if one of them is broken.

        They are loaded here even where the workers of a cluster complete, which load theirs at their first batch.
        Raises UsageError as make_method does.
        """
        for side in self._networks:
            self._method_for(side)

    @functools.cached_property
    def _method_for(self):
        """The function (side) -> method that keeps what it has made."""
        on_cluster = self._place and self._place[0]
        return _maker({side: settings.for_trial() if on_cluster else settings
                       for side, settings in self.methods.items()}, self.check)

    def __call__(self, batches, on_batch=lambda batch: None, on_step=lambda batch, step, pixels, **figures: None):
        """Yield (Face, CompletedFace) for every face of the batches, or (Face, BadPhoto) for what has come to nothing.

        batches : tuples of Faces of one size, taken as they are needed
        on_batch : function (batch), called before each is completed, and not until all networks are loaded
        on_step : function (batch, step, pixels (B, H, W, 3) uint8, **figures), called for every step worth a picture

        In this process batches end in their order, elsewhere as they are finished.
        """
        for batch, outcome, seconds in (self._elsewhere if self._place else self._here)(batches, on_batch, on_step):
            if isinstance(outcome, BadPhoto):
                yield from ((face, outcome) for face in batch)
            else:
                yield from zip(batch, _finish(batch, outcome, seconds / len(batch)))

    def _here(self, batches, on_batch, on_step):
        for batch in batches:
            self.load()
            method = self._method_for(_side(batch))
            on_batch(batch)

            def show(step, faces, batch=batch, **figures):
                self.check()
                on_step(batch, step, _pixels(batch, faces), **figures)
            begun = time.monotonic()
            outcome = method(*_arrays(batch), show)
            yield batch, outcome, time.monotonic() - begun

    def _elsewhere(self, batches, on_batch, on_step):
        methods, (scheduler, jobs) = {side: each.absolute() for side, each in self.methods.items()}, self._place
        spread, over = (map_on_cluster, scheduler) if scheduler else (map_surviving, jobs)
        arguments = methods, dict(ChainMap(*(settings.models() for settings in methods.values())))
        batches = self._telling(on_batch, batches)
        for batch, result in spread(complete_batch, batches, over, prepare, arguments=arguments, check=self.check):
            if isinstance(result, BadPhoto):
                yield batch, result, 0
                continue
            for step, faces in result.steps:
                on_step(batch, step, _pixels(batch, faces))
            yield batch, result.outcome, result.seconds

    def _telling(self, tell, batches):
        for batch in batches:
            self.load()
            tell(batch)
            yield batch


def _maker(methods, check=lambda: None):
    """A function (side) -> method, which is made when it is first asked for, its network loaded."""
    return functools.cache(lambda side: make_method(methods[side], side, check))


def _side(batch):
    return len(batch[0].pixels)


def prepare(methods, models):
    """Set a worker up. Raises UsageError unless it sees these models, {folder: digest}."""
    global _worker_method_for
    for folder, digest in models.items():
        if describe_model(folder)["model"] != digest:
            raise UsageError(f"a worker sees another model in {folder}", BAD_CHECKPOINT)
    _worker_method_for = _maker(methods)


def complete_batch(batch):
    """The Completed of a batch of Faces, in a worker."""
    begun, steps = time.monotonic(), []
    outcome = _worker_method_for(_side(batch))(*_arrays(batch), lambda step, faces, **_: steps.append((step, faces)))
    return Completed(steps, outcome, time.monotonic() - begun)


def _arrays(batch):
    """(faces (B, H, W, 3) float32, known (B, H, W) bool, seeds) as methods take them, those of one tone as skin is."""
    pixels = [face.pixels if face.tone is None else apply_tone(face.pixels, face.known, SKIN) for face in batch]
    return to_float(np.stack(pixels)), np.stack([face.known for face in batch]), [face.seed for face in batch]


def _pixels(batch, faces):
    """uint8 of completed faces (B, H, W, 3), the known pixels as they were read, the others in the face's tone."""
    with np.errstate(invalid="ignore"):                 # what is not finite fails when its face is finished
        completed = to_uint8(faces)
    toned = (picture if face.tone is None else apply_tone(picture, ~face.known, face.tone)
             for face, picture in zip(batch, completed))
    return np.stack([np.where(face.known[..., None], face.pixels, picture) for face, picture in zip(batch, toned)])


def _finish(batch, outcome, seconds):
    """The CompletedFace of every face, or BadPhoto not_finite."""
    pixels, answers = _pixels(batch, outcome.faces), [_pixels(batch, faces) for faces in outcome.answers]
    for index, (face, record) in enumerate(zip(batch, outcome.records)):
        if all(np.isfinite(faces[index]).all() for faces in (outcome.faces, *outcome.answers)):
            yield CompletedFace(pixels[index], np.stack([faces[index] for faces in answers]) if answers else None,
                                {**record, "one_tone": face.tone is not None, "seconds": round(seconds, 4)})
        else:
            yield BadPhoto("not_finite", "the method gave values that are no numbers")
