"""From the records of an evaluation to its table."""
import array
import csv
import io
import math
import textwrap

from metrics.distributions import face_frechet, kernel_distance, sliced_wasserstein
from metrics.intervals import mean_interval, tell_faces
from metrics.ranking import clearly_best

from .evaluated_folder import ORIGINAL, DescriptorFiles, PictureFiles, group_of, picture_of

FIRST_METRICS = ("hole_psnr", "hole_ssim", "identity", "face_frechet", "image_psnr", "image_ssim", "seconds")
TABLE = {"hole_psnr": ".2f", "hole_ssim": ".3f", "image_psnr": ".2f", "identity": ".3f", "face_frechet": ".4f",
         "seconds": ".3f"}
OF_BATCHES = "seconds",                                 # the faces of a batch share its number: no sample of faces
WIDTH = 100                                             # columns of a terminal
MANY = 500                                              # faces that a distance of sets needs to be taken by itself
FEW = (f"face_frechet, face_kernel and sliced_wasserstein are of fewer than {MANY} faces: the first and last are too "
       "large, the second is unsure; compare them only with those of as many faces")


class Measured:
    """All numbers of one (mask, method), a column a metric: a tenth of what the records themselves would take."""

    def __init__(self):
        self.places, self.columns = {}, {}

    def add(self, record):
        """Take the numbers of a record, in place of an earlier one of the same face."""
        place = self.places.setdefault(record["face"], len(self.places))
        for metric, value in record.items():
            if value is None or isinstance(value, float):
                column = self.columns.setdefault(metric, array.array("d"))
                column.extend([math.nan] * (len(self.places) - len(column)))
                column[place] = math.nan if value is None else value

    def value(self, face, metric):
        """A number of a face, or None."""
        column, place = self.columns.get(metric, ()), self.places.get(face, math.inf)
        return column[place] if place < len(column) and math.isfinite(column[place]) else None

    def values(self, metric):
        """The numbers of a metric, in no order, without what is missing."""
        return [value for value in self.columns[metric] if math.isfinite(value)]


def read_measured(folder, masks, methods):
    """{(mask, method): Measured} of an EvaluatedFolder; masks and methods in the order asked for, then by name."""
    groups = {}
    for record in folder.records():
        groups.setdefault(group_of(record), Measured()).add(record)
    places = [{name: place for place, name in enumerate(named)} for named in (masks, methods)]
    return dict(sorted(groups.items(), key=lambda item: [
        (place.get(part, len(place)), part) for place, part in zip(places, item[0])]))


def under_mask(groups, mask):
    """{method: Measured} of one mask, out of {(mask, method): Measured}."""
    return {method: group for (name, method), group in groups.items() if name == mask}


def summarize(out, key, measured, faces, seed):
    """The row of one (mask, method): n, every metric as (mean, lower, upper), and the distances of the sets.

    n counts the faces; "fewer" has {metric: its own count} of those that not all of them have, as an exact answer has
    no PSNR.
    out : the evaluation's folder; faces : {name: path of the true face}
    """
    names, (mask, method), descriptors = sorted(measured.places), key, DescriptorFiles(out)
    metrics = {metric: mean_interval(measured.values(metric)) for metric in measured.columns}
    metrics |= {metric: (metrics[metric][0], None, None) for metric in OF_BATCHES if metrics.get(metric)}
    if len(names) > 2:
        truth, results = descriptors.read(ORIGINAL, names), descriptors.read(key, names)
        metrics["face_frechet"] = face_frechet(truth, results), None, None
        metrics["face_kernel"] = kernel_distance(truth, results), None, None
    metrics["sliced_wasserstein"] = sliced_wasserstein(
        PictureFiles(faces[name] for name in names),
        PictureFiles(out / picture_of(name, mask, method) for name in names), seed), None, None
    order = [name for name in FIRST_METRICS if name in metrics]
    fewer = {metric: count for metric in measured.columns if (count := len(measured.values(metric))) < len(names)}
    return {"mask": mask, "method": method, "n": len(names), "fewer": fewer,
            "metrics": {name: metrics[name] for name in dict.fromkeys(order + sorted(metrics))}}


def mark_best(summary, groups):
    """Add to each row, as "best", the metrics by which its method is clearly the best under its mask.

    groups : {(mask, method): Measured} of the rows
    """
    rows = {(row["mask"], row["method"]): row | {"best": []} for row in summary}
    for mask in dict.fromkeys(mask for mask, _ in rows):
        methods = under_mask(groups, mask)
        faces = list(dict.fromkeys(face for group in methods.values() for face in group.places))
        columns = dict.fromkeys(metric for group in methods.values() for metric in group.columns)
        for metric in (metric for metric in columns if metric not in OF_BATCHES):
            best = clearly_best({method: [group.value(face, metric) for face in faces]
                                 for method, group in methods.items()}, metric)
            if best:
                rows[mask, best]["best"].append(metric)
    return list(rows.values())


def as_csv(summary):
    """The summary as CSV: a line per mask and method, three columns a metric."""
    metrics = list(dict.fromkeys(name for row in summary for name in row["metrics"]))
    columns = (f"{name}{part}" for name in metrics for part in ("", "_low", "_high"))
    return to_csv(["mask", "method", "n", *columns], ([row["mask"], row["method"], row["n"], *(
        number for name in metrics for number in row["metrics"].get(name) or (None,) * 3)] for row in summary))


def as_long_csv(summary):
    """The summary as CSV: a line per mask, method and metric, with the n of the metric."""
    return to_csv(["mask", "method", "n", "metric", "mean", "low", "high"], (
        [row["mask"], row["method"], row.get("fewer", {}).get(name, row["n"]), name, *(numbers or (None,) * 3)]
        for row in summary for name, numbers in row["metrics"].items()))


def to_csv(heading, rows):
    """A heading and rows of values as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows([heading, *([format(cell, ".7g") if isinstance(cell, float) else cell for cell in row]
                                           for row in rows)])
    return text.getvalue()


def as_table(summary):
    """The summary as text, the columns that matter most."""
    rows = [["mask", "method", "n", *TABLE]]
    for row in summary:
        means = {name: interval[0] for name, interval in row["metrics"].items() if interval}
        values = (format(means[name], style) if name in means else "-" for name, style in TABLE.items())
        rows.append([row["mask"], row["method"], str(row["n"]), *values])
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [" ".join([*map(str.ljust, row[:2], widths), *map(str.rjust, row[2:], widths[2:])]) for row in rows]
    notes = [note for text in (*tell_exact(summary), *[FEW] * is_small(summary)) for note in textwrap.wrap(text, WIDTH)]
    return "\n".join(lines + notes) + "\n"


def tell_exact(summary):
    """[a line on whose PSNR is the mean of fewer faces than n, for the others equal the truth], or []."""
    told = [f"{row['mask']} {row['method']}: {tell_faces(row['n'], row['fewer']['hole_psnr'])}" for row in summary
            if "hole_psnr" in row.get("fewer", {})]
    return ["; ".join(told)] if told else []


def is_small(summary):
    """Whether the distances of sets in it are of so few faces that FEW has to be said."""
    return any(row["n"] < MANY for row in summary)


FILES = {"summary.csv": as_csv, "summary_long.csv": as_long_csv, "summary.txt": as_table}
