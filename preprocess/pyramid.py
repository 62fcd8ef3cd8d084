"""Large faces first: the coarse levels of dlib's image pyramid are searched before the fine ones, which cost the most.

OpenFace has dlib double a photo and search that and all its reductions, each to 5/6 of the one before, for windows on a
grid. A face that is found well above the finest level looked at is the one that the whole pyramid would give.
Source: dlib 20.0, image_pyramid.h (pyramid_down<6>, pyramid_down_2_1), scan_fhog_pyramid.h, fhog.h.
"""
import numpy as np

WINDOW, CELL = 72, 8                                    # pixels of a level: side of a box, and the grid of its corners
INSIDE, OUTSIDE = 5, -3                                 # where the grid begins, for corners in the level and before it
SHORTER = 180                                           # shorter side of the first level that is searched, at least
STEP = 3                                                # levels to the next that is
SETTLED = 2                                             # levels above the finest, beyond which no box is suppressed
DOUBLED = np.array([1.25, 0.75] * 2)                    # where doubling moves (x, y)


def level_sizes(height, width):
    """[(rows, columns)] of the levels of a photo, from the doubled one to the first that is worth a search."""
    sizes = [(2 * height + 1, 2 * width + 2)]
    while (smaller := tuple(side * 5 // 6 for side in sizes[-1])) and min(smaller) >= SHORTER:
        sizes.append(smaller)
    return sizes


def find_large(search, draw, sizes, settled=SETTLED):
    """[(box, score, lean)] of the coarsest levels that show any; None if the whole pyramid has to be searched.

    search : function of a level's pixels -> [(box in it, score, lean)], all of its own reductions included
    draw : function of the number of a level -> its pixels; sizes : of level_sizes
    settled : how many levels the largest face has to lie above the finest one searched; 0 takes any
    """
    for level in range(len(sizes) - 1, 0, -STEP):
        found = [(_steps(box), box, rest) for box, *rest in search(draw(level))]
        if found and max(steps for steps, _, _ in found) >= settled:
            return [(_to_photo(box, steps, level), *rest) for steps, box, rest in found]
    return None


def exact_levels(resize, pixels, sizes):
    """The levels as dlib makes them, bit for bit, one from the other; resize : dlib.resize_image."""
    levels = [resize(pixels, *sizes[0])]
    for size in sizes[1:]:
        levels.append(resize(levels[-1], *size))
    return levels


def _steps(box):
    """By how many levels a box was found above the one that was searched."""
    window = WINDOW if box[0] >= 0 else WINDOW + INSIDE - OUTSIDE
    return round(np.log((box[2] - box[0]) / window) / np.log(6 / 5))


def _to_photo(box, steps, level):
    """The box that a search of all levels gives: of corners on the grid, rounded there and once more in the photo."""
    corners = np.array(box, float)
    for _ in range(steps):
        corners = (corners - 0.3) * 5 / 6
    first = np.where(corners < 0, OUTSIDE, INSIDE)
    corners = CELL * np.rint((corners - first) / CELL) + first
    for _ in range(steps + level):
        corners = corners * 6 / 5 + 0.3
    return tuple(int(side) for side in np.floor(np.floor(corners + 0.5) / 2 - DOUBLED + 0.5))
