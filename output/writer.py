"""The pictures and the record of every face of a folder of completed faces."""
import numpy as np

from helpers import RecordFile, write_picture
from metrics.diversity import diversity, uncertainty
from metrics.images import measure, psnr, ssim_map
from shell.messages import report_failure

from .completed_folder import ANSWER, MASK, RESTORED, UNCERTAINTY, UNCERTAINTY_SCALE, digest


class FaceWriter:
    """Writes pictures and records of faces as they come, and shows those that are complete.

    folder : a CompletedFolder, claimed; overview : its Overview; has_truth : measure the results: what lies under the
    holes is the truth

    It counts the faces that are `completed` and `failed`. Its pictures are in memory until a face is finished.
    """

    def __init__(self, folder, overview, has_truth, show_holes=False):
        self.folder, self.overview, self.has_truth, self.show_holes = folder, overview, has_truth, show_holes
        self.completed, self.failed, self._results = 0, 0, RecordFile(folder.results)
        self._earlier, self._pictures, self._sizes = {}, {}, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._results.close()

    def open(self):
        """Write the settings before the first face."""
        self._earlier = self.folder.begin()

    def begin(self, batch):
        """Write what goes in of every Face of a batch, and the same with its hole white; returns the batch."""
        for face in batch:
            self._pictures[face.name], self._sizes[face.name] = {}, {}
            self._write(face, "original.png", face.pixels)
            self._write(face, "masked.png", np.where(face.known[..., None], face.pixels, 255).astype(np.uint8))
            if self.show_holes:
                self._write(face, MASK, np.where(face.known[..., None], 0, np.full_like(face.pixels, 255)))
        return batch

    def write_step(self, batch, step, pixels):
        """Write completed faces, (B, H, W, 3) uint8, under the number of their step."""
        for face, picture in zip(batch, pixels):
            self._write(face, f"{step:04d}.png", picture)

    def finish(self, face, completed, restored=None):
        """Write what a face has become, and its record.

        completed : a methods.batches.CompletedFace; restored : the photo into which it was poured, (H, W, 3) uint8
        """
        self._write(face, "completed.png", completed.pixels)
        scores = measure(face.pixels, completed.pixels, face.known) if self.has_truth else {}
        if completed.answers is not None:
            scores |= self._finish_answers(face, completed)
        pictures, sizes = self._pictures.pop(face.name), self._sizes.pop(face.name)
        if restored is not None:
            sizes[RESTORED] = write_picture(self.folder.path / face.name / RESTORED, restored)
        record = {"name": face.name, "source": face.source, "status": "done", **completed.record, "seed": face.seed,
                  **scores, "notes": face.notes, "stamp": face.stamp, "files": sizes}
        self.folder.remove_stale(face.name, self._earlier.get(face.name, ()), sizes)
        self._results.append(record | {"settings": digest(self.folder.settings)})
        self.overview.add(record, pictures)
        self.completed += 1

    def fail(self, source, name, problem):
        """Record an input that has come to nothing, with the BadPhoto that says why, and say so."""
        self._pictures.pop(name, None), self._sizes.pop(name, None)
        self.overview.leave_out(name)
        self._results.append({"name": name, "source": source, "status": "failed", "reason": problem.reason,
                              "detail": problem.detail})
        self.failed += 1
        report_failure(source, problem)

    def _finish_answers(self, face, completed):
        """Write every answer and where they differ; returns how much, and adds each one's scores to the record."""
        answers = completed.answers
        for rank, answer in enumerate(answers, 1):
            self._write(face, ANSWER.format(rank), answer)
        greys = np.rint(UNCERTAINTY_SCALE * uncertainty(answers)).clip(0, 255).astype(np.uint8)
        self._write(face, UNCERTAINTY, np.repeat(greys[..., None], 3, axis=-1))
        if face.known.all():
            return {}
        for answer, scores in zip(answers if self.has_truth else (), completed.record["completions"]):
            scores |= _score(face.pixels, answer, ~face.known)
        return {name: round(value, 5) for name, value in diversity(answers, face.known).items()}

    def _write(self, face, file, picture):
        self._sizes[face.name][file] = write_picture(self.folder.path / face.name / file, picture)
        self._pictures[face.name][file] = picture


def _score(truth, answer, hole):
    """PSNR and SSIM in the hole; a PSNR of equal pictures is None."""
    decibels = psnr(truth, answer, hole)
    return {"hole_psnr": round(decibels, 5) if np.isfinite(decibels) else None,
            "hole_ssim": round(float(ssim_map(truth, answer)[hole].mean()), 5)}
