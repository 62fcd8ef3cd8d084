import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from completion.losses import context_loss, prior_loss
from completion.masks import center
from completion.recipes import RECIPES, Recipe
from completion.search import Search
from completion.weights import context_weights

SEED = RECIPES["seed"]
SIZE, Z_DIM = 16, 6
BASIS = np.random.default_rng(0).normal(0, 0.3, (Z_DIM, SIZE * SIZE * 3)).astype(np.float32)
KNOWN = np.stack([center(SIZE)] * 4)
TRUE_Z = np.random.default_rng(1).uniform(-0.8, 0.8, (4, Z_DIM)).astype(np.float32)


def generate(z):
    return tf.reshape(tf.tanh(z @ BASIS), (-1, SIZE, SIZE, 3))


def realism(faces):
    return tf.reduce_mean(faces, axis=(1, 2, 3))


FACES = generate(TRUE_Z).numpy()


def searched(recipe=SEED, faces=FACES, known=KNOWN, seeds=(1, 2, 3, 4), **how):
    return Search(generate, realism, Z_DIM, recipe)(faces, known, seeds, **how)


def test_a_generated_face_is_found_again():
    found = searched(Recipe(num_iter=400, learning_rate=0.03))
    np.testing.assert_allclose(found.guess, FACES, atol=0.08)
    np.testing.assert_allclose(found.z[:, 0], TRUE_Z, atol=0.08)


@pytest.mark.parametrize("recipe", [Recipe(num_iter=30), Recipe(num_iter=30, starts=3, pool=32, answer="mean")])
def test_a_face_is_completed_alike_alone_and_in_company(recipe):
    together = searched(recipe, seeds=[3, 4, 5, 6])
    alone = searched(recipe, FACES[1:2], KNOWN[1:2], seeds=[4])
    np.testing.assert_allclose(together.z[1], alone.z[0], atol=1e-5)
    np.testing.assert_allclose(together.guess[1], alone.guess[0], atol=1e-5)


def test_what_lies_under_the_hole_does_not_matter():
    other = np.where(KNOWN[..., None], FACES, np.nan)
    np.testing.assert_array_equal(searched(Recipe(num_iter=20)).z, searched(Recipe(num_iter=20), other).z)


def test_the_search_equals_adam_of_keras():
    recipe, weights = Recipe(num_iter=25, lam=0.5), context_weights(KNOWN)
    starts = [np.random.default_rng(seed).uniform(-1, 1, (1, Z_DIM)) for seed in (1, 2, 3, 4)]
    z = tf.Variable(np.concatenate(starts).astype(np.float32))
    adam = tf.keras.optimizers.Adam(recipe.learning_rate, 0.9, 0.999, epsilon=1e-8)
    for _ in range(recipe.num_iter):
        with tf.GradientTape() as tape:
            guess = generate(z)
            loss = tf.reduce_sum(context_loss(guess, FACES, weights) + recipe.lam * prior_loss(realism(guess)))
        adam.apply([tape.gradient(loss, z)], [z])
        z.assign(tf.clip_by_value(z, -1, 1))
    np.testing.assert_allclose(searched(recipe).z[:, 0], z.numpy(), atol=1e-4)


def test_latents_stay_in_the_support_of_the_prior():
    assert np.abs(searched(Recipe(num_iter=60, learning_rate=0.5)).z).max() <= 1


def test_every_interval_and_the_end_are_shown_once():
    steps = []
    searched(Recipe(num_iter=25), interval=10, on_step=lambda found: steps.append(found.step))
    assert steps == [0, 10, 20, 25]


def test_the_interval_does_not_change_the_result():
    whole, cut = searched(Recipe(num_iter=25)), searched(Recipe(num_iter=25), interval=4)
    np.testing.assert_allclose(whole.z, cut.z, atol=1e-6)


def test_the_best_of_several_starts_has_the_smallest_context_loss():
    recipe = Recipe(num_iter=15, starts=4)
    several = searched(recipe)
    one = searched(dataclasses.replace(recipe, starts=1))
    assert (several.context <= one.context + 1e-5).all()
    first, last = (np.abs(generate(several.z[:, which]).numpy() - FACES)[KNOWN].sum() for which in (0, -1))
    assert first < last


def test_starts_from_a_pool_begin_nearer_than_random_ones():
    pooled = searched(Recipe(num_iter=1, pool=256))
    drawn = searched(Recipe(num_iter=1))
    assert pooled.context.mean() < drawn.context.mean()


def test_the_mean_answer_is_the_mean_of_all_faces_found():
    found = searched(Recipe(num_iter=5, starts=3, answer="mean"))
    faces = generate(tf.constant(found.z.reshape(-1, Z_DIM))).numpy().reshape(4, 3, SIZE, SIZE, 3)
    np.testing.assert_allclose(found.guess, faces.mean(axis=1), atol=1e-5)


def test_the_prior_draws_towards_realism():
    trusting, blind = (searched(Recipe(num_iter=60, lam=lam)) for lam in (30.0, 0.0))
    assert trusting.prior.mean() < blind.prior.mean()


def test_the_seed_recipe_is_the_report():
    assert SEED == Recipe(7, 0.1, 500, 0.01, 1, 0, "best", "none")
