"""The pictures and the record of every face of a folder of completed faces."""
import collections
import zlib
from pathlib import Path

import numpy as np

from dataset.origin import take_origin
from helpers import write_file, write_picture
from metrics.conformal import COVERAGE, half_widths
from metrics.diversity import diversity
from metrics.images import measure, psnr, recorded, ssim_map
from shell.messages import report_failure
from shell.records import RecordFile

from .completed_folder import AFTER, ANSWER, BEFORE, MASK, RESTORED, UNCERTAINTY, UNCERTAINTY_SCALE, digest
from .figures import draw_levels
from .photo_file import choose_encoding, encode, shrink

SMALL_QUALITY = 88                                      # of the JPEGs that the overview shows of photos


class FaceWriter:
    """Writes pictures and records of faces as they come, and shows what is complete.

    folder : a CompletedFolder, claimed; overview : its Overview; has_truth : measure the results: what lies under the
    holes is the truth; format : of restored photos, one of completed_folder.FORMATS
    show_holes : write the holes of aligned faces as masks too; calibrated : it is known what intervals cover

    It counts the inputs that are `completed` and `failed`. Pictures of faces are in memory until all of their input are
    finished. A photo's first face lies in its own folder, the others in folders in it, as their names say.
    """

    def __init__(self, folder, overview, has_truth, format="png", *, show_holes=False, calibrated=True):
        self.folder, self.overview, self.has_truth, self.format = folder, overview, has_truth, format
        self.show_holes, self.calibrated = show_holes, calibrated
        self.completed, self.failed, self._results = 0, 0, RecordFile(folder.results)
        self._earlier = None                            # {name: files of an earlier run}, once there is a face
        self._files = collections.defaultdict(lambda: ({}, {}))         # {source: (pictures, checksums)}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._earlier is None:
            self._results.__exit__(*error)              # nothing else is there: a refusal leaves nothing
        self._results.close()

    def begin(self, batch):
        """Write what goes in of every Face of a batch, and the same with its hole white; the settings before the first.
        """
        if self._earlier is None:
            self._earlier = self.folder.begin()
        for face in batch:
            self._write(face, "original.png", face.pixels)
            self._write(face, "masked.png", face.masked)
            if self.show_holes:
                self._write(face, MASK, np.where(face.known[..., None], 0, np.full_like(face.pixels, 255)))

    def write_step(self, batch, step, pixels):
        """Write completed faces, (B, H, W, 3) uint8, under the number of their step."""
        for face, picture in zip(batch, pixels):
            self._write(face, f"{step:04d}.png", picture)

    def finish(self, faces, completed, restored=None):
        """Write what the faces of an input have become, and its record.

        completed : a methods.batches.CompletedFace of each; restored : of a photo, its completion.photos.Restored
        """
        records = [self._finish_face(*each) for each in zip(faces, completed)]
        first, (pictures, sums) = faces[0], self._files.pop(faces[0].source)
        notes = [note for face in faces for note in face.notes]
        if restored:
            notes += self._write_photo(Path(self.folder.path, first.name), restored, pictures, sums)
        record = {"name": first.name, "source": first.source, **take_origin(first.source), "status": "done",
                  **records[0], "notes": notes, "stamp": first.stamp, "files": sums}
        if len(faces) > 1:
            record["further_faces"] = [{"name": face.name, **own} for face, own in zip(faces[1:], records[1:])]
        self.folder.remove_stale(first.name, self._earlier.get(first.name, ()), sums)
        self._results.append(record | {"settings": digest(self.folder.settings)})
        self.overview.add(record, pictures)
        self.completed += 1

    def fail(self, source, name, problem, known=None):
        """Record an input that has come to nothing, with the BadPhoto that says why, and say so.

        known : (H, W) bool, of a photo whose hole is to be seen all the same
        """
        self._files.pop(source, None)
        files = {} if known is None else {MASK: _write_mask(Path(self.folder.path, name), known)}
        self.overview.fail(source, name, problem)
        self._results.append({"name": name, "source": source, "status": "failed", "reason": problem.reason,
                              "detail": problem.detail, "files": files})
        self.failed += 1
        report_failure(source, problem)

    def _finish_face(self, face, completed):
        """Write a completed face; returns what its record says of it."""
        self._write(face, "completed.png", completed.pixels)
        scores = measure(face.pixels, completed.pixels, face.known) if self.has_truth else {}
        if completed.answers is not None:
            scores |= self._finish_answers(face, completed)
        return {**completed.record, "seed": face.seed, **scores}

    def _write_photo(self, folder, restored, pictures, sums):
        """Write a restored photo, the hole that it had, and what the overview shows of it; returns remarks."""
        sums[MASK] = _write_mask(folder, restored.known)
        encoding = choose_encoding(restored.photo, self.format)
        for rank, picture in enumerate(restored.pictures):
            file = RESTORED + (f"_{rank}" if rank else "") + encoding.suffix
            content = encode(restored.photo, restored.known, picture, encoding)
            write_file(folder / file, content)
            sums[file] = zlib.crc32(content)
            if not rank:
                pictures |= {BEFORE: shrink(restored.photo.pixels), AFTER: shrink(picture)}
        for file in (BEFORE, AFTER):
            sums[file] = write_picture(folder / file, pictures[file], "JPEG", quality=SMALL_QUALITY)
        return encoding.remarks

    def _finish_answers(self, face, completed):
        """Write every answer and how sure each pixel is; returns how much, and adds each one's scores to the record."""
        answers, widths = completed.answers, half_widths(completed.answers, face.known)
        for rank, answer in enumerate(answers, 1):
            self._write(face, ANSWER.format(rank), answer)
        self._write(face, UNCERTAINTY, draw_levels(widths, UNCERTAINTY_SCALE))
        if face.known.all():
            return {}
        hole = ~face.known
        for answer, scores in zip(answers if self.has_truth else (), completed.record["completions"]):
            scores |= {"hole_psnr": recorded(psnr(face.pixels, answer, hole)),
                       "hole_ssim": recorded(ssim_map(face.pixels, answer)[hole].mean())}
        scores = {**diversity(answers, face.known), "half_width": widths[hole].mean()}
        nominal = {"nominal_coverage": COVERAGE} if self.calibrated else {}
        return {**{name: recorded(value) for name, value in scores.items()}, **nominal}

    def _write(self, face, file, picture):
        pictures, sums = self._files[face.source]
        place = file if face.number == 1 else f"{Path(face.name).name}/{file}"
        sums[place], pictures[place] = write_picture(self.folder.path / face.name / file, picture), picture


def _write_mask(folder, known):
    return write_picture(folder / MASK, np.where(known, 0, 255).astype(np.uint8))
