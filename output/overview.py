"""What shows all completed faces at once: sheets, an animation, and a page."""
import collections
import dataclasses
import math
import re
import time
from pathlib import Path

import helpers
from helpers import BadPhoto, Stopped, UsageError, counted, read_json, remove_files
from metrics.intervals import mean_present, tell_faces
from pictures.photo import read_photo

from .completed_folder import AFTER, ANIMATION, ANSWER, BEFORE, CROP, PAGE, SECOND, SHEETS, SHOWN, UNCERTAINTY, digest
from .figures import pair, without_legend, write_gif, write_sheet
from .page import FaceRow, Page

FILE = re.compile(rf"(?P<face>{SECOND}/)?(?P<crop>{CROP}\.png)")
SHEET = re.compile(rf"({CROP}|completions|photos)_\d{{3,}}\.png")
SHEET_FACES, SHEET_PHOTOS, PAIRS_A_ROW, BOX = 64, 32, 4, 256        # a box, of pixels a side, holds a photo of a sheet
SHOWS = ("name", "stamp", "files", "notes", "completions", "diversity_rms", "hole_psnr", "hole_ssim", "image_psnr",
         "image_ssim", "further_faces")
LAST_SECONDS = 1                                        # for the page of a command that is stopped
REPORT_FACES, REPORT_BYTES = 500, 20 * 2**20            # 500 faces of 64 pixels take some 15 MB


class Overview:
    """Shows completed faces in the order of the inputs: a group of SHEET_FACES as soon as all of it is there.

    Leaving its `with` by Stopped writes the page of what is there.

    folder : of the results; names : of all inputs, in their order; settings : what decided the results
    done : {name: record} of those that were complete before, with what SHOWS names; their pictures are read again
    """

    def __init__(self, folder, names, settings, done):
        self.folder, self.settings = folder, settings
        self._waiting = collections.deque(names)
        self._ready = {name: (_select(record), None) for name, record in done.items()}
        self._group, self._shown, self._sheets, self._frames = [], [], set(), ()
        self._page, self._on_page, self._failed, self._is_old = Page(), 0, {}, False

    def add(self, record, pictures):
        """Take a face that has been completed now, or a photo: its record, and its pictures {file: (H, W, 3) uint8}.

        Whole photos are read again when they are shown, for a group of them would fill the memory.
        """
        crops = {file: picture for file, picture in pictures.items() if FILE.fullmatch(file)}
        self._ready[record["name"]], self._is_old = (_select(record), crops), True
        self._advance()

    def fail(self, source, name, problem):
        """Wait no longer for an input that came to nothing, by a BadPhoto."""
        self._ready[name] = None
        self._failed[source] = str(problem)

    def finish(self, check):
        """Write what is still missing, unless nothing was completed and all is there; returns the faces' records.

        check : function, called now and then, that raises when the user wants to stop
        Raises UsageError (exit code 5) if a picture cannot be read again.
        """
        shown = self._shown + [entry[0] for entry in (*self._group, *map(self._ready.get, self._waiting)) if entry]
        mark = {"shown": digest(self.settings | {"faces": shown, "failed": self._failed})}
        if (shown or self._failed) and (
                self._is_old or read_json(Path(self.folder, SHEETS, SHOWN)) != mark | self._measure()):
            self._advance(check)
            self._flush()
            self._write_page()
            self._animate()
            remove_files(Path(self.folder, SHEETS), set(self._list_sheets()) - self._sheets)
            helpers.write_json(Path(self.folder, SHEETS, SHOWN), mark | self._measure())
        return shown

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """Write the page when the user stops the command: of what is there, as far as the time allows that is left."""
        if kind is not Stopped:
            return
        left, end = sum(name not in self._ready for name in self._waiting), time.monotonic() + LAST_SECONDS
        self._waiting = collections.deque(filter(self._ready.get, self._waiting))
        while self._waiting and self._on_page < REPORT_FACES and time.monotonic() < end:
            self._advance(most=1)
        self._flush()
        if self._shown or self._failed:
            self._write_page(("Stopped", f"{counted(left, 'input')} to do: the same command again goes on"))

    def _measure(self):
        """{file: checksum} of all that shows faces, None for what is not there."""
        files = PAGE, ANIMATION, *(f"{SHEETS}/{sheet}" for sheet in self._list_sheets())
        return {file: helpers.file_crc32(Path(self.folder, file)) for file in files}

    def _list_sheets(self):
        return sorted(path.name for path in Path(self.folder, SHEETS).glob("*.png") if SHEET.fullmatch(path.name))

    def _advance(self, check=lambda: None, most=math.inf):
        """Show the faces that are ready, as far as no earlier one is missing; at most so many."""
        while most > 0 and self._waiting and self._waiting[0] in self._ready:
            most -= 1
            if entry := self._ready.pop(self._waiting.popleft()):
                self._group.append(entry)
            if len(self._group) == SHEET_FACES:
                check()
                self._flush()

    def _flush(self):
        """Write the sheets of the group, and its rows of the page."""
        if not self._group:
            return
        number, pairs = len(self._shown) // SHEET_FACES, []
        group = [(record, _faces(crops or self._read(record, filter(FILE.fullmatch, record["files"]))))
                 for record, crops in self._group]
        self._write_sheets(number, [face for _, faces in group for face in faces])
        for record, faces in group:
            photo = tuple(self._read(record, (BEFORE, AFTER)).values()) if BEFORE in record["files"] else ()
            pairs += [pair(*photo, BOX)] if photo else []
            if self._on_page < REPORT_FACES and self._page.size < REPORT_BYTES:
                self._page.add(self._hole, _row(record, faces, photo))
                self._on_page += 1
        for first in range(0, len(pairs), SHEET_PHOTOS):
            place = (len(self._shown) + first) // SHEET_PHOTOS
            self._write_sheet(f"photos_{place:03d}.png", pairs[first:first + SHEET_PHOTOS], PAIRS_A_ROW)
        self._shown += [record for record, _ in group]
        self._group = []

    def _write_sheets(self, number, faces):
        """Write a sheet of every kind of crop; of the first group they become the animation."""
        files = sorted(faces[0], key=lambda file: (len(file), file))
        answers = [file for file in faces[0] if Path(file).match(ANSWER.format("*")) or file == UNCERTAINTY]
        if answers:
            columns = ["original.png", "masked.png", "completed.png", *answers]
            shown = [face | {UNCERTAINTY: without_legend(face[UNCERTAINTY], len(face["completed.png"]))}
                     for face in faces]
            self._write_sheet(f"completions_{number:03d}.png", _in_turn(shown, columns), len(columns))
        sheets = {file: self._write_sheet(f"{Path(file).stem}_{number:03d}.png", _in_turn(faces, [file]))
                  for file in files if file not in answers}
        if not self._shown and any(file[0].isdigit() for file in sheets):
            self._frames = [sheets["masked.png"], *(sheet for file, sheet in sheets.items() if file[0].isdigit())]

    def _write_sheet(self, name, pictures, columns=8):
        self._sheets.add(name)
        return write_sheet(Path(self.folder, SHEETS, name), pictures, columns)

    def _read(self, record, files):
        """{file: picture} of those of a face's or photo's files that are named."""
        pictures = {}
        for file in files:
            path = Path(self.folder, record["name"], file)
            try:
                pictures[file] = read_photo(path).pixels
            except BadPhoto as problem:
                raise UsageError(f"{path} cannot be read again, {problem}: remove it, and run the same command once "
                                 "more", helpers.BAD_OUTPUT) from problem
        return pictures

    @property
    def _hole(self):
        return "own" if self.settings["mask"] else self.settings["mask_type"]

    def _write_page(self, *facts):
        count, method = len(self._shown), self.settings["method"]
        sizes = self.settings, *self.settings.get("larger", {}).values()
        models = [settings["checkpoint"] for settings in sizes if settings.get("checkpoint")]
        what = "Restored photos" if self.settings.get("paste_back") else "Completed faces"
        title = [f"{what}: {f'the first {self._on_page} of ' * (count > self._on_page)}{count}",
                 f"{self._hole} hole", " or ".join(Path(model).name for model in models) or method]
        for source, reason in sorted(self._failed.items())[:REPORT_FACES]:
            self._page.add_failure(source, reason)
        self._page.write(Path(self.folder, PAGE), ", ".join(title), settings=self.settings,
                         facts=[*((f"In the {where}", scores) for where, scores in describe_scores(self._shown)),
                                ("Method", method),
                                ("Model", " or ".join(models) + ", by the size of each face" * (len(models) > 1)),
                                ("Hole", f"{self._hole} {(self.settings['mask'] or [''])[0]}".strip()),
                                ("Failed", str(len(self._failed) or "")), *facts])

    def _animate(self):
        """Show the first sheet over the iterations; without any, remove what an earlier run left."""
        if self._frames:
            write_gif(Path(self.folder, ANIMATION), self._frames)
        else:
            remove_files(self.folder, [ANIMATION])


def describe_scores(records):
    """Yield (region, its mean PSNR and SSIM in words) for the hole and the image, if they were measured."""
    for where in ("hole", "image"):
        (psnr, with_psnr), (ssim, faces) = (mean_present(record.get(f"{where}_{metric}") for record in records)
                                            for metric in ("psnr", "ssim"))
        if faces:
            yield where, (f"{f'PSNR {psnr:.2f} dB' if with_psnr else 'no PSNR'}, SSIM {ssim:.3f} "
                          f"({tell_faces(faces, with_psnr)})")


def _select(record):
    """What SHOWS names, of a record and of those of further faces in it."""
    selected = {key: record[key] for key in SHOWS if key in record}
    if further := selected.get("further_faces"):
        selected["further_faces"] = [_select(face) for face in further]
    return selected


def _in_turn(faces, files):
    """The named pictures of one face after the other."""
    return [face[file] for face in faces for file in files]


def _faces(crops):
    """The pictures {crop: (H, W, 3) uint8} of each face of a photo, by number."""
    faces = {}
    for file, picture in crops.items():
        match = FILE.fullmatch(file)
        faces.setdefault(int(match["number"] or 1), {})[match["crop"]] = picture
    return [faces[number] for number in sorted(faces)]


def _row(record, faces, photo):
    """A row of the page: the first face, what it is a part of, and the photo's further faces."""
    first, *further = (_cut_out(*each) for each in zip([record, *record.get("further_faces", ())], faces))
    return dataclasses.replace(first, photo=photo, further=further)


def _cut_out(record, crops):
    """The row of a face alone: what went in, what came out, and the way there."""
    pictures = {Path(file).stem: picture for file, picture in crops.items()}
    steps = {int(step): pictures.pop(step) for step in list(pictures) if step.isdigit()}
    scores = {"completed": {metric: record.get(metric) for metric in ("hole_psnr", "hole_ssim")}}
    for rank, answer in enumerate(record.get("completions", ()), 1):
        scores[Path(ANSWER.format(rank)).stem] = answer
    note = f"diversity {record['diversity_rms']:.1f}" if "diversity_rms" in record else ""
    return FaceRow(record["name"], pictures, steps, scores, note=note, remarks=record.get("notes", ()))
