"""Look into what a model has learned: where faces lie in it, what lies between and around them, what it may repeat.

python -m completion.latent project aligned/ projected
python -m completion.latent interpolate aligned/A.png aligned/B.png between
python -m completion.latent walk aligned/A.png around --directions 4
python -m completion.latent nearest completed/ processed-data/train/ memorised
"""
import dataclasses
import itertools
import os
import re
import sys
from functools import partial
from pathlib import Path

import numpy as np

import helpers
from dataset.origin import may_be_of, take_origin
from helpers import BadPhoto, UsageError, counted, read_json, remove_files, to_float, to_uint8, write_json
from methods import method_options
from models import shipped
from shell.command import command
from shell.lock import claim_folder, inside
from shell.messages import report_failure, report_failures, say, warn
from shell.options import Parser, whole_number
from shell.progress import Progress
from shell.records import tell_changes
from shell.signals import StopRequest
from shell.sources import find_inputs, output_names
from training.manifest import describe_model

from .directions import along, over_numbers, principal_directions
from .face import FaceReader
from .holes import StandardHoles
from .reading import read_batches
from .recipes import RECIPES

KIND, CONFIG = "latent", "config.json"
WHOLE = {"window": 0, "hold": 0.0, "scatter": 0.0, "mirror": False, "answer": "best", "by_depth": False}
SPACES = {"encoder": "best", "activations": "best", "latent": "pool"}      # of each its recipe
WORK = "searching and drawing"
SHOWN, SIDE = 16, 128                                   # rows of a sheet, and pixels of a face on it
SHEET = "projected_{:03d}.png"
SAMPLES, REACH = 2048, 2                                # faces of G whose directions are sought; deviations


def make_searches(options, names):
    """({name of SPACES: completion.search.Search for whole faces}, LatentEncoder or None)."""
    with Progress(None, "loading models"):
        from methods.latent_search import load_encoder, make_search
        from training import checkpoint, devices
        devices.use_device(options.device)
        model, _ = checkpoint.load_model(options.checkpoint, warn=warn)
        encoder = None if set(names) == {"latent"} else load_encoder(encoder_folder(options), model)
    updates = {name: 0 if name == "encoder" else options.num_iter for name in names}
    recipes = {name: dataclasses.replace(RECIPES[SPACES[name]], num_iter=updates[name], **WHOLE) for name in names}
    searches = {name: make_search(model, recipe, options.seed, encoder) for name, recipe in recipes.items()}
    return searches, encoder


def encoder_folder(options):
    """Where the latent encoder lies that a command line means."""
    return options.encoder or method_options.beside(options.checkpoint, method_options.ENCODER)


def find_points(search, faces, check):
    """Where Faces lie in the space of a search, (B, n) float32."""
    pixels, known = (np.stack([getattr(face, name) for face in faces]) for name in ("pixels", "known"))
    return search(to_float(pixels), known, [face.seed for face in faces], check=check).z[:, 0]


def draw_points(search, points):
    """The faces of points (..., n) of its space, (..., S, S, 3) uint8."""
    faces = to_uint8(search.decode(np.float32(points.reshape(-1, points.shape[-1]))))
    return faces.reshape(*points.shape[:-1], *faces.shape[1:])


def project(options, begin, check):
    """Find whole faces in each space; show them beside what is found, and write the PSNR of it."""
    sources, failures = find_inputs([options.faces], exclude=options.out)
    read = make_reader(options)
    searches, _ = make_searches(options, SPACES)
    begin()

    def fail(source, name, problem):
        failures.append((source, problem))
        report_failure(source, problem)

    def projected():
        tasks = [(source.path, name) for source, name in zip(sources, output_names(sources))]
        with Progress(len(tasks), "faces") as progress:
            for batch in read_batches(tasks, lambda *task: [read(*task)], options.batch_size, fail, check=check):
                yield from zip(batch, *(draw_points(search, find_points(search, batch, check))
                                        for search in searches.values()))
                progress.update(len(batch))

    report_failures(failures)
    if not write_projected(options, projected(), list(searches)):
        raise UsageError(f"no face of {read.size} pixels a side in {options.faces}", helpers.NO_INPUT)
    return helpers.SOME_FAILED if failures else 0


def write_projected(options, projected, names):
    """Write sheets and PSNR of an iterator of (Face, its picture in each of the spaces `names`); returns how many."""
    from metrics.images import psnr
    from output.figures import caption, write_sheet
    scores = {}
    for number, rows in enumerate(iter(lambda: list(itertools.islice(projected, SHOWN)), [])):
        shown = []
        for face, *pictures in rows:
            scores[face.name] = {name: round(psnr(face.pixels, picture, face.known), 3)
                                 for name, picture in zip(names, pictures)}
            words = [face.name, *(f"{name} {score:.1f} dB" for name, score in scores[face.name].items())]
            shown += [caption(picture, text, SIDE) for picture, text in zip((face.pixels, *pictures), words)]
        write_sheet(inside(options.out, SHEET.format(number)), shown, 1 + len(names))
    if scores:
        remove_files(options.out, find_sheets(options.out, -(-len(scores) // SHOWN)))
        conclude_projected(options, scores, names)
    return len(scores)


def find_sheets(out, first):
    """The names of the sheets of projected faces in a folder from a number on."""
    names = (re.fullmatch(r"projected_(\d{3,})\.png", path.name) for path in Path(out).glob("projected_*.png"))
    return [name[0] for name in names if name and int(name[1]) >= first]


def conclude_projected(options, scores, names):
    """Write the PSNR of {face: {space: PSNR}}, and say the means."""
    means = {name: round(float(np.mean([score[name] for score in scores.values()])), 3) for name in names}
    write_json(inside(options.out, "projected.json"), {"updates": options.num_iter, "psnr": means, "faces": scores})
    say(f"mean PSNR of {counted(len(scores), 'face')} in dB: " +
        ", ".join(f"{name} {mean:.2f}" for name, mean in means.items()))


def interpolate(options, begin, check):
    """Go from one face to another through both spaces, a row each."""
    ends = [read_face(path, options) for path in (options.first, options.last)]
    searches, _ = make_searches(options, ("activations", "latent"))
    begin()
    with Progress(None, WORK):
        rows = [draw_points(search, np.linspace(*find_points(search, ends, check), options.steps, dtype=np.float32))
                for search in searches.values()]
        write_moving(options.out, "interpolated", np.stack(rows))
    say(f"{options.out}: through the {' and below through the '.join(searches)}")


def walk(options, begin, check):
    """Go from a face along directions, a row each: the principal ones of G's activations, or numbers of the latent."""
    space = "latent" if options.z_index else "activations"
    face = read_face(options.face, options)
    searches, encoder = make_searches(options, (space,))
    begin()
    with Progress(None, WORK):
        points, lines = find_ways(find_points(searches[space], [face], check)[0], encoder, options)
        write_moving(options.out, "walk", draw_points(searches[space], points))
    for number, line in enumerate(lines, 1):
        say(f"row {number}: {line}")


def find_ways(point, encoder, options):
    """(points (R, K, n) on the ways of a walk from a point (n,), [what each way is]), as `walk` says."""
    if options.z_index:
        if (largest := max(options.z_index)) >= len(point):
            raise UsageError(f"--z_index {largest}: the latent has the numbers 0 to {len(point) - 1}")
        return over_numbers(point, options.z_index, options.steps), [f"z {i}" for i in options.z_index]
    samples = encoder.draw(np.random.default_rng(options.seed), SAMPLES)
    directions, shares = principal_directions(samples, min(options.directions, samples.shape[1]))
    return (along(point, directions, REACH, options.steps),
            [f"direction {number}, {share:.1%} of the variance" for number, share in enumerate(shares, 1)])


def nearest(options, begin, check):
    """Compare completed and true faces with the training faces nearest to them."""
    from evaluation.nearest_faces import compare_with_training
    begin()
    for line in compare_with_training(options.completed, options.train_faces, options.out, options.limit, check=check):
        say(line)


def make_reader(options):
    """The FaceReader of aligned pictures of the model's size, of which all is known."""
    size = describe_model(options.checkpoint, ("dcgan",))["image_size"]
    return FaceReader(StandardHoles("none", options.seed), size, options.seed)


def read_face(path, options):
    """The Face of an aligned picture; UsageError (exit code 3) if it is of no use."""
    try:
        return make_reader(options)(path, Path(path).stem)
    except BadPhoto as problem:
        raise UsageError(f"{path}: {problem}", helpers.NO_INPUT) from problem


def write_moving(out, name, faces):
    """Write faces (R, K, S, S, 3) uint8 as a sheet of R rows, and as an animation through its columns and back."""
    from output.figures import fit, write_gif, write_sheet
    columns = faces.shape[1]
    large = np.stack([[fit(face, SIDE) for face in row] for row in faces])
    write_sheet(inside(out, f"{name}.png"), large.reshape(-1, *large.shape[2:]), columns)
    frames = [np.concatenate(large[:, column], axis=1) for column in (*range(columns), *range(columns - 2, -1, -1))]
    write_gif(inside(out, f"{name}.gif"), frames, milliseconds=120, hold=120)


# Of each tool: what it does, its positional arguments, its own options, and what it writes.
TOOLS = {
    "project": (project, "find faces in the latent space", {"faces": "aligned faces, a folder or one picture"},
                ("num_iter", "batch_size"), (SHEET.format(0), "projected.json")),
    "interpolate": (interpolate, "go from one face to another", {"first": "aligned face", "last": "aligned face"},
                    ("num_iter", "steps"), ("interpolated.png", "interpolated.gif")),
    "walk": (walk, "go from a face along directions", {"face": "aligned face"},
             ("num_iter", "steps", "directions", "z_index"), ("walk.png", "walk.gif")),
    "nearest": (nearest, "find the training faces nearest to completed ones",
                {"completed": "folder of face_completion.py", "train_faces": "folder of the training faces"},
                ("limit",), ("nearest.png", "nearest.json")),
}
OPTIONS = {
    "num_iter": {"type": whole_number(), "default": 300, "metavar": "N", "help": "updates of a search"},
    "batch_size": {"type": whole_number(1), "default": 64, "metavar": "N", "help": "faces at a time"},
    "steps": {"type": whole_number(2, 200), "default": 9, "metavar": "K", "help": "faces on the way, with both ends"},
    "directions": {"type": whole_number(1, 100), "default": 6, "metavar": "D", "help": "principal directions"},
    "z_index": {"type": whole_number(), "nargs": "+", "metavar": "I", "help": "numbers of the latent, from 0 on, "
                "in place of principal directions"},
    "limit": {"type": whole_number(1), "metavar": "N", "help": "only the first N training faces"},
}


def parse(argv=None):
    parser = Parser(__doc__)
    tools = parser.add_subparsers(dest="tool", required=True, metavar="TOOL", parser_class=Parser, prog=parser.prog)
    for name, (_, purpose, places, options, _) in TOOLS.items():
        example = next(line for line in __doc__.splitlines() if f".latent {name} " in line)
        tool = tools.add_parser(name, description=f"{purpose.capitalize()}.", examples=example, help=purpose)
        for place, meaning in places.items():
            tool.add_argument(place, metavar=place.upper(), help=meaning)
        tool.add_argument("out", metavar="OUT", help="folder for the results")
        for option in options:
            tool.add_argument(f"--{option}", **OPTIONS[option])
        if name != "nearest":
            tool.add_argument("--checkpoint", default=shipped("dcgan"), metavar="DIR", help="folder of a DCGAN")
            tool.add_argument("--encoder", metavar="DIR", help="folder of its latent encoder (CHECKPOINT-learned/"
                              "latent_encoder)")
            tool.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where the networks run")
            tool.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides the pool of starts")
    options = parser.parse_args(argv)
    if getattr(options, "z_index", None):
        tools.choices["walk"].refuse_given(options, ["directions", "encoder"], "is of the activations: --z_index goes "
                                           "through the latent")
    return options


def claim(out):
    """The Claim of a folder for results, as claim_folder has it; it takes the place of nobody's CONFIG."""
    if os.path.lexists(Path(out, CONFIG)) and read_json(Path(out, CONFIG)).get("kind") != KIND:
        raise UsageError(f"{out} holds something else, {CONFIG}, that would be replaced: choose another OUT",
                         helpers.BAD_OUTPUT)
    return claim_folder(out, KIND)


def describe(options):
    """What decides a tool's results, as a JSON record: its options, its models, and where its inputs come from.

    Raises UsageError (exit code 4) if there is no such model.
    """
    _, _, places, own, _ = TOOLS[options.tool]
    record = {name: getattr(options, name) for name in own if name != "batch_size"}
    if options.tool != "nearest":
        record |= {"seed": options.seed, "model": describe_model(options.checkpoint, ("dcgan",))["model"]}
        if not getattr(options, "z_index", None):
            record["encoder"] = describe_model(encoder_folder(options), (method_options.ENCODER,))["model"]
    return record | {place: take_origin(getattr(options, place)) for place in places}


def check_results(options, settings):
    """Raise UsageError (exit code 5) if other results of the tool would be replaced: of other inputs or settings."""
    _, _, places, _, files = TOOLS[options.tool]
    if not (there := [file for file in files if os.path.lexists(Path(options.out, file))]):
        return
    old = read_json(Path(options.out, CONFIG)).get(options.tool)
    if not isinstance(old, dict) or not all(isinstance(old.get(place), dict) for place in places):
        raise UsageError(f"{options.out} holds {there[0]}, and does not say of what it was made: choose another OUT",
                         helpers.BAD_OUTPUT)
    changes = [f"another {place.upper()}" for place in places if not may_be_of(old[place], getattr(options, place))]
    changes += filter(None, [tell_changes(old, {key: settings[key] for key in settings if key not in places})])
    if changes:
        raise UsageError(f"{options.out} holds results of other faces or settings ({'; '.join(changes)}), and nothing "
                         "was changed: ask for the same, or choose another OUT", helpers.BAD_OUTPUT)


def begin(options, settings):
    """Say in the folder of the results, once it is sure that there will be some, of what they are made."""
    old = read_json(Path(options.out, CONFIG))
    write_json(inside(options.out, CONFIG), {"kind": KIND, **{tool: old[tool] for tool in TOOLS if tool in old},
                                             options.tool: settings})


@command
def main(argv=None):
    options = parse(argv)
    with claim(options.out), StopRequest() as stop:
        settings = describe(options)
        check_results(options, settings)
        return TOOLS[options.tool][0](options, partial(begin, options, settings), stop.check)


if __name__ == "__main__":
    sys.exit(main())
