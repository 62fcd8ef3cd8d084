"""Damage as old photos have it, drawn by a seed: what a network learns to find.

A kind of damage is a function (shape, rng) -> [Layer, ...] in KINDS; lengths are in pixels, of a photo in which
a face is 60 to 200 pixels wide.
"""
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from helpers import to_levels

from .tone import LUMA

EDGE = 0.15                                             # of a layer's strength, from which on a pixel is damaged
VISIBLE = 20                                            # levels of luminance by which a layer changes what it covers
CLEAN = 0.4                                             # share of the examples that are whole
FULLEST = 0.3                                           # share of the pixels that damage may cover
PAPER, RUST, GREENS = (235, 228, 210), (140, 95, 50), (90, 100, 70)


class Layer(NamedTuple):
    """Something that lies over a photo: cover (H, W) in [0, 1], color (3,) in levels, opacity in (0, 1]."""
    cover: np.ndarray
    color: np.ndarray
    opacity: float = 1.0


def make_example(pixels, rng):
    """A photo as it may come, whole or damaged: toned, grainy, compressed.

    pixels : (H, W, 3) uint8; rng : numpy's
    Returns (H, W, 3) uint8 and the truth, (H, W) bool, True where it is damaged.
    """
    hole, late = np.zeros(pixels.shape[:2], bool), rng.random() < 0.5
    pixels = soften(add_grain(pixels if late else change_tone(pixels, rng), rng), rng)
    if rng.random() >= CLEAN:
        pixels, hole = draw_damage(pixels, rng, rng.integers(1, 8))
    return compress(change_tone(pixels, rng) if late else pixels, rng), hole


def draw_damage(pixels, rng, count):
    """Draw `count` pieces of damage on a photo (H, W, 3) uint8; returns it and where they are, (H, W) bool."""
    drawn, hole = pixels.astype(np.float32), np.zeros(pixels.shape[:2], bool)
    for name in rng.choice(DRAWN, count):
        for layer in KINDS[name](hole.shape, rng):
            damaged = layer.cover > EDGE
            if (color := _visible(layer, drawn[damaged])) is not None and (hole | damaged).mean() < FULLEST:
                drawn += (layer.opacity * layer.cover)[..., None] * (color - drawn)
                hole |= damaged
    return to_levels(drawn), hole


def _visible(layer, covered):
    """The layer's color, or its opposite if it would not be seen on the pixels that it covers; None if neither is."""
    for color in (layer.color, 255 - layer.color):
        if len(covered) and layer.opacity * np.abs((covered - color) @ LUMA / 1000).mean() > VISIBLE:
            return color
    return None


def scratch(shape, rng):
    """A line, curved or straight, sharp or soft, whole or broken, opaque or not."""
    width = _between(rng, 0.8, 8)
    points = _walk(rng, _point(shape, rng), rng.uniform(0.1, 1.3) * max(shape), rng.choice((0.02, 0.1, 0.3)), step=7)
    halves = np.full(len(points) - 1, width / 2) * rng.uniform(0.7, 1.2, len(points) - 1)
    if rng.random() < 0.3:
        halves[rng.random(len(halves)) < rng.uniform(0.2, 0.6)] = -np.inf
    return _mark([(points, halves)], shape, rng, 0.4)


def film_lines(shape, rng):
    """Parallel scratches along or across the whole photo, as a projector leaves them."""
    strokes, turned = [], rng.random() < 0.25
    side, length = shape if turned else shape[::-1]
    for at in np.cumsum(rng.exponential(side / 6, rng.integers(1, 6))) + rng.uniform(-0.2, 0.9) * side:
        ends = np.array([(at, -3), (at + rng.normal(0, 2), length / 2), (at + rng.normal(0, 4), length + 3)])
        strokes.append((ends[:, ::-1] if turned else ends, np.full(2, rng.uniform(0.4, 1.2))))
    return _mark(strokes, shape, rng, 0.4)


def fold(shape, rng):
    """A line across the photo: a core where the picture came off, and darker rims."""
    points = _walk(rng, _point(shape, rng), 3 * max(shape), 0.02, step=9)
    points += _point(shape, rng) - points[len(points) // 2] + rng.normal(0, rng.uniform(0, 0.6), points.shape)
    core, rim = _between(rng, 1, 5) / 2, rng.uniform(0.8, 4)
    halves = core * rng.uniform(0.3, 1.3, len(points) - 1)
    if rng.random() < 0.3:
        halves[rng.random(len(halves)) < rng.uniform(0.1, 0.5)] = -np.inf
    edge, layers = _edge(rng), []
    if rng.random() < 0.7:
        dark = rng.uniform(0, 90) + rng.normal(0, 10, 3)
        layers.append(Layer(_cover([(points, np.full(len(halves), core + rim))], shape, edge + rim / 2), dark,
                            rng.uniform(0.25, 0.8)))
    return [*layers, Layer(_cover([(points, halves)], shape, edge), _pale(rng), rng.uniform(0.5, 1))]


def crack(shape, rng):
    """A jagged line with branches, that becomes thinner."""
    strokes, ends = [], [(_point(shape, rng), rng.uniform(0.2, 0.9) * max(shape), _between(rng, 1, 5))]
    while ends and len(strokes) < 9:
        start, length, width = ends.pop()
        points = _walk(rng, start, length, 0.6, step=rng.uniform(3, 7))
        strokes.append((points, width / 2 * np.linspace(1, 0.3, len(points) - 1)))
        ends += [(point, length * rng.uniform(0.2, 0.6), width * 0.7) for point in points[1:]
                 if length > 12 and rng.random() < 4 / len(points)]
    return [Layer(_cover(strokes, shape, _edge(rng)), _pale(rng) if rng.random() < 0.6 else _color(rng),
                  rng.uniform(0.6, 1))]


def dust(shape, rng):
    """Specks, round or long."""
    largest = _between(rng, 0.6, 3)
    strokes = [(start + [(0, 0), rng.normal(0, 1, 2)], np.array([_between(rng, 0.5, largest)]))
               for start in (_point(shape, rng) for _ in range(rng.integers(2, 30)))]
    return _mark(strokes, shape, rng, 0.5)


def fibres(shape, rng):
    """Short thin hairs, strongly curved."""
    strokes = [(points, np.full(len(points) - 1, rng.uniform(0.4, 0.9))) for points in (
        _walk(rng, _point(shape, rng), rng.uniform(8, 50), 0.35, step=3) for _ in range(rng.integers(1, 5)))]
    return _mark(strokes, shape, rng, 0.5)


def stain(shape, rng):
    """A spot of ink or dirt, or a place where the picture came off, with an uneven outline."""
    distance = _blob(shape, rng, _point(shape, rng), _between(rng, 2.5, 16), uneven=rng.uniform(0, 0.3))
    edge = rng.choice((_edge(rng), rng.uniform(2, 6)))
    cover = np.clip(0.5 - distance / edge, 0, 1)
    if rng.random() < 0.3:                              # dried from the outside inwards
        cover *= np.clip(1 + distance / 12, 0.55, 1)
    return [Layer(cover, _color(rng), rng.uniform(0.35, 1))]


def mould(shape, rng):
    """A cluster of small uneven spots."""
    center, strokes = _point(shape, rng), []
    for _ in range(rng.integers(4, 18)):
        radius = _between(rng, 0.8, 5)
        strokes.append((_walk(rng, center + rng.normal(0, 14, 2), radius, 0.8, step=radius / 2), np.full(2, radius)))
    color = np.array(GREENS) * rng.uniform(0.3, 2.2) + rng.normal(0, 20, 3)
    return [Layer(_cover(strokes, shape, rng.uniform(1, 3)), np.clip(color, 0, 255), rng.uniform(0.5, 1))]


def water_ring(shape, rng):
    """The rim that a drop leaves; what lies inside is hardly changed."""
    distance = _blob(shape, rng, _point(shape, rng), _between(rng, 7, 45), uneven=rng.uniform(0, 0.15))
    cover = np.clip(0.5 - (np.abs(distance) - rng.uniform(0.7, 2.5)) / rng.uniform(1, 3), 0, 1)
    cover = np.maximum(cover, rng.uniform(0, 0.7 * EDGE) * (distance < 0))
    return [Layer(cover, np.clip(np.array(RUST) * rng.uniform(0.5, 1.6), 0, 255), rng.uniform(0.35, 0.9))]


KINDS = {kind.__name__: kind for kind in (scratch, film_lines, fold, crack, dust, fibres, stain, mould, water_ring)}
DRAWN = *KINDS, "scratch", "scratch", "scratch", "fold", "stain"        # what photos have most is drawn most


def _between(rng, low, high):
    """A length between two others, small ones as likely as large ones in octaves."""
    return np.exp(rng.uniform(np.log(low), np.log(high)))


def _point(shape, rng):
    return rng.uniform(0, shape[::-1])


def _edge(rng):
    """Pixels over which a layer ends: 1 is as sharp as pixels are."""
    return rng.choice((1.0, rng.uniform(1, 3)))


def _color(rng):
    """Bright, dark or any."""
    kind = rng.random()
    if kind < 0.45:
        return _pale(rng)
    return rng.uniform(0, 60) + rng.uniform(0, 25, 3) if kind < 0.75 else rng.uniform(0, 255, 3)


def _pale(rng):
    return np.clip(rng.choice((np.full(3, 255.0), np.array(PAPER))) - rng.exponential(20) + rng.normal(0, 3, 3), 0, 255)


def _walk(rng, start, length, bend, step):
    """Points (N, 2), `step` apart, of a path that turns by about `bend` radians at each; at least two."""
    count = max(2, round(length / step) + 1)
    headings = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, bend, count - 1)) + rng.normal(0, 0.03) * np.arange(
        count - 1)
    steps = step * np.stack((np.cos(headings), np.sin(headings)), axis=1)
    return start + np.concatenate((np.zeros((1, 2)), np.cumsum(steps, axis=0)))


def _mark(strokes, shape, rng, least):
    """[Layer] of strokes of one drawn colour, whose opacity is drawn from `least` on."""
    return [Layer(_cover(strokes, shape, _edge(rng)), _color(rng), rng.uniform(least, 1))]


def _cover(strokes, shape, edge):
    """Coverage (H, W) of strokes [(points (N, 2), half widths (N - 1,)), ...] whose borders are `edge` pixels wide."""
    distance = np.full(shape, np.float32(edge))
    for points, halves in strokes:
        for start, end, half in zip(points, points[1:], halves):
            if half > 0:
                _approach(distance, start, end, half)
    return np.clip(0.5 - distance / edge, 0, 1)


def _approach(distance, start, end, half):
    """Lower the distances (H, W) to those from a segment with round ends, of this half width, where these are less."""
    reach, size = half + distance.max() + 1, distance.shape[::-1]
    x0, y0 = np.clip(np.floor(np.minimum(start, end) - reach), 0, size).astype(int)
    x1, y1 = np.clip(np.ceil(np.maximum(start, end) + reach), 0, size).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    x, y = np.ogrid[y0:y1, x0:x1][::-1]
    x, y, (along_x, along_y) = x - np.float32(start[0]), y - np.float32(start[1]), np.float32(end - start)
    share = np.clip((x * along_x + y * along_y) / max(along_x ** 2 + along_y ** 2, 1e-6), 0, 1)
    part = distance[y0:y1, x0:x1]
    np.minimum(part, np.hypot(x - share * along_x, y - share * along_y) - np.float32(half), out=part)


def _blob(shape, rng, center, radius, uneven):
    """Distances (H, W) from an uneven circle's outline, negative inside."""
    y, x = np.ogrid[:shape[0], :shape[1]]
    x, y = np.float32(1) * x - np.float32(center[0]), np.float32(1) * y - np.float32(center[1])
    angle, outline = np.arctan2(y, x), np.float32(1)
    for waves in (2, 3, 5, 8):
        outline = outline + np.float32(uneven * rng.normal() / waves ** 0.5) * np.cos(
            waves * angle + np.float32(rng.uniform(0, 2 * np.pi)))
    return np.hypot(x, y) - np.float32(radius) * outline


def change_tone(pixels, rng):
    """The photo as it is, grey, toned, or faded; (H, W, 3) uint8."""
    kind, values = rng.random(), pixels.astype(np.float32)
    if kind < 0.4:
        return pixels
    grey = np.repeat((values @ (LUMA / 1000).astype(np.float32))[..., None], 3, axis=2)
    values = grey if kind < 0.6 else grey * rng.uniform(0.75, 1.1, 3) if kind < 0.8 else values
    low, high = rng.uniform(0, 50), rng.uniform(200, 255)
    return to_levels(low + values * (high - low) / 255)


def add_grain(pixels, rng):
    """The photo, or the same with noise, which is of one colour or three; (H, W, 3) uint8."""
    if rng.random() < 0.6:
        return pixels
    noise = rng.normal(0, rng.uniform(1, 10), (*pixels.shape[:2], rng.choice((1, 3))))
    return to_levels(pixels + noise)


def soften(pixels, rng):
    """The photo, or the same as a smaller one that was enlarged; (H, W, 3) uint8."""
    if rng.random() < 0.7:
        return pixels
    image, (height, width) = Image.fromarray(pixels), pixels.shape[:2]
    share = rng.uniform(0.5, 1)
    small = image.resize((round(width * share), round(height * share)), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def compress(pixels, rng):
    """The photo, or the same out of a JPEG file; (H, W, 3) uint8."""
    return pixels if rng.random() < 0.35 else as_jpeg(pixels, int(rng.integers(55, 98)))


def as_jpeg(pixels, quality):
    """What a JPEG file of this quality keeps of a photo; (H, W, 3) uint8."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
