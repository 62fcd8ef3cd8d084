"""Holes that are found in the photos themselves: scratches, folds and stains."""
import numpy as np
from PIL import Image
from scipy import ndimage

from helpers import BadPhoto, resize

from .face import Told
from .holes import TRACE

LARGEST = 1_000_000                                     # pixels of a photo in which damage is looked for
SMALLEST = 128                                          # side of such a photo
COARSER, FEWEST = (2, 3), 100_000                       # how it is reduced too, for wide damage; pixels left at least
VIEWS = (1, 1), (1, -1), (0.6, 1), (0.4, 1), (1.5, 1)   # scales at which it is looked at, and -1 for mirrored
SURE, FAINT = 0.97, 0.2                                 # what is faint counts where it touches what is sure ...
SHARE, AROUND = 0.6, 7                                  # ... and has this share of the most in so many pixels around
MIXED = 0.25                                            # share of damage in a pixel beside it that makes it a rim
BEYOND, NEAR = 2, 1                                     # pixels over which the colours beyond and of damage are taken
SQUARE = np.ones((3, 3), bool)
LEAST = 6                                               # pixels of what is looked through that damage covers at least
EVERYWHERE = 0.5                                        # of a photo, from which on it is no damage that was found


def find_damage(pixels, probability):
    """What is damaged of a photo (H, W, 3) uint8, as (H, W) bool.

    It is looked for in the photo scaled to at most LARGEST pixels, where scratches are as wide as the network knows
    them, and wider ones in that photo reduced. Source of the two thresholds: Canny, "A Computational Approach to Edge
    Detection", PAMI 1986, section V.

    probability : function (h, w, 3) uint8 -> (h, w) float32, how likely each pixel is damaged
    """
    height, width = pixels.shape[:2]
    scale = min(1, (LARGEST / (height * width)) ** 0.5)
    scale = max(scale, SMALLEST / min(height, width)) if min(height, width) < SMALLEST else scale
    seen = _scale(pixels, (round(width * scale), round(height * scale)))
    hole = take_rim(seen, _find_in_all(seen, probability))
    return _scale(hole.astype(np.float32), (width, height)) >= 0.5


def _find_in_all(pixels, probability):
    """What is damaged of a photo in any of the sizes in which it is looked at."""
    height, width = pixels.shape[:2]
    hole = keep_sure(look(pixels, probability))
    for times in COARSER:
        if height * width >= FEWEST * times ** 2:
            coarse = keep_sure(look(_scale(pixels, (round(width / times), round(height / times))), probability))
            hole |= _scale(coarse.astype(np.float32), (width, height)) >= 0.5
    return hole


def look(pixels, probability):
    """How likely each pixel is damaged, (h, w) float32, by the mean of the log-odds of a photo's VIEWS."""
    height, width = pixels.shape[:2]
    odds = np.zeros((height, width), np.float32)
    for scale, step in VIEWS:
        seen = probability(_scale(pixels[:, ::step], (round(width * scale), round(height * scale))))
        seen = np.clip(_scale(seen, (width, height)), 1e-4, 1 - 1e-4)[:, ::step]
        odds += np.log(seen / (1 - seen)) / len(VIEWS)
    return 1 / (1 + np.exp(-odds))


def _scale(pixels, size):
    """A picture (H, W, 3) uint8, or values (H, W) float32, at another size (width, height)."""
    if pixels.shape[1::-1] == size:
        return pixels
    resampling = Image.Resampling.BILINEAR if pixels.ndim == 2 else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(pixels).resize(size, resampling))


def keep_sure(likely):
    """(H, W) bool: the connected regions of what is likely for its place that hold something sure, but for specks."""
    threshold = np.maximum(SHARE * ndimage.maximum_filter(likely, AROUND), FAINT)
    labels, count = ndimage.label(likely >= threshold, SQUARE)
    sure = np.bincount(labels[likely >= SURE], minlength=count + 1) > 0
    large = np.bincount(labels.ravel(), minlength=count + 1) >= LEAST
    return (sure & large & (np.arange(count + 1) > 0))[labels]


def take_rim(pixels, hole):
    """A hole (H, W) bool of a photo (H, W, 3) uint8 with the pixels beside it that are mixed of damage and photo.

    pixel = beyond + share (damage - beyond), as in completion.painted, by the mean colours around it.
    """
    ring = ndimage.binary_dilation(hole, SQUARE) & ~hole
    beyond = _local_mean(pixels, ~ndimage.binary_dilation(hole, SQUARE, BEYOND), BEYOND)[ring]
    way = _local_mean(pixels, hole, NEAR)[ring] - beyond
    share = ((pixels[ring] - beyond) * way).sum(axis=1) / np.maximum((way ** 2).sum(axis=1), 1)
    grown = hole.copy()
    grown[ring] = share > MIXED
    return grown


def _local_mean(pixels, part, deviation):
    """The Gaussian mean of the pixels (H, W, 3) of a part (H, W) bool around every pixel, NaN where none is near."""
    weight = ndimage.gaussian_filter(part.astype(np.float32), deviation)
    total = ndimage.gaussian_filter(pixels * part[..., None].astype(np.float32), (deviation, deviation, 0))
    return total / np.where(weight > 1e-6, weight, np.nan)[..., None]


class FoundHoles:
    """Holes that a photo's own pixels show; as holes.OwnHoles.

    find : function, pixels (H, W, 3) uint8 -> (H, W) bool, True where they are damaged
    dilate : pixels of the finished face, or photo, by which the hole grows, in all eight directions
    """

    in_photos = proposed = True

    def __init__(self, find, dilate=0):
        self.find, self.dilate = find, dilate

    def of_face(self, photo, source, name, size, fit):
        """(the known pixels of a face, (size, size) bool, [remarks]); as OwnHoles.of_face."""
        hole = np.where(self.find(photo.pixels), 255, 0).astype(np.uint8)
        return self._known(resize(hole, size, fit) >= TRACE)

    def of_photo(self, photo, source, name):
        """(the known pixels of a whole photo, (H, W) bool, [remarks]). Raises BadPhoto nothing_known."""
        return self._known(self.find(photo.pixels))

    def stamp(self, name):
        """(): no file decides these holes."""
        return ()

    def _known(self, hole):
        if not hole.any():
            return ~hole, [Told("no damage found: copied")]
        if self.dilate:
            hole = ndimage.binary_dilation(hole, SQUARE, self.dilate)
        if hole.mean() > EVERYWHERE:
            raise BadPhoto("nothing_known", f"{hole.mean():.0%} of the photo look damaged: draw the hole by hand")
        return ~hole, [f"damage found in {hole.mean():.1%} of the photo"]
