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
from evaluation.comparison import compare
from evaluation.folder import DESCRIPTORS, RESULTS, SEARCHES, find_done, pack_descriptor, picture_of, read_descriptors
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
    out = Path(options.out_dir)
    for path, problem in failures:
        warn(f"{path}: {problem.reason} ({problem.detail})")
    with claim_folder(out), StopRequest() as stop:
        settings = check_settings(out, options)
        wanted = set(itertools.product(faces, options.masks, options.methods))
        missing = wanted - find_done(out)
        failed = len(failures)
        if missing:
            search_all(sorted(key[:2] for key in missing if key[2] == "latent"), faces, options, settings, stop)
            failed += measure_all(missing, faces, options, settings, stop)
            stop.check()
        if missing or not (out / "report.html").exists():
            conclude(out, faces, options)
    print((out / "summary.txt").read_text(), end="")
    say(f"{len(missing)} results computed, {len(wanted) - len(missing)} were there; report in {out / 'report.html'}")
    return helpers.SOME_FAILED if failed else 0


def check_settings(out, options):
    """What all results of a folder have in common; refuses a folder with others."""
    settings = {"seed": options.seed, "recipe": options.recipe, "model": None, "image_size": 64,
                "train_faces": options.train_faces, "version": helpers.VERSION}
    if "latent" in options.methods:
        settings |= describe_model(options.checkpoint)
    path = out / "config.json"
    old = records.read_json(path)
    given = {key: value for key, value in settings.items() if value is not None}
    if changed := [key for key, value in given.items() if old.get(key) not in (value, None)]:
        raise UsageError(f"{out} holds results of other settings ({', '.join(changed)}): choose another --out_dir")
    helpers.write_json(path, old | given)
    return settings


def search_all(keys, faces, options, settings, stop):
    """Run the latent search for every (face, mask), write the pictures and what they cost."""
    keys = [key for key in keys if not (Path(options.out_dir) / picture_of(*key, "latent")).exists()]
    if not keys:
        return
    from completion.blend import BLENDS
    from training import checkpoint, devices            # first, for it imports TensorFlow quietly
    from completion.search import Search
    devices.use_device("auto")
    dcgan, _ = checkpoint.load_model(options.checkpoint)
    recipe = RECIPES[options.recipe]
    search = Search(dcgan.generate, dcgan.realism, dcgan.architecture.z_dim, recipe, options.seed)
    out, by_mask = Path(options.out_dir), itertools.groupby(sorted(keys, key=lambda key: key[1]), lambda key: key[1])
    with records.RecordFile(out / SEARCHES) as journal, Progress(len(keys), "searches") as progress:
        for mask, group in by_mask:
            names = [name for name, _ in group]
            for first in range(0, len(names), options.batch_size):
                stop.check()
                batch = list(readable(names[first:first + options.batch_size], mask, faces, options, settings))
                if batch:
                    search_batch(batch, mask, search, BLENDS[recipe.blend], out, journal)
                progress.update(len(names[first:first + options.batch_size]))


def readable(names, mask, faces, options, settings):
    """The faces of a batch that can be read; the others fail where they are measured."""
    for name in names:
        try:
            yield read_face(faces[name], name, settings["image_size"], mask=mask, seed=options.seed)
        except BadPhoto:
            continue


def search_batch(batch, mask, search, blend, out, journal):
    """Complete a batch of Faces; write each result and a strip of its iterations."""
    pixels, known = np.stack([face.pixels for face in batch]), np.stack([face.known for face in batch])
    truth, frames, begun = helpers.to_float(pixels), [], time.monotonic()

    def on_step(found):
        blended = helpers.to_uint8(blend(truth, found.guess, known))
        frames.append((found.step, np.where(known[..., None], pixels, blended)))

    found = search(truth, known, [face.seed for face in batch], interval=50, on_step=on_step)
    seconds = (time.monotonic() - begun) / len(batch)
    for index, face in enumerate(batch):
        strip = np.concatenate([frame[index] for _, frame in frames], axis=1)
        helpers.write_picture(out / picture_of(face.name, mask, "latent", ".steps"), strip)
        helpers.write_picture(out / picture_of(face.name, mask, "latent"), frames[-1][1][index])
        journal.append({"face": face.name, "mask": mask, "seconds": seconds, "steps": [step for step, _ in frames],
                        "context_loss": float(found.context[index]), "prior_loss": float(found.prior[index])})


def measure_all(missing, faces, options, settings, stop):
    """Fill by the classical methods and measure everything that is missing; returns how many faces failed."""
    from evaluation import worker
    out, failed = Path(options.out_dir), 0
    costs = {(record["face"], record["mask"]): {key: record[key] for key in ("seconds", "context_loss", "prior_loss")}
             for record in records.read_records(out / SEARCHES)}
    tasks = [(name, faces[name], sorted(key[1:] for key in group)) for name, group in
             itertools.groupby(sorted(missing), key=lambda key: key[0])]
    methods = sorted({key[2] for key in missing})
    arguments = str(out), settings["image_size"], options.seed, options.train_faces, methods
    with (records.RecordFile(out / RESULTS) as results, records.RecordFile(out / DESCRIPTORS) as descriptors,
          Progress(len(tasks), "faces") as progress):
        for (name, source, _), measured in map_surviving(worker.measure_face, tasks, min(options.jobs, len(tasks)),
                                                         worker.prepare, arguments, lambda: bool(stop)):
            progress.update()
            if isinstance(measured, UsageError):
                raise measured
            if isinstance(measured, (BadPhoto, WorkerDied)):
                failed += 1
                print(printable(f"failed: {source}: {measured}"), file=sys.stderr, flush=True)
                continue
            for (mask, method), descriptor in measured[1].items():
                descriptors.append(pack_descriptor(name, mask, method, descriptor))
            for record in measured[0]:
                results.append(record | (costs[name, record["mask"]] if record["method"] == "latent" else {}))
    return failed


def conclude(out, faces, options):
    """Write the summary as JSON, CSV and text, the report and the figure."""
    from evaluation.pictures import write_pictures
    from evaluation.summary import as_csv, as_table, read_measured, summarize
    groups, descriptors = read_measured(out, faces, options.masks, options.methods), read_descriptors(out)
    summary = [summarize(out, key, measured, faces, descriptors, options.seed) for key, measured in groups.items()]
    helpers.write_json(out / "summary.json", {"seed": options.seed, "rows": summary})
    helpers.write_file(out / "summary.csv", as_csv(summary).encode())
    helpers.write_file(out / "summary.txt", as_table(summary).encode())
    write_pictures(out, faces, groups, summary, records.read_json(out / "config.json"), options.report_faces)


if __name__ == "__main__":
    sys.exit(main())
