"""The parts of aligned faces, drawn from dlib's 68 landmarks: pseudo-labels for a network that is to see them.

Source: Li et al., "Generative Face Completion", CVPR 2017, section 3.2, whose labels were drawn by hand (Helen).
"""
import numpy as np
from PIL import Image, ImageDraw

from preprocess.faces import FaceFinder

PARTS = "background", "skin", "brows", "eyes", "nose", "mouth"
BOX = -0.05, -0.1, 1.05, 1.0                            # of the face in its crop; best on the template's three points
CHUNK = 512                                             # faces that are read at a time
JAW, BROWS, NOSE, EYES, LIPS = range(17), (range(17, 22), range(22, 27)), range(27, 36), (range(36, 42),
                                                                                          range(42, 48)), range(48, 60)


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


def add_parts(faces, check=lambda: None):
    """Faces (N, S, S, 3) uint8, or a pack, with the labels of their parts as a fourth channel: (N, S, S, 4) uint8.

    check : function, called every CHUNK faces; what it raises ends the work
    """
    finder, size = FaceFinder(), faces.shape[1]
    result = np.empty((*faces.shape[:3], 4), np.uint8)
    for first in range(0, len(faces), CHUNK):
        check()
        chunk = faces[np.arange(first, min(first + CHUNK, len(faces)))]
        result[first:first + CHUNK, ..., :3] = chunk
        result[first:first + CHUNK, ..., 3] = [draw_parts(find_landmarks(finder, face), size) for face in chunk]
    return result
