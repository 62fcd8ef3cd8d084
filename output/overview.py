"""What shows all completed faces at once: sheets, an animation, and a page."""
import collections
import re
from pathlib import Path

import helpers
from helpers import BadPhoto, UsageError, read_json, read_photo

from .completed_folder import ANIMATION, ANSWER, PAGE, SHEETS, SHOWN, UNCERTAINTY, digest
from .figures import write_gif, write_sheet
from .page import FaceRow, Page

CROP = re.compile(r"(original|masked|completed(_\d+)?|uncertainty|\d{4,})\.png")
SHEET = re.compile(r"(original|masked|completed(_\d+)?|uncertainty|completions|\d{4,})_\d{3,}\.png")
SHEET_FACES = 64
SHOWS = ("name", "stamp", "files", "completions", "diversity_rms", "hole_psnr", "hole_ssim", "image_psnr",
         "image_ssim")
REPORT_FACES = 500                                      # of 64 pixels they make a page of some 15 MB


class Overview:
    """Shows completed faces in the order of the inputs: a group of SHEET_FACES as soon as all of it is there.

    folder : of the results; names : of all inputs, in their order; settings : what decided the results
    done : {name: record} of those that were complete before, with what SHOWS names; their pictures are read again
    """

    def __init__(self, folder, names, settings, done):
        self.folder, self.settings = folder, settings
        self._waiting, self._ready = collections.deque(names), {name: (record, None) for name, record in done.items()}
        self._group, self._shown, self._sheets, self._frames, self._page = [], [], set(), (), Page()

    def add(self, record, pictures):
        """Take a face that has been completed now: its record, and its pictures as {file: (H, W, 3) uint8}."""
        self._ready[record["name"]] = {key: record[key] for key in SHOWS if key in record}, pictures
        self._advance()

    def leave_out(self, name):
        """Wait no longer for a face that came to nothing."""
        self._ready[name] = None

    def finish(self, check):
        """Write what is still missing, unless all is there for just these faces; returns their records.

        check : function, called now and then, that raises when the user wants to stop
        Raises UsageError (exit code 5) if a picture cannot be read again.
        """
        shown = self._shown + [entry[0] for entry in self._group] + [
            entry[0] for entry in map(self._ready.get, self._waiting) if entry]
        mark = {"shown": digest(self.settings | {"faces": shown})}
        if shown and (read_json(Path(self.folder, SHEETS, SHOWN)) != mark or not Path(self.folder, PAGE).exists()):
            self._advance(check)
            self._flush()
            self._write_page()
            self._animate()
            self._remove_stale()
            helpers.write_json(Path(self.folder, SHEETS, SHOWN), mark)
        return shown

    def _advance(self, check=lambda: None):
        """Show the faces that are ready, as far as no earlier one is missing."""
        while self._waiting and self._waiting[0] in self._ready:
            if entry := self._ready.pop(self._waiting.popleft()):
                self._group.append(entry)
            if len(self._group) == SHEET_FACES:
                check()
                self._flush()

    def _flush(self):
        """Write the sheets of the group, and its rows of the page."""
        if not self._group:
            return
        number, records = len(self._shown) // SHEET_FACES, [record for record, _ in self._group]
        pictures = [pictures or self._read(record) for record, pictures in self._group]
        files = set(filter(CROP.fullmatch, records[0]["files"]))
        answers = [file for file in records[0]["files"] if Path(file).match(ANSWER.format("*")) or file == UNCERTAINTY]
        if answers:
            columns = ["original.png", "masked.png", "completed.png", *answers]
            self._write_sheet(f"completions_{number:03d}.png", pictures, columns, len(columns))
        sheets = {file: self._write_sheet(f"{Path(file).stem}_{number:03d}.png", pictures, [file])
                  for file in sorted(files - set(answers), key=lambda file: (len(file), file))}
        if not self._shown and any(file[0].isdigit() for file in sheets):
            self._frames = [sheets["masked.png"], *(sheet for file, sheet in sheets.items() if file[0].isdigit())]
        for record, of_face in list(zip(records, pictures))[:max(REPORT_FACES - len(self._shown), 0)]:
            self._page.add(self._hole, _row(record, of_face))
        self._shown += records
        self._group = []

    def _write_sheet(self, name, pictures, files, columns=8):
        self._sheets.add(name)
        return write_sheet(Path(self.folder, SHEETS, name), [of_face[file] for of_face in pictures for file in files],
                           columns)

    def _read(self, record):
        """The pictures of a face that an earlier run completed."""
        pictures = {}
        for file in filter(CROP.fullmatch, record["files"]):
            path = Path(self.folder, record["name"], file)
            try:
                pictures[file] = read_photo(path).pixels
            except BadPhoto as problem:
                raise UsageError(f"{path} cannot be read again, {problem}: remove it, and run the same command once "
                                 "more", helpers.BAD_OUTPUT) from problem
        return {file: pictures[file] for file in record["files"] if file in pictures}

    @property
    def _hole(self):
        return "own" if self.settings["mask"] else self.settings["mask_type"]

    def _write_page(self):
        count = len(self._shown)
        left_out = f" (the first {REPORT_FACES} of {count})" if count > REPORT_FACES else ""
        self._page.write(Path(self.folder, PAGE), f"Completed faces{left_out}", settings=self.settings)

    def _animate(self):
        """Show the first sheet over the iterations; without any, remove what an earlier run left."""
        if self._frames:
            write_gif(Path(self.folder, ANIMATION), self._frames)
        else:
            Path(self.folder, ANIMATION).unlink(missing_ok=True)

    def _remove_stale(self):
        for path in Path(self.folder, SHEETS).glob("*.png"):
            if SHEET.fullmatch(path.name) and path.name not in self._sheets:
                path.unlink()


def _row(record, pictures):
    """A face's row of the page: what went in, what came out, and the way there."""
    pictures = {Path(file).stem: picture for file, picture in pictures.items() if CROP.fullmatch(file)}
    steps = {int(step): pictures.pop(step) for step in list(pictures) if step.isdigit()}
    scores = {"completed": {metric: record.get(metric) for metric in ("hole_psnr", "hole_ssim")}}
    for rank, answer in enumerate(record.get("completions", ()), 1):
        scores[Path(ANSWER.format(rank)).stem] = answer
    note = f"diversity {record['diversity_rms']:.1f}" if "diversity_rms" in record else ""
    return FaceRow(record["name"], pictures, steps, scores, note=note)
