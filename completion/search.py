"""The latent search: descent on z until G(z) agrees with what is known of a face and looks real.

Source: Yeh et al., "Semantic Image Inpainting with Deep Generative Models", CVPR 2017, section 3.
"""
import dataclasses

import numpy as np
import tensorflow as tf

from .descent import OPTIMIZERS
from .losses import PRIORS, context_loss
from .weights import context_weights

DECAY_EVERY = 100                                       # updates
POOL_BATCH = 256
LANES = 8                                               # batches are filled up to a multiple of it: oneDNN then sums
                                                        # in the same order for every face, whatever the batch


@dataclasses.dataclass
class Found:
    """Where a search stands for B faces, or how it ended.

    step : updates of z so far
    guess : (B, H, W, 3) float32 in [-1, 1], the recipe's answer
    z : (B, starts, z_dim), each search's latent, the one with the smallest context loss first
    context, prior : (B,) losses of that first search
    """
    step: int
    guess: np.ndarray
    z: np.ndarray
    context: np.ndarray
    prior: np.ndarray


class Search:
    """The search for one pair of networks and one recipe, compiled once for all batches.

    Parameters
    ----------
    generate : function, z (B, z_dim) -> faces (B, H, W, 3) in [-1, 1]
    realism : function, faces -> logits (B,) of their being real
    z_dim : length of z
    recipe : a recipes.Recipe
    seed : decides the pool; the random starts of a face depend on its own seed
    """

    def __init__(self, generate, realism, z_dim, recipe, seed=0):
        self.generate, self.realism, self.z_dim, self.recipe = generate, realism, z_dim, recipe
        self._descend, self._judge = tf.function(self._descend), tf.function(self._judge)
        self._pool = self._make_pool(seed) if recipe.pool else None

    def __call__(self, faces, known, seeds, *, interval=None, on_step=None):
        """Complete a batch of faces.

        Parameters
        ----------
        faces : (B, H, W, 3) float32 in [-1, 1]; what lies in the hole is never looked at
        known : (B, H, W) bool, True where the face is kept
        seeds : B integers of at least 0, one a face: its start depends on nothing else
        interval : updates between calls of on_step
        on_step : function of a Found, called at step 0, at every multiple of `interval` and at the end

        Returns the Found at the end. No face's result depends on the others of its batch.
        """
        recipe, count = self.recipe, len(faces)
        faces = np.where(known[..., None], faces, 0).astype(np.float32)
        weights = context_weights(known, recipe.window)
        z = self._starts(faces, weights, seeds)
        z = _lanes(z.reshape(count * recipe.starts, self.z_dim))
        faces, weights = (_lanes(np.repeat(array, recipe.starts, axis=0)) for array in (faces, weights))
        state = z, tf.zeros_like(z), tf.zeros_like(z), z, tf.fill(len(z), np.inf)
        step, found = 0, self._look(0, count, z, faces, weights)
        while True:
            if on_step:
                on_step(found)
            if step >= recipe.num_iter:
                return found
            last = min(step + (interval or recipe.num_iter), recipe.num_iter)
            state = self._descend(*state, tf.constant(step), tf.constant(last), faces, weights)
            shown = state[3 if recipe.iterate == "best" else 0]
            step, found = last, self._look(last, count, shown, faces, weights)

    def _descend(self, z, first_moment, second_moment, best, least, first, last, faces, weights):
        """The updates first + 1 to last, in one graph; `best` is each z with the least loss that was met."""
        recipe, optimize = self.recipe, OPTIMIZERS[self.recipe.optimizer]

        def update(step, z, first_moment, second_moment, best, least):
            with tf.GradientTape() as tape:
                tape.watch(z)
                guess = self.generate(z)
                loss = context_loss(guess, faces, weights)
                if recipe.lam:
                    loss += recipe.lam * PRIORS[recipe.prior](self.realism(guess))
                total = tf.reduce_sum(loss)             # a sum: no face feels its neighbours
            best, least = tf.where((loss < least)[:, None], z, best), tf.minimum(loss, least)
            rate = recipe.learning_rate * recipe.decay ** tf.cast(step // DECAY_EVERY, tf.float32)
            move, first_moment, second_moment = optimize(tape.gradient(total, z), tf.cast(step + 1, tf.float32), rate,
                                                         first_moment, second_moment)
            z = tf.clip_by_value(z + move, -1, 1)       # stay in the support of U(-1, 1)
            return step + 1, z, first_moment, second_moment, best, least
        return tf.while_loop(lambda step, *_: step < last, update,
                             (first, z, first_moment, second_moment, best, least))[1:]

    def _judge(self, z, faces, weights):
        guess = self.generate(z)
        return guess, context_loss(guess, faces, weights), PRIORS[self.recipe.prior](self.realism(guess))

    def _look(self, step, count, z, faces, weights):
        """The Found at this z, the searches of each face in the order of their context loss."""
        starts = self.recipe.starts
        guess, context, prior, z = (value.numpy()[:count * starts].reshape(count, starts, *value.shape[1:])
                                    for value in (*self._judge(z, faces, weights), z))
        order = np.argsort(context, axis=1, kind="stable")
        best = np.arange(count), order[:, 0]
        answer = guess.mean(axis=1) if self.recipe.answer == "mean" else guess[best]
        return Found(step, answer, np.take_along_axis(z, order[..., None], 1), context[best], prior[best])

    def _make_pool(self, seed):
        z = np.random.default_rng(seed).uniform(-1, 1, (self.recipe.pool, self.z_dim)).astype(np.float32)
        faces = [np.asarray(self.generate(tf.constant(part))) for part in
                 np.split(z, range(POOL_BATCH, len(z), POOL_BATCH))]
        return z, np.concatenate(faces)

    def _draw(self, rng):
        shape = self.recipe.starts, self.z_dim
        return rng.uniform(-1, 1, shape) if self.recipe.draw == "uniform" else np.clip(rng.normal(size=shape), -1, 1)

    def _starts(self, faces, weights, seeds):
        """(B, starts, z_dim): drawn by each face's seed, or the latents of the pool that agree best with it."""
        if self._pool is None:
            return np.stack([self._draw(np.random.default_rng(seed)) for seed in seeds])
        z, pool = self._pool
        starts = []
        for face, weight in zip(faces, weights):
            near = weight > 0
            losses = np.einsum("n,pnc->p", weight[near], np.abs(pool[:, near] - face[near]))
            starts.append(z[np.argsort(losses, kind="stable")[:self.recipe.starts]])
        return np.stack(starts)


def _lanes(array):
    """A float32 tensor of the array, its last row repeated up to a multiple of LANES."""
    spare = -len(array) % LANES
    return tf.constant(np.concatenate([array, np.repeat(array[-1:], spare, axis=0)]), tf.float32)
