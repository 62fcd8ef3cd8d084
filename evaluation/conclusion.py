"""What an evaluation leaves for people: summary, report and figure, written again only where results changed."""
import helpers
from helpers import UsageError, digest_record, file_stamp, read_json

from . import tables
from .evaluated_folder import RESULTS
from .report import FIGURE, write_figure, write_page


def conclude(folder, faces, plan, methods, failures):
    """Write the summary as JSON, CSV and text, the report and the figure, unless they are there for these results.

    failures : [(path, reason)], which the report names
    """
    out, shown = folder.path, (plan.figure_masks, plan.figure_methods)
    asked = {"faces": digest_record(sorted(folder.stamps.items())), "masks": plan.masks, "methods": list(methods),
             "report_faces": plan.report_faces, "figure": list(shown), "results": file_stamp(out / RESULTS)[0],
             "failures": digest_record(failures)}
    files = [out / name for name in (*tables.FILES, "report.html", *FIGURE)]
    written = read_json(out / "summary.json")
    if written.get("asked") == asked and written.get("bytes") == [file_stamp(path)[0] for path in files]:
        return
    groups = tables.read_measured(folder, plan.masks, list(methods))
    if not groups:
        raise UsageError("no face could be measured", helpers.NO_INPUT)
    rows = [tables.summarize(out, key, measured, faces, seed=plan.seed) for key, measured in groups.items()]
    summary = tables.mark_best(rows, groups)
    for name, write in tables.FILES.items():
        helpers.write_file(out / name, write(summary).encode())
    write_page(folder, faces, groups, summary, shown=plan.report_faces, failures=failures)
    write_figure(folder, faces, groups, *shown)
    helpers.write_json(out / "summary.json", {"asked": asked, "seed": plan.seed, "rows": summary,
                                              "bytes": [file_stamp(path)[0] for path in files]})
