"""What --detail costs and wins: a table, and a picture of its curve beside the other methods.

python -m benchmarks.dial processed-data/validation --first 1000 --count 256 --picture dial.png

Every point is an evaluation of its own, whose folder is kept in --out_dir, so that a stopped run goes on.
"""
import subprocess
import sys
from pathlib import Path

from dataset.listing import find_photos
from helpers import NO_INPUT, UsageError, counted, read_json
from methods import METHODS
from output.figures import draw_scores
from shell.command import command
from shell.options import Parser, whole_number
from training.manifest import ROOT

DETAILS = 0, 0.25, 0.5, 0.7, 1
OTHERS = "posterior_mean", "latent_encoder", "context_encoder"
METRICS = "hole_psnr", "hole_ssim", "identity", "face_frechet"
DIGITS = 2, 3, 3, 3


def measure(paths, out, words):
    """{method: {metric: mean}} of an evaluation of centre holes; UsageError if it fails, as it says itself."""
    ended = subprocess.run([sys.executable, "evaluate_completion.py", "-", "--out_dir", out, *words], cwd=ROOT,
                           input="\n".join(paths), text=True, stdout=subprocess.DEVNULL)
    if ended.returncode:
        raise UsageError(f"the evaluation in {out} ended with exit code {ended.returncode}", ended.returncode)
    return {row["method"]: {metric: row["metrics"][metric][0] for metric in METRICS}
            for row in read_json(out / "summary.json")["rows"]}


@command
def main(argv=None):
    options = parse(argv)
    paths = [str(Path(source.path).resolve()) for source in find_photos([options.faces])[0]]
    paths, out = paths[options.first:options.first + options.count], Path(options.out_dir).resolve()
    if len(paths) < 3:
        raise UsageError(f"{counted(len(paths), 'face')} left in {options.faces} after --first {options.first}, "
                         "needed are 3", NO_INPUT)
    measured = measure(paths, out / "others", ["--methods", *options.methods]) if options.methods else {}
    others = {name: measured[name] for name in options.methods}     # the folder may hold more
    curve = {detail: measure(paths, out / f"{detail:g}", ["--methods", "latent", "--detail", f"{detail:g}"])["latent"]
             for detail in DETAILS}
    print(f"{'':26} " + " ".join(f"{metric:>12}" for metric in METRICS))
    for name, scores in [*((f"--detail {detail:g}", scores) for detail, scores in curve.items()), *others.items()]:
        print(f"{name:26} " + " ".join(f"{scores[metric]:12.{digits}f}" for metric, digits in zip(METRICS, DIGITS)))
    if options.picture:
        named = {f"{detail:g}": scores for detail, scores in curve.items()}
        draw_scores(options.picture, "--detail", named, others)


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("faces", metavar="FACES", help="folder of aligned faces that no model was trained on")
    parser.add_argument("--first", type=whole_number(), default=0, metavar="N", help="faces to pass over")
    parser.add_argument("--count", type=whole_number(3), default=256, metavar="N", help="faces to take")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=OTHERS, help="methods to show beside it")
    parser.add_argument("--out_dir", default="dial", metavar="DIR", help="folder of the evaluations")
    parser.add_argument("--picture", metavar="PNG", help="picture to write")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
