"""The parts of aligned faces, drawn from dlib's 68 landmarks: pseudo-labels for a network that is to see them.

Source: Li et al., "Generative Face Completion", CVPR 2017, section 3.2, whose labels were drawn by hand (Helen).
"""
import contextlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dataset.folder import fingerprint
from dataset.store import Shards
from helpers import counted, map_array, write_array
from preprocess.faces import FaceFinder

PARTS = "background", "skin", "brows", "eyes", "nose", "mouth"
BOX = -0.05, -0.1, 1.05, 1.0                            # of the face in its crop; best on the template's three points
SHARD = 4096                                            # faces whose labels a file holds
JAW, NOSE, LIPS = range(17), range(27, 36), range(48, 60)
BROWS, EYES = (range(17, 22), range(22, 27)), (range(36, 42), range(42, 48))


def find_landmarks(finder, face):
    """The 68 landmarks (68, 2), as (x, y) in pixels, of an aligned face (S, S, 3) uint8."""
    return finder.landmarks(face, [round(side * len(face)) for side in BOX])


def draw_parts(landmarks, size):
    """Labels (size, size) uint8, numbers of PARTS, of a face with these landmarks (68, 2)."""
    labels = Image.new("L", (size, size))
    drawing = ImageDraw.Draw(labels)

    def polygon(indices, part):
        drawing.polygon([tuple(landmarks[index]) for index in indices], fill=PARTS.index(part))

    def line(indices, part):
        drawing.line([tuple(landmarks[index]) for index in indices], PARTS.index(part), max(1, size // 24), "curve")
    polygon([*JAW, *reversed([index for brow in BROWS for index in brow])], "skin")
    polygon([NOSE[0], *NOSE[4:]], "nose")
    polygon(LIPS, "mouth")
    for brow, eye in zip(BROWS, EYES):
        line(brow, "brows")
        polygon(eye, "eyes")
    return np.array(labels)


class LabelledFaces:
    """Faces with the labels of their parts as a fourth channel: len(), .shape (N, S, S, 4), and uint8 rows.

    The labels are found once and kept in a folder under the faces' fingerprint, in files that are written whole: who
    was stopped goes on with the next file. Faces and labels are read where they lie.

    faces : (N, S, S, 3) uint8 or a Pack; folder : of the run; console : a training.settings.Console
    """

    def __init__(self, faces, folder, console):
        self.shape, self._faces, self._finder = (*faces.shape[:3], 4), faces, None
        folder = Path(folder, f"parts-{fingerprint(faces)[:16]}")
        self._labels = Shards([self._open(folder / f"labels-{first // SHARD:05d}.npy", first, console)
                               for first in range(0, len(faces), SHARD)], SHARD)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return np.concatenate([self._faces[rows], self._labels[rows][..., None]], axis=3)

    def _open(self, path, first, console):
        """The labels of SHARD faces from `first` on, mapped; found before if they are not there, or not whole."""
        shape = min(SHARD, len(self) - first), *self.shape[1:3]
        with contextlib.suppress(OSError, ValueError):
            if (labels := map_array(path)).shape == shape:
                return labels
        if self._finder is None:
            console.say(f"looking for the parts of {counted(len(self) - first, 'face')}")
            self._finder = FaceFinder()
        labels = np.empty(shape, np.uint8)
        for row in range(len(labels)):
            console.check()
            face = self._faces[first + row:first + row + 1][0]
            labels[row] = draw_parts(find_landmarks(self._finder, face), len(face))
        write_array(path, labels)
        return map_array(path)
