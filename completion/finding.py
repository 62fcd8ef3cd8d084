"""Faces of a damaged photo, those too that a detector of whole, upright faces does not find."""
import numpy as np
from PIL import Image
from scipy import ndimage

from preprocess.affine import chain, invert, move

HIDDEN = -0.8                                           # score from which a face counts that a hole hides
HIDING = 0.08                                           # share of a face that such a hole covers at least
TILTED, LYING = (10, 350, 20, 340), (90, 270, 180)      # degrees counter-clockwise by which a photo is turned
TURNED_PIXELS = 1_000_000                               # a turned photo is searched at this size


def find_landmarks(finder, pixels, known, doubt):
    """The (68, 2) landmarks of the faces of a photo, the largest first; an empty list if there are none.

    finder : preprocess.faces.FaceFinder; pixels : (H, W, 3) uint8, smooth where they are not known; known : (H, W) bool
    doubt : function (landmarks, score, turn) -> number, of faces that a hole hides; infinite for what is none
    In a hole that touches no upright face a hidden one is looked for; without either the photo is turned.
    """
    faces = [finder.landmarks(pixels, box) for box in finder.boxes(pixels)]
    missed = _untouched(known, faces)
    if missed.any():
        found = _search(finder, pixels, (0, *TILTED) if faces else (0, *TILTED, *LYING), HIDDEN)
        doubts = [(doubt(landmarks, score, turn), number) for number, (score, landmarks, turn) in enumerate(found)
                  if missed[frame(landmarks, known.shape)].mean() > HIDING]
        least, number = min(doubts, default=(np.inf, 0))
        if least < np.inf:
            return [*faces, found[number][1]]
    return faces or _best_turn(_search(finder, pixels, LYING, 0.0))


def _best_turn(found):
    """Of what _search found, the landmarks in that turn which has the highest score, in the order given."""
    best = max(found, key=lambda face: face[0])[2] if found else None
    return [landmarks for _, landmarks, turn in found if turn == best]


def _search(finder, pixels, turns, threshold):
    """[(score, landmarks in the photo, turn)] of the faces of a photo that is turned by some degrees each time."""
    found = []
    for turn in turns:
        turned, matrix = turn_photo(pixels, turn)
        back = invert(matrix)
        found += [(score, move(back, finder.landmarks(turned, box)), turn)
                  for box, score in finder.scored_boxes(turned, threshold)]
    return found


def turn_photo(pixels, degrees):
    """A photo turned counter-clockwise, black where there is none, of at most TURNED_PIXELS before it is turned.

    Returns (h, w, 3) uint8 and the affine map (2, 3) to it from (x, y) in the photo.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, (TURNED_PIXELS / (height * width)) ** 0.5)
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
