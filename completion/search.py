"""The latent search: Adam on z until G(z) agrees with what is known of a face and looks real.

Source: Yeh et al., "Semantic Image Inpainting with Deep Generative Models", CVPR 2017, section 3.
"""
import dataclasses

import numpy as np
import tensorflow as tf

from .losses import context_loss, prior_loss
from .weights import context_weights

BETA1, BETA2, TINY = 0.9, 0.999, 1e-8                   # of Adam: Kingma and Ba, ICLR 2015
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
        state = z, tf.zeros_like(z), tf.zeros_like(z)
        step, found = 0, self._look(0, count, z, faces, weights)
        while True:
            if on_step:
                on_step(found)
            if step >= recipe.num_iter:
                return found
            last = min(step + (interval or recipe.num_iter), recipe.num_iter)
            state = self._descend(*state, tf.constant(step), tf.constant(last), faces, weights)
            step, found = last, self._look(last, count, state[0], faces, weights)

    def _descend(self, z, mean, square, first, last, faces, weights):
        """Adam's updates first + 1 to last, in one graph."""
        def update(step, z, mean, square):
            with tf.GradientTape() as tape:
                tape.watch(z)
                guess = self.generate(z)
                total = tf.reduce_sum(context_loss(guess, faces, weights))      # a sum: no face feels its neighbours
                if self.recipe.lam:
                    total += self.recipe.lam * tf.reduce_sum(prior_loss(self.realism(guess)))
            gradient, age = tape.gradient(total, z), tf.cast(step + 1, tf.float32)
            mean += (1 - BETA1) * (gradient - mean)
            square += (1 - BETA2) * (gradient ** 2 - square)
            pace = self.recipe.learning_rate / (1 - BETA1 ** age)
            z -= pace * mean / (tf.sqrt(square / (1 - BETA2 ** age)) + TINY)
            return step + 1, tf.clip_by_value(z, -1, 1), mean, square           # stay in the support of U(-1, 1)
        return tf.while_loop(lambda step, *_: step < last, update, (first, z, mean, square))[1:]

    def _judge(self, z, faces, weights):
        guess = self.generate(z)
        return guess, context_loss(guess, faces, weights), prior_loss(self.realism(guess))

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

    def _starts(self, faces, weights, seeds):
        """(B, starts, z_dim): drawn by each face's seed, or the latents of the pool that agree best with it."""
        if self._pool is None:
            return np.stack([np.random.default_rng(seed).uniform(-1, 1, (self.recipe.starts, self.z_dim))
                             for seed in seeds])
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
