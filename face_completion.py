"""Complete aligned faces with a hole.

python face_completion.py processed-data/test/* --out_dir completed
"""
import dataclasses
import hashlib
import itertools
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import helpers
import listing
import records
from command_line import (Parser, Progress, StopRequest, add_inputs, claim_folder, command, gather_inputs, number,
                          printable, say, whole_number)
from completion.inputs import read_face
from completion.masks import MASKS
from completion.recipes import ANSWERS, DRAWS, ITERATES, OPTIMIZERS, PRIORS, RECIPES, describe_recipes
from helpers import BadPhoto, UsageError
from training.description import describe_model

RESULTS, CONFIG, SHEETS, SHEET_FACES = "results.jsonl", "config.json", "grids", 64
REPORT_FACES = 500                                      # of 64 pixels they make a page of some 15 MB


def parse(argv=None):
    """The command line as a namespace."""
    parser = Parser("Complete faces whose hole is unknown, by searching the latent z of a trained DCGAN.")
    add_inputs(parser)
    files = parser.add_argument_group("files")
    files.add_argument("--out_dir", default="completed", metavar="DIR", help="folder for the results")
    files.add_argument("--checkpoint", default="checkpoint/celeba64", metavar="DIR", help="folder of a model or run")
    files.add_argument("--overwrite", action="store_true", help="complete every face anew")
    files.add_argument("--fit", choices=("refuse", "resize", "crop"), default="refuse",
                       help="what to do with a photo that is not of the model's size")
    hole = parser.add_argument_group("hole")
    hole.add_argument("--mask_type", choices=list(MASKS), default="center", help="shape of the hole")
    hole.add_argument("--mask", metavar="HOLE", help="a hole of your own instead: a picture whose white is the hole, a "
                      "folder with one for every face, named alike, alpha for what is transparent, or color:#00ff00")
    hole.add_argument("--invert_mask", action="store_true", help="black is the hole of --mask")
    hole.add_argument("--dilate", type=whole_number(), default=0, metavar="PX", help="pixels by which --mask grows")
    hole.add_argument("--intact", action="store_true",
                      help="the photos are whole under --mask: measure the results against them")
    hole.add_argument("--center_scale", type=number(0.01, 0.49), default=0.25, metavar="S",
                      help="the centre hole reaches from S to 1 - S of the side")
    search = parser.add_argument_group("search (defaults that are not shown come from the recipe)")
    search.add_argument("--recipe", choices=list(RECIPES), default="best", help="named settings; seed is the report's")
    search.add_argument("--list_recipes", action="store_true", help="say what the recipes are, and end")
    search.add_argument("--num_iter", type=whole_number(1), metavar="N", help="updates of z")
    search.add_argument("--learning_rate", type=number(above=0), metavar="RATE", help="of Adam on z")
    search.add_argument("--lam", type=number(0), metavar="L", help="weight of the prior loss")
    search.add_argument("--starts", type=whole_number(1), metavar="N", help="searches a face")
    search.add_argument("--window", type=whole_number(), metavar="N",
                        help="side of the weights' neighbourhood, odd; 0 for none")
    search.add_argument("--prior", choices=PRIORS, help="form of the prior loss")
    search.add_argument("--optimizer", choices=OPTIMIZERS, help="of z")
    search.add_argument("--decay", type=number(0, 1), metavar="F", help="factor of the learning rate every 100 updates")
    search.add_argument("--pool", type=whole_number(), metavar="N",
                        help="latents among which the starts are chosen by their context loss, 0 to draw the starts")
    search.add_argument("--draw", choices=DRAWS, help="where drawn starts come from")
    search.add_argument("--iterate", choices=ITERATES, help="the z that counts: the last, or that of the smallest loss")
    search.add_argument("--answer", choices=ANSWERS, help="of several starts: the best by context loss, or their mean")
    search.add_argument("--blend", choices=("poisson", "none"), help="how the guess is put into the hole")
    search.add_argument("--out_interval", type=whole_number(1), default=50, metavar="N",
                        help="updates between the pictures that are written")
    search.add_argument("--batch_size", type=whole_number(1), default=64, metavar="N", help="faces at a time")
    search.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides starts and random holes")
    search.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where to search")
    return parser.parse_intermixed_args(argv)


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    options = parse(argv)
    if options.list_recipes:
        for line in describe_recipes():
            say(line)
        return 0
    recipe, options.holes = choose_recipe(options), make_holes(options)
    sources, failures = gather_inputs(options, exclude=options.out_dir)
    names = listing.output_names(sources, reserved=(SHEETS,))
    settings = describe(options, recipe)
    with claim_folder(options.out_dir), StopRequest() as stop:
        check_same_settings(options, settings)
        done = {} if options.overwrite else find_done(options.out_dir, digest(settings))
        tasks = [(source.path, name) for source, name in zip(sources, names)
                 if done.get(name) != (source.path, *listing.fingerprint(source.path))]
        failed = 0
        with records.RecordFile(Path(options.out_dir, RESULTS)) as results:
            for path, problem in failures:
                report_failure(results, path, path, problem)
            if tasks:
                helpers.write_json(Path(options.out_dir, CONFIG), settings)
                failed = complete_all(tasks, options, recipe, digest(settings), results, stop)
        records.compact(Path(options.out_dir, RESULTS), "name")
        finished = read_finished(options.out_dir, names)
        if tasks:
            write_sheets(options.out_dir, finished)
            write_page(options.out_dir, finished, settings)
    return summarize(options.out_dir, finished, len(tasks) - failed, failed + len(failures), len(names) - len(tasks))


def choose_recipe(options):
    """The recipe of that name with what the command line sets otherwise."""
    given = {field.name: getattr(options, field.name, None) for field in dataclasses.fields(RECIPES[options.recipe])}
    recipe = dataclasses.replace(RECIPES[options.recipe], **{k: v for k, v in given.items() if v is not None})
    if recipe.window and not recipe.window % 2:
        raise UsageError(f"--window {recipe.window} has no middle: choose an odd number")
    if 0 < recipe.pool < recipe.starts:
        raise UsageError(f"a pool of {recipe.pool} latents has no {recipe.starts} starts: choose a larger --pool, or 0")
    return recipe


def make_holes(options):
    """The user's own holes, or None."""
    if not options.mask:
        return None
    from completion.holes import Holes
    return Holes(options.mask, invert=options.invert_mask, dilate=options.dilate)


def describe(options, recipe):
    """Everything that decides a face's result, as a JSON record."""
    chosen = {name: getattr(options, name) for name in ("mask_type", "center_scale", "invert_mask", "dilate", "intact",
                                                        "seed", "out_interval", "fit", "checkpoint")}
    mask = options.mask and [options.mask, fingerprint_mask(options.mask)]
    return {"recipe": dataclasses.asdict(recipe), **chosen, "mask": mask, "version": helpers.VERSION,
            **describe_model(options.checkpoint)}


def fingerprint_mask(mask):
    """By which the file or folder of a mask is known again."""
    return listing.fingerprint_folder(mask) if os.path.isdir(mask) else list(listing.fingerprint(mask))


def digest(settings):
    """By what a result's settings are known again; the path of the model does not count, its content does."""
    content = json.dumps({key: value for key, value in settings.items() if key != "checkpoint"}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def check_same_settings(options, settings):
    """Refuse a folder that holds results of other settings, unless they are to be overwritten."""
    old = records.read_json(Path(options.out_dir, CONFIG))
    if not old or options.overwrite:
        return
    if changed := [key for key, value in settings.items() if old.get(key) != value and key != "checkpoint"]:
        raise UsageError(f"{options.out_dir} holds results of other settings ({', '.join(changed)}): choose another "
                         "--out_dir, or replace them with --overwrite")


def find_done(folder, settings):
    """{name: (source, size, time of change)} of the faces whose every output is there, whole, by these settings."""
    done = {}
    for record in records.read_records(Path(folder, RESULTS)):
        done.pop(record["name"], None)
        files = {Path(folder, record["name"], file): size for file, size in record.get("files", {}).items()}
        if record.get("settings") == settings and all(size == file_size(path) for path, size in files.items()):
            done[record["name"]] = (record["source"], *record["fingerprint"])
    return done


def file_size(path):
    """Bytes of a file, None if there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def complete_all(tasks, options, recipe, settings, results, stop):
    """Complete every task, a batch at a time; returns how many failed. `settings` is recorded with every face."""
    from training import checkpoint, devices            # first, for it imports TensorFlow quietly
    from completion.search import Search

    devices.use_device(options.device)
    dcgan, _ = checkpoint.load_model(options.checkpoint)
    devices.check_memory(min(options.batch_size, len(tasks)) * recipe.starts, dcgan.architecture)
    search = Search(dcgan.generate, dcgan.realism, dcgan.architecture.z_dim, recipe, options.seed)
    failed = 0
    with Progress(len(tasks) * recipe.num_iter, "face-iterations") as progress:
        for batch, problems in read_batches(tasks, options, dcgan.architecture.image_size):
            for (path, name), problem in problems:
                report_failure(results, path, name, problem)
                failed += 1
            progress.update(len(problems) * recipe.num_iter)
            if batch:
                for record in complete_batch(batch, search, options, progress, stop):
                    results.append(record | {"settings": settings})
    return failed


def read_batches(tasks, options, size):
    """Yield ([Face, ...], [(task, BadPhoto), ...]) for every batch_size tasks, reading no further ahead."""
    tasks, hole = iter(tasks), {"mask": options.mask_type, "seed": options.seed, "fit": options.fit}
    if options.holes:
        hole["holes"] = options.holes
    elif options.mask_type == "center":
        hole["scale"] = options.center_scale
    while chunk := list(itertools.islice(tasks, options.batch_size)):
        batch, problems = [], []
        for path, name in chunk:
            try:
                helpers.within(options.out_dir, os.path.join(name, ""))
                batch.append(read_face(path, name, size, **hole))
            except BadPhoto as problem:
                problems.append(((path, name), problem))
        yield batch, problems


def complete_batch(batch, search, options, progress, stop):
    """Search, blend, write and measure a batch of Faces; returns their records."""
    begun, writer = time.monotonic(), BatchWriter(batch, search.recipe.blend, options.out_dir)
    whole = options.intact or not options.mask          # else there is no truth to measure against

    def on_step(found):
        stop.check()
        progress.update(len(batch) * (found.step - writer.step), context=f"{found.context.mean():.2f}")
        writer.write_step(found)

    found = search(writer.truth, writer.known, [face.seed for face in batch], interval=options.out_interval,
                   on_step=on_step)
    return writer.finish(found, (time.monotonic() - begun) / len(batch), whole)


class BatchWriter:
    """Writes the pictures of a batch of Faces while the search goes on, and their records at its end."""

    def __init__(self, batch, blend, folder):
        from completion.blend import BLENDS
        self.batch, self.folder, self.blend, self.step = batch, folder, BLENDS[blend], 0
        self.pixels, self.known = np.stack([face.pixels for face in batch]), np.stack([face.known for face in batch])
        self.truth, self.files = helpers.to_float(self.pixels), [{} for _ in batch]
        self._write("original.png", self.pixels)
        self._write("masked.png", np.where(self.known[..., None], self.pixels, 255).astype(np.uint8))

    def write_step(self, found):
        """Blend what a search has found so far and write it under its step."""
        blended = helpers.to_uint8(self.blend(self.truth, found.guess, self.known))
        self.completed, self.step = np.where(self.known[..., None], self.pixels, blended), found.step
        self._write(f"{found.step:04d}.png", self.completed)

    def finish(self, found, seconds, whole):
        """Write the results, remove the steps of an earlier, longer search, and return a record a face.

        whole : measure the results: what lies under the holes is the truth
        """
        from metrics.images import measure
        self._write("completed.png", self.completed)
        for face, files in zip(self.batch, self.files):
            remove_others(Path(self.folder, face.name), "[0-9]*.png", files)
        return [{"name": face.name, "source": face.source, "status": "done", "iterations": found.step,
                 "context_loss": float(found.context[i]), "prior_loss": float(found.prior[i]), "seed": face.seed,
                 "seconds": round(seconds, 4),
                 **(measure(face.pixels, self.completed[i], face.known) if whole else {}),
                 "notes": face.notes, "fingerprint": face.fingerprint, "files": self.files[i]}
                for i, face in enumerate(self.batch)]

    def _write(self, name, pictures):
        for face, picture, files in zip(self.batch, pictures, self.files):
            files[name] = helpers.write_picture(Path(self.folder, face.name, name), picture)


def remove_others(folder, pattern, names):
    """Remove what an earlier run left: files of this pattern that are not among `names`."""
    for path in folder.glob(pattern):
        if path.name not in names:
            path.unlink()


def report_failure(results, path, name, problem):
    """Record an input that could not be used, and say why."""
    results.append({"name": name, "source": path, "status": "failed", "reason": problem.reason,
                    "detail": problem.detail})
    print(printable(f"failed: {path}: {problem}"), file=sys.stderr, flush=True)


def read_finished(folder, names):
    """The records of what is finished, in the order of the names."""
    done = {record["name"]: record for record in records.read_records(Path(folder, RESULTS))
            if record["status"] == "done"}
    return [done[name] for name in names if name in done]


def write_sheets(folder, finished):
    """Tile what is finished, 64 faces a sheet, and animate the first sheet over the iterations."""
    from reports.figures import write_gif, write_sheet

    written = set()
    for sheet_number, first in enumerate(range(0, len(finished), SHEET_FACES)):
        group, sheets = finished[first:first + SHEET_FACES], {}
        for file in sorted(group[0]["files"]):
            sheet = f"{Path(file).stem}_{sheet_number:03d}.png"
            pictures = [Path(folder, face["name"], file) for face in group]
            sheets[file] = write_sheet(Path(folder, SHEETS, sheet), pictures)
            written.add(sheet)
        if not first:
            write_gif(Path(folder, "progress.gif"), [sheets["masked.png"]] + [
                sheet for file, sheet in sheets.items() if file[0].isdigit()])
    remove_others(Path(folder, SHEETS), "*.png", written)


def write_page(folder, finished, settings):
    """Write report.html: what went in, what came out, and the way there, of the first REPORT_FACES faces."""
    from reports.page import FaceRow, write_report

    def row(face):
        pictures = {Path(file).stem: helpers.read_photo(Path(folder, face["name"], file)).pixels
                    for file in face["files"]}
        shown = {column: pictures.pop(column) for column in ("original", "masked", "completed")}
        steps = {int(step): picture for step, picture in pictures.items()}
        scores = {"completed": {metric: face.get(metric) for metric in ("hole_psnr", "hole_ssim")}}
        return FaceRow(face["name"], shown, steps, scores)

    left_out = f" (the first {REPORT_FACES} of {len(finished)})" if len(finished) > REPORT_FACES else ""
    hole = "own" if settings["mask"] else settings["mask_type"]
    write_report(Path(folder, "report.html"), f"Completed faces{left_out}", {hole: map(row, finished[:REPORT_FACES])},
                 settings=settings)


def summarize(folder, finished, completed, failed, skipped):
    """Print how it went and what it scored; returns the exit code."""
    scores = {}
    for record in finished:
        for key in ("hole_psnr", "hole_ssim", "image_psnr", "image_ssim"):
            if record.get(key) is not None:
                scores.setdefault(key, []).append(record[key])
    say(f"{completed} completed, {skipped} skipped (done before), {failed} failed; results in {folder}")
    for where in ("hole", "image"):
        if f"{where}_psnr" in scores:
            psnr, ssim = scores[f"{where}_psnr"], scores[f"{where}_ssim"]
            say(f"{where}: PSNR {sum(psnr) / len(psnr):.2f} dB, SSIM {sum(ssim) / len(ssim):.3f} "
                f"(mean of {len(ssim)} faces)")
    return helpers.SOME_FAILED if failed else 0


if __name__ == "__main__":
    sys.exit(main())
