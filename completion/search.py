"""The latent search: descent on z until G(z) agrees with what is known of a face and looks real.

What is searched is z, or activations within G, from where an encoder sees them.
Source: Yeh et al., "Semantic Image Inpainting with Deep Generative Models", CVPR 2017, section 3.
"""
import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nn.lanes import fill_lanes
from nn.setup import tf

from .descent import OPTIMIZERS
from .losses import PRIORS, context_loss
from .starts import drawn, encoded, pooled
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

    encode : function, (faces (B, H, W, 3), known (B, H, W)) -> the activations (B, n) of the whole faces; what lies in
        the holes is 0
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
    """What R searches aim at: faces (R, H, W, 3), the weights (R, H, W) of their pixels, and where they started."""
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
        with respect to z; None unless they were asked for
    """
    step: int
    guess: np.ndarray
    z: np.ndarray
    guesses: np.ndarray
    contexts: np.ndarray
    context: np.ndarray
    prior: np.ndarray
    context_gradient: np.ndarray | None = None
    prior_gradient: np.ndarray | None = None


class Search:
    """The search for one pair of networks and one recipe, compiled once for all batches.

    latent : a Latent; recipe : a recipes.Recipe
    seed : decides the pool; the random starts of a face depend on its own seed
    inner : an Inner, for recipes that search activations
    compute : function that compiles a function whose tensors have a row for each search, and may share these rows out
        to several devices; scalars go to all of them
    """

    def __init__(self, latent, recipe, seed=0, inner=None, compute=tf.function):
        self.latent, self.recipe, self.searches = latent, recipe, recipe.starts * (1 + recipe.mirror)
        self.decode = inner.decode if recipe.space == "activations" else latent.generate
        self._starts = (encoded(recipe, compute(inner.encode), inner.draw, plain=inner.plain)
                        if recipe.space == "activations" else
                        pooled(recipe, latent.size, latent.generate, seed) if recipe.pool else
                        drawn(recipe, latent.size))
        self._descend, self._judge, self._slopes = map(compute, (self._descend, self._judge, self._slopes))

    def __call__(self, faces, known, seeds, *, interval=None, on_step=None, gradients=False, check=lambda: None):
        """Complete a batch of faces.

        Parameters
        ----------
        faces : (B, H, W, 3) float32 in [-1, 1]; what lies in the hole is never looked at
        known : (B, H, W) bool, True where the face is kept
        seeds : B integers of at least 0, one a face, from which its random starts are drawn
        interval : updates between calls of on_step
        on_step : function of a Standing, called at step 0, at every multiple of `interval` and at the end
        gradients : measure the lengths of the gradients too, whenever on_step is called
        check : function, called every few updates; what it raises ends the search

        Returns the Standing at the end. No face's result depends on the others of its batch.
        """
        recipe, count = self.recipe, len(faces)
        faces = np.where(known[..., None], faces, 0).astype(np.float32)
        weights = context_weights(known, recipe.window)
        views = [(faces, known, weights)]
        if recipe.mirror:
            views.append([array[:, :, ::-1] for array in views[0]])
        z = _rows([self._starts(*view, seeds) for view in views])
        aim = Aim(z, *(_rows([np.repeat(view[which][:, None], recipe.starts, axis=1) for view in views])
                       for which in (0, 2)))
        state = State(z, tf.zeros_like(z), tf.zeros_like(z), z, least=tf.fill(len(z), np.inf))
        step, standing = 0, self._look(0, count, z, aim, gradients=gradients)
        while True:
            if on_step:
                on_step(standing)
            if step >= recipe.num_iter:
                return standing
            last = min(step + (interval or recipe.num_iter), recipe.num_iter)
            while step < last:
                check()
                begun, step = step, min(step + AT_ONCE, last)
                state = self._descend(state, aim, tf.constant(begun), tf.constant(step))
            z = state.best if recipe.iterate == "best" else state.z
            standing = self._look(step, count, z, aim, gradients=gradients)

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
            move, first_moment, second_moment = optimize(tape.gradient(total, z), tf.cast(step + 1, tf.float32), rate,
                                                         first_moment, second_moment)
            z = tf.clip_by_value(z + move, -limit, limit)       # z stays in the support of U(-1, 1)
            return step + 1, z, first_moment, second_moment, best, least
        return State(*tf.while_loop(lambda step, *_: step < last, update, (first, *state))[1:])

    def _judge(self, z, aim):
        guess = self.decode(z)
        return guess, context_loss(guess, aim.faces, aim.weights), self._prior_loss(z, guess)

    def _prior_loss(self, z, guess):
        if self.latent.prior:
            return self.latent.prior(z)
        return PRIORS[self.recipe.prior](self.latent.realism(guess))

    def _slopes(self, z, aim):
        """Lengths (B,) of the gradients of the context loss and of lam times the prior loss."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(z)
            guess = self.decode(z)
            losses = context_loss(guess, aim.faces, aim.weights), self.recipe.lam * self._prior_loss(z, guess)
        return [tf.norm(tape.gradient(loss, z), axis=1) for loss in losses]

    def _look(self, step, count, z, aim, gradients):
        """The Standing at this z, the searches of each face in the order of their context loss."""
        rows, shape = (z, aim), (count, self.searches)
        guess, context, prior, z = (value.numpy()[:np.prod(shape)].reshape(*shape, *value.shape[1:])
                                    for value in (*self._judge(z, aim), z))
        if self.recipe.mirror:
            straight, mirrored = np.split(guess, 2, axis=1)
            guess = np.concatenate([straight, mirrored[:, :, :, ::-1]], axis=1)
        order = np.argsort(context, axis=1, kind="stable")
        mean, ranked = guess.mean(axis=1), (np.arange(count)[:, None], order)
        guess, context, prior, z = (value[ranked] for value in (guess, context, prior, z))
        standing = Standing(step=step, guess=mean if self.recipe.answer == "mean" else guess[:, 0], z=z, guesses=guess,
                            contexts=context, context=context[:, 0], prior=prior[:, 0])
        if gradients:
            first = fill_lanes(np.arange(count) * self.searches + order[:, 0])
            slopes = self._slopes(*tf.nest.map_structure(lambda value: tf.gather(value, first), rows))
            standing.context_gradient, standing.prior_gradient = (slope.numpy()[:count] for slope in slopes)
        return standing


def _rows(parts):
    """Arrays (B, starts, ...) side by side, as the rows of one tensor."""
    return fill_lanes(np.concatenate(np.concatenate(parts, axis=1)))
