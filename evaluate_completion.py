"""Complete faces by many methods under many holes, and measure every result against the truth.

python evaluate_completion.py processed-data/validation/ --methods latent laplace --masks center half --limit 1000
python evaluate_completion.py --compare measured/ another/
"""
import dataclasses
import hashlib
import itertools
import os
import sys

import helpers
from completion.face import FaceReader
from completion.holes import StandardHoles
from completion.masks import MASKS
from completion.reading import read_batches
from evaluation.comparison import compare
from evaluation.evaluated_folder import RESULTS, EvaluatedFolder, Recorder
from helpers import BadPhoto, UsageError, file_stamp, read_json
from methods import CLASSICAL, LEARNED, METHODS, NEED_FACES, method_options
from models import shipped
from preprocess import dlib_models
from shell.command import command
from shell.messages import report_failure, say, warn
from shell.options import Parser, add_inputs, output_path, whole_number
from shell.processes import map_surviving
from shell.progress import Progress
from shell.signals import StopRequest
from shell.sources import find_inputs, output_names
from training.manifest import describe_model

AT_ONCE = 8                                             # faces that a process fills by a classical method


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is measured, and where: the options of these names."""
    masks: list
    limit: int | None
    seed: int
    report_faces: int
    figure_masks: list | None
    figure_methods: list | None
    out_dir: str
    jobs: int
    scheduler: str | None


def make_parser():
    """The options."""
    parser = Parser(__doc__)
    add_inputs(parser)
    what = parser.add_argument_group("what one needs first")
    what.add_argument("--methods", nargs="+", choices=METHODS, default=["latent", "laplace"],
                      help="how to fill")
    what.add_argument("--masks", nargs="+", choices=list(MASKS), default=["center"], help="what to fill")
    what.add_argument("--limit", type=whole_number(1), metavar="N", help="only the first N faces")
    what.add_argument("--out_dir", type=output_path, default="measured", metavar="DIR", help="folder for the results")
    what.add_argument("--compare", nargs=2, metavar=("A", "B"), help="test two finished evaluations face by face")
    what = parser.add_argument_group("models and faces")
    what.add_argument("--train_faces", metavar="DIR", help=f"aligned faces for {' and '.join(NEED_FACES)}")
    what.add_argument("--checkpoint", metavar="DIR", help="model of the latent search; without it the shipped one of "
                      "--model's kind, such as checkpoint/celeba64")
    what.add_argument("--learned", metavar="DIR", help="learned models: DIR/vae and so on (the shipped ones "
                      "for faces of the size of --checkpoint's)")
    how = parser.add_argument_group("how")
    how.add_argument("--jobs", type=whole_number(1), default=os.cpu_count(), metavar="N", help="processes")
    how.add_argument("--report_faces", type=whole_number(1), default=60, metavar="N", help="faces a mask in the report")
    how.add_argument("--figure_methods", nargs="+", choices=METHODS, metavar="METHOD", help="columns of the figure "
                     "(default: every measured method, the best PSNR in the hole first)")
    how.add_argument("--figure_masks", nargs="+", choices=list(MASKS), metavar="MASK", help="groups of rows of the "
                     "figure (default: every measured mask)")
    method_options.add_method(how)
    method_options.add_search(parser.add_argument_group("search (defaults that are not shown come from the recipe)"))
    return parser


def parse(argv=None):
    """The command line as ((paths, list of paths), Plan, {name: MethodSettings}, two folders to compare or None)."""
    parser = make_parser()
    options = parser.parse_inputs(argv)
    check_options(parser, options)
    if options.compare:
        return None, None, None, options.compare
    plan = Plan(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Plan)})
    methods = {name: method_options.method_settings(options, name, model_folder(options, name))
               for name in options.methods}
    return (options.paths, options.from_file), plan, methods, None


def model_folder(options, name):
    """The folder of a method's model, None for the shipped one."""
    if name not in LEARNED:
        return options.checkpoint
    if options.learned:
        return os.path.join(options.learned, LEARNED[name])
    if options.checkpoint:
        return shipped(LEARNED[name], describe_model(options.checkpoint, (options.model,))["image_size"])
    return None


def check_options(parser, options):
    """End with a usage error if options do not fit the methods or each other."""
    methods, needing = set(options.methods), " and ".join(NEED_FACES)
    if options.compare:
        others = [name for name in vars(options) if name not in ("paths", "compare")]
        parser.refuse_given(options, others, "is of measuring: --compare reads two finished evaluations")
        if options.paths:
            parser.error(f"--compare takes two folders and no photos, got {options.paths[0]}")
    for name in ("methods", "masks"):
        if left := set(getattr(options, f"figure_{name}") or ()) - set(getattr(options, name)):
            parser.error(f"--figure_{name}: {', '.join(sorted(left))} is not in --{name}")
    if "latent" not in methods:
        parser.refuse_given(options, [*method_options.OF_SEARCH, "checkpoint"],
                            "is of the latent search, which is not in --methods")
    if not methods & set(LEARNED):
        parser.refuse_given(options, ["learned"], "is of the learned methods, none of which is in --methods")
    if methods <= set(CLASSICAL):
        parser.refuse_given(options, ["device"], "is of networks, and none of the --methods has one")
    if not methods & set(NEED_FACES):
        parser.refuse_given(options, ["train_faces"], f"is of {needing}, none of which is in --methods")
    elif not options.train_faces:
        raise UsageError(f"{needing} need --train_faces DIR")


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    inputs, plan, methods, compared = parse(argv)
    if compared:
        return say_differences(*compared)
    sources, failures = find_inputs(*inputs, exclude=plan.out_dir)
    named = zip(output_names(sources), (source.path for source in sources))
    faces = dict(itertools.islice(named, plan.limit))
    for path, problem in failures:
        warn(f"{path}: {problem}")
    folder = EvaluatedFolder(plan.out_dir, {name: file_stamp(path) for name, path in faces.items()})
    settings = describe(folder, faces, plan, methods)
    with folder.claim(), StopRequest() as stop:
        folder.check_settings(settings)
        wanted = set(itertools.product(faces, plan.masks, methods))
        with Progress(None, "looking at what is there"):
            missing = wanted - (done := folder.find_done())
            if missing:
                check_libraries(settings["image_size"], methods)
        if missing:
            folder.begin(settings)
            with Recorder(folder, done) as recorder:
                order = plan, methods, settings["image_size"]
                failures += measure_all(missing, faces, order, recorder, check=stop.check)
            missing -= folder.find_done()
        with Progress(None, "writing tables, report and figure"):
            conclude(folder, faces, plan, methods, [(str(path), str(problem)) for path, problem in failures])
    for line in helpers.read_bytes(folder.path / "summary.txt").decode().splitlines():
        say(line)
    before, photos = len(wanted & done), f"{len(failures)} photo{'s' * (len(failures) != 1)}"
    say(f"{len(wanted) - before - len(missing)} results computed, {before} were there, {photos} failed; "
        f"report in {folder.path / 'report.html'}")
    return helpers.SOME_FAILED if failures else 0


def say_differences(first, second):
    """Compare two finished evaluations; returns the exit code."""
    doubts = []
    lines = list(compare(first, second, doubts.append))
    for doubt in doubts:
        warn(doubt)
    for line in lines:
        say(line)
    return helpers.SOME_FAILED if doubts else 0


def describe(folder, faces, plan, methods):
    """What all results of a folder have in common, as a JSON record.

    Raises UsageError if a model is missing, or completes faces of another size than these have.
    """
    size = folder.find_size(faces.values())
    record = {"seed": plan.seed, "version": helpers.VERSION, "image_size": size}
    for name, settings in methods.items():
        described = settings.describe()
        if described.get("image_size", size) != size:
            raise UsageError(f"{described['checkpoint']} completes faces of {described['image_size']} pixels a side, "
                             f"these have {size}: name one of that size by --checkpoint, such as "
                             f"{shipped('dcgan', size)}")
        if settings.search:
            record |= {"recipe": described["recipe"], "model": described["model"], "encoder": described["encoder"]}
            record |= {"completions": settings.search.completions} if settings.search.completions > 1 else {}
        elif name in LEARNED:
            record[LEARNED[name]] = described["model"]
        else:
            record |= described
    return record


def check_libraries(size, methods):
    """Raise UsageError before any work if a method lacks its library or its faces, or the metrics their model."""
    from methods.classical import make_fills
    train_faces = [settings.train_faces for settings in methods.values() if settings.train_faces]
    make_fills(size, next(iter(train_faces), None), [name for name in methods if name in CLASSICAL])
    dlib_models.checked(dlib_models.DESCRIPTOR)


def measure_all(missing, faces, order, recorder, check):
    """Complete what is missing, by one method after the other, and measure it.

    Returns [(path, BadPhoto)] of the faces that failed, each once.

    missing : {(face, mask, method)}; faces : {name: path}
    order : (Plan, {name: MethodSettings}, side of the faces)
    """
    from evaluation import measuring
    (plan, methods, _), failed, frames = order, {}, {}

    def fail(source, name, problem):
        if name not in failed:
            report_failure(source, problem)
            failed[name] = source, problem

    def results():
        for name, settings in methods.items():
            if not plan.scheduler:
                method_options.warn_if_slow(settings)
            for face, result in complete_missing(missing, faces, settings, order, frames=frames, fail=fail,
                                                 check=check):
                if isinstance(result, BadPhoto):
                    fail(face.source, face.name, result)
                    continue
                result = measuring.Result(face, name, result, recorder.truths.get(face.name))
                recorder.folder.write_completed(result, frames.get((face.name, face.mask, name), ()))
                yield result

    path, keys = str(dlib_models.checked(dlib_models.DESCRIPTOR)), len(missing)
    with Progress(keys, "results") as progress:
        for result, numbers in map_surviving(measuring.measure_result, results(), min(plan.jobs, keys),
                                             measuring.prepare, arguments=(path,), check=check):
            progress.update()
            if isinstance(numbers, BadPhoto):
                fail(result.face.source, result.face.name, numbers)
            else:
                recorder.record(result, frames.pop((result.face.name, result.face.mask, result.method), ()), *numbers)
    return list(failed.values())


def complete_missing(missing, faces, settings, order, frames, fail, check):
    """Yield (MaskedFace, CompletedFace or BadPhoto) for all that one method has to complete.

    frames : {(face, mask, method): [(step, picture)]}, to which the steps of a search are added
    """
    from evaluation.measuring import MaskedFace
    from methods.batches import complete_batches
    plan, _, size = order
    batch_size = settings.batch_size if settings.has_network else min(settings.batch_size, AT_ONCE)

    def batches():
        for mask in plan.masks:
            read = FaceReader(StandardHoles(mask, plan.seed), size, plan.seed)
            tasks = [(path, name) for name, path in faces.items() if (name, mask, settings.name) in missing]
            yield from read_batches(tasks, lambda source, name, mask=mask, read=read:
                                    [MaskedFace(**vars(read(source, name)), mask=mask)], batch_size, fail, check=check)

    def on_step(batch, step, pixels, **figures):
        for face, picture in zip(batch, pixels):
            frames.setdefault((face.name, face.mask, settings.name), []).append((step, picture))

    return complete_batches(batches(), {size: settings}, scheduler=plan.scheduler, jobs=plan.jobs, check=check,
                            on_step=on_step)


def conclude(folder, faces, plan, methods, failures):
    """Write the summary as JSON, CSV and text, the report and the figure, unless they are there for these results.

    failures : [(path, reason)], which the report names
    """
    from evaluation import tables
    from evaluation.report import FIGURE, write_figure, write_page
    out, shown = folder.path, (plan.figure_masks, plan.figure_methods)
    asked = {"faces": hashlib.sha256(repr(sorted(folder.stamps.items())).encode()).hexdigest(),
             "masks": plan.masks, "methods": list(methods), "report_faces": plan.report_faces, "figure": list(shown),
             "results": file_stamp(out / RESULTS)[0],
             "failures": hashlib.sha256(repr(failures).encode()).hexdigest()}
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


if __name__ == "__main__":
    sys.exit(main())
