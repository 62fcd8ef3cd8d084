"""What shows all completed faces at once: sheets, an animation, and a page."""
import re
from pathlib import Path

import helpers
from helpers import BadPhoto, UsageError, read_json

from .completed_folder import ANIMATION, ANSWER, PAGE, RESTORED, SHEETS, SHOWN, UNCERTAINTY, digest
from .figures import write_gif, write_sheet
from .page import FaceRow, write_report

SHEET = re.compile(r"(original|masked|completed(_\d+)?|uncertainty|completions|\d{4,})_\d{3,}\.png")
SHEET_FACES = 64
SHOWS = ("name", "stamp", "files", "completions", "diversity_rms", "hole_psnr", "hole_ssim", "image_psnr",
         "image_ssim")
REPORT_FACES = 500                                      # of 64 pixels they make a page of some 15 MB


def write_overview(folder, finished, settings, check):
    """Write the sheets, the animation and the page, unless they are there for these faces.

    finished : records of faces with what SHOWS names; settings : what decided their results
    check : function, called now and then, that raises when the user wants to stop
    Raises UsageError (exit code 5) if a picture cannot be read again.
    """
    marker = Path(folder, SHEETS, SHOWN)
    shown = {"shown": digest(settings | {"faces": finished})}
    if finished and (read_json(marker) != shown or not Path(folder, PAGE).exists()):
        write_sheets(folder, finished, check)
        write_page(folder, finished, settings)
        helpers.write_json(marker, shown)


def write_sheets(folder, finished, check=lambda: None):
    """Tile what is finished, 64 faces a sheet, and animate the first sheet over the iterations."""
    written = set()
    for sheet_number, first in enumerate(range(0, len(finished), SHEET_FACES)):
        check()
        group, sheets = finished[first:first + SHEET_FACES], {}
        answers = [file for file in group[0]["files"] if Path(file).match(ANSWER.format("*")) or file == UNCERTAINTY]
        if answers:
            written.add(_write_answers(folder, group, answers, f"completions_{sheet_number:03d}.png"))
        for file in sorted(group[0]["files"].keys() - {RESTORED, *answers}, key=lambda file: (len(file), file)):
            sheet = f"{Path(file).stem}_{sheet_number:03d}.png"
            pictures = [_read(folder, face, file) for face in group]
            sheets[file] = write_sheet(Path(folder, SHEETS, sheet), pictures)
            written.add(sheet)
        if not first and (steps := [sheet for file, sheet in sheets.items() if file[0].isdigit()]):
            write_gif(Path(folder, ANIMATION), [sheets["masked.png"], *steps])
        elif not first:                                 # what an earlier run with steps left
            Path(folder, ANIMATION).unlink(missing_ok=True)
    for path in Path(folder, SHEETS).glob("*.png"):
        if SHEET.fullmatch(path.name) and path.name not in written:
            path.unlink()


def _write_answers(folder, group, answers, sheet):
    """A sheet with a face a row: what went in, what came out, every answer, and where they differ; returns its name."""
    columns = ["original.png", "masked.png", "completed.png", *answers]
    pictures = [_read(folder, face, file) for face in group for file in columns]
    write_sheet(Path(folder, SHEETS, sheet), pictures, len(columns))
    return sheet


def _read(folder, face, file):
    path = Path(folder, face["name"], file)
    try:
        return helpers.read_photo(path).pixels
    except BadPhoto as problem:
        raise UsageError(f"{path} cannot be read again, {problem}: remove it, and run the same command once more",
                         helpers.BAD_OUTPUT) from problem


def write_page(folder, finished, settings):
    """Write report.html: what went in, what came out, and the way there, of the first REPORT_FACES faces."""
    def row(face):
        pictures = {Path(file).stem: _read(folder, face, file) for file in face["files"] if file != RESTORED}
        steps = {int(step): pictures.pop(step) for step in list(pictures) if step.isdigit()}
        scores = {"completed": {metric: face.get(metric) for metric in ("hole_psnr", "hole_ssim")}}
        for rank, answer in enumerate(face.get("completions", ()), 1):
            scores[Path(ANSWER.format(rank)).stem] = answer
        note = f"diversity {face['diversity_rms']:.1f}" if "diversity_rms" in face else ""
        return FaceRow(face["name"], pictures, steps, scores, note)

    left_out = f" (the first {REPORT_FACES} of {len(finished)})" if len(finished) > REPORT_FACES else ""
    hole = "own" if settings["mask"] else settings["mask_type"]
    write_report(Path(folder, PAGE), f"Completed faces{left_out}", {hole: map(row, finished[:REPORT_FACES])},
                 settings=settings)
