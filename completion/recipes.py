"""Named settings of the latent search."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a face is completed; the defaults are the report's.

    window : side of the neighbourhood that weighs the known pixels; 0 for none
    lam : weight of the prior loss
    num_iter : updates of z
    learning_rate : of Adam (0.9, 0.999) on z
    starts : searches a face
    pool : latents from which the starts with the smallest context loss are taken; 0 draws the starts at random
    answer : "best", the search with the smallest context loss, or "mean", the mean of all faces found
    blend : how the guess is put into the hole, "poisson" or "none"
    """
    window: int = 7
    lam: float = 0.1
    num_iter: int = 500
    learning_rate: float = 0.01
    starts: int = 1
    pool: int = 0
    answer: str = "best"
    blend: str = "none"


RECIPES = {
    "seed": Recipe(),
    "best": Recipe(window=15, lam=0.0, num_iter=100, learning_rate=0.02, starts=8, pool=2048, answer="mean",
                   blend="poisson"),
}
