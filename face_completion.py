"""Complete aligned faces with a hole.

python face_completion.py processed-data/test/* --out_dir completed
python face_completion.py processed-data/test/* --out_dir smooth --method laplace
python face_completion.py portrait.png --paste_back --mask scratches.png --out_dir restored
"""
import contextlib
import dataclasses
import functools
import math
import os
import sys
from argparse import BooleanOptionalAction
from pathlib import Path

import helpers
from completion.face import find_size, take_stamp
from completion.masks import MASKS
from completion.recipes import ANSWERS, BLENDS, DRAWS, ITERATES, OPTIMIZERS, PRIORS, RECIPES, SPACES, describe_recipes
from dataset.listing import fingerprint_folder
from helpers import PRECISIONS, BadPhoto, RecordFile, UsageError, compact, file_stamp
from methods import CLASSICAL, NEED_FACES
from methods.recipe_choice import pin_saves, settle_recipe
from methods.table import count_steps
from models import LEARNED, SEARCHED, SHIPPED
from output.completed_folder import (
    ANIMATION,
    CONFIG,
    PAGE,
    RESTORED,
    RESULTS,
    SHEETS,
    UNCERTAINTY_SCALE,
    check_same_settings,
    check_sheets,
    digest,
    find_done,
    read_files,
    read_finished,
    remove_stale,
)
from preprocess.templates import TEMPLATES
from shell.command import command
from shell.lock import LOCK, claim_folder
from shell.messages import report_failure, say, warn
from shell.options import Parser, add_inputs, number, whole_number
from shell.progress import Progress
from shell.signals import StopRequest
from shell.sources import gather_inputs, output_names
from training.manifest import describe_model

OF_SEARCH = ("recipe", "encoder", "model", "out_interval", "completions", "strategy", "log_dir",
             *(field.name for field in dataclasses.fields(RECIPES["seed"])))
CROP = 64                                               # side of the crops of photos for methods without a model


def parse(argv=None):
    """The command line as a namespace."""
    parser = Parser("Complete faces whose hole is unknown, by searching the latent z of a trained DCGAN, or otherwise.")
    add_inputs(parser)
    add_files(parser.add_argument_group("files"))
    add_method(parser.add_argument_group("how"))
    add_hole(parser.add_argument_group("hole"))
    add_photos(parser.add_argument_group("whole photos"))
    add_search(parser.add_argument_group("search (defaults that are not shown come from the recipe)"))
    options = parser.parse_intermixed_args(argv)
    check_method(parser, options)
    return options


def add_files(files):
    """Where results go, what model is used, and what to do with files that do not fit."""
    files.add_argument("--out_dir", default="completed", metavar="DIR", help="folder for the results")
    files.add_argument("--checkpoint", metavar="DIR", help="folder of a model or run; the shipped one of the "
                       "method's or --model's kind without it, such as checkpoint/celeba64")
    files.add_argument("--overwrite", action="store_true", help="complete every face anew")
    files.add_argument("--fit", choices=("refuse", "resize", "crop"), default="refuse",
                       help="what to do with a photo that is not of the model's size")


def add_method(how):
    """The method, and what all of them have."""
    how.add_argument("--method", choices=("latent", *CLASSICAL, *LEARNED), default="latent", help="the latent "
                     "search, or another way to fill the hole, which takes no options of the search")
    how.add_argument("--train_faces", metavar="DIR", help=f"aligned faces for {' and '.join(NEED_FACES)}")
    how.add_argument("--batch_size", type=whole_number(1), default=64, metavar="N", help="faces at a time")
    how.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides starts and random holes")
    how.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where the networks run")
    how.add_argument("--scheduler", metavar="ADDRESS", help="complete on the workers of a Dask cluster, such as "
                     "tcp://host:8786; the model's folder has to be one that all machines see")


def add_hole(hole):
    """What is unknown of a face."""
    hole.add_argument("--mask_type", choices=list(MASKS), default="center", help="shape of the hole")
    hole.add_argument("--mask", metavar="HOLE", help="a hole of your own instead: a picture whose white is the hole, a "
                      "folder with one for every face, named alike, alpha for what is transparent, or color:#00ff00")
    hole.add_argument("--invert_mask", action="store_true", help="black is the hole of --mask")
    hole.add_argument("--dilate", type=whole_number(), default=0, metavar="PX", help="pixels by which --mask grows")
    hole.add_argument("--intact", action="store_true",
                      help="the photos are whole under --mask: measure the results against them")
    hole.add_argument("--center_scale", type=number(0.01, 0.49), default=0.25, metavar="S",
                      help="the centre hole reaches from S to 1 - S of the side")


def add_photos(photos):
    """Options of whole photos."""
    photos.add_argument("--paste_back", action="store_true", help="the inputs are photos of any size and --mask "
                        f"lies in them: align the face, complete it, and pour it back into the photo ({RESTORED})")
    photos.add_argument("--landmarks", choices=list(TEMPLATES), default="innerEyesAndBottomLip",
                        help="the three landmarks put on the template, those of the model's faces")


def add_search(search):
    """Options of the latent search alone."""
    search.add_argument("--recipe", choices=list(RECIPES), help="named settings; seed is the report's (best, or "
                        "pool if there is no encoder)")
    search.add_argument("--encoder", metavar="DIR", help="folder of the latent encoder, for recipes that search "
                        "activations (CHECKPOINT-learned/latent_encoder)")
    search.add_argument("--model", choices=("dcgan", *SEARCHED), default="dcgan", help="whose latent is searched")
    search.add_argument("--list_recipes", action="store_true", help="say what the recipes are, and end")
    search.add_argument("--num_iter", type=whole_number(), metavar="N", help="updates of z, 0 for none")
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
    search.add_argument("--space", choices=SPACES, help="what is searched: z, or activations of the generator, which "
                        "the encoder sees first")
    search.add_argument("--hold", type=number(0), metavar="W", help="weight of the distance from where it starts")
    search.add_argument("--scatter", type=number(0), metavar="S", help="noise on the starts but the first, in "
                        "deviations of the activations")
    search.add_argument("--mirror", action=BooleanOptionalAction, help="search for the mirrored face too")
    search.add_argument("--blend", choices=BLENDS, help="how the guess is put into the hole")
    search.add_argument("--precision", choices=PRECISIONS, help="what the convolutions compute in; bfloat16 needs a "
                        "GPU or a processor with instructions for it")
    search.add_argument("--out_interval", type=whole_number(1), default=50, metavar="N",
                        help="updates between the pictures that are written")
    search.add_argument("--completions", type=whole_number(1), default=1, metavar="K", help="different completions of "
                        "each face, those of the K best of its searches, and where they differ; completed.png is the "
                        "recipe's answer from all of them")
    search.add_argument("--strategy", choices=("auto", "one", "mirrored"), default="auto",
                        help="search on one device or on all of this machine; auto takes all there are")
    search.add_argument("--log_dir", metavar="DIR", help="write the course of losses and gradients for TensorBoard")


def check_method(parser, options):
    """End with a usage error if the options do not fit the method."""
    if options.method not in ("latent", *LEARNED) and options.device != "auto":
        parser.error(f"--method {options.method} takes no --device")
    for name in OF_SEARCH if options.method != "latent" else ():
        if getattr(options, name, None) != parser.get_default(name):
            parser.error(f"--{name} is of the latent search: --method {options.method} has no use for it")
    if options.checkpoint and options.method in CLASSICAL:
        parser.error(f"--method {options.method} takes no --checkpoint")
    if (options.invert_mask or options.dilate) and not options.mask:
        parser.error("--invert_mask and --dilate are of --mask")
    if options.intact and not options.mask:
        parser.error("--intact is of --mask: without it the faces are taken for whole anyway")
    if options.mask and options.mask_type != parser.get_default("mask_type"):
        parser.error("--mask takes the place of --mask_type")
    if options.center_scale != parser.get_default("center_scale") and (options.mask or options.mask_type != "center"):
        parser.error("--center_scale is of --mask_type center")
    if options.landmarks != parser.get_default("landmarks") and not options.paste_back:
        parser.error("--landmarks is of --paste_back")
    if options.paste_back and options.fit != "refuse":
        parser.error("--fit is for faces that are aligned: --paste_back aligns them")
    kind = LEARNED.get(options.method, options.model)
    shipped = "checkpoint/celeba64" if kind == "dcgan" else os.path.join(SHIPPED, kind)
    options.checkpoint = options.checkpoint or shipped
    if (options.method in NEED_FACES) != bool(options.train_faces):
        parser.error(f"{' and '.join(NEED_FACES)}, and no other methods, need --train_faces DIR")


@command
def main(argv=None):
    """Run the command; returns its exit code."""
    options = parse(argv)
    if options.list_recipes:
        for line in describe_recipes():
            say(line)
        return 0
    recipe, options.holes = choose_recipe(options), make_holes(options)
    if options.method in ("latent", *LEARNED):
        pin_saves(options, warn)
    sources, failures = gather_inputs(options, exclude=options.out_dir)
    names = output_names(sources, reserved=(SHEETS, RESULTS, CONFIG, ANIMATION, PAGE, LOCK))
    settings = describe(options, recipe, sources)
    with claim_folder(options.out_dir), claim_log(options), StopRequest() as stop:
        check_sheets(options.out_dir)
        if not options.overwrite:
            check_same_settings(options.out_dir, settings)
        done = {} if options.overwrite else find_done(options.out_dir, digest(settings))
        tasks = [(source.path, name) for source, name in zip(sources, names)
                 if done.get(name) != (source.path, *take_stamp(source.path, name, options.holes))]
        failed = 0
        with RecordFile(Path(options.out_dir, RESULTS)) as results:
            for path, problem in failures:
                record_failure(results, path, path, problem)
            if tasks:
                helpers.write_json(Path(options.out_dir, CONFIG), settings)
                failed = complete_all(tasks, options, recipe, settings, results, stop)
        compact(Path(options.out_dir, RESULTS), "name")
        from output.overview import SHOWS, write_overview
        finished = read_finished(options.out_dir, names, SHOWS)
        write_overview(options.out_dir, finished, settings, stop.check)
        if options.log_dir:
            from output.curves import write_curves
            write_curves(log_folder(options), read_finished(options.out_dir, names, ["budget"]), settings, warn)
    return summarize(options.out_dir, finished, len(tasks) - failed, failed + len(failures), len(names) - len(tasks))


def choose_recipe(options):
    """The recipe that was asked for, or None if nothing is searched; sets the folder of its encoder in the options."""
    if options.method != "latent":
        return None
    recipe, options.encoder = settle_recipe(options, functools.partial(override, options), say)
    if recipe.space == "activations" and (options.pool is not None or options.draw):
        raise UsageError("--pool and --draw choose latents, but the search starts from an encoder: add --space latent")
    if recipe.space == "latent" and options.scatter is not None:
        raise UsageError("--scatter is of searches that start from an encoder")
    if recipe.pool and options.draw:
        raise UsageError("--draw is of starts without a pool: add --pool 0")
    return recipe


def override(options, name):
    """The recipe of a name with what the command line sets otherwise."""
    given = {field.name: getattr(options, field.name, None) for field in dataclasses.fields(RECIPES[name])}
    recipe = dataclasses.replace(RECIPES[name], **{k: v for k, v in given.items() if v is not None})
    views = 2 if recipe.mirror else 1
    recipe = dataclasses.replace(recipe, starts=max(recipe.starts, math.ceil(options.completions / views)))
    if recipe.space == "activations" and recipe.starts > 1 and not recipe.scatter:
        raise UsageError("several starts at one answer of the encoder would be one: choose a --scatter above 0")
    if recipe.window == 1 or recipe.window and not recipe.window % 2:
        raise UsageError(f"--window {recipe.window} has no middle among neighbours: choose an odd number above 1, or 0")
    if 0 < recipe.pool < recipe.starts:
        raise UsageError(f"a pool of {recipe.pool} latents has no {recipe.starts} starts: choose a larger --pool, or 0")
    return recipe


def make_holes(options):
    """The user's own holes, or None."""
    if not options.mask:
        return None
    from completion.holes import Holes
    return Holes(options.mask, invert=options.invert_mask, dilate=options.dilate)


def describe(options, recipe, sources):
    """Everything that decides a face's result, as a JSON record."""
    chosen = {name: getattr(options, name) for name in ("method", "mask_type", "center_scale", "invert_mask", "dilate",
                                                        "intact", "seed", "fit")}
    chosen |= {"mask": options.mask and [options.mask, fingerprint_mask(options.mask)], "version": helpers.VERSION}
    chosen["paste_back"] = options.landmarks if options.paste_back else None
    if options.completions > 1:
        chosen["uncertainty_scale"] = UNCERTAINTY_SCALE
    if options.method == "latent":
        return chosen | {"recipe": dataclasses.asdict(recipe), "completions": options.completions,
                         "out_interval": options.out_interval, "checkpoint": options.checkpoint,
                         "encoder": options.encoder and describe_model(options.encoder)["model"],
                         **describe_model(options.checkpoint)}
    if options.method in LEARNED:
        return chosen | {"checkpoint": options.checkpoint, **describe_model(options.checkpoint)}
    if options.train_faces:
        chosen["train_faces"] = fingerprint_folder(options.train_faces)
    size = None if options.paste_back else find_size((source.path for source in sources), options.fit)
    return chosen | {"image_size": size or CROP}


def fingerprint_mask(mask):
    """By which the file of a mask is known again; of a folder each face has its own."""
    return None if os.path.isdir(mask) else list(file_stamp(mask))


def complete_all(tasks, options, recipe, settings, results, stop):
    """Complete every task, a batch at a time; returns how many failed."""
    from completion.reading import make_reader, put_back, read_batches
    from methods.batches import complete_batches
    options.batch_size = min(options.batch_size, len(tasks))
    warn_if_slow(options, recipe)
    read, failed, (steps, unit) = make_reader(options, settings["image_size"]), 0, count_steps(recipe)
    earlier = read_files(options.out_dir)
    with Progress(len(tasks) * steps, unit) as progress:
        def fail(path, name, problem):
            nonlocal failed
            record_failure(results, path, name, problem)
            failed += 1

        def batches():
            for batch, problems in read_batches(tasks, options, read, stop.check):
                for task, problem in problems:
                    fail(*task, problem)
                progress.update(len(problems) * steps)
                if batch:
                    yield tuple(batch)
        for face, record in complete_batches(batches(), options, recipe, settings, progress, stop.check):
            if isinstance(record, BadPhoto):
                fail(face.source, face.name, record)
                continue
            try:
                record["files"] |= put_back(face, read, options)
                remove_stale(Path(options.out_dir, face.name), earlier.get(face.name, {}), record["files"])
                results.append(record | {"settings": digest(settings)})
            except BadPhoto as problem:
                fail(face.source, face.name, problem)
            if options.paste_back:                      # pouring a batch of large photos back takes its time
                stop.check()
    return failed


def warn_if_slow(options, recipe):
    """Say so if this machine lacks what the recipe's precision needs."""
    if recipe and recipe.precision != RECIPES["seed"].precision and not options.scheduler:
        from training.devices import SLOW, is_slow, use_device
        use_device(options.device)                      # which may take the GPUs out of sight
        if is_slow(recipe.precision):
            warn(SLOW)


def log_folder(options):
    """Where the curves of this folder of results are; no training's log lies there."""
    folder = Path(options.out_dir).resolve()
    return Path(options.log_dir, "completion", f"{folder.name}-{digest({'folder': os.fspath(folder)})}")


def claim_log(options):
    """Claim the folder of the curves, if there are to be any."""
    return claim_folder(log_folder(options)) if options.log_dir else contextlib.nullcontext()


def record_failure(results, path, name, problem):
    """Record an input that could not be used, and say why."""
    results.append({"name": name, "source": path, "status": "failed", "reason": problem.reason,
                    "detail": problem.detail})
    report_failure(path, problem)


def summarize(folder, finished, completed, failed, skipped):
    """Print how it went and what it scored; returns the exit code."""
    say(f"{completed} completed, {skipped} skipped (done before), {failed} failed; results in {folder}")
    for where in ("hole", "image"):
        pairs = [(record.get(f"{where}_psnr"), record.get(f"{where}_ssim")) for record in finished]
        if pairs := [pair for pair in pairs if None not in pair]:      # a face that came out perfect has no PSNR
            psnr, ssim = (sum(values) / len(values) for values in zip(*pairs))
            say(f"{where}: PSNR {psnr:.2f} dB, SSIM {ssim:.3f} (mean of {len(pairs)} faces)")
    if apart := [record["diversity_rms"] for record in finished if "diversity_rms" in record]:
        say(f"the answers to a face differ by {sum(apart) / len(apart):.1f} levels in the hole (mean of {len(apart)} "
            "faces)")
    return helpers.SOME_FAILED if failed else 0


if __name__ == "__main__":
    sys.exit(main())
