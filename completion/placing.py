"""Where the faces of a damaged photo lie."""
import dataclasses
from functools import cached_property, partial

import numpy as np
from PIL import Image
from scipy import ndimage

from helpers import BadPhoto, counted, to_levels
from preprocess.affine import invert, move, through
from preprocess.face_shape import complete_landmarks
from preprocess.faces import alignment_matrix, warp, warp_known
from preprocess.templates import TEMPLATES

from .face import Told
from .finding import find_landmarks, frame, turn_photo
from .membrane import factorize, fill_harmonic
from .noise import is_noisy, smooth
from .owners import MUCH_INSIDE, find_owners, share_inside
from .points import ADVICE, PLACED

INNER = slice(17, 68)                                   # all landmarks but the line of the jaw
NEAR = 1 / 32                                           # of the crop's side: a landmark so near to the hole is hidden

# The network is asked for hidden landmarks:
CORRECTIONS = 3                                         # so often, each time in the crop that its last answer cuts
STEP = 5                                                # at most so many pixels of a photo become one of its crop
BY_NETWORK, BY_NETWORK_IF_SEEN = 0.6, 0.5               # its share of a place; the shape, or dlib, has the rest
OUTLIER = 2.0                                           # expected errors beyond which it has all of the place

# A place is not believed:
DOUBTFUL = 2.4 / 64                                     # beyond this expected error, of the crop's side
LONE = 1.75 / 64                                        # beyond this one, if the detector is not sure of the face
AGREEING, ALIKE = 3, 2 / 64                             # unless so many guesses, itself included, lie so near, of it
SHEARED = 1.4                                           # beyond this condition number of the map, or by hand's limit
MUCH_SEEN = 0.6                                         # if so much of INNER is seen: 2 % of faces are so wide
FEW = 1 / 3                                             # if less of INNER is seen, where there is no network

STRETCHED, DISTORTED = 1.75, 3.5                        # by hand: condition numbers that are remarked on, and refused

PARTS = {"eyes": range(36, 48), "nose": range(27, 36), "mouth": range(48, 68)}


@dataclasses.dataclass(frozen=True)
class Placement:
    """A face of a photo.

    matrix : the affine map (2, 3) from the photo's (x, y) to the crop's; notes : remarks on it
    uncertain : expected error in pixels of the photo where the landmarks that decide are hidden; 0 where they are seen
    doubtful : too little is seen of the face to say where it is, or that it is one
    by_hand : somebody said where it is
    """
    matrix: np.ndarray
    notes: tuple = ()
    uncertain: float = 0.0
    doubtful: bool = False
    by_hand: bool = False


class FacePlacer:
    """Finds the faces of photos, under damage too.

    finder : preprocess.faces.FaceFinder; template : a name of preprocess.templates.TEMPLATES; size : side of the crops
    load_locator : function, called only when landmarks are hidden or a face is unsure, that returns a
        models.placement.Placement or what else has its template, size and locate; without it, and for other templates,
        the shape of faces decides alone
    points : a points.Points of photos whose face is placed by hand, or None
    """

    def __init__(self, finder, template, size, load_locator=None, points=None):
        self.finder, self.template, self.size, self.points, self._load = finder, template, size, points, load_locator

    def __call__(self, pixels, known, source=""):
        """The Placements of all faces of a photo, the one that is placed by hand first, else the largest.

        pixels : (H, W, 3) uint8; known : (H, W) bool; source : path of its file
        Raises BadPhoto: no_face, points_outside, sheared.
        """
        if self.points and (points := self.points.of(source)) is not None:
            _check_points(points, *known.shape)
            placed = judge_stretch(place_by_points(points, self.size, self.template))
            return [placed, *self._find_beside(placed, pixels, known)]
        if not (faces := self._find(pixels, known, known)):
            raise BadPhoto("no_face", "the detector finds frontal faces of 40 pixels or more" if known.all() else
                           "the hole may hide too much of the face to find it, --points tells where it is")
        return faces

    def _find(self, pixels, known, dealt_with):
        """The Placements of the faces that are found; dealt_with : (H, W) bool, where no hidden one is looked for."""
        whole = _fill_hole(pixels, known)
        if is_noisy(pixels, known):
            whole = _fill_hole(smooth(whole), known)
        faces = find_landmarks(self.finder, whole, dealt_with, partial(self._believe, whole, known),
                               partial(self._choose, whole, known))
        return drop_doubles([self._place(whole, known, landmarks) for landmarks in faces], self.size)

    def _find_beside(self, placed, pixels, known):
        """The Placements of further faces, if the hole of a face that is placed by hand reaches beyond its crop."""
        inside = find_owners(known, [placed.matrix], [self.size]) > 0
        if not inside.any() or (inside | known).all():
            return []
        return [place for place in self._find(pixels, known, known | inside) if not lie_over(place, placed, self.size)]

    def _place(self, pixels, known, landmarks, sure=True):
        """The Placement of a face with these landmarks (68, 2); not `sure` if even those that are seen may be none."""
        matrix = alignment_matrix(landmarks, self.size, self.template)
        seen = is_seen(landmarks, known, NEAR * self.size / scale_of(matrix))
        if sure and seen[INNER].all():                  # dlib moves them all if it has to guess some
            return Placement(matrix)
        deciding = list(TEMPLATES[self.template][0])
        points, errors = complete_landmarks(landmarks, seen)[deciding], None
        if self._locator:
            points, errors = ask_locator(self._locator, pixels, known, points, seen[deciding])
        matrix = through(points, self.size * np.array(TEMPLATES[self.template][1]))
        uncertain = float("nan") if errors is None else float(errors.max())
        most_sheared = STRETCHED if sure and seen[INNER].mean() >= MUCH_SEEN else SHEARED
        doubtful = (seen[INNER].mean() < FEW if errors is None else
                    uncertain * scale_of(matrix) > self.size * DOUBTFUL or np.linalg.cond(matrix[:, :2]) > most_sheared)
        return Placement(matrix, (describe_estimate(seen, errors),), uncertain, bool(doubtful))

    def _believe(self, pixels, known, landmarks, sure):
        place = self._place(pixels, known, landmarks, sure)
        return not place.doubtful and (sure or not error_in_crop(place) > self.size * LONE)

    def _choose(self, pixels, known, guesses, hole):
        """That of some guessed landmarks whose place is the most certain, or None if a network believes none."""
        places = [self._place(pixels, known, landmarks, sure=False) for landmarks in guesses]
        believed = [(error_in_crop(place), number) for number, place in enumerate(places) if not place.doubtful
                    and (error_in_crop(place) <= self.size * LONE or self._is_backed(place, places, hole))]
        return guesses[min(believed)[1]] if believed else None

    def _is_backed(self, place, places, hole):
        """Whether other guesses agree, and most of what the hole hides there lies in the face."""
        goal = self.size * np.array(TEMPLATES[self.template][1])
        apart = [np.linalg.norm(move(place.matrix, move(invert(other.matrix), goal)) - goal, axis=1).mean()
                 for other in places if other.uncertain >= 0]
        return (np.count_nonzero(np.array(apart) < self.size * ALIKE) >= AGREEING
                and share_inside(~hole, place.matrix, self.size) >= MUCH_INSIDE)

    @cached_property
    def _locator(self):
        locator = self._load and self._load()
        return locator if locator and locator.template == self.template else None


def _fill_hole(pixels, known):
    """A photo whose hole is filled smoothly."""
    whole = pixels.copy()
    whole[~known] = to_levels(fill_harmonic(pixels, known, factors=factorize))
    return whole


def drop_doubles(placements, size):
    """The Placements without those over another face of less expected error; size : of the crops.

    A detector that a hole misleads may see a second face in a face, which would be completed in its stead. Doubtful
    ones stay, to be refused.
    """
    def error(place):
        return place.doubtful, np.nan_to_num(error_in_crop(place), nan=np.inf)
    kept = []
    for place in sorted(placements, key=error):
        if place.doubtful or not any(error(other) < error(place) and lie_over(place, other, size)
                                      for other in kept):
            kept.append(place)
    return [place for place in placements if any(place is one for one in kept)]


def lie_over(place, other, size):
    """Whether the middle of one of two Placements lies in the crop, of this size, of the other."""
    middle = np.full((1, 2), (size - 1) / 2)
    return any(np.abs(move(one.matrix, move(invert(two.matrix), middle)) - middle).max() <= size / 2
               for one, two in ((place, other), (other, place)))


def _check_points(points, height, width):
    """Raise BadPhoto if the middle of a face that is told lies outside the photo."""
    if not (0 <= points.mean(axis=0)).all() or (points.mean(axis=0) >= (width, height)).any():
        told = " ".join(f"{x:g},{y:g}" for x, y in points)
        raise BadPhoto("points_outside", f"--points {told} lie outside the photo of {width}x{height} pixels")


def place_by_points(points, size, template):
    """The Placement of a face whose three landmarks are told, (3, 2) as (x, y) in the photo."""
    return Placement(through(points, size * np.array(TEMPLATES[template][1])), (PLACED,), by_hand=True)


def judge_stretch(placement):
    """A Placement by hand, with a remark if it stretches the face much; raises BadPhoto (sheared) if no face is so."""
    stretch = np.linalg.cond(placement.matrix[:, :2])
    if stretch <= STRETCHED:
        return placement
    remark = Told(f"the face is stretched {stretch:.1f} times: {ADVICE} by its landmarks in the order that --help says")
    if stretch > DISTORTED:
        raise BadPhoto("sheared", remark)
    return dataclasses.replace(placement, notes=(*placement.notes, remark))


def error_in_crop(placement):
    """The expected error of a Placement in pixels of its crop; nan where no network says it."""
    return placement.uncertain * scale_of(placement.matrix)


def scale_of(matrix):
    """How many pixels of a map's target a pixel of its source is long, in the mean of all directions."""
    return np.sqrt(abs(np.linalg.det(matrix[:, :2])))


def is_seen(landmarks, known, near):
    """Which landmarks, (68, 2), lie in the photo and more than `near` pixels from its hole; known : (H, W) bool."""
    columns, rows = np.rint(landmarks).astype(int).T
    inside = (rows >= 0) & (rows < known.shape[0]) & (columns >= 0) & (columns < known.shape[1])
    down, across = frame(np.stack([landmarks.min(axis=0) - near - 1, landmarks.max(axis=0) + near + 1]), known.shape)
    around = known[down, across]
    if around.all():
        return inside
    depth = ndimage.distance_transform_edt(around)
    rows, columns = (rows - down.start).clip(0, len(depth) - 1), (columns - across.start).clip(0, depth.shape[1] - 1)
    return inside & (depth[rows, columns] > near)


def ask_locator(locator, pixels, known, points, seen):
    """Three landmarks (3, 2) of a photo as a network finds them, from near where they are, and their expected errors.

    seen : (3,) bool, which of the given ones are to be trusted most; errors : (3,) in pixels of the photo
    """
    goal = locator.size * np.array(TEMPLATES[locator.template][1])
    pixels, known, reduced = shrink(pixels, known, STEP * scale_of(through(points, goal)))
    found = move(reduced, points)
    for _ in range(CORRECTIONS):
        matrix = through(found, goal)
        crop, _ = warp(pixels, matrix, locator.size)
        there, errors = locator.locate(crop, warp_known(known, matrix, locator.size))
        found = move(through(goal, found), there)
    found, errors = move(invert(reduced), found), errors / scale_of(matrix) / scale_of(reduced)
    share = np.where(np.linalg.norm(found - points, axis=1) > OUTLIER * errors, 1.0,
                     np.where(seen, BY_NETWORK_IF_SEEN, BY_NETWORK))[:, None]
    return share * found + (1 - share) * points, errors


def shrink(pixels, known, scale):
    """A photo (H, W, 3) and what is known of it, (H, W) bool, `scale` times as large, and the map (2, 3) there.

    A scale above 1 changes nothing. A pixel is known if no pixel of the hole falls into it.
    """
    small, matrix = turn_photo(pixels, 0, known.size * min(scale, 1.0) ** 2)
    hole = Image.fromarray(np.where(known, np.uint8(0), np.uint8(255))).resize(small.shape[1::-1], Image.Resampling.BOX)
    return small, np.asarray(hole) == 0, matrix


def describe_estimate(seen, errors):
    """What a placement by hidden landmarks says of itself."""
    hidden = [part for part, indices in PARTS.items() if not seen[list(indices)].all()]
    about = ("by the shape of faces alone" if errors is None else
             f"to about {counted(max(round(errors.max()), 1), 'pixel')}")
    parts = f" ({', '.join(hidden)})" if hidden else ""
    return Told(f"the hole hides landmarks of the face{parts}: its place is estimated, {about}")
