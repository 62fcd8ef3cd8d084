"""Measure methods on holes: every method, every mask, every face.

python evaluate_completion.py processed-data/validation/ --methods latent laplace --masks center half --limit 1000
"""
import itertools
import os
import sys
import time
from pathlib import Path

import numpy as np

import helpers
import listing
import records
from command_line import (Parser, Progress, StopRequest, add_inputs, claim_folder, command, gather_inputs, printable,
                          say, warn, whole_number)
from completion.inputs import read_face
from completion.masks import MASKS
from completion.recipes import RECIPES
from measuring.comparison import compare
from measuring.folder import RESULTS, SEARCHES, DescriptorFiles, digest, find_done, find_searched, picture_of
from helpers import BadPhoto, UsageError
from preprocess.workers import WorkerDied, map_surviving
from training.description import describe_model

METHODS = ("latent", "laplace", "total_variation", "low_rank", "patchmatch", "telea", "navier_stokes", "biharmonic",
           "mean_face", "nearest")
NEED_FACES = ("mean_face", "nearest")


def parse(argv=None):
    """The command line as a namespace."""
    parser = Parser("Complete faces by many methods under many holes, and measure every result against the truth.")
    add_inputs(parser)
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"), help="test two finished evaluations face by face")
    what = parser.add_argument_group("what is measured")
    what.add_argument("--methods", nargs="+", choices=METHODS, default=["latent", "laplace"], help="how to fill")
    what.add_argument("--masks", nargs="+", choices=list(MASKS), default=["center"], help="what to fill")
    what.add_argument("--limit", type=whole_number(1), metavar="N", help="only the first N faces")
    what.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides drawn holes and starts")
    what.add_argument("--train_faces", metavar="DIR", help="aligned faces for mean_face and nearest")
    what.add_argument("--checkpoint", default="checkpoint/celeba64", metavar="DIR", help="model of the latent search")
    what.add_argument("--recipe", choices=list(RECIPES), default="best", help="settings of the latent search")
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
    faces = dict(zip(listing.output_names(sources), (source.path for source in sources)))
    faces = dict(itertools.islice(faces.items(), options.limit))
    out, stamps = Path(options.out_dir), {name: listing.fingerprint(path) for name, path in faces.items()}
    for path, problem in failures:
        warn(f"{path}: {problem}")
    with claim_folder(out), StopRequest() as stop:
        settings = check_settings(out, faces, options)
        wanted = set(itertools.product(faces, options.masks, options.methods))
        missing = wanted - find_done(out, stamps)
        failed = len(failures)
        if missing:
            check_methods(settings, options)
            search_all(sorted(key[:2] for key in missing if key[2] == "latent"), faces, stamps, options, settings, stop)
            failed += measure_all(missing, faces, stamps, options, settings, stop)
            stop.check()
        conclude(out, faces, options)
        computed = len(missing & find_done(out, stamps)) if missing else 0
    for line in (out / "summary.txt").read_text().splitlines():
        say(line)
    say(f"{computed} results computed, {len(wanted) - len(missing)} were there, {len(missing) - computed} failed; "
        f"report in {out / 'report.html'}")
    return helpers.SOME_FAILED if failed else 0


def check_settings(out, faces, options):
    """What all results of a folder have in common; refuses a folder with others."""
    path = out / "config.json"
    old = records.read_json(path)
    settings = {"seed": options.seed, "version": helpers.VERSION}
    if "latent" in options.methods:
        settings |= {"recipe": options.recipe, **describe_model(options.checkpoint)}
    if set(options.methods) & set(NEED_FACES):
        settings["train_faces"] = listing.fingerprint_folder(options.train_faces)
    if changed := [key for key, value in settings.items() if old.get(key, value) != value]:
        raise UsageError(f"{out} holds results of other settings ({', '.join(changed)}): choose another --out_dir")
    settings = {"image_size": find_size(faces), **old, **settings}
    helpers.write_json(path, settings)
    return settings


def find_size(faces):
    """The side of the first face that can be read."""
    for path in faces.values():
        try:
            return helpers.read_photo(path).pixels.shape[0]
        except BadPhoto:
            continue
    raise UsageError("none of the faces can be read", helpers.NO_INPUT)


def check_methods(settings, options):
    """Raise UsageError before any work if a method lacks its library or its faces, or the metrics their model."""
    from measuring.worker import make_fills
    from metrics.identity import FaceDescriber
    FaceDescriber()
    make_fills(settings["image_size"], options.train_faces, options.methods)


def search_all(keys, faces, stamps, options, settings, stop):
    """Run the latent search for every (face, mask), write the pictures and what they cost."""
    there = find_searched(Path(options.out_dir), stamps)
    keys = [key for key in keys if key not in there]
    if not keys:
        return
    from completion.blend import BLENDS
    from training import checkpoint, devices            # first, for it imports TensorFlow quietly
    from completion.search import Search
    devices.use_device("auto")
    dcgan, _ = checkpoint.load_model(options.checkpoint)
    recipe = RECIPES[options.recipe]
    devices.check_memory(min(options.batch_size, len(keys)) * recipe.starts, dcgan.architecture)
    search = Search(dcgan.generate, dcgan.realism, dcgan.architecture.z_dim, recipe, options.seed)
    out, by_mask = Path(options.out_dir), itertools.groupby(sorted(keys, key=lambda key: key[1]), lambda key: key[1])
    with records.RecordFile(out / SEARCHES) as journal, Progress(len(keys), "searches") as progress:
        for mask, group in by_mask:
            names = [name for name, _ in group]
            for first in range(0, len(names), options.batch_size):
                chunk = names[first:first + options.batch_size]
                if batch := list(readable(chunk, mask, faces, options, settings)):
                    search_batch(batch, mask, search, BLENDS[recipe.blend], out, journal, stop)
                progress.update(len(chunk))


def readable(names, mask, faces, options, settings):
    """The faces of a batch that can be read; the others fail where they are measured."""
    for name in names:
        try:
            yield read_face(faces[name], name, settings["image_size"], mask=mask, seed=options.seed)
        except BadPhoto:
            continue


def search_batch(batch, mask, search, blend, out, journal, stop):
    """Complete a batch of Faces; write a strip of each one's iterations, what it cost, and its result."""
    pixels, known = np.stack([face.pixels for face in batch]), np.stack([face.known for face in batch])
    truth, frames, begun = helpers.to_float(pixels), [], time.monotonic()

    def on_step(found):
        stop.check()
        blended = helpers.to_uint8(blend(truth, found.guess, known))
        frames.append((found.step, np.where(known[..., None], pixels, blended)))

    found = search(truth, known, [face.seed for face in batch], interval=50, on_step=on_step)
    seconds = (time.monotonic() - begun) / len(batch)
    for index, face in enumerate(batch):
        strip = np.concatenate([frame[index] for _, frame in frames], axis=1)
        helpers.write_picture(out / picture_of(face.name, mask, "latent", ".steps"), strip)
        journal.append({"face": face.name, "mask": mask, "fingerprint": face.fingerprint, "seconds": seconds,
                        "steps": [step for step, _ in frames], "context_loss": float(found.context[index]),
                        "prior_loss": float(found.prior[index])})
        helpers.write_picture(out / picture_of(face.name, mask, "latent"), frames[-1][1][index])


def measure_all(missing, faces, stamps, options, settings, stop):
    """Fill by the classical methods and measure everything that is missing; returns how many faces failed."""
    from measuring import worker
    out, failed = Path(options.out_dir), 0
    costs = {key: {name: record[name] for name in ("seconds", "context_loss", "prior_loss")}
             for key, record in find_searched(out, stamps).items()}
    tasks = [(name, faces[name], sorted(key[1:] for key in group)) for name, group in
             itertools.groupby(sorted(missing), key=lambda key: key[0])]
    methods, descriptors = sorted({key[2] for key in missing}), DescriptorFiles(out)
    arguments = str(out), settings["image_size"], options.seed, options.train_faces, methods
    with records.RecordFile(out / RESULTS) as results, Progress(len(tasks), "faces") as progress:
        for (name, source, _), measured in map_surviving(worker.measure_face, tasks, min(options.jobs, len(tasks)),
                                                         worker.prepare, arguments, lambda: bool(stop)):
            progress.update()
            if isinstance(measured, UsageError):
                raise measured
            if isinstance(measured, (BadPhoto, WorkerDied)):
                failed += 1
                print(printable(f"failed: {source}: {measured}"), file=sys.stderr, flush=True)
                continue
            for key, descriptor in measured[1].items():
                descriptors.append(name, key, descriptor)
            for record in measured[0]:
                results.append(record | (costs[name, record["mask"]] if record["method"] == "latent" else {}))
    return failed


def conclude(out, faces, options):
    """Write the summary as JSON, CSV and text, the report and the figure, unless they are there for these results."""
    from measuring.pictures import write_pictures
    from measuring.summary import as_csv, as_table, read_measured, summarize
    asked = {"faces": digest(np.array(list(faces.items()))), "masks": options.masks, "methods": options.methods,
             "report_faces": options.report_faces, "results": listing.fingerprint(out / RESULTS)[0]}
    files = [out / name for name in ("summary.csv", "summary.txt", "report.html", "figure.png")]
    if records.read_json(out / "summary.json").get("asked") == asked and all(path.exists() for path in files):
        return
    groups = read_measured(out, faces, options.masks, options.methods)
    if not groups:
        raise UsageError("no face could be measured", helpers.NO_INPUT)
    summary = [summarize(out, key, measured, faces, options.seed) for key, measured in groups.items()]
    helpers.write_file(out / "summary.csv", as_csv(summary).encode())
    helpers.write_file(out / "summary.txt", as_table(summary).encode())
    write_pictures(out, faces, groups, summary, records.read_json(out / "config.json"), options.report_faces)
    helpers.write_json(out / "summary.json", {"asked": asked, "seed": options.seed, "rows": summary})


if __name__ == "__main__":
    sys.exit(main())
