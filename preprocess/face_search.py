"""How a photo is searched for faces: the usual way, and the ways that are tried when that finds nothing."""
import dataclasses

import numpy as np

from .faces import FaceFinder


@dataclasses.dataclass(frozen=True)
class FaceSearch:
    """The faces of a photo.

    finder : FaceFinder
    effort : "exact" finds the largest face as OpenFace does, but not all much smaller ones; "fast" may find its box a
        step of the detector beside it; "all" finds all faces, as OpenFace does
    upsample : how often a photo without a face is doubled once more
    turned : whether a photo without a face is turned by 90, 180 and 270 degrees
    """
    finder: FaceFinder
    effort: str = "exact"
    upsample: int = 0
    turned: bool = False

    def __call__(self, pixels):
        """([Face, ...] of an (H, W, 3) uint8 photo, the largest first, [what had to be done to find them])."""
        if found := self._usual(pixels):
            return found, []
        for times in range(1, self.upsample + 1):
            if found := self.finder.faces(pixels, self.finder.more_boxes(pixels, times)):
                return found, [f"found in the photo doubled {times + 1} times"]
        for quarters in (1, 2, 3) if self.turned else ():
            if found := self._usual(np.ascontiguousarray(np.rot90(pixels, quarters))):
                back = _turn_back(quarters, *pixels.shape[:2])
                return [face.moved(back) for face in found], [f"found in the photo turned by {90 * quarters} degrees"]
        return [], []

    def _usual(self, pixels):
        boxes = (self.finder.scored_boxes(pixels) if self.effort == "all" else
                 self.finder.large_boxes(pixels, exact=self.effort == "exact"))
        return self.finder.faces(pixels, boxes)


def _turn_back(quarters, height, width):
    """The map (2, 3) from (x, y) in a photo turned counter-clockwise to (x, y) in the photo."""
    right, bottom = width - 1, height - 1
    return np.array({1: [(0, -1, right), (1, 0, 0)], 2: [(-1, 0, right), (0, -1, bottom)],
                     3: [(0, 1, 0), (-1, 0, bottom)]}[quarters], float)
