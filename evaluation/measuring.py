"""What one of an evaluation's processes does: measure a completed face."""
import dataclasses

import numpy as np

from completion.face import Face
from metrics.conformal import covered, half_widths
from metrics.diversity import diversity
from metrics.identity import FaceDescriber, identity_distance
from metrics.images import measure, psnr, recorded


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
