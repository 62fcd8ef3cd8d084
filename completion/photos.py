"""Faces in whole photos: found and cut out with their holes, and poured back when they are complete."""
import dataclasses

import numpy as np
from scipy import ndimage

from helpers import BadPhoto, read_photo
from preprocess.faces import is_covered, unwarp, warp, warp_known

from .face import Face, seed_face, take_stamp
from .pouring import pour_back

HOLE_PIXELS = 4_000_000                                 # that a hole may have
MOST_OUTSIDE = 0.5                                      # of a crop's pixels that may lie outside the photo
SCRATCH = 1 / 8                                         # of the crop's side: widest hole that may lie mostly outside it


@dataclasses.dataclass
class FaceInPhoto(Face):
    """A face cut out of a photo; matrix is the affine map (2, 3) from the photo's (x, y) to the crop's."""
    matrix: np.ndarray


class PhotoReader:
    """Cuts the face with its hole out of a photo.

    place : a placing.FacePlacer; holes, size, seed : as for completion.face.FaceReader
    """

    def __init__(self, place, holes, size, seed=0):
        self.place, self.holes, self.size, self.seed = place, holes, size, seed

    def __call__(self, source, name):
        """The FaceInPhoto of a photo: of all faces that its hole touches the largest.

        Raises BadPhoto: what read_photo, the holes and place_faces say, cut_by_border, hole_outside_face, too_large.
        """
        stamp, photo = take_stamp(source, name, self.holes), read_photo(source)
        if self.holes.in_photos:
            known, remarks = self._known_by_user(photo, name)
            placement = self._find_touched(photo, known)
        else:
            placement, remarks = self.place(photo.pixels, np.ones(photo.pixels.shape[:2], bool))[0], []
            known = self._known_by_face(photo, source, name, placement.matrix)
        matrix, remarks = placement.matrix, [*remarks, *placement.notes]
        crop, outside = warp(photo.pixels, matrix, self.size)
        if outside > MOST_OUTSIDE:
            raise BadPhoto("cut_by_border", f"{outside:.0%} of the face lies outside the photo")
        crop_known = warp_known(known, matrix, self.size)
        if not crop_known.any():
            raise BadPhoto("nothing_known", "the hole covers the whole face")
        return FaceInPhoto(name, source, stamp, crop, known=crop_known, seed=seed_face(crop, crop_known, self.seed),
                           notes=[*photo.notes, *remarks, *judge_outside(known, matrix, self.size)], matrix=matrix)

    def restore(self, face, completed):
        """Pour a completed crop, (size, size, 3) uint8, back into its photo; returns the (H, W, 3) uint8 photo.

        The photo is read again, for a batch of large ones would fill the memory; raises BadPhoto if it has gone.
        """
        photo = read_photo(face.source)
        known = (self._known_by_user(photo, face.name)[0] if self.holes.in_photos else
                 self._known_by_face(photo, face.source, face.name, face.matrix))
        return pour_back(photo.pixels, known, completed, face.matrix)

    def _find_touched(self, photo, known):
        """The Placement of the largest face that the hole touches."""
        placements = self.place(photo.pixels, known)
        for placement in placements:
            if known.all() or is_covered(placement.matrix, self.size, *np.nonzero(~known)).any():
                return placement
        raise BadPhoto("hole_outside_face", f"the hole touches none of {len(placements)} faces")

    def _known_by_user(self, photo, name):
        """(known pixels of the photo, remarks on the mask)."""
        known, remarks = self.holes.of_photo(photo, name)
        _check_hole(known)
        return known, remarks

    def _known_by_face(self, photo, source, name, matrix):
        """The known pixels of the photo whose face has a hole of its own."""
        known = np.ones(photo.pixels.shape[:2], bool)
        crop, _ = self.holes.of_face(photo, source, name, self.size, fit="refuse")
        window, share, inside = unwarp(crop[..., None].astype(np.float64), matrix, *known.shape, order=0)
        known[window] = (share[..., 0] > 0) | ~inside
        _check_hole(known)
        return known


def _check_hole(known):
    if np.count_nonzero(~known) > HOLE_PIXELS:
        raise BadPhoto("too_large", f"a hole of {np.count_nonzero(~known):,} pixels, at most {HOLE_PIXELS:,}")


def judge_outside(known, matrix, size):
    """Remarks on the part of a photo's hole that the crop does not show.

    Raises BadPhoto with reason hole_outside_face if that is most of the hole and wider than a scratch.
    """
    hole = np.nonzero(~known)
    outside = ~is_covered(matrix, size, *hole)
    share = outside.sum() / max(outside.size, 1)
    if share > 0.5:
        depth = ndimage.distance_transform_edt(~known)[hole][outside].max()
        if 2 * depth * np.sqrt(abs(np.linalg.det(matrix[:, :2]))) > SCRATCH * size:
            raise BadPhoto("hole_outside_face", f"{share:.0%} of the hole lie outside the face, and it is no scratch")
    return [f"{share:.1%} of the hole lie outside the face: filled smoothly"] if share else []
