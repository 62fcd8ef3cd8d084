"""The tone of a photo: what is filled in has the colours that a photo of one tone has, grey, sepia or blue.

The colours of such a photo are a curve: each is a function of its luminance. Colour photos scatter around any curve.
"""
import numpy as np
from scipy import ndimage

from helpers import to_levels

from .noise import is_noisy

LUMA = np.array([299, 587, 114])                        # thousandths, of ITU-R BT.601, as Pillow makes grey pictures
SIDE = 256                                              # of the grid of pixels that is looked at
BINS, LEAST = 64, 24                                    # points of the curve at most, pixels of each at least
REACH = 64                                              # levels at either end of the curve that tell how it goes on
STAMP = 16                                              # a mark of one colour on the photo may fill 1 / STAMP of it
WINDOW = 9                                              # over so many pixels a side noise and JPEG's blocks even out
STRANGE = 24.0                                          # levels beyond which a pixel is not stranger
SHARE, WHOLE = 0.85, 0.7                                # of the pixels near the hole, and of all, that lie on a curve

# Largest distance of those from the curve, in levels. Of 400 portraits with colours under 4 holes, and of 133 of them
# aligned under 16, it takes none for one of a single tone. Of 48 aligned portraits it finds all in sepia, blue, warm
# grey, faded, with noise of 6 levels, and in sepia as JPEG of quality 75 (November 2026).
SCATTER = 2.9

# Colours of skin, as models of faces know them, near the medians of CelebA's faces: a grey picture in them
# is completed .5 dB better in the centre, and 1.0 dB around the eyes (48 portraits of samples/, November 2026).
LEVELS = np.arange(256)[:, None]
SKIN = to_levels(LEVELS + LEVELS * (255 - LEVELS) / 127.5 ** 2 * [36, -9, -48])


def keep_tone(pixels, known):
    """The same picture, the hole in the photo's own tone if it has one; a colour photo as it is.

    pixels : (H, W, 3) uint8, its hole filled; known : (H, W) bool
    Returns (H, W, 3) uint8, equal to `pixels` wherever `known`.
    """
    tone = find_tone(pixels, known)
    return pixels if tone is None else apply_tone(pixels, ~known, tone)


def apply_tone(pixels, where, tone):
    """The picture with the colour of its luminance, (256, 3) uint8, `where` that is True, (H, W) bool."""
    toned = pixels.copy()
    toned[where] = tone[(pixels[where] @ LUMA + 500) // 1000]
    return toned


def find_tone(pixels, known):
    """The colour of every luminance in a photo of one tone, (256, 3) uint8; None if it has colours, or too few pixels.

    pixels : (H, W, 3) uint8, looked at only where `known`, (H, W) bool
    """
    step = -(-max(known.shape) // SIDE)
    if step > 1 and min(known.shape) >= 2 * step and is_noisy(pixels, known):
        pixels, known = _reduce(pixels, known, 2 * step)
    else:
        pixels, known = pixels[::step, ::step].astype(np.int64), known[::step, ::step]
    if np.count_nonzero(known) < 2 * LEAST:
        return None
    luminance = pixels @ LUMA
    colour = 1000 * pixels - luminance[..., None]       # in whole numbers, so that grey has exactly none
    near = _around(known)
    whole, local = (_scatter(luminance, colour, known, _fit_curve(luminance, colour, part)) for part in (known, near))
    fitting = [scatter for scatter in (local, whole) if np.quantile(scatter[near], SHARE) <= SCATTER]
    if np.quantile(whole[known], WHOLE) > SCATTER or not fitting:
        return None
    # A border, a stamp or a stain has a tone of its own, and stays out.
    levels, tints = _fit_curve(luminance, colour, known & (fitting[0] <= SCATTER))
    return _tabulate(levels / 1000, tints / 1000)


def _reduce(pixels, known, side):
    """The median of each square of `side` pixels, (h, w, 3) int64, and which are known.

    A mean would be drawn from black and white, where noise ends.
    """
    rows, columns = (length // side for length in known.shape)
    squares = (part[:rows * side, :columns * side].reshape(rows, side, columns, side, -1).swapaxes(1, 2).reshape(
        rows, columns, side ** 2, -1) for part in (pixels, known))
    return np.median(next(squares), axis=2).astype(np.int64), next(squares)[..., 0].all(axis=2)


def _fit_curve(luminance, colour, known):
    """Points (levels (P,), tints (P, 3)) of the median colour at each luminance, as many pixels at each."""
    weight = _mean(known.astype(float), 3)[known]       # noise in the luminance would bend the curve
    level = _mean(luminance * known, 3)[known] / weight
    tint = _mean(colour * known[..., None], 3)[known] / weight[:, None]
    order = np.argsort(level, kind="stable")
    parts = np.array_split(order, min(BINS, order.size // LEAST))
    tints = np.array([np.median(tint[part], axis=0) for part in parts])
    beside = 2 * (len(parts) // STAMP) + 1              # a stamp fills some parts, and none of their neighbours
    return np.array([level[part].mean() for part in parts]), ndimage.median_filter(tints, (beside, 1), mode="nearest")


def _mean(values, side):
    return ndimage.uniform_filter(values.astype(float), (side, side) + (1,) * (values.ndim - 2), mode="constant")


def _interpolate(luminance, levels, tints):
    return np.stack([np.interp(luminance, levels, tint) for tint in tints.T], axis=-1)


def _scatter(luminance, colour, known, curve):
    """Distance from a curve around every pixel, in levels, less what independent noise leaves of it in a mean."""
    residual = (colour - _interpolate(luminance, *curve)) / 1000
    length = np.linalg.norm(residual, axis=-1, keepdims=True)
    residual = residual * known[..., None] * (STRANGE / np.maximum(length, STRANGE))
    share = np.maximum(_mean(known, WINDOW), 1 / WINDOW ** 2)
    mean, square = _mean(residual, WINDOW) / share[..., None], _mean((residual ** 2).sum(-1), WINDOW) / share
    return np.sqrt(np.maximum((mean ** 2).sum(-1) - square / (share * WINDOW ** 2), 0))


def _around(known):
    """The known pixels as near to the hole as it is wide, and an eighth of the picture at least; all of too few."""
    if known.all():
        return known
    reach = max(np.sqrt(np.count_nonzero(~known)), min(known.shape) / 8)
    near = known & (ndimage.distance_transform_edt(known) <= reach)
    return near if np.count_nonzero(near) >= 2 * LEAST else known


def _tabulate(levels, tints):
    """The colours of 256 levels; beyond the curve's ends it goes straight on, and no colour leaves the gamut."""
    luminance = np.arange(256.0)
    tint = _interpolate(luminance, levels, tints)
    for end, near in ((0, levels <= levels[0] + REACH), (-1, levels >= levels[-1] - REACH)):
        beyond = luminance < levels[0] if end == 0 else luminance > levels[-1]
        tint[beyond] += (luminance[beyond] - levels[end])[:, None] * _slope(levels[near], tints[near])
    room = np.where(tint > 0, 255 - luminance[:, None], luminance[:, None])
    tint *= np.min(room / np.maximum(np.abs(tint), np.maximum(room, 1e-9)), axis=1, keepdims=True)
    return np.rint(luminance[:, None] + tint).astype(np.uint8)


def _slope(levels, tints):
    offset = levels - levels.mean()
    return offset @ tints / max(offset @ offset, 1e-9)
