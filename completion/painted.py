"""The hole that paint has left: what has its colour, and what is mixed of it and of the photo around.

Soft brushes and JPEG mix paint into the pixels beside it: pixel = ground + share (paint - ground), for a brush in all
channels, for JPEG in the two of colour, which it keeps at half the resolution. The ground is continued from beyond the
mixed pixels by Laplace's equation; the share is where a pixel stands on the line from its ground to the paint.
Source: the equation of Porter and Duff, "Compositing Digital Images", SIGGRAPH 1984 (over), in least squares.
"""
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from .membrane import box_around, factorize, fill_harmonic

GREY = 64                                               # levels between the channels of a colour; less is a grey
LIGHT = 128                                             # level from which on a grey is light
GREEN = 128                                             # levels by which green is above both others in a paint of green
TO_OPPONENT = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])   # Y, Cb, Cr of JPEG
SPREAD = np.array([16, 4, 4])                           # levels by which a continued ground misses Y, Cb and Cr
WIDE = 32                                               # pixels around paint that are searched in full resolution
FOLLOWED = 64                                           # pixels for which a dulled line is followed
FARTHEST = 256                                          # pixels that paint may reach beyond its own colour
COARSER = 4                                             # times smaller a picture in which wider edges are searched
NEAR = 4                                                # pixels around paint that are searched at first
LEAST, LEADING = 0.04, 0.5                              # share of paint that counts, and from which paint leads on
MOST_NOISE = 4                                          # spreads that may be taken for the texture of a photo
HARD = 0.08                                             # of the pixels beside hard edges that texture makes look mixed
ALIKE = 32                                              # levels a channel: what lies beside paint and is so like it
MUCH_LEFT = 0.25                                        # of the pixels beside a hole that may look painted
LEFT, LEFT_GREY = 0.12, 0.3                             # mean share in a window that is paint left behind, of a grey
SEEN = 16                                               # pixels in which paint is seen
TINT = 0.008                                            # mean share of paint beside a hole that tints what fills it
SPARE, FADED = 0.4, 0.015                               # of a rim's width that is taken beyond it, if so tinted there
LOCAL = 7                                               # pixels, the side of a window beside a hole
FAINT, THIN = 0.25, 9                                   # share of paint's chroma in a faint line, most pixels across
PATCH = 0.6                                             # the same of a wider patch; portraits hardly have such a green
DULLED = 0.3                                            # the same of one that goes on from what has the paint's colour
MEGAPIXEL = 1_000_000                                   # to about which a photo is reduced where such are sought
ROUNDS = 40
SQUARE = np.ones((3, 3), bool)


def find_paint(pixels, colour, tolerance):
    """The hole of a painted photo: pixels of the paint's colour, and mixed ones that are joined to them.

    pixels : (H, W, 3) uint8; colour : (3,) levels; tolerance : levels a channel that paint may differ from it, of
    which greys get an eighth, for photos are full of them
    Returns (H, W) bool. Paint with hard edges in a lossless file is found as it is, and in no case is more found than
    lies within 32 pixels, or eight times the depth of the paint, or some 256.
    """
    colour = np.asarray(colour, np.float64)
    core, faint = _find_cores(pixels, colour, tolerance)
    hole, start = core.copy(), core | faint
    patches, _ = ndimage.label(ndimage.binary_dilation(start, SQUARE, NEAR), SQUARE)
    for label, box in enumerate(ndimage.find_objects(patches), 1):
        depth = ndimage.distance_transform_cdt(np.pad(start[box] & (patches[box] == label), 1)).max()
        reach = min(8 * max(NEAR, int(depth)), FARTHEST)
        window = tuple(slice(max(side.start - reach, 0), side.stop + reach) for side in box)
        patch = start[window] & (patches[window] == label)
        grown = _grow(pixels[window], colour, patch, start[window] & ~patch, reach)
        if grown is patch:
            hole[window] |= patch & core[window]
        else:
            hole[window] |= _take_rim(pixels[window], colour, start[window], grown, start[window] & ~patch)
    return hole


def distance_to(pixels, colour):
    """The largest difference of a pixel's channels to a colour's, (H, W) float32 levels."""
    return np.abs(pixels - np.asarray(colour, np.float32)).max(axis=-1)


def is_paint_left(pixels, colour, hole):
    """Whether pixels beside a hole, (H, W) bool, are painted: a good part of all, or clearly those of one place.

    In one place a grey must show more than a saturated colour, for what is dark beside black paint is often hair.
    """
    mixture = _unmix(pixels, np.asarray(colour, np.float64), hole, NEAR)
    if not mixture:
        return False
    saturated, alike = np.ptp(colour) >= GREY, distance_to(pixels[mixture.ring], colour) <= ALIKE
    near = (mixture.local_share()[mixture.ring] > (LEFT if saturated else LEFT_GREY)) | (alike & saturated)
    return bool((mixture.is_mixed() | alike).mean() > MUCH_LEFT or np.count_nonzero(near) >= SEEN)


def are_lines_left(pixels, colour, hole):
    """Whether beyond a hole, (H, W) bool, there are lines as half-transparent paint leaves them, or patches of green.

    Lines are thin, and have at least FAINT of the paint's chroma more than a grey has and than what is on either side,
    so that clothes and backgrounds of its colour are none. Lines of a grey are not looked for.
    """
    if np.ptp(colour) < GREY:
        return False
    times = max(round(np.sqrt(hole.size / MEGAPIXEL)), 1)
    share, above = _stand_out(_shrink(pixels, times), colour)
    lines = above >= FAINT
    if colour[1] - max(colour[0], colour[2]) >= GREEN:
        lines |= share >= PATCH
    lines &= ~ndimage.binary_dilation(_shrink(hole, times), SQUARE, NEAR)
    groups, _ = ndimage.label(lines, SQUARE)
    return bool((np.bincount(groups.ravel())[1:] >= SEEN).any())


def _stand_out(pixels, colour):
    """(the share of a paint's chroma, (H, W), what thin lines have of it above a grey and what lies beside them)."""
    share = _share(pixels, colour)
    return share, share - np.fmax(ndimage.grey_opening(share, (THIN, THIN)), 0)


def _share(pixels, colour):
    """The share of a paint's chroma in each of (H, W, 3) pixels."""
    chroma = TO_OPPONENT[1:] @ np.asarray(colour, np.float64)
    return pixels @ np.float32(chroma @ TO_OPPONENT[1:] / (chroma @ chroma))


def _find_cores(pixels, colour, tolerance):
    """(what has the paint's colour, lines so thin that JPEG may have taken half of the colour from all of them).

    Where such a line begins at paint, or has its colour in places, it goes on while it stands out, for FOLLOWED pixels.
    """
    distance = distance_to(pixels, colour)
    if np.ptp(colour) < GREY:
        return distance <= tolerance / 8, np.zeros(distance.shape, bool)
    core, faint = distance <= tolerance, distance <= 2 * tolerance
    faint &= ~ndimage.binary_opening(faint, np.ones((5, 5)))
    faint &= ~ndimage.binary_dilation(core, SQUARE, 2 * NEAR)
    seeds = core | faint
    if seeds.any():
        box = box_around(seeds | (_share(pixels, colour) >= DULLED), THIN)
        lines = _stand_out(pixels[box], colour)[1] >= DULLED
        begun = lines & ndimage.binary_dilation(seeds[box], SQUARE)
        faint[box] |= ~core[box] & ndimage.binary_dilation(begun, SQUARE, FOLLOWED, mask=lines)
    return core, faint


def _grow(pixels, colour, patch, others, reach):
    """A patch of paint with what is mixed around it; the patch itself if its edges are hard."""
    core, radius = patch, NEAR
    for _ in range(ROUNDS):
        mixture = _unmix(pixels, colour, core | others, radius)
        if not mixture or _is_hard(mixture, colour):
            return core
        lead = ndimage.binary_propagation(core, SQUARE, mask=core | (mixture.share > np.fmax(LEADING, mixture.least)))
        if lead.sum() > 1.01 * core.sum():
            core = lead
        elif mixture.outer <= LEAST / 2 or 2 * radius > reach:
            break
        elif 2 * radius <= WIDE:
            radius *= 2
        else:
            core, radius, reach = core | _grow_coarsely(pixels, colour, core, others, reach), NEAR, NEAR
    return ndimage.binary_propagation(core, SQUARE, mask=core | (mixture.share > mixture.least))


def _is_hard(mixture, colour):
    """Whether few pixels beside the paint are surely mixed with it, and there is little of a saturated one in them."""
    return mixture.is_mixed().mean() < HARD and (np.ptp(colour) < GREY or mixture.share[mixture.ring].mean() < LEFT)


def _grow_coarsely(pixels, colour, core, others, reach):
    """The same in a smaller picture, for edges that are softer than WIDE."""
    core, others = (_shrink(part, COARSER) for part in (core, others))
    grown = _grow(_shrink(pixels, COARSER), colour, core, others, reach // COARSER)
    return grown.repeat(COARSER, axis=0).repeat(COARSER, axis=1)[:len(pixels), :pixels.shape[1]]


def _shrink(array, times):
    """Pixels, (H, W, 3) uint8, or a mask, (H, W) bool, that many times smaller; of the latter what is True anywhere."""
    if array.dtype == bool:
        return _shrink(255 * array.astype(np.uint8), times) > 0
    return np.asarray(Image.fromarray(array).reduce(times))


def _take_rim(pixels, colour, core, grown, others):
    """A patch grown from a core, with what is tinted beyond it, though no pixel for sure: those beside it, by as little
    paint as would tint what is filled in, and where the rim is wide, as a very soft brush leaves it, a share of its
    width, if that shows. So little of a grey cannot be told: beside a light one all is taken, beside a dark one, where
    hair is dark too, nothing.
    """
    mixture = _unmix(pixels, colour, grown | others, NEAR)
    if not mixture:
        return grown
    tint = mixture.share[mixture.ring].mean()
    if np.ptp(colour) < GREY:
        return grown | mixture.ring if min(colour) >= LIGHT else grown
    if tint <= FADED:
        return grown | mixture.ring if tint > TINT else grown
    width = np.median(ndimage.distance_transform_edt(~core)[mixture.ring])      # not the widest: that may be an error
    spare = ~grown & (ndimage.distance_transform_edt(~grown) <= SPARE * (width - 2 * NEAR))
    if spare.any():
        spare |= ndimage.binary_closing(grown | spare, SQUARE)          # pixels that JPEG has left out in a wide rim
    return grown | spare | mixture.ring


class _Mixture(NamedTuple):
    """Of (H, W): the share of paint, NaN where none is looked for, the least that counts, and the pixels beside paint.

    outer : the mean share in the outer half of the zone
    """
    share: np.ndarray
    least: np.ndarray
    ring: np.ndarray
    outer: float

    def local_share(self):
        """The mean share of paint in the pixels beside it, in windows of LOCAL, (H, W)."""
        means = [ndimage.uniform_filter(np.where(self.ring, part, 0.0), LOCAL) for part in (self.share, 1)]
        return means[0] / np.fmax(means[1], 1e-9)

    def is_mixed(self):
        """Which pixels beside the paint are surely mixed with it."""
        return self.share[self.ring] > 2 * self.least[self.ring]


def _unmix(pixels, colour, painted, radius):
    """The _Mixture within a radius of what is painted; None if that leaves no pixel as ground."""
    if not painted.any():
        return None
    box = box_around(painted, radius + 2)
    pixels, painted, shape = pixels[box], painted[box], painted.shape
    distance = ndimage.distance_transform_cdt(~painted, "chessboard")
    zone, known = (distance > 0) & (distance <= radius), distance > radius
    if not (known.any() and zone.any()):
        return None
    ground = _continue_ground(pixels, known, zone)
    off, way = (values @ (TO_OPPONENT / SPREAD[:, None]).T for values in (pixels[zone] - ground, colour - ground))
    contrast = np.sqrt(np.fmax((way ** 2).sum(axis=1), 1e-9))
    mixture = _Mixture(*(np.full(shape, empty) for empty in (np.nan, np.nan, False)), 0.0)
    share = (off * way).sum(axis=1) / contrast ** 2
    noise = np.std((share * contrast)[distance[zone] == radius])            # where soft edges add least
    mixture.share[box][zone], mixture.ring[box] = share, distance == 1
    mixture.least[box][zone] = np.fmax(LEAST, min(MOST_NOISE, 3 * noise) / contrast)
    return mixture._replace(outer=share[distance[zone] > radius / 2].mean())


def _continue_ground(pixels, known, zone):
    """What lies under the paint of a zone, (N, 3) float; where paint encloses it, the nearest beyond the paint."""
    ground = fill_harmonic(pixels, known, zone, factors=factorize)
    enclosed = ~ndimage.binary_propagation(known, mask=known | zone)[zone]
    if enclosed.any():
        nearest = ndimage.distance_transform_cdt(~known, "chessboard", return_distances=False, return_indices=True)
        ground[enclosed] = pixels[tuple(nearest)][zone][enclosed]
    return ground
