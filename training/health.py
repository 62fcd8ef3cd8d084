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
from shell.pictures import tile

WATCHED, COMPLETED = 256, 64                            # faces that are judged, and faces that are completed
MEASURED = "hole_psnr", "hole_ssim"
EXAMINED = {"diversity", "d_wins"}                      # what shows how a run's examinations went before
QUICK = Recipe(num_iter=60, learning_rate=0.05, lam=0.0, blend="poisson")
ALIVE = 0.2                                             # of the diversity of real faces, from which on G can collapse
COLLAPSED = 0.5                                         # of the largest diversity that it had
WON = 0.995                                             # share of real and generated faces that D tells apart


class Health:
    """The examination of one run, always on the same faces and latents.

    dcgan : a network.DCGAN; faces, validation : (N, S, S, 3) uint8 faces that it trains on, and of other people
    real_above : the output of D above which it takes a face for real, None if there is none
    """

    def __init__(self, dcgan, faces, validation, real_above=0.0):
        self.real_above = real_above
        self.dcgan, self.seen, self.unseen = dcgan, faces[:WATCHED], validation[:WATCHED]
        self.z = dcgan.latents(len(self.unseen), -2)
        self.completions = None                         # of the last examination: rows with holes, completed and true
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
        truth = self.unseen[:COMPLETED]
        filled, known = complete_centres(self.search, truth)
        rows = [faces[:8] for faces in (to_float(truth) * known[..., None], filled, to_float(truth))]
        self.completions = tile(to_uint8(np.concatenate(rows)), len(rows[0]))
        return score(filled, truth, known)


def complete_centres(search, truth, first=0):
    """Complete the centres of faces (N, S, S, 3) uint8 by a search, and blend them in by Poisson.

    first : seed of the first face, from which the others' count on
    Returns (N, S, S, 3) float32 in [-1, 1], and what was known of them, (N, S, S) bool.
    """
    known, faces = np.repeat(center(truth.shape[1])[None], len(truth), axis=0), to_float(truth)
    return blend_poisson(faces, search(faces, known, range(first, first + len(truth))).guess, known), known


def score(filled, truth, known):
    """{"hole_psnr": mean, "hole_ssim": mean} of faces `filled`, float32 in [-1, 1], against the `truth`, uint8."""
    scores = [measure(*face) for face in zip(truth, to_uint8(filled), known)]
    return {metric: float(np.mean([score[metric] for score in scores])) for metric in MEASURED}


def examine_samples(dcgan, faces, validation):
    """The Health of a network.DCGAN in training."""
    return Health(dcgan, faces, validation, REAL_ABOVE.get(dcgan.training.loss))


def examine_holes(model, faces, validation):
    """A function that completes faces of other people under each of the model's holes; the means are over all holes."""
    truth = validation[:COMPLETED]

    def numbers():
        scores = {mask: score(model.fill_batch(to_float(truth), known, range(len(truth))), truth, known)
                  for mask, known in model.make_holes(len(truth)).items()}
        means = {metric: float(np.mean([each[metric] for each in scores.values()])) for metric in MEASURED}
        return means | {f"{mask}/{metric}": each[metric] for mask, each in scores.items() for metric in MEASURED}
    return numbers


def examine_latents(model, faces, validation):
    """A function that encodes and decodes faces of other people, and completes their centres by a short search."""
    truth, search = validation[:COMPLETED], model.make_search(QUICK)

    def numbers():
        decoded = model.decode(model.latents_of(to_float(truth)))
        filled, known = complete_centres(search, truth)
        return score(filled, truth, known) | {"validation_error": float(np.mean((to_float(truth) - decoded) ** 2))}
    return numbers


def examine_own(model, faces, validation):
    """A function that examines a model as it does itself, on pictures of other people."""
    truth = to_float(validation[:WATCHED])
    return lambda: model.examine(truth)


# By nn.trainable.Trainable.examined: functions (model, its faces, faces of other people) -> () -> {name: number}
EXAMINATIONS = {"samples": examine_samples, "holes": examine_holes, "latents": examine_latents, "own": examine_own}


def quality(numbers):
    """What is largest of a run's best model: (whether G lives, SSIM in the hole or, if it fills none, minus its error).

    A young G, whose samples are one blur, fills holes with what SSIM takes for good.
    """
    score = numbers["hole_ssim"] if "hole_ssim" in numbers else -numbers["error"]
    return numbers.get("diversity", 1) > ALIVE, score


def diversity(faces):
    """Mean Euclidean distance of all pairs of (N, S, S, 3) uint8 faces, in levels a value; 0 if there is one only."""
    flat = faces.reshape(len(faces), -1).astype(np.float64)
    squares = (flat ** 2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * flat @ flat.T, 0) / flat.shape[1])
    return float(distances.sum() / max(len(faces) * (len(faces) - 1), 1))


def diagnose(examined, saves=()):
    """What went wrong with a run by its last examination, in one line and once; None if nothing did.

    examined : the numbers of Health and the "step" of all examinations, the newest last; saves : steps to go back to
    """
    spread = [record for record in examined if "diversity" in record]
    values = [record["diversity"] for record in spread]
    if _is_first(lambda values: max(values) > ALIVE and values[-1] < COLLAPSED * max(values), values):
        peak = max(spread, key=lambda record: record["diversity"])
        save = max((step for step in saves if step <= peak["step"]), default=None)
        advice = "begin again in another --run" if save is None else f"go back with --resume_from {save}"
        return (f"G is collapsing: its samples differ {values[-1]:.0%} as much as real faces do, "
                f"{max(values):.0%} at step {peak['step']}; {advice} and try --augment color, --noise 0.1 or a smaller "
                "--learning_rate")
    wins = [record.get("d_wins", 0) for record in examined]
    if _is_first(lambda values: values[-1] > WON, wins):
        return (f"D has won: it tells {wins[-1]:.1%} of real and generated faces apart, and G learns little from it; "
                "try --noise 0.1, --penalty r1 or a smaller --d_learning_rate")
    return None


def _is_first(trouble, values):
    """Whether the last of these values shows a trouble that none before it did."""
    return bool(values) and trouble(values) and not any(trouble(values[:count]) for count in range(1, len(values)))
