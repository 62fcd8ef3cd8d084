"""Find the face in one photo and warp it onto the template, as OpenFace's align-dlib does.

Source: Amos, Ludwiczuk, Satyanarayanan, "OpenFace", CMU-CS-16-118, 2016; Kazemi and Sullivan, "One Millisecond Face
Alignment with an Ensemble of Regression Trees", CVPR 2014, whose 68-point model dlib ships (trained on iBUG 300-W:
no commercial use).
"""
from functools import partial
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from helpers import to_levels
from preprocess import dlib_models

from .affine import invert, move, nearest, through
from .face_shape import similarity
from .pyramid import exact_levels, find_large, level_sizes
from .templates import ANCHORS

UPSAMPLE = 1                                            # OpenFace's setting: finds faces from 40 pixels on
LEANS = 0, 0, 0, 30, -30                                # of its parts: frontal, looking aside, and turned ones
SEARCH_PIXELS = 6_000_000                               # larger photos are searched for faces at this size


class Face(NamedTuple):
    """A face: its box (left, top, right, bottom), its score, None where nobody looked for it, and landmarks (N, 2)."""
    box: tuple
    score: float | None
    landmarks: np.ndarray

    @property
    def record(self):
        """The same for JSON, landmarks in whole pixels."""
        return {"box": self.box, "score": self.score, "landmarks": self.landmarks.astype(int).tolist()}

    def moved(self, matrix):
        """The face where a map (2, 3) of quarter turns takes it."""
        corners = move(matrix, np.array(self.box, float).reshape(2, 2)).astype(int)
        return Face((*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()), self.score,
                    move(matrix, self.landmarks))


class FaceFinder:
    """A face detector and a landmark predictor of dlib's.

    path : of the 68-point predictor, if it is not the packaged one; points : "68", or "5" for the smaller one
    detector : "hog", OpenFace's, or "cnn", which takes many times as long and knows faces from other sides too
    Raises UsageError if a model is missing or another one.
    """

    def __init__(self, path=None, points="68", detector="hog"):
        import dlib  # here, for what is cut by landmarks that are given needs none
        self._rectangle, self._resize = dlib.rectangle, dlib.resize_image
        path = dlib_models.checked(dlib_models.BY_POINTS[points], path)
        self._cnn = detector == "cnn" and dlib.cnn_face_detection_model_v1(str(dlib_models.checked(dlib_models.CNN)))
        self._detect = dlib.get_frontal_face_detector()
        self._predict = dlib.shape_predictor(str(path))

    def boxes(self, pixels):
        """Faces of an (H, W, 3) uint8 photo as (left, top, right, bottom) in pixels, the largest first."""
        return [box for box, *_ in self.scored_boxes(pixels)]

    def scored_boxes(self, pixels, threshold=0.0):
        """(box, score, lean) of all faces that score more than `threshold`, the largest first; as boxes() has them.

        A face that is mostly hidden scores -0.8 and more, and so do other things. lean : degrees counter-clockwise, one
        of LEANS, by which that one of the detector's five parts is turned that found the face
        """
        return self._search(pixels, partial(self._run, upsample=UPSAMPLE, threshold=threshold))

    def large_boxes(self, pixels, exact=True):
        """scored_boxes() without faces much smaller than the largest, in a third to two thirds of the time.

        exact : search dlib's own reductions of the photo, so that the largest face has the same box; without it Pillow
            reduces, in a tenth to two fifths of the time, and the box may lie a step of the detector beside it
        """
        return self._search(pixels, partial(self._run_large, exact=exact))

    def more_boxes(self, pixels, times):
        """scored_boxes() of the photo doubled `times` more than usual: faces down to 20 pixels, 10, ..."""
        return self._search(pixels, partial(self._run, upsample=UPSAMPLE + times), SEARCH_PIXELS / 4 ** times)

    def faces(self, pixels, boxes):
        """The Face in each of some scored_boxes()."""
        return [Face(box, score, self.landmarks(pixels, box)) for box, score, _ in boxes]

    def _search(self, pixels, run, most_pixels=None):
        """What run(pixels) finds, sides in pixels of the photo, which is reduced before if it is too large."""
        height, width = pixels.shape[:2]
        scale = max(1.0, (height * width / (most_pixels or SEARCH_PIXELS)) ** 0.5)
        if scale > 1:
            pixels = np.asarray(Image.fromarray(pixels).resize((round(width / scale), round(height / scale)),
                                                               Image.Resampling.BILINEAR))
        return [(tuple(round(side * scale) for side in box), *rest)
                for box, *rest in sorted(run(pixels), key=_area, reverse=True)]

    def _run(self, pixels, upsample, threshold=0.0):
        """[((left, top, right, bottom), score, lean)]."""
        if self._cnn:
            faces = [(face.rect, face.confidence, 0) for face in self._cnn(pixels, upsample - 1) if
                     face.confidence > threshold]
        else:
            faces = zip(*self._detect.run(pixels, upsample, threshold))
        return [((box.left(), box.top(), box.right(), box.bottom()), score, LEANS[part]) for box, score, part in faces]

    def _run_large(self, pixels, exact):
        sizes = level_sizes(*pixels.shape[:2])
        if self._cnn or len(sizes) == 1:
            return self._run(pixels, UPSAMPLE)
        draw = (exact_levels(self._resize, pixels, sizes).__getitem__ if exact else
                partial(_draw_level, Image.fromarray(pixels), sizes))
        found = find_large(partial(self._run, upsample=0), draw, sizes, *() if exact else (0,))
        return self._run(pixels, UPSAMPLE) if found is None else found

    def landmarks(self, pixels, box):
        """The 68 landmarks of the face in `box`, (68, 2) float64 as (x, y) in pixels of the photo; or its five."""
        return np.array([(point.x, point.y) for point in self._predict(pixels, self._rectangle(*box)).parts()], float)


def _area(found):
    left, top, right, bottom = found[0]
    return (right - left + 1) * (bottom - top + 1)


def _draw_level(image, sizes, level):
    rows, columns = sizes[level]
    return np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR, reducing_gap=2))


def alignment_matrix(landmarks, size, template, margin=0.0, transform="affine", points="68"):
    """The map (2, 3) from photo (x, y) to crop (x, y) that puts landmarks (N, 2) on the template.

    template : a name of TEMPLATES; margin : room around it on every side, in sides of the template
    transform : "affine" puts three landmarks exactly on it and may shear, of more it takes them nearest; "similarity"
        only turns, scales and moves, nearest in least squares; points : what the landmarks are, of ANCHORS
    """
    indices, places = ANCHORS[points][template]
    points, targets = np.asarray(landmarks)[list(indices)], size * (np.array(places) + margin) / (1 + 2 * margin)
    if transform == "similarity":
        return similarity(points, targets)
    return through(points, targets) if len(points) == 3 else nearest(points, targets)


def warp(pixels, matrix, size):
    """Draw the (size, size, 3) uint8 crop that `matrix` cuts from (H, W, 3) uint8, bilinear, black outside.

    Also returns the share of the crop's pixels that lie outside the photo, in [0, 1].
    """
    turned, offset = _by_rows(invert(matrix))
    crop = np.stack([ndimage.affine_transform(pixels[..., channel], turned, offset, (size, size), np.float64, order=1,
                                              mode="grid-constant") for channel in range(3)], axis=-1)
    rows, columns = np.tensordot(turned, np.indices((size, size)), 1) + offset[:, None, None]
    height, width = pixels.shape[:2]
    outside = (rows < 0) | (rows > height - 1) | (columns < 0) | (columns > width - 1)
    return to_levels(crop), float(outside.mean())


def warp_known(known, matrix, size):
    """What a crop knows of the face, (size, size) bool, if of the photo only `known`, (H, W) bool, is to be looked at.

    A pixel of the crop is known if warp() reads it from known pixels alone, and no pixel of the hole falls into it.
    """
    share = ndimage.affine_transform(known.view(np.uint8), *_by_rows(invert(matrix)), (size, size), np.float64,
                                     order=1, mode="grid-constant")
    rows, columns = np.rint(_to_crop(matrix, *np.nonzero(~known))).astype(int)
    fallen = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
    crop = share > 1 - 1e-9
    crop[rows[fallen], columns[fallen]] = False
    return crop


def unwarp(crop, matrix, height, width, order=3):
    """Draw a (size, size, C) float crop at the place and in the resolution of the (height, width) photo it is from.

    order : of the splines, 0 for the nearest pixel
    Returns the window of the photo (two slices), the crop's values there, (h, w, C) float64, and which pixels of the
    window it covers, (h, w) bool.
    """
    window = find_window(matrix, len(crop), height, width)
    return window, sample(crop, matrix, *np.mgrid[window], order), is_covered(matrix, len(crop), *np.mgrid[window])


def find_window(matrix, size, height, width):
    """The smallest window, two slices, of a (height, width) photo that holds the crop; empty if that lies outside."""
    inverse = invert(matrix)
    corners = inverse[:, :2] @ np.array([(-0.5, -0.5, size - 0.5, size - 0.5),
                                         (-0.5, size - 0.5, -0.5, size - 0.5)]) + inverse[:, 2:]
    (left, top), (right, bottom) = np.floor(corners.min(axis=1)).astype(int), np.ceil(corners.max(axis=1)).astype(int)
    return (slice(min(max(top, 0), height), max(min(bottom + 1, height), 0)),
            slice(min(max(left, 0), width), max(min(right + 1, width), 0)))


def sample(crop, matrix, rows, columns, order=3):
    """The values of a (size, size, C) crop at pixels of its photo, float64 of their shape and C; order : of unwarp."""
    at = _to_crop(matrix, rows, columns)
    return np.stack([ndimage.map_coordinates(crop[..., channel], at, np.float64, order, mode="nearest")
                     for channel in range(crop.shape[2])], axis=-1)


def is_covered(matrix, size, rows, columns):
    """Whether the crop shows these pixels of the photo; arrays of one shape, returns bool of the same."""
    return (np.abs(_to_crop(matrix, rows, columns) - (size - 1) / 2) <= size / 2).all(axis=0)


def _by_rows(matrix):
    """An affine map of (x, y) as the linear part and the offset of the same map of (row, column)."""
    return matrix[::-1, 1::-1], matrix[::-1, 2]


def _to_crop(matrix, rows, columns):
    """Where pixels of the photo lie in the crop: (row, column) of the same shape, stacked."""
    linear, offset = _by_rows(matrix)
    return np.stack([linear[axis, 0] * rows + linear[axis, 1] * columns + offset[axis] for axis in (0, 1)])
