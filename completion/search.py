"""The latent search: descent on z until G(z) agrees with what is known of a face and looks real.

What is searched is z, or activations within G, from where an encoder sees them.
Source: Yeh et al., "Semantic Image Inpainting with Deep Generative Models", CVPR 2017, section 3.
"""
import collections
import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nn.lanes import fill_lanes
from nn.setup import tf, traced

from .descent import OPTIMIZERS
from .losses import PRIORS, context_loss
from .starts import drawn, encoded, pooled
from .updates import updates_for
from .weights import context_weights

DECAY_EVERY = 100                                       # updates
AT_ONCE = 5                                             # updates that nothing can interrupt


@dataclasses.dataclass
class Latent:
    """The latent z of a model that makes faces, as something to search.

    generate : function, z (B, size) -> faces (B, H, W, 3) in [-1, 1]; size : length of z
    realism : function, faces -> logits (B,) of their being real
    prior : function, z -> loss (B,), that takes the place of realism and the recipe's form of prior
    """
    generate: Callable
    size: int
    realism: Callable | None = None
    prior: Callable | None = None


@dataclasses.dataclass
class Inner:
    """G's activations as something to search, each in units of its deviation over G's faces.

    encode : function, (faces (B, H, W, 3), known (B, H, W)) -> the activations (B, n) of the whole faces; in the holes
        lies a likely answer, or 0
    decode : function, activations (B, n) -> faces (B, H, W, 3) in [-1, 1]
    draw : function, (numpy Generator, count) -> (count, m) float32, the first m of the n of faces of G at random, their
        mean taken away; these decide what face it is, the others only its details
    plain : how many of a face's starts are what the encoder sees; the others are scattered about it
    """
    encode: Callable
    decode: Callable
    draw: Callable
    plain: int = 1


class State(NamedTuple):
    """Where the updates of R searches stand: z (R, n), what the optimizer remembers of each, and the best z so far.

    least : (R,), the loss of `best`
    """
    z: tf.Tensor
    first_moment: tf.Tensor
    second_moment: tf.Tensor
    best: tf.Tensor
    least: tf.Tensor


class Aim(NamedTuple):
    """Where R searches start (R, n), the faces they aim at (R, H, W, 3), and the weights of their pixels (R, H, W)."""
    start: tf.Tensor
    faces: tf.Tensor
    weights: tf.Tensor


@dataclasses.dataclass
class Standing:
    """Where a search stands for B faces, or how it ended.

    step : updates of z so far
    guess : (B, H, W, 3) float32 in [-1, 1], the recipe's answer
    z : (B, searches, n), each search's latent or activations, those with the smallest context loss first; of a mirrored
        search, those of the mirrored face
    guesses : (B, searches, H, W, 3) and contexts : (B, searches), their faces, turned back, and context losses
    context, prior : (B,) losses of that first search
    context_gradient, prior_gradient : (B,) lengths of the gradients of its context loss and of lam times its prior loss
        with respect to z
    updates : (B,), how many of these steps each face has made
    """
    step: int
    guess: np.ndarray
    z: np.ndarray
    guesses: np.ndarray
    contexts: np.ndarray
    context: np.ndarray
    prior: np.ndarray
    context_gradient: np.ndarray
    prior_gradient: np.ndarray
    updates: np.ndarray


class Search:
    """The search for one pair of networks and one recipe, compiled once for all batches.

    latent : a Latent; recipe : a recipes.Recipe
    seed : decides the pool; the random starts of a face depend on its own seed
    inner : an Inner, for recipes that search activations
    compute : function that compiles a function whose tensors have a row for each search, and may share these rows out
        to several devices; scalars go to all of them
    """

    def __init__(self, latent, recipe, seed=0, inner=None, compute=traced):
        self.latent, self.recipe, self.searches = latent, recipe, recipe.starts * (1 + recipe.mirror)
        self.decode = inner.decode if recipe.space == "activations" else latent.generate
        self._starts = (encoded(recipe, compute(inner.encode), inner.draw, plain=inner.plain)
                        if recipe.space == "activations" else
                        pooled(recipe, latent.size, latent.generate, seed) if recipe.pool else
                        drawn(recipe, latent.size))
        self._descend, self._judge, self._measure = map(compute, (self._descend, self._judge, self._measure))

    def __call__(self, faces, known, seeds, **how):
        """The Standing at the end of `steps`, which takes the same arguments."""
        return collections.deque(self.steps(faces, known, seeds, **how), maxlen=1).pop()

    def steps(self, faces, known, seeds, *, likely=None, interval=None, check=lambda: None):
        """Complete a batch of faces; yields a Standing at step 0, at every multiple of `interval`, and at the end.

        Parameters
        ----------
        faces : (B, H, W, 3) float32 in [-1, 1]; what lies in the hole is never looked at
        known : (B, H, W) bool, True where the face is kept
        seeds : B integers of at least 0, one a face, from which its random starts are drawn
        likely : (B, H, W, 3) float32, an answer that the encoder is to see in the holes
        interval : updates from one Standing to the next; None for those of the beginning and the end alone
        check : function, called every few updates; what it raises ends the search

        Who makes fewer updates than others stays where it is. No face's result depends on the others of its batch.
        """
        recipe, aim = self.recipe, self._aim(faces, known, seeds, 0 if likely is None else likely)
        updates = updates_for(known, recipe.num_iter) if recipe.by_depth else np.full(len(faces), recipe.num_iter)
        z, still = aim.start, tf.zeros_like(aim.start)
        state = State(z, still, still, z, least=tf.fill(len(z), np.inf))
        standing, interval = self._look(0, updates, z, aim), interval or max(recipe.num_iter, 1)
        yield standing
        for begun in range(0, recipe.num_iter, interval):
            step = min(begun + interval, recipe.num_iter)
            if begun < updates.max():
                state = self._advance(state, aim, np.repeat(updates, self.searches), begun, last=step, check=check)
                standing = self._look(step, updates, state.best if recipe.iterate == "best" else state.z, aim)
            yield dataclasses.replace(standing, step=step)

    def _aim(self, faces, known, seeds, likely):
        """The Aim of the searches for a batch, those of each face's mirror image behind its own."""
        seen = np.where(known[..., None], faces, likely).astype(np.float32)
        views = [(seen, known, context_weights(known, self.recipe.window))]
        if self.recipe.mirror:
            views.append([array[:, :, ::-1] for array in views[0]])
        starts = self._starts(*map(np.concatenate, zip(*views)), [*seeds] * len(views))
        faces, _, weights = ([np.repeat(array[:, None], self.recipe.starts, axis=1) for array in arrays]
                             for arrays in zip(*views))
        return Aim(*(fill_lanes(np.concatenate(np.concatenate(parts, axis=1)))         # (B, starts, ...) -> (R, ...)
                     for parts in (np.split(starts, len(views)), faces, weights)))

    def _advance(self, state, aim, updates, first, last, check):
        """The updates first + 1 to last of those rows that make so many; updates : (R,), how many each makes."""
        while first < last and (going := np.flatnonzero(updates > first)).size:
            rows, end = fill_lanes(going), min(last, int(updates[going].min()))
            moving, goal = tf.nest.map_structure(lambda value, rows=rows: tf.gather(value, rows), (state, aim))
            for begun in range(first, end, AT_ONCE):
                check()
                moving = self._descend(moving, goal, tf.constant(begun), tf.constant(min(begun + AT_ONCE, end)))
            state = State(*(tf.tensor_scatter_nd_update(whole, rows[:, None], part)
                            for whole, part in zip(state, moving)))
            first = end
        return state

    def _descend(self, state, aim, first, last):
        """The updates first + 1 to last, in one graph."""
        recipe, optimize = self.recipe, OPTIMIZERS[self.recipe.optimizer]
        limit, weight = 1 if recipe.space == "latent" else np.inf, tf.reduce_sum(aim.weights, axis=(1, 2))

        def update(step, z, first_moment, second_moment, best, least):
            with tf.GradientTape() as tape:
                tape.watch(z)
                guess = self.decode(z)
                loss = context_loss(guess, aim.faces, aim.weights)
                if recipe.lam:
                    loss += recipe.lam * self._prior_loss(z, guess)
                if recipe.hold:
                    loss += recipe.hold * weight * tf.reduce_mean((z - aim.start) ** 2, axis=1)
                total = tf.reduce_sum(loss)             # a sum: no face feels its neighbours
            best, least = tf.where((loss < least)[:, None], z, best), tf.minimum(loss, least)
            rate = recipe.learning_rate * recipe.decay ** tf.cast(step // DECAY_EVERY, tf.float32)
            move, first_moment, second_moment = optimize(
                tape.gradient(total, z), tf.cast(step + 1, tf.float32), rate, first=first_moment, second=second_moment)
            z = tf.clip_by_value(z + move, -limit, limit)       # z stays in the support of U(-1, 1)
            return step + 1, z, first_moment, second_moment, best, least
        return State(*tf.while_loop(lambda step, *_: step < last, update, (first, *state))[1:])

    def _judge(self, z, aim):
        guess = self.decode(z)
        return guess, context_loss(guess, aim.faces, aim.weights)

    def _prior_loss(self, z, guess):
        if self.latent.prior:
            return self.latent.prior(z)
        return PRIORS[self.recipe.prior](self.latent.realism(guess))

    def _measure(self, z, aim):
        """The prior loss (B,), and the lengths of the gradients of the context loss and of lam times the prior loss."""
        lam = self.recipe.lam
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(z)
            guess = self.decode(z)
            context = context_loss(guess, aim.faces, aim.weights)
            prior = self._prior_loss(z, guess)
        slopes = [tape.gradient(context, z), lam * tape.gradient(prior, z) if lam else tf.zeros_like(z)]
        return prior, *(tf.norm(slope, axis=1) for slope in slopes)

    def _look(self, step, updates, z, aim):
        """The Standing at this z, the searches of each face in the order of their context loss."""
        shape = len(updates), self.searches
        guess, context, latents = (value.numpy()[:np.prod(shape)].reshape(*shape, *value.shape[1:])
                                   for value in (*self._judge(z, aim), z))
        if self.recipe.mirror:
            straight, mirrored = np.split(guess, 2, axis=1)
            guess = np.concatenate([straight, mirrored[:, :, :, ::-1]], axis=1)
        order = np.argsort(context, axis=1, kind="stable")
        mean, faces = guess.mean(axis=1), np.arange(len(updates))
        guess, context, latents = (value[faces[:, None], order] for value in (guess, context, latents))
        first = fill_lanes(faces * self.searches + order[:, 0])
        prior, *lengths = (value.numpy()[:len(updates)] for value in self._measure(
            *tf.nest.map_structure(lambda value: tf.gather(value, first), (z, aim))))
        return Standing(step, mean if self.recipe.answer == "mean" else guess[:, 0], z=latents, guesses=guess,
                        contexts=context, context=context[:, 0], prior=prior, context_gradient=lengths[0],
                        prior_gradient=lengths[1], updates=np.minimum(updates, step))
