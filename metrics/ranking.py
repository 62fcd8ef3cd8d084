"""Which way a number is better, which method is clearly the best by it, and which faces stand for all."""
import re
from statistics import fmean

from .intervals import paired_difference

DIRECTIONS = {"seam": "nearer 0", "diversity|uncertainty": None, "psnr|ssim": "higher",
              "l1|tone|identity|frechet|kernel|wasserstein|seconds": "lower"}
SIGNS = {"higher": 1, "lower": -1}


def better(metric):
    """"higher", "lower" or "nearer 0", whichever is better of a metric's numbers; None if none of them is."""
    return next((way for words, way in DIRECTIONS.items() if re.search(words, metric)), None)


def clearly_best(numbers, metric):
    """The method that beats every other one: all 95 % intervals of the differences face by face are on its side.

    numbers : {method: a number of each face or None}, the faces in one order
    Returns None if there is no such method, if only one has numbers, or if of the metric neither more nor less is
    better. Methods without numbers do not count.
    """
    sign = SIGNS.get(better(metric))
    present = {method: [value for value in values if value is not None] for method, values in numbers.items()}
    means = {method: fmean(values) for method, values in present.items() if values}
    if not sign or len(means) < 2:
        return None
    best, *others = sorted(means, key=lambda method: -sign * means[method])         # the closest rival comes first
    for other in others:
        _, *bounds = paired_difference(numbers[other], numbers[best]) or (0, 0, 0)
        if min(sign * bound for bound in bounds) <= 0:
            return None
    return best


def spread(count, shown):
    """Which of `count` faces in the order of their score to show: the best, those around the median, the worst.

    Returns [(index, "best" | "median" | "worst"), ...], min(count, shown) of them, each index once.
    """
    shown = min(count, shown)
    best = min(shown, max(1, shown // 3))
    worst = min(best, shown - best)
    around = shown - best - worst
    middle = (count - around) // 2
    parts = {"best": range(count - 1, count - 1 - best, -1), "median": range(middle, middle + around),
             "worst": range(worst)}
    return [(index, note) for note, indices in parts.items() for index in indices]


def evenly(count, shown):
    """Places of `shown` of `count` in a ranking: the middles of that many equal parts, or all if there are fewer."""
    shown = min(count, shown)
    return [(2 * place + 1) * count // (2 * shown) for place in range(shown)]
