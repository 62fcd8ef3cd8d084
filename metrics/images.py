"""How far a completed face is from the true one, pixel by pixel and structure by structure."""
import numpy as np
from scipy import ndimage

RANGE = 255.0
SIGMA, TRUNCATE = 1.5, 3.5                              # a Gaussian window of 11 pixels


def psnr(truth, result, region):
    """Peak signal-to-noise ratio in dB over the pixels of `region`, all channels together; inf if they are equal.

    truth, result : (H, W, 3) uint8; region : (H, W) bool, True somewhere
    """
    error = np.mean((truth[region].astype(np.float64) - result[region]) ** 2)
    return float(10 * np.log10(RANGE ** 2 / error)) if error else float("inf")


def ssim_map(truth, result):
    """Structural similarity at every pixel, the mean of the channels, (H, W) in [-1, 1].

    truth, result : (H, W, 3) uint8. Gaussian window 11/1.5, population covariances, K = (0.01, 0.03).
    Source: Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment", IEEE TIP 2004, equation 13.
    """
    x, y = truth.astype(np.float64), result.astype(np.float64)
    blur = _window_mean
    mean_x, mean_y = blur(x), blur(y)
    variance_x, variance_y = blur(x * x) - mean_x ** 2, blur(y * y) - mean_y ** 2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)
                  / ((mean_x ** 2 + mean_y ** 2 + c1) * (variance_x + variance_y + c2)))
    return similarity.mean(axis=-1)


def _window_mean(image):
    return ndimage.gaussian_filter(image, (SIGMA, SIGMA, 0), truncate=TRUNCATE)


def measure(truth, result, known):
    """PSNR (dB) and SSIM in the hole and on the whole image, as a dictionary.

    truth, result : (H, W, 3) uint8; known : (H, W) bool. SSIM in the hole is the map of the whole image averaged over
    the hole's pixels. Without a hole its two numbers are missing; a PSNR of equal pictures is None.
    """
    similarity, everywhere = ssim_map(truth, result), np.ones_like(known)
    regions = {"hole": ~known, "image": everywhere}
    numbers = {}
    for name, region in regions.items():
        if region.any():
            decibels = psnr(truth, result, region)
            numbers[f"{name}_psnr"] = round(decibels, 4) if np.isfinite(decibels) else None
            numbers[f"{name}_ssim"] = round(float(similarity[region].mean()), 5)
    return numbers
