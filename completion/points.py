"""Faces placed by hand: the three landmarks of the template, in the photo's pixels."""
import csv
import dataclasses
import io
import os

import numpy as np

from helpers import UsageError, read_bytes

PLACED = "placed by --points"                           # what notes say of a face
ADVICE = "--points places a face by hand"


@dataclasses.dataclass(frozen=True)
class Points:
    """Where faces lie.

    everywhere : six numbers, (x, y) of the person's right eye, left eye and mouth, for the only photo, or None
    by_name : {name of a photo's file, with or without its suffix: six numbers}
    """
    everywhere: tuple | None = None
    by_name: dict = dataclasses.field(default_factory=dict)

    def of(self, source):
        """The points (3, 2) of a photo, None if it has none."""
        names = _names_of(source)
        six = self.everywhere or next((self.by_name[name] for name in names if name in self.by_name), None)
        return six and np.array(six).reshape(3, 2)

    def unused(self, sources):
        """The names of which no photo is among the sources (paths), sorted."""
        return sorted(set(self.by_name).difference(*map(_names_of, sources)))

    def describe(self):
        """What decides a photo's result, as a JSON record."""
        return self.everywhere or self.by_name


def _names_of(source):
    name = os.path.basename(source)
    return name, os.path.splitext(name)[0]


def read_points(words):
    """The Points of a command line: three pairs x,y, or the name of one file.

    The file is CSV: in each line the name of a photo's file and six numbers. Raises UsageError.
    """
    if len(words) == 1 and "," not in words[0]:
        return Points(by_name=read_points_file(words[0]))
    return Points(everywhere=parse_points(",".join(words).split(","), "--points"))


def read_points_file(path):
    """{name: six numbers} of a CSV file; of a path in it the name counts. Raises UsageError, for a name twice too."""
    try:
        lines = io.StringIO(read_bytes(path).decode("utf-8-sig"), newline="")
        rows = [(number, row) for number, row in enumerate(csv.reader(lines), 1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read the points in {path}: {getattr(error, 'strerror', None) or error}") from error
    if not rows:
        raise UsageError(f"{path} has no points: in each line it needs a photo's name and six numbers")
    by_name = {}
    for number, (name, *words) in rows:
        name = os.path.basename(name.strip())
        if name in by_name:
            raise UsageError(f"{path}, line {number}: {name} again; one face of a photo is placed at a time")
        by_name[name] = parse_points(words, f"{path}, line {number}")
    return by_name


def parse_points(words, origin):
    """Six numbers, as Points has them, that place an upright or turned face; UsageError, which names their origin."""
    try:
        six = tuple(float(word) for word in words)
    except ValueError:
        six = ()
    if len(six) != 6 or not np.isfinite(six).all():
        raise UsageError(f"{origin}: needs six numbers with commas between, x,y of the eyes' inner corners and of the "
                         f"lower lip, got {','.join(words)!r}")
    right, left, mouth = np.array(six).reshape(3, 2)
    (across, down), (far, deep) = left - right, mouth - right
    area = across * deep - down * far
    if abs(area) < 1:
        raise UsageError(f"{origin}: the points, in pixels of the photo, lie on a line")
    if area < 0:
        raise UsageError(f"{origin}: a face so placed is mirrored; the person's right eye, on the left of an upright "
                         "photo, comes first")
    return six
