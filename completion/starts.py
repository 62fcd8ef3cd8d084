"""Where a search begins: functions (faces, known, weights, seeds) -> starts (B, starts, n) float32.

faces : (B, H, W, 3) float32, in the hole 0 or a likely answer; known : (B, H, W) bool; weights : (B, H, W) of the
context loss; seeds : B integers of at least 0. A face's starts depend on no other face.
"""
import numpy as np

from nn.lanes import fill_lanes
from nn.setup import tf

POOL_BATCH = 256


def drawn(recipe, z_dim):
    """Latents at random, by each face's seed."""
    def draw(seed):
        rng, shape = np.random.default_rng(seed), (recipe.starts, z_dim)
        return rng.uniform(-1, 1, shape) if recipe.draw == "uniform" else np.clip(rng.normal(size=shape), -1, 1)

    def starts(faces, known, weights, seeds):
        return np.stack([draw(seed) for seed in seeds]).astype(np.float32)
    return starts


def pooled(recipe, z_dim, generate, seed):
    """The latents of a pool whose faces have the smallest context loss; `seed` decides the pool."""
    latents = np.random.default_rng(seed).uniform(-1, 1, (recipe.pool, z_dim)).astype(np.float32)
    pool = np.concatenate([np.asarray(generate(tf.constant(part))) for part in
                           np.split(latents, range(POOL_BATCH, len(latents), POOL_BATCH))])

    def nearest(face, weight):
        near = weight > 0
        losses = np.einsum("n,pnc->p", weight[near], np.abs(pool[:, near] - face[near]))
        return latents[np.argsort(losses, kind="stable")[:recipe.starts]]

    def starts(faces, known, weights, seeds):
        return np.stack([nearest(face, weight) for face, weight in zip(faces, weights)])
    return starts


def encoded(recipe, encode, draw, plain):
    """The activations that an encoder sees; all starts but the first `plain` ones leave them as faces of G differ."""
    def starts(faces, known, weights, seeds):
        seen = encode(fill_lanes(faces), fill_lanes(known)).numpy()[:len(faces), None]
        begin = np.repeat(seen, recipe.starts, axis=1)
        for activations, seed in zip(begin, seeds if recipe.starts > plain else ()):
            moved = draw(np.random.default_rng(seed), recipe.starts - plain)
            activations[plain:, :moved.shape[1]] += recipe.scatter * moved
        return begin
    return starts
