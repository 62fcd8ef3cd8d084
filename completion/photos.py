"""Faces in whole photos: found and cut out with their holes, and poured back when they are complete."""
import dataclasses
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from helpers import BadPhoto, counted
from pictures.photo import Photo, read_photo
from preprocess.affine import invert, move
from preprocess.faces import unwarp, warp, warp_known

from .face import FURTHER, Face, Told, seed_face, take_stamp
from .factorizations import Factorizations
from .membrane import factorize
from .owners import MUCH_INSIDE, find_owners, lies_on_heads, touches, used_part
from .placing import scale_of
from .points import ADVICE
from .pouring import pour_back

HOLE_PIXELS = 4_000_000                                 # that a hole may have
STRETCH = 1.25                                          # pixels of a photo that become one of the crop, at most
MOST_OUTSIDE = 0.5                                      # of a crop's pixels that may lie outside the photo


@dataclasses.dataclass(kw_only=True)
class FaceInPhoto(Face):
    """A face cut out of a photo; matrix is the affine map (2, 3) from the photo's (x, y) to the crop's."""
    matrix: np.ndarray


class Restored(NamedTuple):
    """A photo whose faces are complete.

    photo : a Photo, as it was read; known : (H, W) bool
    pictures : (H, W, 3) uint8 each, equal to the photo's pixels wherever they are known; made as they are taken
    """
    photo: Photo
    known: np.ndarray
    pictures: Iterator


class PhotoReader:
    """Cuts the faces with their holes out of a photo.

    place : a placing.FacePlacer; holes, seed : as for completion.face.FaceReader; choice : one of reading.FACES
    sizes : sides that a crop may have, the smallest first, which is that of `place`; a face gets the first that keeps
        its pixels, or the last
    """

    def __init__(self, place, holes, sizes, seed=0, choice="touched"):
        self.place, self.holes, self.sizes, self.seed, self.choice = place, holes, sizes, seed, choice
        self._known = {}                                # packed, of the photos that are neither restored nor refused

    def __call__(self, source, name):
        """[FaceInPhoto] of the faces of a photo that its hole touches, the largest first; or only that one.

        What cannot be cut out is left out with a remark, as long as another face is touched. A hole on a forehead or an
        ear, which no crop shows, is filled smoothly. Of a hole that was only proposed nobody said that it lies on a
        face: if it touches none, all of it is filled smoothly.
        Raises BadPhoto: what read_photo, the holes and `place` say, too_large, hole_outside_face, and
        doubtful_face, cut_by_border or nothing_known if there is no other.
        """
        stamp, photo = take_stamp(source, name, self.holes), read_photo(source)
        known, placements, remarks = self._find_hole(photo, source, name)
        cuts, left_out = self._cut_out(photo.pixels, known, placements)
        notes = [*photo.notes, *remarks, *left_out, *judge_outside(known, *_maps(cuts), self.holes.proposed)]
        names = [name, *(f"{name}/{FURTHER.format(number)}" for number in range(2, len(cuts) + 1))]
        return [FaceInPhoto(names[number - 1], source, stamp, crop, known=hole,
                            seed=seed_face(crop, hole, self.seed), notes=notes * (number == 1) + list(placement.notes),
                            number=number, faces=len(cuts), matrix=placement.matrix)
                for number, (placement, crop, hole) in enumerate(cuts, 1)]

    def restore(self, faces, answers):
        """Pour completed crops back into their photo; returns it as Restored.

        faces : as they were cut out of it; answers : of every answer their crops, uint8, in their order
        The photo is read again, for a batch of large ones would fill the memory; raises BadPhoto if it has gone.
        """
        known, photo = self.take_known(faces[0].source), read_photo(faces[0].source)
        if photo.pixels.shape[:2] != known.shape:
            raise BadPhoto("changed", "the photo has got another size meanwhile")
        matrices, factors = [face.matrix for face in faces], Factorizations(factorize)
        return Restored(photo, known, (pour_back(photo.pixels, known, crops, matrices, factors) for crops in answers))

    def take_known(self, source):
        """What is known of a photo, (H, W) bool, and need not be kept any more; None if its hole was not found."""
        packed = self._known.pop(source, None)
        return packed and _unpack(packed)

    def _find_hole(self, photo, source, name):
        """(the known pixels of the photo, the Placements of its faces, remarks on the mask)."""
        if self.holes.in_photos:
            known, remarks = self.holes.of_photo(photo, source, name)
            self._known[source] = _pack(known)
            _check_hole(known)
            return known, self.place(photo.pixels, known, source), remarks
        placement = self.place(photo.pixels, np.ones(photo.pixels.shape[:2], bool), source)[0]
        known = self._known_by_face(photo, source, name, placement.matrix)
        self._known[source] = _pack(known)
        return known, [placement], []

    def _known_by_face(self, photo, source, name, matrix):
        """The known pixels of the photo whose face has a hole of its own."""
        known = np.ones(photo.pixels.shape[:2], bool)
        matrix, size = self._sized(matrix)
        in_crop, _ = self.holes.of_face(photo, source, name, size, fit="refuse")
        window, share, inside = unwarp(in_crop[..., None].astype(np.float64), matrix, *known.shape, order=0)
        known[window] = (share[..., 0] > 0) | ~inside
        _check_hole(known)
        return known

    def _cut_out(self, pixels, known, placements):
        """([(Placement, crop, known pixels of the crop)] of the faces that have a part of the hole, remarks)."""
        if known.all():
            return [self._cut(pixels, known, placements[0])], []
        cuts, problems = [], []
        for placement in placements:
            if touches(known, *used_part(*self._sized(placement.matrix))):
                try:
                    cuts.append(self._cut(pixels, known, placement))
                except BadPhoto as problem:
                    problems.append(problem)
        if not cuts and not problems and (self.holes.proposed or lies_on_heads(
                known, [placement.matrix for placement in placements], self.sizes[0])):
            return [self._cut(pixels, known, placements[0])], []
        if not cuts:
            raise (problems or [BadPhoto("hole_outside_face", _describe_miss(placements, self.sizes[0]))])[0]
        if self.choice == "largest":
            return cuts[:1], []
        owners = np.unique(find_owners(known, *_maps(cuts)))
        return ([cuts[number - 1] for number in owners if number],
                [Told(f"a face is left out, {problem}: filled smoothly") for problem in problems])

    def _cut(self, pixels, known, placement):
        """(the placement in a crop of the face's size, the crop, its known pixels)."""
        if placement.doubtful:
            raise BadPhoto("doubtful_face", f"the hole hides too much of the face to say where it is: {ADVICE}")
        matrix, size = self._sized(placement.matrix)
        crop, outside = warp(pixels, matrix, size)
        how = ", as --points places it" if placement.by_hand else f": {ADVICE}"
        if outside > MOST_OUTSIDE:
            raise BadPhoto("cut_by_border", f"{outside:.0%} of the face lies outside the photo{how}")
        crop_known = warp_known(known, matrix, size)
        if not crop_known.any():
            raise BadPhoto("nothing_known", f"the hole covers the whole face{how}")
        return dataclasses.replace(placement, matrix=matrix), crop, crop_known

    def _sized(self, matrix):
        """(the map to the crop of the size that suits the face, that size)."""
        side = self.sizes[0] / scale_of(matrix)         # of the crop, in the photo
        size = next((size for size in self.sizes if side < STRETCH * size), self.sizes[-1])
        return matrix * (size / self.sizes[0]), size


def _describe_miss(placements, size):
    """What a hole does not touch, and where in the photo (x, y) that is; size : of the crops."""
    if placements[0].by_hand:
        return "the hole does not touch the face where --points places it"
    middles = [move(invert(placement.matrix), np.full((1, 2), size / 2))[0] for placement in placements]
    where = " and ".join(f"{x:.0f},{y:.0f}" for x, y in middles)
    return (f"the hole does not touch the {_number(placements)} found around {where}; if no face is there, the photo "
            f"may be upside down, or {ADVICE}")


def _number(faces):
    return "face" if len(faces) == 1 else f"{len(faces)} faces"


def _maps(cuts):
    """(the maps, the sides) of what is used of crops as PhotoReader cuts them."""
    return tuple(zip(*(used_part(placement.matrix, len(crop)) for placement, crop, _ in cuts)))


def _check_hole(known):
    if np.count_nonzero(~known) > HOLE_PIXELS:
        raise BadPhoto("too_large", f"a hole of {counted(np.count_nonzero(~known), 'pixel')}, at most {HOLE_PIXELS:,}")


def judge_outside(known, matrices, sizes, proposed=False):
    """[a remark on the part of a photo's hole that none of the crops shows], or [].

    proposed : nobody said that the hole lies on a face, so that it is no sign of a wrong place if it does not
    """
    hole, inside = np.count_nonzero(~known), np.count_nonzero(find_owners(known, matrices, sizes))
    which, verb = _number(matrices), "was" if len(matrices) == 1 else "were"
    if inside == hole:
        return []
    remark = f"{1 - inside / hole:.1%} of the hole lies outside the {which}: filled smoothly"
    if inside < MUCH_INSIDE * hole and not proposed:
        return [Told(f"{remark}; if the {which} {verb} not found right, {ADVICE}")]
    return [remark]


def _pack(known):
    """(shape, the bits, compressed): a hole takes some kB, so that all of a batch may wait in memory."""
    return known.shape, zlib.compress(np.packbits(known), 1)


def _unpack(packed):
    shape, bits = packed
    return np.unpackbits(np.frombuffer(zlib.decompress(bits), np.uint8), count=np.prod(shape)).reshape(shape).view(bool)
