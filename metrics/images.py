"""How far a completed face is from the true one, pixel by pixel, structure by structure and along the border.

A measurement is named region_metric: `hole` is what was missing, `image` is everything, `ring` lies within RING pixels
of the border on both sides of it. Known pixels of a completed face equal the true ones bit for bit, so L1 and PSNR on
the ring would only count the hole once more; SSIM looks through a window that crosses the border.
"""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import ndimage

RANGE = 255.0
RING = 4
SIGMA, TRUNCATE = 1.5, 3.5                              # a Gaussian window of 11 pixels
UNIFORM = 7


def absolute_error(truth, result):
    """L1: |result - truth| at every pixel, the mean of the channels, (H, W) in [0, 255] levels; 0 is best.

    truth, result : (H, W, 3) uint8. Source: the mean absolute error; Zhao, Gallo, Frosio, Kautz, "Loss Functions for
    Image Restoration with Neural Networks", IEEE TCI 2017.
    """
    return np.abs(truth.astype(np.float64) - result).mean(axis=-1)


def squared_error(truth, result):
    """(result - truth)^2 at every pixel, the mean of the channels, (H, W) in [0, 65025] squared levels."""
    return ((truth.astype(np.float64) - result) ** 2).mean(axis=-1)


def decibels(error):
    """PSNR: 10 log10(255^2 / mean squared error), in dB from 0 to inf (equal pictures); more is better.

    Source: Wang, Bovik, "Mean Squared Error: Love It or Leave It?", IEEE Signal Processing Magazine 2009.
    """
    return float(10 * np.log10(RANGE ** 2 / error)) if error else float("inf")


def psnr(truth, result, region):
    """Peak signal-to-noise ratio in dB over the pixels of `region`, all channels together; inf if they are equal.

    truth, result : (H, W, 3) uint8; region : (H, W) bool, True somewhere
    """
    return decibels(squared_error(truth, result)[region].mean())


def gaussian_window(image):
    """Mean around every pixel of (H, W, C), Gaussian of deviation 1.5 on 11 x 11 pixels, mirrored at the edges."""
    return ndimage.gaussian_filter(image, (SIGMA, SIGMA, 0), truncate=TRUNCATE)


def uniform_window(image):
    """Mean around every pixel of (H, W, C), 7 x 7 pixels of equal weight, mirrored at the edges."""
    return ndimage.uniform_filter(image, (UNIFORM, UNIFORM, 1))


def ssim_map(truth, result, window=gaussian_window):
    """Structural similarity at every pixel, the mean of the channels, (H, W) in [-1, 1]; 1 is best.

    truth, result : (H, W, 3) uint8. Population covariances, K = (0.01, 0.03).
    Source: Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment", IEEE TIP 2004, equation 13.
    """
    x, y = truth.astype(np.float64), result.astype(np.float64)
    mean_x, mean_y = window(x), window(y)
    variance_x, variance_y = window(x * x) - mean_x ** 2, window(y * y) - mean_y ** 2
    covariance = window(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)
                  / ((mean_x ** 2 + mean_y ** 2 + c1) * (variance_x + variance_y + c2)))
    return similarity.mean(axis=-1)


def ssim_map_uniform(truth, result):
    """ssim_map with the uniform window of 7 pixels, scikit-image's default; not comparable with the Gaussian's."""
    return ssim_map(truth, result, uniform_window)


def find_ring(known):
    """The pixels of (H, W) that have both known and missing ones, or the border, within RING in row and column."""
    square = np.ones((3, 3), bool)
    return ndimage.binary_dilation(known, square, RING) & ndimage.binary_dilation(~known, square, RING)


def seam_gradient(truth, result, known):
    """How much harder the border of the hole shows than it should, in levels from -255 to 255; 0 is best.

    The mean of |p - q| in `result` minus the same in `truth`, over the channels of all pairs of pixels p, q that are
    neighbours in a row or column, one known and one missing. Above 0 a seam shows, below 0 the border is smoother than
    the true face. truth, result : (H, W, 3) uint8; known : (H, W) bool, True somewhere and False somewhere.
    Source: defined here; the jump across a border is how Wu and Yuen, "A Generalized Block-Edge Impairment Metric for
    Video Coding", IEEE SPL 1997, see blocks.
    """
    return float(_jumps(result, known).mean() - _jumps(truth, known).mean())


def _jumps(picture, known):
    """|p - q| of all pairs across the border, (pairs, 3)."""
    levels = picture.astype(np.float64)
    return np.concatenate([np.abs(np.diff(levels, axis=axis))[np.diff(known, axis=axis)] for axis in (0, 1)])


TO_XYZ = np.array([[.4124, .3576, .1805], [.2126, .7152, .0722], [.0193, .1192, .9505]])     # of linear sRGB
TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]])


def tone_error(truth, result, region):
    """How far the mean colour of a region is from the true one: Delta E*ab of CIELAB, from 0 to about 260; 0 is best.

    About 2.3 is the least that is seen (Mahy, Van Eycken, Oosterlinck, Color Research and Application 1994).
    truth, result : (H, W, 3) uint8; region : (H, W) bool, True somewhere. Source: CIE 15:2004, white D65.
    """
    return float(np.linalg.norm(_lab(truth[region].mean(axis=0)) - _lab(result[region].mean(axis=0))))


def _lab(colour):
    """(3,) L*, a*, b* of an sRGB colour in levels; IEC 61966-2-1."""
    share = colour / RANGE
    linear = np.where(share > .04045, ((share + .055) / 1.055) ** 2.4, share / 12.92)
    ratio = TO_XYZ @ linear / TO_XYZ.sum(axis=1)
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return TO_LAB @ root - (16, 0, 0)


class Metric(NamedTuple):
    """A value for every pixel, (truth, result) -> (H, W), whose mean over each region `summary` turns into a number."""
    per_pixel: Callable
    regions: tuple
    summary: Callable = float


METRICS = {
    "l1": Metric(absolute_error, ("hole", "image")),
    "psnr": Metric(squared_error, ("hole", "image"), decibels),
    "ssim": Metric(ssim_map, ("hole", "image", "ring")),
    "ssim_uniform7": Metric(ssim_map_uniform, ("hole", "image")),
}


def measure(truth, result, known):
    """All metrics of one face as a dictionary {region_metric: number}, its hole_tone and its seam_gradient.

    truth, result : (H, W, 3) uint8; known : (H, W) bool. SSIM in a region is the map of the whole image averaged over
    the region's pixels. Without a hole only the image is measured, without known pixels there is neither ring nor
    seam; a PSNR of equal pictures is None.
    """
    regions = {"hole": ~known, "image": np.ones_like(known), "ring": find_ring(known)}
    numbers = {}
    for name, metric in METRICS.items():
        values = metric.per_pixel(truth, result)
        for region in metric.regions:
            if regions[region].any():
                numbers[f"{region}_{name}"] = recorded(metric.summary(values[regions[region]].mean()))
    if regions["hole"].any():
        numbers["hole_tone"] = recorded(tone_error(truth, result, regions["hole"]))
    if regions["ring"].any():
        numbers["seam_gradient"] = recorded(seam_gradient(truth, result, known))
    return numbers


def recorded(value):
    """A number as records have it: five digits behind the point; None if it is not finite, which JSON does not know."""
    return round(float(value), 5) if np.isfinite(value) else None
