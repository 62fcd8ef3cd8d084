"""Holes: every maker is (size, rng) -> known, (size, size) bool, True where the face is kept.

Sources: centre, left, half and random are the masks of Yeh et al., CVPR 2017, section 4; pattern follows Pathak et
al., "Context Encoders", CVPR 2016; strokes follow Yu et al., "Free-Form Image Inpainting", ICCV 2019; O1 to O6 are
those of Li et al., "Generative Face Completion", CVPR 2017. The parts are what glasses, bars and torn paper hide.
"""
import functools
import hashlib
import os

import numpy as np
from PIL import Image, ImageDraw

# Rows and columns of Li et al.'s six holes on a face of 128 pixels: eyes, half of the face, mouth.
OCCLUSIONS = {"O1": (52, 116, 33, 71), "O2": (52, 116, 57, 95), "O3": (52, 74, 29, 99), "O4": (52, 74, 29, 67),
              "O5": (52, 74, 61, 99), "O6": (86, 124, 40, 88)}

# Boxes (left, top, right, bottom) of what parts hides, in units of the side of a face of innerEyesAndBottomLip.
EYES = (0.18, 0.09, 0.38, 0.24), (0.6, 0.09, 0.81, 0.24)
BAND, MOUTH, NOSE_AND_MOUTH = (0.15, 0.05, 0.84, 0.25), (0.28, 0.57, 0.72, 0.8), (0.28, 0.38, 0.72, 0.8)
PARTS = EYES, (BAND,), EYES[:1], EYES[1:], (*EYES, MOUTH), (BAND, MOUTH), (MOUTH,), (NOSE_AND_MOUTH,)


def center(size, rng=None, scale=0.25):
    """A square hole from `scale` to 1 - `scale` of the side; scale in (0, 0.5)."""
    margin = round(size * scale)
    return _without(size, (margin, size - margin), (margin, size - margin))


def left(size, rng=None):
    """The left half is the hole."""
    return _without(size, (0, size), (0, size // 2))


def right(size, rng=None):
    """The right half is the hole."""
    return _without(size, (0, size), (size - size // 2, size))


def top(size, rng=None):
    """The upper half is the hole."""
    return _without(size, (0, size // 2), (0, size))


def bottom(size, rng=None):
    """The lower half is the hole."""
    return _without(size, (size - size // 2, size), (0, size))


def half(size, rng):
    """One of the four halves."""
    return (left, right, top, bottom)[rng.integers(4)](size)


def random(size, rng, share=0.8):
    """A share of all pixels, exact to one pixel, scattered at random."""
    known = np.ones(size * size, bool)
    known[rng.permutation(size * size)[:round(share * size * size)]] = False
    return known.reshape(size, size)


def pattern(size, rng, share=0.25, grain=16, field=512):
    """Smooth blobs of about `share` of the area, cut from a low-frequency noise field of `field` pixels.

    The field's threshold is set for the whole field, so that a single hole may have more or less than `share`.
    """
    from scipy import ndimage  # half a second that --help need not wait for
    noise = ndimage.gaussian_filter(rng.standard_normal((field, field)), field / grain / 4, mode="wrap")
    row, column = rng.integers(0, field - field // 4, 2)
    window = noise[row:row + field // 4, column:column + field // 4]
    cut = Image.fromarray(window.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(cut) > np.quantile(noise, share)


def strokes(size, rng, count=4, width=0.1):
    """Several brush strokes that bend at random; `width` in units of the side."""
    canvas = Image.new("L", (size, size), 255)
    draw = ImageDraw.Draw(canvas)
    brush = max(1, round(width * size))
    for _ in range(count):
        points, angle = [rng.uniform(0, size, 2)], rng.uniform(0, 2 * np.pi)
        for _ in range(rng.integers(2, 6)):
            angle += rng.uniform(-np.pi / 3, np.pi / 3)
            step = rng.uniform(0.1, 0.3) * size * np.array((np.cos(angle), np.sin(angle)))
            points.append(np.clip(points[-1] + step, 0, size - 1))
        draw.line([tuple(point) for point in points], fill=0, width=brush, joint="curve")
        for x, y in points:
            draw.ellipse((x - brush / 2, y - brush / 2, x + brush / 2, y + brush / 2), fill=0)
    return np.asarray(canvas) > 127


def parts(size, rng, margin=0.1):
    """Eyes, mouth, or both, under rectangles or ellipses that reach up to `margin` of the side beyond them."""
    rows, columns = (np.indices((size, size)) + 0.5) / size
    known, norm = np.ones((size, size), bool), rng.choice((2, np.inf))
    for box in PARTS[rng.integers(len(PARTS))]:
        left, top, right, bottom = box + margin * rng.random(4) * (-1, -1, 1, 1)
        place = (2 * columns - left - right) / (right - left), (2 * rows - top - bottom) / (bottom - top)
        known &= np.linalg.norm(place, norm, axis=0) > 1
    return known


def occlusion(size, rng=None, name="O1"):
    """One of the holes O1 to O6 of generative face completion."""
    top, bottom, left, right = (round(edge * size / 128) for edge in OCCLUSIONS[name])
    return _without(size, (top, bottom), (left, right))


def none(size, rng=None):
    """No hole at all."""
    return np.ones((size, size), bool)


def _without(size, rows, columns):
    """All known but the rectangle of these rows and columns, each (first, end)."""
    known = np.ones((size, size), bool)
    known[slice(*rows), slice(*columns)] = False
    return known


MASKS = {maker.__name__: maker
         for maker in (center, left, right, top, bottom, half, random, pattern, strokes, parts, none)}
MASKS |= {name: functools.partial(occlusion, name=name) for name in OCCLUSIONS}


def make_hole(mask, size, name, seed, **settings):
    """The known pixels of a face, (size, size) bool; a drawn hole depends on the seed and the name alone.

    mask : a name of MASKS; settings : passed to it
    """
    return MASKS[mask](size, np.random.default_rng(digest_number(seed, os.fsencode(name))), **settings)


def digest_number(seed, content):
    """A whole number below 2**63 that is a function of a seed and some bytes."""
    return int.from_bytes(hashlib.sha256(b"%d:" % seed + content).digest()[:8], "big") >> 1
