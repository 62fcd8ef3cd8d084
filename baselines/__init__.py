"""Other ways to fill a hole: each is fill(face, known, seed) -> face, and all are in the tables of methods.py.

Those that are learned fill a batch at once, (faces, known, seeds) -> faces, and are in the table of learned.py.
"""
METHODS = ("laplace", "total_variation", "low_rank", "patchmatch", "telea", "navier_stokes", "biharmonic", "mean_face",
           "nearest")
NEED_FACES = ("mean_face", "nearest")
# Of each learned method the kind of model that it needs.
LEARNED = {"context_encoder": "context_encoder", "generative_face_completion": "generative_face_completion",
           "latent_encoder": "latent_encoder", "autoencoder": "autoencoder", "vae": "vae", "vae_encoding": "vae"}
SEARCHED = ("autoencoder", "vae")                       # whose latent face_completion's own search can go through too
SHIPPED = "checkpoint/celeba64-learned"                 # where the models of learned methods lie, by their kind
