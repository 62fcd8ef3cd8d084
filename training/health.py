"""How a training run is doing, in numbers that can be compared from epoch to epoch, and in plain words."""
import numpy as np

from completion.blend import blend_poisson
from completion.masks import center
from completion.recipes import Recipe
from completion.search import Latent, Search
from helpers import to_float, to_uint8
from metrics.distributions import sliced_wasserstein
from metrics.images import measure
from nn.adversarial import REAL_ABOVE

WATCHED, COMPLETED = 256, 64                            # faces that are judged, and faces that are completed
MEASURED = "hole_psnr", "hole_ssim"
QUICK = Recipe(num_iter=60, learning_rate=0.05, lam=0.0, blend="poisson")
COLLAPSED = 0.5                                         # of the diversity of real faces
WON = 0.995                                             # share of real and generated faces that D tells apart


class Health:
    """The examination of one run, always on the same faces and latents.

    dcgan : a network.DCGAN; faces, validation : (N, S, S, 3) uint8 faces that it trains on, and of other people
    real_above : the output of D above which it takes a face for real, None if there is none
    """

    def __init__(self, dcgan, faces, validation, real_above=0.0):
        self.real_above = real_above
        self.dcgan, self.seen, self.unseen = dcgan, faces[:WATCHED], validation[:WATCHED]
        self.z = dcgan.latents(min(WATCHED, len(self.unseen)), -2)
        self.known = np.repeat(center(faces.shape[1])[None], min(COMPLETED, len(validation)), axis=0)
        self.search = Search(Latent(dcgan.generate, dcgan.architecture.z_dim, dcgan.realism), QUICK)

    def __call__(self):
        """The numbers by name.

        d_wins : share of faces that it trains on and of G's that D tells right, if it has a level for that
        d_gap : how much higher D's mean logit is for faces that it trains on than for others: it learns them by heart
        diversity : diversity() of G's samples over that of real faces, 1 is best, near 0 all samples are one; only
            where there are two different validation faces
        sliced_wasserstein : of samples and validation faces (metrics.distributions)
        hole_psnr, hole_ssim : means over a short completion of 64 validation faces, one start, 60 iterations
        """
        samples = to_uint8(self.dcgan.generate(self.z))
        seen, unseen, fake = (self.dcgan.realism(faces).numpy() for faces in (
            to_float(self.seen), to_float(self.unseen), self.dcgan.generator(self.z)))
        numbers = {"d_gap": float(seen.mean() - unseen.mean()),
                   "sliced_wasserstein": sliced_wasserstein(samples, self.unseen, 0), **self._complete()}
        if self.real_above is not None:
            numbers["d_wins"] = float(np.mean([*(seen > self.real_above), *(fake <= self.real_above)]))
        if real := diversity(self.unseen):
            numbers["diversity"] = diversity(samples) / real
        return numbers

    def _complete(self):
        return score(_fill_by(self.search), self.unseen[:len(self.known)], self.known)


def _fill_by(search):
    return lambda faces, known, seeds: blend_poisson(faces, search(faces, known, seeds).guess, known)


def score(fill_batch, truth, known):
    """{"hole_psnr", "hole_ssim"}: means over (N, S, S, 3) uint8 faces, completed by fill_batch(faces, known, seeds)."""
    results = to_uint8(fill_batch(to_float(truth), known, range(len(truth))))
    scores = [measure(*face) for face in zip(truth, results, known)]
    return {metric: float(np.mean([score[metric] for score in scores])) for metric in MEASURED}


def examine_samples(dcgan, faces, validation):
    """The Health of a network.DCGAN in training."""
    return Health(dcgan, faces, validation, REAL_ABOVE.get(dcgan.training.loss))


def examine_holes(model, faces, validation):
    """A function that completes faces of other people under each of the model's holes; the means are over all holes."""
    truth = validation[:COMPLETED]

    def numbers():
        scores = {mask: score(model.fill_batch, truth, known) for mask, known in model.make_holes(len(truth)).items()}
        means = {metric: float(np.mean([each[metric] for each in scores.values()])) for metric in MEASURED}
        return means | {f"{mask}/{metric}": each[metric] for mask, each in scores.items() for metric in MEASURED}
    return numbers


def examine_latents(model, faces, validation):
    """A function that encodes and decodes faces of other people, and completes their centres by a short search."""
    truth, fill = validation[:COMPLETED], _fill_by(model.make_search(QUICK))
    known = np.repeat(center(truth.shape[1])[None], len(truth), axis=0)

    def numbers():
        decoded = model.decode(model.latents_of(to_float(truth)))
        return score(fill, truth, known) | {"validation_error": float(np.mean((to_float(truth) - decoded) ** 2))}
    return numbers


def examine_own(model, faces, validation):
    """A function that examines a model as it does itself, on pictures of other people."""
    truth = to_float(validation[:WATCHED])
    return lambda: model.examine(truth)


# By nn.trainable.Trainable.examined: functions (model, its faces, faces of other people) -> () -> {name: number}
EXAMINATIONS = {"samples": examine_samples, "holes": examine_holes, "latents": examine_latents,
                "own": examine_own}


def quality(numbers):
    """By which of a run's models is the best: SSIM in the hole or, where nothing is filled, the error below 0."""
    return numbers["hole_ssim"] if "hole_ssim" in numbers else -numbers["error"]


def diversity(faces):
    """Mean Euclidean distance of all pairs of (N, S, S, 3) uint8 faces, in levels a value; 0 if there is one only."""
    flat = faces.reshape(len(faces), -1).astype(np.float64)
    squares = (flat ** 2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * flat @ flat.T, 0) / flat.shape[1])
    return float(distances.sum() / max(len(faces) * (len(faces) - 1), 1))


def diagnose(numbers):
    """What is wrong with a run, in one line, by the numbers of Health; None if nothing is."""
    if numbers.get("diversity", 1) < COLLAPSED:
        return (f"G is collapsing: its samples differ {numbers['diversity']:.0%} as much as real faces do; go back "
                "with --resume_from, or try --augment, --noise or a smaller --learning_rate")
    if numbers.get("d_wins", 0) > WON:
        return (f"D has won: it tells {numbers['d_wins']:.1%} of real and generated faces apart, and G learns little "
                "from it; try --noise, --penalty r1 or a smaller --d_learning_rate")
    return None
