"""Faces of a damaged photo, those too that a detector of whole, upright faces does not find."""
import numpy as np
from PIL import Image
from scipy import ndimage

from preprocess.affine import chain, invert, move

HIDDEN = -0.8                                           # score from which a face counts that a hole hides
SURE = 0.4                                              # score below which it may be another, such as one upside down
HIDING = 0.08                                           # share of a face that such a hole covers at least
TILTED, LYING, SLANTED = (10, 350, 20, 340), (90, 270, 180), (45, 315)     # turns of a photo, degrees counter-clockwise
LEANING, TRIES = 15, 3                                  # degrees at which landmarks are looked for again, and how often
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
TURNED_PIXELS = 1_000_000                               # a turned photo is searched at this size
SEARCHED_PIXELS = 205_000, TURNED_PIXELS                # the same of one with a hidden face, and if it is a small one


def find_landmarks(finder, pixels, known, believe, choose):
    """The (68, 2) landmarks of the faces of a photo, the largest first; an empty list if there are none.

    finder : preprocess.faces.FaceFinder; pixels : (H, W, 3) uint8, smooth where they are not known; known : (H, W) bool
    believe : function (landmarks, sure) -> whether it is a face; not `sure` if its score is low or the photo was turned
    choose : function ([landmarks], hole (H, W) bool) -> that one of these guesses which shows the face that the hole
        hides, or None
    In a hole that touches no upright face a hidden one is looked for; without either the photo is turned.
    """
    boxes = finder.scored_boxes(pixels)
    faces = [_stand_up(finder, pixels, finder.landmarks(pixels, box), lean, turn=0) for box, _, lean in boxes]
    believed = [face for face, (_, score, _) in zip(faces, boxes) if believe(face, sure=known.all() or score >= SURE)]
    missed = _untouched(known, believed)
    if missed.any():
        turns = (0, *TILTED) if believed else (0, *TILTED, *LYING)
        for most in SEARCHED_PIXELS[:1 + (known.size > SEARCHED_PIXELS[0])]:
            found = _search(finder, pixels, turns, HIDDEN, most)
            hiding = [landmarks for _, landmarks, *_ in found if missed[frame(landmarks, known.shape)].mean() > HIDING]
            if (guess := choose(hiding, missed)) is not None:
                return [*believed, guess]
    for turns in (LYING, SLANTED):
        faces = faces or [face for face in _find_turned(finder, pixels, turns)
                          if known.all() or believe(face, sure=False)]
    return faces


def _find_turned(finder, pixels, turns):
    """The landmarks of the faces in that turn in which one has the highest score, the largest first."""
    found = _search(finder, pixels, turns, 0.0)
    best = max(found, key=lambda face: face[0])[-1] if found else None
    return [_stand_up(finder, pixels, *face, turn) for _, *face, turn in found if turn == best]


def _stand_up(finder, pixels, landmarks, lean, turn):
    """Landmarks found again where the face is turned upright: their model misses those of leaning faces.

    lean : as FaceFinder.scored_boxes has it; turn : by which the photo was turned when they were found
    """
    for _ in range(TRIES):
        across, down = landmarks[LEFT_EYE].mean(axis=0) - landmarks[RIGHT_EYE].mean(axis=0)
        upright = np.degrees(np.arctan2(down, across))
        if abs((upright - turn + 180) % 360 - 180) < LEANING:
            if not lean:
                break
            upright = turn - lean                       # the detector sees more leaning than the landmarks show
        landmarks, lean, turn = _find_again(finder, pixels, landmarks, upright), 0, upright
    return landmarks


def _find_again(finder, pixels, landmarks, turn):
    """The landmarks of the same face in the turned photo around it; as they are if it is not found there."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    rows, columns = frame(np.stack([2 * low - high, 2 * high - low]), pixels.shape[:2])
    turned, matrix = turn_photo(pixels[rows, columns], turn)
    back = chain(invert(matrix), np.array([(1.0, 0, columns.start), (0, 1, rows.start)]))
    faces = [move(back, finder.landmarks(turned, box)) for box in finder.boxes(turned)]
    near = [face for face in faces if np.linalg.norm((face - landmarks).mean(axis=0)) < (high - low).min() / 2]
    return near[0] if near else landmarks


def _search(finder, pixels, turns, threshold, most=TURNED_PIXELS):
    """[(score, landmarks in the photo, lean, turn)] of the faces of a photo, turned by some degrees each time.

    most : pixels that it has at most when it is turned
    """
    found = []
    for turn in turns:
        turned, matrix = turn_photo(pixels, turn, most)
        back = invert(matrix)
        found += [(score, move(back, finder.landmarks(turned, box)), lean, turn)
                  for box, score, lean in finder.scored_boxes(turned, threshold)]
    return found


def turn_photo(pixels, degrees, most=TURNED_PIXELS):
    """A photo turned counter-clockwise, black where there is none, of at most `most` pixels before it is turned.

    Returns (h, w, 3) uint8 and the affine map (2, 3) to it from (x, y) in the photo.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, (most / (height * width)) ** 0.5)
    small = Image.fromarray(pixels).resize((max(round(width * scale), 1), max(round(height * scale), 1)),
                                           Image.Resampling.BILINEAR)
    shrink = np.array([small.width / width, small.height / height])
    turned = small.rotate(degrees, Image.Resampling.BILINEAR, expand=True)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([(cosine, sine), (-sine, cosine)])
    middle, goal = ((np.array(size) - 1) / 2 for size in (small.size, turned.size))
    shrunk = np.column_stack([np.diag(shrink), (shrink - 1) / 2])
    return np.asarray(turned), chain(shrunk, np.column_stack([turn, goal - turn @ middle]))


def _untouched(known, faces):
    """(H, W) bool: the connected holes that touch none of the faces."""
    labels, count = ndimage.label(~known)
    missed = np.arange(count + 1) > 0
    for face in faces:
        missed[labels[frame(face, known.shape)]] = False
    return missed[labels]


def frame(landmarks, shape):
    """The part of a photo that landmarks take, as slices."""
    low, high = (np.clip(end, 0, np.array(shape[::-1]) - 1).astype(int)
                 for end in (landmarks.min(axis=0), landmarks.max(axis=0)))
    return slice(low[1], high[1] + 1), slice(low[0], high[0] + 1)
