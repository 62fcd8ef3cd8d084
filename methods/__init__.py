"""Every way to fill a hole: the latent search, learned models, and classical methods."""
from models import LEARNED

CLASSICAL = ("laplace", "total_variation", "low_rank", "patchmatch", "telea", "navier_stokes", "biharmonic",
             "mean_face", "nearest")
NEED_FACES = ("mean_face", "nearest")
METHODS = ("latent", *CLASSICAL, *LEARNED)
