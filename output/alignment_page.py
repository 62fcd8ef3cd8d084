"""The page of an alignment: the photos that were rejected, by reason, and the worst of those that were not."""
import collections
import contextlib
import heapq
import os
from pathlib import Path

from helpers import BadPhoto, counted
from pictures.photo import read_photo

from .figures import fit
from .page import FaceRow, Page

EACH, THUMBNAIL = 48, 128                               # photos of a group, and pixels of a photo's longer side
WORST = {"most sheared": ("shear", -1), "most blurred": ("sharpness", 1), "smallest": ("scale", -1)}


def write_alignment_page(path, folders, records, settings):
    """Write the page of an alignment, whole or not at all.

    folders : that of the photos, from which their names are counted, and that of the crops
    records : of alignment.jsonl, read once; settings : a JSON-able record, shown folded
    """
    page, counts = Page(), collections.Counter()
    rejected, worst = collections.defaultdict(list), {name: [] for name in WORST}
    for number, record in enumerate(records):
        counts[record["status"]] += 1
        if record["status"] != "done":
            counts[record["reason"]] += 1
            rejected[record["reason"]] += [record] if counts[record["reason"]] <= EACH else []
            continue
        for name, (key, sign) in WORST.items():
            if key in record:                           # crops of version 0.1 have none
                keep = heapq.heappush if len(worst[name]) < EACH else heapq.heappushpop
                keep(worst[name], (-sign * record[key], number, record))
    for reason, group in sorted(rejected.items()):
        details = [record.get("detail", "") for record in group]
        left_out = counts[reason] > len(group)
        name = f"{reason} ({f'{len(group)} of ' * left_out}{counts[reason]:,})"
        for record, detail in zip(group, details):
            note = detail if len({*details}) > 1 else ""
            page.add(name, _row(folders, record, note))
    for name, group in worst.items():
        for _, _, record in sorted(group, reverse=True):
            page.add(name, _row(folders, record, f"{WORST[name][0]} {record[WORST[name][0]]:g}"))
    page.write(path, f"Aligned faces: {counts['done']:,} of {counted(counts['done'] + counts['failed'], 'photo')}",
               settings=settings, groups_of="Photos")


def _row(folders, record, note):
    """A row with what there is to see of a photo."""
    (photos, crops), pictures = folders, {}
    with contextlib.suppress(BadPhoto):                 # it is rejected for that, or was moved away since
        pictures["photo"] = fit(read_photo(record["source"]).pixels, THUMBNAIL)
    with contextlib.suppress(BadPhoto):
        if "output" in record:
            pictures["crop"] = read_photo(Path(crops, record["output"])).pixels
    return FaceRow(os.path.relpath(record["source"], photos), pictures, {}, {}, note=note)
