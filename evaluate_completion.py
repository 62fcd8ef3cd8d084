"""Measure methods on holes: every method, every mask, every face.

python evaluate_completion.py processed-data/validation/ --methods latent laplace --masks center half --limit 1000
"""
import base64
import csv
import hashlib
import io
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
from command_line import (Parser, Progress, StopRequest, add_inputs, claim_folder, command, gather_inputs, printable,
                          say, warn, whole_number)
from completion.inputs import read_face
from completion.masks import MASKS
from completion.recipes import RECIPES
from helpers import BadPhoto, UsageError
from metrics.distributions import frechet_distance, gaussian_statistics, kernel_distance, sliced_wasserstein
from metrics.identity import FaceDescriber, identity_distance
from metrics.images import measure
from metrics.summary import mean_interval, paired_difference, spread
from preprocess.workers import WorkerDied, map_surviving
from training.description import describe_model

METHODS = ("latent", "laplace", "total_variation", "low_rank", "patchmatch", "telea", "navier_stokes", "biharmonic",
           "mean_face", "nearest")
NEED_FACES = ("mean_face", "nearest")
PICTURES, RESULTS, DESCRIPTORS, SEARCHES = "pictures", "results.jsonl", "descriptors.jsonl", "searches.jsonl"
FIRST_METRICS = ("hole_psnr", "hole_ssim", "identity", "face_frechet", "image_psnr", "image_ssim", "seconds")
FIGURE_FACES = 6


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
        return compare(*options.compare)
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
    old = json.loads(path.read_text()) if path.exists() else settings
    if changed := [key for key, value in settings.items() if value and old.get(key) not in (value, None)]:
        raise UsageError(f"{out} holds results of other settings ({', '.join(changed)}): choose another --out_dir")
    helpers.write_json(path, old | {key: value for key, value in settings.items() if value})
    return settings


def find_done(out):
    """The (face, mask, method) whose result is there, measured."""
    return {(record["face"], record["mask"], record["method"]) for record in records.read_records(out / RESULTS)
            if (out / picture_of(record["face"], record["mask"], record["method"])).exists()}


def picture_of(face, mask, method, kind=""):
    """Where a result's picture lies, relative to the output folder."""
    return Path(PICTURES, mask, method, f"{face}{kind}.png")


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
    out, failed = Path(options.out_dir), 0
    costs = {(record["face"], record["mask"]): {key: record[key] for key in ("seconds", "context_loss", "prior_loss")}
             for record in records.read_records(out / SEARCHES)}
    tasks = [(name, faces[name], sorted(key[1:] for key in group)) for name, group in
             itertools.groupby(sorted(missing), key=lambda key: key[0])]
    arguments = (str(out), settings, options.seed, options.train_faces, sorted({key[2] for key in missing}))
    with (records.RecordFile(out / RESULTS) as results, records.RecordFile(out / DESCRIPTORS) as descriptors,
          Progress(len(tasks), "faces") as progress):
        for (name, source, _), measured in map_surviving(measure_face, tasks, min(options.jobs, len(tasks)), prepare,
                                                         arguments, lambda: bool(stop)):
            progress.update()
            if isinstance(measured, UsageError):
                raise measured
            if isinstance(measured, (BadPhoto, WorkerDied)):
                failed += 1
                print(printable(f"failed: {source}: {measured}"), file=sys.stderr, flush=True)
                continue
            for (mask, method), descriptor in measured[1].items():
                descriptors.append({"face": name, "mask": mask, "method": method,
                                    "descriptor": base64.b64encode(descriptor.tobytes()).decode()})
            for record in measured[0]:
                results.append(record | (costs[name, record["mask"]] if record["method"] == "latent" else {}))
    return failed


def prepare(out, settings, seed, train_faces, methods):
    """Set a worker process up: the fills and the face describer."""
    import baselines
    from dataset.folder import load_faces
    global _worker
    fills = {name: fill for name, fill in baselines.FILLS.items() if name in methods}
    if needed := [name for name in methods if name in baselines.FROM_FACES]:
        training, _ = load_faces(train_faces, settings["image_size"])
        if not len(training):
            raise UsageError(f"no images found in {train_faces}", helpers.NO_INPUT)
        fills |= {name: baselines.FROM_FACES[name](training) for name in needed}
    _worker = Path(out), settings["image_size"], seed, fills, FaceDescriber()


def measure_face(task):
    """Measure one face under all its masks and methods, in a worker.

    Returns ([record, ...], {(mask, method): descriptor}), with the true face's descriptor under ("", "original"), or
    the BadPhoto or UsageError that stopped it.
    """
    name, source, keys = task
    out, size, seed, fills, describer = _worker
    try:
        cases = [(read_face(source, name, size, mask=mask, seed=seed), mask, method) for mask, method in keys]
        results = [fill_hole(face, mask, method, out, fills) for face, mask, method in cases]
    except (BadPhoto, UsageError) as problem:
        return problem
    truth = cases[0][0].pixels
    descriptors = describer.describe(np.stack([truth] + [result for result, _ in results]))
    identities = identity_distance(np.repeat(descriptors[:1], len(results), axis=0), descriptors[1:])
    found = [{"face": name, "mask": mask, "method": method, **measure(face.pixels, result, face.known),
              "identity": round(float(identity), 5), "seconds": round(seconds, 5),
              "face_sha256": digest(face.pixels), "hole_sha256": digest(face.known)}
             for (face, mask, method), (result, seconds), identity in zip(cases, results, identities)]
    return found, dict(zip([("", "original"), *keys], descriptors))


def fill_hole(face, mask, method, out, fills):
    """(result, seconds) of a method for a Face; classical methods run here, the latent search's picture is read."""
    path, begun = out / picture_of(face.name, mask, method), time.perf_counter()
    if method == "latent":
        return helpers.read_photo(path).pixels, 0.0
    filled = fills[method](helpers.to_float(face.pixels), face.known, face.seed)
    result = np.where(face.known[..., None], face.pixels, helpers.to_uint8(filled))
    seconds = time.perf_counter() - begun
    helpers.write_picture(path, result)
    return result, seconds


def digest(array):
    """A short digest of an array's content."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()[:16]


def conclude(out, faces, options):
    """Write the summary as JSON, CSV and text, the report and the figure."""
    groups, descriptors = {}, {}
    for record in records.read_records(out / RESULTS):
        if record["face"] in faces:
            groups.setdefault((record["mask"], record["method"]), {})[record["face"]] = record
    for record in records.read_records(out / DESCRIPTORS):
        key = record["face"], record["mask"], record["method"]
        descriptors[key] = np.frombuffer(base64.b64decode(record["descriptor"]), np.float32)
    groups = dict(sorted(groups.items(), key=lambda item: order_of(item[0], options)))
    summary = [summarize(out, key, group, faces, descriptors, options.seed) for key, group in groups.items()]
    helpers.write_json(out / "summary.json", {"seed": options.seed, "rows": summary})
    helpers.write_file(out / "summary.csv", as_csv(summary).encode())
    helpers.write_file(out / "summary.txt", as_table(summary).encode())
    write_pictures(out, faces, groups, summary, options)


def order_of(key, options):
    """Sorts (mask, method) as the command named them, then the others that the folder holds by name."""
    return [((*named, part).index(part), part) for named, part in zip((options.masks, options.methods), key)]


def summarize(out, key, group, faces, descriptors, seed):
    """The row of one (mask, method): n, every metric as [mean, lower, upper], and the distances of the sets."""
    names, (mask, method) = sorted(group), key
    numbers = sorted({name for record in group.values() for name, value in record.items()
                      if isinstance(value, float) or value is None})
    metrics = {name: mean_interval([record.get(name) for record in group.values()]) for name in numbers}
    truth, results = (np.stack([descriptors[(name, *which)] for name in names]) for which in (("", "original"), key))
    if len(names) > 2:
        metrics["face_frechet"] = frechet_distance(*map(gaussian_statistics, (truth, results))), None, None
        metrics["face_kernel"] = kernel_distance(truth, results), None, None
    pictures = (np.stack([helpers.read_photo(path).pixels for path in paths]) for paths in (
        [faces[name] for name in names], [out / picture_of(name, mask, method) for name in names]))
    metrics["sliced_wasserstein"] = sliced_wasserstein(*pictures, seed), None, None
    order = [name for name in FIRST_METRICS if name in metrics]
    return {"mask": mask, "method": method, "n": len(names), "metrics": {name: metrics[name] for name in
                                                                         dict.fromkeys(order + sorted(metrics))}}


def as_csv(summary):
    """The summary as CSV: a line per mask and method, three columns a metric."""
    metrics = list(dict.fromkeys(name for row in summary for name in row["metrics"]))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["mask", "method", "n"] + [f"{name}{part}" for name in metrics for part in ("", "_low", "_high")])
    for row in summary:
        numbers = (row["metrics"].get(name) or (None,) * 3 for name in metrics)
        writer.writerow([row["mask"], row["method"], row["n"], *itertools.chain.from_iterable(numbers)])
    return text.getvalue()


def as_table(summary):
    """The summary as text, the columns that matter most."""
    columns = {"hole_psnr": ".2f", "hole_ssim": ".3f", "image_psnr": ".2f", "identity": ".3f", "face_frechet": ".4f",
               "seam_gradient": ".2f", "seconds": ".3f"}
    lines = [f"{'mask':8} {'method':16} {'n':>5} " + " ".join(f"{name:>13}" for name in columns)]
    for row in summary:
        means = {name: interval[0] for name, interval in row["metrics"].items() if interval}
        values = (format(means[name], style) if name in means else "-" for name, style in columns.items())
        lines.append(f"{row['mask']:8} {row['method']:16} {row['n']:5} " + " ".join(f"{value:>13}" for value in values))
    return "\n".join(lines) + "\n"


def write_pictures(out, faces, groups, summary, options):
    """Write report.html and figure.png."""
    from reports.figures import write_comparison
    from reports.page import write_report
    searches = {(record["face"], record["mask"]): record["steps"] for record in records.read_records(out / SEARCHES)}
    rows = {}
    for mask in dict.fromkeys(mask for mask, _ in groups):
        methods = {method: group for (of, method), group in groups.items() if of == mask}
        ranked = sorted(set.intersection(*map(set, methods.values())),
                        key=lambda name: next(iter(methods.values()))[name].get("hole_ssim") or 0)
        rows[mask] = [face_row(out, ranked[index], mask, methods, faces, searches, note, options.seed)
                      for index, note in spread(len(ranked), options.report_faces)]
    write_report(out / "report.html", "Face completion: methods and holes", rows, summary=summary,
                 settings=json.loads((out / "config.json").read_text()))
    first = next(iter(rows.values()))
    columns = ["original", "masked", *[name for name in ("total_variation", "low_rank", "patchmatch", "latent")
                                       if first and name in first[0].pictures]]
    write_comparison(out / "figure.png", [row.pictures for row in first[:FIGURE_FACES]], columns)


def face_row(out, name, mask, methods, faces, searches, note, seed):
    """One face of the report: its pictures, scores and iterations."""
    from reports.page import FaceRow
    face = read_face(faces[name], name, helpers.read_photo(faces[name]).pixels.shape[0], mask=mask, seed=seed)
    pictures = {"original": face.pixels, "masked": np.where(face.known[..., None], face.pixels, 255).astype(np.uint8)}
    pictures |= {method: helpers.read_photo(out / picture_of(name, mask, method)).pixels for method in methods}
    scores = {method: {key: group[name][key] for key in ("hole_psnr", "hole_ssim") if key in group[name]}
              for method, group in methods.items()}
    steps = read_steps(out, name, mask, searches) if "latent" in methods else {}
    return FaceRow(name, pictures, steps, scores, note)


def read_steps(out, name, mask, searches):
    """{iterations: picture} of a latent search."""
    strip, labels = helpers.read_photo(out / picture_of(name, mask, "latent", ".steps")).pixels, searches[name, mask]
    return dict(zip(labels, np.split(strip, len(labels), axis=1)))


def compare(first, second):
    """Print the paired differences of two finished evaluations, mask by mask and method by method."""
    both = [{(record["mask"], record["method"], record["face"]): record
             for record in records.read_records(Path(folder, RESULTS))} for folder in (first, second)]
    for folder, found in zip((first, second), both):
        if not found:
            raise UsageError(f"{folder} holds no finished evaluation", helpers.NO_INPUT)
    check_comparable(first, second, *both)
    lines = {}
    for key in both[0].keys() & both[1].keys():
        lines.setdefault(key[:2], []).append(key)
    for (mask, method), keys in sorted(lines.items()):
        for metric in ("hole_psnr", "hole_ssim", "identity"):
            difference = paired_difference(*([found[key].get(metric) for key in sorted(keys)] for found in both))
            if difference is None:
                continue
            mean, low, high = difference
            verdict = "no clear difference" if low <= 0 <= high else f"{second if mean > 0 else first} is higher"
            say(f"{mask} {method} {metric}: {mean:+.4f} [{low:+.4f}, {high:+.4f}] over {len(keys)} faces: {verdict}")


def check_comparable(first, second, a, b):
    """Raise UsageError unless both evaluations are of the same faces and holes."""
    if a.keys() != b.keys():
        raise UsageError(f"{first} and {second} do not hold the same faces, masks and methods "
                         f"({len(a.keys() ^ b.keys())} results are in one of them only)")
    for part in ("face_sha256", "hole_sha256"):
        if odd := [key for key in a if a[key][part] != b[key][part]]:
            mask, _, face = odd[0]
            raise UsageError(f"{first} and {second} differ in the {part.split('_')[0]} of {face} (mask {mask})")


if __name__ == "__main__":
    sys.exit(main())
