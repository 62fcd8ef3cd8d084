"""The pictures and the records of a batch of faces."""
from pathlib import Path

import numpy as np

import helpers
from metrics.diversity import diversity, uncertainty
from metrics.images import measure, psnr, ssim_map

from .completed_folder import ANSWER, UNCERTAINTY, UNCERTAINTY_SCALE


def floats(batch):
    """(faces (B, H, W, 3) float32 in [-1, 1], known (B, H, W) bool) of Faces, as methods take them."""
    return helpers.to_float(np.stack([face.pixels for face in batch])), np.stack([face.known for face in batch])


class BatchWriter:
    """Writes the pictures of a batch of Faces while they are completed, and makes their records at the end."""

    def __init__(self, batch, folder):
        self.batch, self.folder = batch, folder
        self.pixels, self.files = np.stack([face.pixels for face in batch]), [{} for _ in batch]
        self.known = np.stack([face.known for face in batch])
        self._write("original.png", self.pixels)
        self._write("masked.png", np.where(self.known[..., None], self.pixels, 255).astype(np.uint8))

    def write_step(self, step, faces):
        """Write completed faces, (B, H, W, 3) float32 in [-1, 1], under the number of their step."""
        self._write(f"{step:04d}.png", self._picture(faces))

    def finish(self, outcome, seconds, whole):
        """Write what a method made of the batch, and return a record a face.

        outcome : a methods.Outcome; seconds : that a face took
        whole : measure the results: what lies under the holes is the truth
        """
        completed = self._picture(outcome.faces)
        self._write("completed.png", completed)
        if outcome.answers:
            self._write_answers(outcome, whole)
        return [{"name": face.name, "source": face.source, "status": "done", **outcome.records[i], "seed": face.seed,
                 "seconds": round(seconds, 4), **(measure(face.pixels, completed[i], face.known) if whole else {}),
                 "notes": face.notes, "stamp": face.stamp, "files": self.files[i]}
                for i, face in enumerate(self.batch)]

    def _write_answers(self, outcome, whole):
        """Write every answer and where they differ; add to the outcome's records how much, and each one's scores."""
        answers = np.stack([self._picture(faces) for faces in outcome.answers], axis=1)         # (B, K, H, W, 3)
        for rank in range(answers.shape[1]):
            self._write(ANSWER.format(rank + 1), answers[:, rank])
        greys = np.rint(UNCERTAINTY_SCALE * np.stack([uncertainty(several) for several in answers])).clip(0, 255)
        self._write(UNCERTAINTY, np.repeat(greys[..., None], 3, axis=-1).astype(np.uint8))
        for face, several, record in zip(self.batch, answers, outcome.records):
            if face.known.all():
                continue
            record |= {name: round(value, 5) for name, value in diversity(several, face.known).items()}
            for answer, scores in zip(several if whole else (), record["completions"]):
                scores |= _score(face.pixels, answer, ~face.known)

    def _picture(self, faces):
        """uint8 of completed faces, the known pixels as they were read."""
        return np.where(self.known[..., None], self.pixels, helpers.to_uint8(faces))

    def _write(self, name, pictures):
        for face, picture, files in zip(self.batch, pictures, self.files):
            files[name] = helpers.write_picture(Path(self.folder, face.name, name), picture)


def _score(truth, answer, hole):
    """PSNR and SSIM in the hole; a PSNR of equal pictures is None."""
    decibels = psnr(truth, answer, hole)
    return {"hole_psnr": round(decibels, 5) if np.isfinite(decibels) else None,
            "hole_ssim": round(float(ssim_map(truth, answer)[hole].mean()), 5)}
