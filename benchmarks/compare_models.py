"""How good trained models are, a line each: their samples as a set, and a quick completion of other people's faces.

python -m benchmarks.compare_models processed-data/validation 1000 checkpoint/celeba64

Of the first COUNT faces in the folder VALIDATION and as many samples: sliced Wasserstein distance, kernel and Frechet
distance of the face descriptors, and PSNR and SSIM in the centre hole after the short completion that training.health
makes (one start, 60 iterations). A model is a run's folder, one of its saves, or a model folder.
"""
import sys

import numpy as np

from completion.search import Latent, Search
from dataset.folder import load_faces
from helpers import NO_INPUT, UsageError, to_uint8
from metrics.distributions import face_frechet, kernel_distance, sliced_wasserstein
from metrics.identity import FaceDescriber
from preprocess.dlib_models import DESCRIPTOR, checked
from shell.command import command
from shell.options import Parser, whole_number
from training.checkpoint import load_model
from training.health import QUICK, complete_centres, score

BATCH = 250


def complete(dcgan, truth):
    """Mean PSNR and SSIM in the centre hole of (N, S, S, 3) uint8 faces."""
    search = Search(Latent(dcgan.generate, dcgan.architecture.z_dim, dcgan.realism), QUICK)
    batches = [complete_centres(search, truth[first:first + BATCH], first) for first in range(0, len(truth), BATCH)]
    filled, known = map(np.concatenate, zip(*batches))
    return score(filled, truth, known).values()


@command
def main(argv=None):
    options = parse(argv)
    folder, count, models = options.folder, options.count, options.models
    faces, describe = load_faces(folder, 64)[0][:count], FaceDescriber(str(checked(DESCRIPTOR))).describe
    if len(faces) < 2:
        raise UsageError(f"no two faces of 64 pixels a side in {folder}", NO_INPUT)
    real = describe(faces)
    width = max(28, *map(len, models))
    print(f"{'model':{width}} {'updates':>7} {'sliced_wasserstein':>18} {'face_kernel':>11} {'face_frechet':>12} "
          f"{'hole_psnr':>9} {'hole_ssim':>9}")
    for model in models:
        dcgan, record = load_model(model)
        samples = np.concatenate([to_uint8(dcgan.generate(dcgan.latents(BATCH, -3, first)))
                                  for first in range(0, len(faces), BATCH)])[:len(faces)]
        fake = describe(samples)
        psnr, ssim = complete(dcgan, faces)
        print(f"{model:{width}} {record['step']:7d} {sliced_wasserstein(samples, faces, 0):18.4f} "
              f"{kernel_distance(fake, real):11.5f} {face_frechet(fake, real):12.4f} {psnr:9.2f} {ssim:9.3f}",
              flush=True)


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("folder", metavar="VALIDATION", help="folder of aligned faces of other people")
    parser.add_argument("count", type=whole_number(2), metavar="COUNT", help="how many of them")
    parser.add_argument("models", nargs="+", metavar="MODEL", help="folder of a run, of one save, or of a model")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
