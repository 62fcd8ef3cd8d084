"""Named settings of the latent search, and their sources."""
import dataclasses

PRIORS = "log(1 - D)", "-log D"
OPTIMIZERS = "adam", "nesterov"
DRAWS = "uniform", "normal"
ANSWERS = "best", "mean"
ITERATES = "last", "best"
BLENDS = "poisson", "matern", "feather", "none"
SPACES = "latent", "activations"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a face is completed; the defaults are the report's.

    window : side of the neighbourhood that weighs the known pixels; 0 for none
    lam : weight of the prior loss; prior : its form, one of PRIORS
    num_iter : updates of z, at most if they go by_depth: fewer the further a hole's pixels are from known ones
        (completion.updates)
    optimizer : of z, one of OPTIMIZERS: Adam (0.9, 0.999), or gradient descent with Nesterov's momentum of 0.9
    learning_rate : of the optimizer; decay : its factor every 100 updates
    starts : searches a face
    pool : latents from which the starts with the smallest context loss are taken; 0 draws the starts at random
    draw : where random starts come from, U(-1, 1) or N(0, 1), which is then cut at -1 and 1 as all of z is
    iterate : the z that counts, the last one or that with the smallest loss so far
    answer : "best", the search with the smallest context loss, or "mean", the mean of all faces found
    blend : how the guess is put into the hole, one of BLENDS
    space : what is searched, the "latent" z, or G's "activations" behind its first layer, and what the encoder corrects
        of the next ones, from the encoder's answer
    hold : weight, for each unit of the context weights, of the mean squared distance from the start
    mirror : search for the mirror image of the face too, from as many starts, which count like the others
    scatter : by how much of what sets faces of G apart from their mean all starts but the first leave the encoder's
        answer, and all those of several completions
    detail : what is answered between the most likely, 0, and the most lifelike, which is the search's own, 1
        (completion.detail); below 1 it needs a network that knows what is likely
    precision : what the convolutions of the search compute in, one of nn.choices.PRECISIONS; an encoder has float32
    """
    window: int = 7
    lam: float = 0.1
    prior: str = "log(1 - D)"
    num_iter: int = 500
    by_depth: bool = False
    optimizer: str = "adam"
    learning_rate: float = 0.01
    decay: float = 1.0
    starts: int = 1
    pool: int = 0
    draw: str = "uniform"
    iterate: str = "last"
    answer: str = "best"
    blend: str = "none"
    space: str = "latent"
    hold: float = 0.0
    scatter: float = 0.0
    mirror: bool = False
    detail: float = 1.0
    precision: str = "float32"


POOL = Recipe(window=15, lam=0.0, num_iter=100, learning_rate=0.02, starts=8, pool=2048, answer="mean", blend="poisson")
RECIPES = {
    "seed": Recipe(),
    "paper": Recipe(lam=0.003, num_iter=1500, blend="poisson"),
    "bamos": Recipe(window=0, prior="-log D", num_iter=1000),
    "moodoki": Recipe(window=15, lam=0.2, prior="-log D", num_iter=3000, optimizer="nesterov", learning_rate=0.0003,
                      draw="normal", blend="poisson"),
    "chengbin": Recipe(lam=3.0, prior="-log D", num_iter=1500, optimizer="nesterov", decay=0.95, draw="normal",
                       iterate="best", blend="poisson"),
    "pool": POOL,
    "best": Recipe(window=15, lam=0.0, num_iter=12, by_depth=True, learning_rate=0.02, answer="mean",
                   blend="matern", space="activations", hold=50.0, scatter=1.1, mirror=True, detail=0.25),
}
CALIBRATED = RECIPES["best"]                            # to whose errors the factors of metrics.conformal are fitted
PHOTO_DETAIL = 0.7                                      # of best in whole photos, which people look at
SOURCES = {
    "seed": "the report of 2018",
    "paper": "Yeh et al., CVPR 2017; Adam's rate is ours",
    "bamos": "Amos, dcgan-completion.tensorflow, 2016",
    "moodoki": "moodoki/semantic_image_inpainting, the paper's authors",
    "chengbin": "ChengBinJin/semantic-image-inpainting",
    "pool": "what measured best here without an encoder",
    "best": "what measured best here",
}


def describe_recipes():
    """Yield a line for every recipe: its source, and what it has other than the report."""
    report = dataclasses.asdict(Recipe())
    for name, recipe in RECIPES.items():
        settings = dataclasses.asdict(recipe)
        shown = {key: value for key, value in settings.items() if value != report[key]} or settings
        yield f"{name}: {SOURCES[name]}; " + ", ".join(f"{key} {value}" for key, value in shown.items())
