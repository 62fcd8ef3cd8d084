"""What shows all completed faces at once: sheets, an animation, and a page."""
import re
from pathlib import Path

import helpers
from reports.figures import write_gif, write_sheet
from reports.page import FaceRow, write_report

from .results import ANSWER, RESTORED, SHEETS, UNCERTAINTY

SHEET = re.compile(r"(original|masked|completed(_\d+)?|uncertainty|completions|\d{4,})_\d{3,}\.png")
SHEET_FACES = 64
REPORT_FACES = 500                                      # of 64 pixels they make a page of some 15 MB


def write_sheets(folder, finished):
    """Tile what is finished, 64 faces a sheet, and animate the first sheet over the iterations."""
    written = set()
    for sheet_number, first in enumerate(range(0, len(finished), SHEET_FACES)):
        group, sheets = finished[first:first + SHEET_FACES], {}
        answers = [file for file in group[0]["files"] if Path(file).match(ANSWER.format("*")) or file == UNCERTAINTY]
        if answers:
            written.add(_write_answers(folder, group, answers, f"completions_{sheet_number:03d}.png"))
        for file in sorted(group[0]["files"].keys() - {RESTORED, *answers}, key=lambda file: (len(file), file)):
            sheet = f"{Path(file).stem}_{sheet_number:03d}.png"
            pictures = [Path(folder, face["name"], file) for face in group]
            sheets[file] = write_sheet(Path(folder, SHEETS, sheet), pictures)
            written.add(sheet)
        if not first and (steps := [sheet for file, sheet in sheets.items() if file[0].isdigit()]):
            write_gif(Path(folder, "progress.gif"), [sheets["masked.png"], *steps])
        elif not first:                                 # what an earlier run with steps left
            Path(folder, "progress.gif").unlink(missing_ok=True)
    for path in Path(folder, SHEETS).glob("*.png"):
        if SHEET.fullmatch(path.name) and path.name not in written:
            path.unlink()


def _write_answers(folder, group, answers, sheet):
    """A sheet with a face a row: what went in, what came out, every answer, and where they differ; returns its name."""
    columns = ["original.png", "masked.png", "completed.png", *answers]
    pictures = [Path(folder, face["name"], file) for face in group for file in columns]
    write_sheet(Path(folder, SHEETS, sheet), pictures, len(columns))
    return sheet


def write_page(folder, finished, settings):
    """Write report.html: what went in, what came out, and the way there, of the first REPORT_FACES faces."""
    def row(face):
        pictures = {Path(file).stem: helpers.read_photo(Path(folder, face["name"], file)).pixels
                    for file in face["files"] if file != RESTORED}
        steps = {int(step): pictures.pop(step) for step in list(pictures) if step.isdigit()}
        scores = {"completed": {metric: face.get(metric) for metric in ("hole_psnr", "hole_ssim")}}
        for rank, answer in enumerate(face.get("completions", ()), 1):
            scores[Path(ANSWER.format(rank)).stem] = answer
        note = f"diversity {face['diversity_rms']:.1f}" if "diversity_rms" in face else ""
        return FaceRow(face["name"], pictures, steps, scores, note)

    left_out = f" (the first {REPORT_FACES} of {len(finished)})" if len(finished) > REPORT_FACES else ""
    hole = "own" if settings["mask"] else settings["mask_type"]
    write_report(Path(folder, "report.html"), f"Completed faces{left_out}", {hole: map(row, finished[:REPORT_FACES])},
                 settings=settings)
