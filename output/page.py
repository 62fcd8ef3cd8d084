"""The report: one HTML file with its pictures, style and script inside, that opens anywhere without a network."""
import base64
import dataclasses
import io
import json
import math
import re
import time
from pathlib import Path

import numpy as np
from PIL import Image

from helpers import read_bytes, write_file
from metrics.ranking import better
from shell.messages import command_line

from .figures import fit

TEMPLATE, DATA = Path(__file__).with_name("template"), "{{data}}"
PART = re.compile(r"\{\{(\w+\.(?:css|js))\}\}")          # of page.html, which stands in a file of its own
FORMAT, QUALITY, EFFORT = "WEBP", 88, 4                 # 1.5 kB a face of 64x64 at 36 dB; a JPEG as good takes 2.2 kB
PHOTO_SIDE, PHOTO_QUALITY = 640, 80                     # of whole photos, the longer side
COMMAND = 1000                                          # letters of a command that are kept: it may name 60,000 files


@dataclasses.dataclass
class FaceRow:
    """One face of the report.

    name : what stands above its pictures, any text
    pictures : {column: (H, W, 3) uint8}, "original", "masked", then one a method; a row may lack some
    steps : {iterations so far: (H, W, 3) uint8} of the latent search, may be empty
    scores : {column: {metric: number or None}}, of which hole_psnr and hole_ssim are shown, may be empty
    note : a word or two, such as "best", "median", "worst"
    photo : (before, after), the whole photo that the face is of, as given and as restored, equally large (H, W, 3)
        uint8; empty for a face that is no part of one
    further : FaceRows of the photo's further faces, of which pictures, steps and scores are shown
    remarks : on what may have gone wrong, any texts, which stand above the pictures
    """
    name: str
    pictures: dict
    steps: dict
    scores: dict
    note: str = ""
    photo: tuple = ()
    further: tuple = ()
    remarks: tuple = ()


class Page:
    """A report; rows are packed as they come, so that they need not all be in memory, and equal pictures once."""

    def __init__(self):
        self._pictures, self._groups, self._figures, self._failures = {}, {}, [], []

    @property
    def size(self):
        """Bytes of all pictures in the page."""
        return sum(map(len, self._pictures))

    def add(self, mask, row):
        """Add a FaceRow to the group of a mask."""
        self._groups.setdefault(mask, []).append(_pack_row(row, self._pictures))

    def add_figure(self, text, pixels):
        """Add a picture, (H, W, 3) uint8, that is shown as large as it is before the faces, under its text."""
        self._figures.append((text, self._pictures.setdefault(_to_text(pixels, QUALITY), len(self._pictures))))

    def add_failure(self, source, reason):
        """Add an input that has come to nothing, and why, to the list that stands above the faces."""
        self._failures.append((source, reason))

    def write(self, path, title, *, facts=(), summary=(), warning="", settings=None, groups_of="Mask"):
        """Write the page, whole or not at all.

        facts : [(name, text)], which stand below the title, before the date and the command line of this process
        summary : [{"mask", "method", "n", "metrics": {metric: (mean, low, high) or None}, "best": [metric]}]; low and
            high, the ends of a 95 % interval, may be None; by the metrics in "best" the method is the best of its mask.
            Without it the page has neither table nor plots
        warning : stands below the table
        settings : a JSON-able record of what was run, shown folded
        groups_of : what the groups are called

        Numbers that are not finite count as absent.
        """
        groups = [{"mask": mask, "columns": list(dict.fromkeys(column for row in rows for column in row["pictures"])),
                   "rows": rows} for mask, rows in self._groups.items()]
        date, command = time.strftime("%Y-%m-%d"), command_line()
        if len(command) > COMMAND:
            command = command[:COMMAND] + " ..."
        facts = [*(fact for fact in facts if fact[1]), ("Date", date), ("Command", command)]
        record = {"title": f"{title}, {date}", "facts": facts, "failures": self._failures,
                  "summary": list(summary), "warning": warning, "settings": settings, "groups_of": groups_of,
                  "better": {metric: better(metric) for row in summary for metric in row["metrics"]},
                  "figures": self._figures, "groups": groups, "format": f"image/{FORMAT.lower()}",
                  "pictures": list(self._pictures)}
        before, after = read_template()
        write_file(path, (before + _to_json(record) + after).encode())


def read_template():
    """The page before and after its data, with style and script in their places."""
    def read(name):
        return read_bytes(Path(TEMPLATE, name)).decode()
    return PART.sub(lambda part: read(part[1]), read("page.html")).split(DATA)


def _pack_row(row, pictures):
    """A row whose pictures are places in the list of all; `pictures` is {picture as text: place}."""
    def place(pixels, quality=QUALITY):
        return pictures.setdefault(_to_text(pixels, quality), len(pictures))
    photo = [fit(pixels, PHOTO_SIDE) if max(pixels.shape) > PHOTO_SIDE else pixels for pixels in row.photo]
    return {"name": row.name, "note": row.note, "remarks": row.remarks, "scores": row.scores,
            "pictures": {column: place(pixels) for column, pixels in row.pictures.items()},
            "steps": [[step, place(pixels)] for step, pixels in sorted(row.steps.items())],
            "photo": {"places": [place(pixels, PHOTO_QUALITY) for pixels in photo], "height": photo[0].shape[0],
                      "width": photo[0].shape[1]} if photo else None,
            "further": [_pack_row(other, pictures) for other in row.further]}


def _to_text(pixels, quality):
    """(H, W, 3) uint8 as a small picture file in base64."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, FORMAT, quality=quality, method=EFFORT)
    return base64.b64encode(buffer.getvalue()).decode()


def _to_json(record):
    """JSON in ASCII that may stand in a script element: without `<` nothing in it ends or opens a tag or comment."""
    text = json.dumps(_plain(record), separators=(",", ":"), default=str, allow_nan=False)
    return text.replace("<", "\\u003c")


def _plain(value):
    """`value` with numpy's numbers as Python's and what JSON has no word for, infinity and NaN, as None.

    What is not Unicode in the name of a file shows as U+FFFD.
    """
    if isinstance(value, dict):
        return {_plain(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
