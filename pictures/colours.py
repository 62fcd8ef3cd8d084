"""Pixels of every mode and colour profile, as sRGB of 8 bits."""
import functools
import io

import numpy as np
from PIL import Image, ImageCms

from helpers import BadPhoto

COLOURS = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION     # how profiles are applied


def to_srgb(image):
    """((H, W, 3) uint8, the profile by which it was brought to sRGB or None, remarks)."""
    pixels, profile = _to_rgb(image), image.mode != "LAB" and image.info.get("icc_profile")
    remarks = _remark(image)
    mode = image.mode if image.mode == "CMYK" else "L" if Image.getmodebase(image.mode) == "L" else "RGB"
    try:
        transform = profile and _srgb_transform(profile, mode)
    except (ImageCms.PyCMSError, OSError):
        return pixels, None, [*remarks, "colour profile that is broken or for other pictures: taken for sRGB"]
    if not transform:
        return pixels, None, remarks
    coloured = image if mode == "CMYK" else Image.fromarray(pixels[..., 0] if mode == "L" else pixels)
    return np.asarray(ImageCms.applyTransform(coloured, transform)), profile, remarks


@functools.lru_cache(8)
def _srgb_transform(profile, mode):
    """The ImageCms transform by an ICC profile to sRGB; None if no colour changes by more than 2 levels."""
    own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(own, srgb, mode, "RGB", *COLOURS)
    cube = np.indices((6, 6, 6), np.uint8).reshape(3, 6, 36).T * 51
    if mode == "RGB" and np.abs(np.int_(ImageCms.applyTransform(Image.fromarray(cube), transform)) - cube).max() <= 2:
        return None
    return transform


def _to_rgb(image):
    """(H, W, 3) uint8 from every mode: Pillow's own convert() clips 16-bit grey to white and float to black."""
    if is_deep(image):
        grey = np.rint(np.asarray(image) * (255 / white_of(image))).astype(np.uint8)
        if "transparency" in image.info:
            grey[np.asarray(image) == image.info["transparency"]] = 255
        return np.repeat(grey[..., None], 3, axis=2)
    if _has_alpha(image):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))


def _has_alpha(image):
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info


def alpha_of(image):
    """(H, W) uint8, or None."""
    if not _has_alpha(image):
        return None
    if is_deep(image):
        return np.where(np.asarray(image) == image.info["transparency"], 0, 255).astype(np.uint8)
    return np.asarray(image.convert("RGBA").getchannel("A"))


def is_deep(image):
    """Whether a Pillow image is grey of more than 8 bits, or of floats."""
    return image.mode.startswith("I") or image.mode == "F"


def white_of(image):
    """What is white in such an image: 255, 4095 or 65535, of floats also 1, the smallest that holds its values.

    Raises BadPhoto (unsupported) if there is none.
    """
    values = np.asarray(image)
    for white in (1, 255, 4095, 65535)[image.mode != "F":]:
        if values.min() >= 0 and values.max() <= white:
            return white
    raise BadPhoto("unsupported", f"grey values from {values.min():g} to {values.max():g}, known are [0, 1], 8, 12 and "
                   "16 bit")


def _remark(image):
    """[what grey values are taken for, where their range alone says so], or []."""
    if not is_deep(image) or (white := white_of(image)) == (1 if image.mode == "F" else 65535):
        return []
    return [f"grey values up to {np.max(image):g}: {white} taken for white"]
