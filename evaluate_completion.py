"""Measure methods on holes: every method, every mask, every face.

python evaluate_completion.py processed-data/validation/ --methods latent laplace --masks center half --limit 1000
"""
import dataclasses
import hashlib
import itertools
import os
import sys
import time
from pathlib import Path

import numpy as np

import helpers
from completion.face import find_size, read_face
from completion.masks import MASKS
from completion.recipes import RECIPES
from dataset.listing import fingerprint_folder
from evaluation.comparison import compare
from evaluation.evaluated_folder import RESULTS, SEARCHES, DescriptorFiles, find_completed, find_done, picture_of
from helpers import BadPhoto, RecordFile, UsageError, file_stamp, read_json
from methods import CLASSICAL, NEED_FACES
from methods.recipe_choice import pin_saves, settle_recipe
from metrics.distributions import SMALLEST
from models import LEARNED, SHIPPED
from preprocess import dlib_models
from shell.command import command
from shell.lock import claim_folder
from shell.messages import report_failure, say, warn
from shell.options import Parser, add_inputs, whole_number
from shell.processes import map_surviving
from shell.progress import Progress
from shell.signals import StopRequest
from shell.sources import gather_inputs, output_names
from training.manifest import describe_model


def parse(argv=None):
    """The command line as a namespace."""
    parser = Parser("Complete faces by many methods under many holes, and measure every result against the truth.")
    add_inputs(parser)
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"), help="test two finished evaluations face by face")
    what = parser.add_argument_group("what is measured")
    what.add_argument("--methods", nargs="+", choices=("latent", *CLASSICAL, *LEARNED), default=["latent", "laplace"],
                      help="how to fill")
    what.add_argument("--masks", nargs="+", choices=list(MASKS), default=["center"], help="what to fill")
    what.add_argument("--limit", type=whole_number(1), metavar="N", help="only the first N faces")
    what.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides drawn holes and starts")
    what.add_argument("--train_faces", metavar="DIR", help="aligned faces for mean_face and nearest")
    what.add_argument("--checkpoint", default="checkpoint/celeba64", metavar="DIR", help="model of the latent search")
    what.add_argument("--learned", default=SHIPPED, metavar="DIR", help="learned models: DIR/vae and so on")
    what.add_argument("--recipe", choices=list(RECIPES),
                      help="settings of the latent search (best, or pool if there is no encoder)")
    what.add_argument("--encoder", metavar="DIR", help="where the search begins, for recipes that search activations "
                      "(CHECKPOINT-learned/latent_encoder)")
    parser.set_defaults(model="dcgan")
    how = parser.add_argument_group("how")
    how.add_argument("--out_dir", default="evaluation", metavar="DIR", help="folder for the results")
    how.add_argument("--batch_size", type=whole_number(1), default=64, metavar="N", help="faces searched at a time")
    how.add_argument("--jobs", type=whole_number(1), default=os.cpu_count(), metavar="N", help="processes")
    how.add_argument("--report_faces", type=whole_number(1), default=60, metavar="N", help="faces a mask in the report")
    return parser.parse_intermixed_args(argv)


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    options = parse(argv)
    if options.compare:
        for line in compare(*options.compare):
            say(line)
        return 0
    if set(options.methods) & set(NEED_FACES) and not options.train_faces:
        raise UsageError(f"{' and '.join(NEED_FACES)} need --train_faces DIR")
    sources, failures = gather_inputs(options, exclude=options.out_dir)
    faces = dict(zip(output_names(sources), (source.path for source in sources)))
    faces = dict(itertools.islice(faces.items(), options.limit))
    out, stamps = Path(options.out_dir), {name: file_stamp(path) for name, path in faces.items()}
    for path, problem in failures:
        warn(f"{path}: {problem}")
    with claim_folder(out), StopRequest() as stop:
        settings = check_settings(out, faces, options)
        wanted = set(itertools.product(faces, options.masks, options.methods))
        missing = wanted - find_done(out, stamps)
        failed = len(failures)
        if missing:
            check_methods(settings, options)
            complete_all([key for key in missing if key[2] in ("latent", *LEARNED)], faces, stamps, options, settings,
                         stop)
            failed += measure_all(missing, faces, stamps, options, settings, stop)
            stop.check()
        conclude(out, faces, stamps, options)
        computed = len(missing & find_done(out, stamps)) if missing else 0
    for line in (out / "summary.txt").read_text().splitlines():
        say(line)
    say(f"{computed} results computed, {len(wanted) - len(missing)} were there, {len(missing) - computed} failed; "
        f"report in {out / 'report.html'}")
    return helpers.SOME_FAILED if failed else 0


def check_settings(out, faces, options):
    """What all results of a folder have in common; refuses a folder with others."""
    path = out / "config.json"
    old = read_json(path)
    settings = {"seed": options.seed, "version": helpers.VERSION}
    if "latent" in options.methods:
        recipe, options.encoder = settle_recipe(options, RECIPES.get, say)
        pin_saves(options, warn)
        settings |= {"recipe": dataclasses.asdict(recipe), **describe_model(options.checkpoint)}
        settings["encoder"] = options.encoder and describe_model(options.encoder)["model"]
    learned = {kind: describe_model(Path(options.learned, kind), warn)
               for kind in {LEARNED[name] for name in options.methods if name in LEARNED}}
    settings |= {kind: model["model"] for kind, model in sorted(learned.items())}
    if set(options.methods) & set(NEED_FACES):
        settings["train_faces"] = fingerprint_folder(options.train_faces)
    if changed := [key for key, value in settings.items() if old.get(key, value) != value]:
        raise UsageError(f"{out} holds results of other settings ({', '.join(changed)}): choose another --out_dir")
    size = old.get("image_size") or find_size(faces.values())
    if not size or size < SMALLEST:
        raise UsageError(f"no face of {SMALLEST} pixels or more a side can be read", helpers.NO_INPUT)
    settings = {**old, **settings, "image_size": size}
    for kind, model in learned.items():
        if model["image_size"] != settings["image_size"]:
            raise UsageError(f"{options.learned}/{kind} fills faces of {model['image_size']} pixels a side, these have "
                             f"{settings['image_size']}")
    helpers.write_json(path, settings)
    return settings


def check_methods(settings, options):
    """Raise UsageError before any work if a method lacks its library or its faces, or the metrics their model."""
    from methods.classical import make_fills
    dlib_models.checked(dlib_models.DESCRIPTOR)
    make_fills(settings["image_size"], options.train_faces, options.methods)


def complete_all(keys, faces, stamps, options, settings, stop):
    """Complete every (face, mask, method) by the methods that take batches; write the pictures and what they cost."""
    there = find_completed(Path(options.out_dir), stamps)
    keys = sorted((key for key in keys if key not in there), key=lambda key: (key[2], key[1], key[0]))
    if not keys:
        return
    with RecordFile(Path(options.out_dir, SEARCHES)) as journal, Progress(len(keys), "completions") as progress:
        for name, of_method in itertools.groupby(keys, key=lambda key: key[2]):
            method = make_method(name, options, stop.check)
            for mask, group in itertools.groupby(of_method, key=lambda key: key[1]):
                while chunk := [face for face, *_ in itertools.islice(group, options.batch_size)]:
                    if batch := list(readable(chunk, mask, faces, options, settings)):
                        complete_batch(batch, mask, name, method, Path(options.out_dir), journal, stop)
                    progress.update(len(chunk))


def make_method(name, options, check):
    """A method that takes batches, as methods.table has it."""
    if name == "latent":
        from methods.latent_search import LatentSearch
        return LatentSearch(options.checkpoint, RECIPES[options.recipe], options.seed, interval=50,
                            batch_size=options.batch_size, encoder=options.encoder, check=check)
    from methods.table import make_learned
    return make_learned(name, Path(options.learned, LEARNED[name]), check, batch_size=options.batch_size,
                        seed=options.seed)


def readable(names, mask, faces, options, settings):
    """The faces of a batch that can be read; the others fail where they are measured."""
    for name in names:
        try:
            yield read_face(faces[name], name, settings["image_size"], mask=mask, seed=options.seed)
        except BadPhoto:
            continue


def complete_batch(batch, mask, name, method, out, journal, stop):
    """Complete a batch of Faces; write each one's result, a strip of the steps to it if it has any, and its cost."""
    pixels, known = np.stack([face.pixels for face in batch]), np.stack([face.known for face in batch])
    truth, frames, begun = helpers.to_float(pixels), [], time.monotonic()

    def pasted(completed):
        return np.where(known[..., None], pixels, helpers.to_uint8(completed))

    def on_step(step, completed, **_):
        stop.check()
        frames.append((step, pasted(completed)))

    outcome = method(truth, known, [face.seed for face in batch], on_step)
    stop.check()
    results, seconds = pasted(outcome.faces), (time.monotonic() - begun) / len(batch)
    for index, face in enumerate(batch):
        if frames:
            strip = np.concatenate([frame[index] for _, frame in frames], axis=1)
            helpers.write_picture(out / picture_of(face.name, mask, name, ".steps"), strip)
        journal.append({"face": face.name, "mask": mask, "method": name, "fingerprint": face.stamp,
                        "seconds": seconds, "steps": [step for step, _ in frames], **outcome.records[index]})
        helpers.write_picture(out / picture_of(face.name, mask, name), results[index])


def measure_all(missing, faces, stamps, options, settings, stop):
    """Fill by the classical methods and measure everything that is missing; returns how many faces failed."""
    from evaluation import measuring
    out, failed = Path(options.out_dir), 0
    costs = {key: {name: record[name] for name in ("seconds", "context_loss", "prior_loss") if name in record}
             for key, record in find_completed(out, stamps).items()}
    tasks = [(name, faces[name], sorted(key[1:] for key in group)) for name, group in
             itertools.groupby(sorted(missing), key=lambda key: key[0])]
    methods, descriptors = sorted({key[2] for key in missing}), DescriptorFiles(out)
    arguments = (str(out), settings["image_size"], options.seed, options.train_faces, methods,
                 str(dlib_models.checked(dlib_models.DESCRIPTOR)))
    with RecordFile(out / RESULTS) as results, Progress(len(tasks), "faces") as progress:
        for (name, source, _), measured in map_surviving(measuring.measure_face, tasks, min(options.jobs, len(tasks)),
                                                         measuring.prepare, arguments, stop.check):
            progress.update()
            if isinstance(measured, BadPhoto):
                failed += 1
                report_failure(source, measured)
                continue
            for key, descriptor in measured[1].items():
                descriptors.append(name, key, descriptor)
            for record in measured[0]:
                results.append(record | costs.get((name, record["mask"], record["method"]), {}))
    return failed


def conclude(out, faces, stamps, options):
    """Write the summary as JSON, CSV and text, the report and the figure, unless they are there for these results."""
    from evaluation.pictures import write_pictures
    from evaluation.tables import as_csv, as_table, read_measured, summarize
    asked = {"faces": hashlib.sha256(repr(sorted(stamps.items())).encode()).hexdigest(), "masks": options.masks,
             "methods": options.methods, "report_faces": options.report_faces,
             "results": file_stamp(out / RESULTS)[0]}
    files = [out / name for name in ("summary.csv", "summary.txt", "report.html", "figure.png")]
    if read_json(out / "summary.json").get("asked") == asked and all(path.exists() for path in files):
        return
    groups = read_measured(out, stamps, options.masks, options.methods)
    if not groups:
        raise UsageError("no face could be measured", helpers.NO_INPUT)
    summary = [summarize(out, key, measured, faces, options.seed) for key, measured in groups.items()]
    helpers.write_file(out / "summary.csv", as_csv(summary).encode())
    helpers.write_file(out / "summary.txt", as_table(summary).encode())
    write_pictures(out, faces, groups, summary, read_json(out / "config.json"), options.report_faces)
    helpers.write_json(out / "summary.json", {"asked": asked, "seed": options.seed, "rows": summary})


if __name__ == "__main__":
    sys.exit(main())
