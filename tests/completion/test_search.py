import dataclasses

import numpy as np
import pytest

from completion import recipes
from completion.descent import MOMENTUM, OPTIMIZERS
from completion.losses import PRIORS, context_loss, prior_loss
from completion.masks import center
from completion.recipes import RECIPES, SOURCES, Recipe, describe_recipes
from completion.search import Inner, Latent, Search
from completion.weights import context_weights
from nn.setup import tf

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


def see(faces, known):
    """An encoder of little insight: what is known of a face, by fixed weights, in twice G's latents."""
    return tf.reshape(faces, (-1, SIZE * SIZE * 3)) @ np.tile(BASIS, (2, 1)).T / 100


def imagine(activations):
    """Faces of activations: G's, for the mean of the two halves."""
    return generate((activations[:, :Z_DIM] + activations[:, Z_DIM:]) / 2)


def draw(rng, count):
    return rng.normal(size=(count, Z_DIM)).astype(np.float32)


def make_search(recipe, plain=1):
    return Search(Latent(generate, Z_DIM, realism), recipe, inner=Inner(see, imagine, draw, plain))


def searched(recipe=SEED, faces=FACES, known=KNOWN, seeds=(1, 2, 3, 4), plain=1, **how):
    return make_search(recipe, plain)(faces, known, seeds, **how)


def steps_of(recipe, known=KNOWN, interval=None):
    return list(make_search(recipe).steps(FACES, known, (1, 2, 3, 4), interval=interval))


def test_a_generated_face_is_found_again():
    found = searched(Recipe(num_iter=400, learning_rate=0.03))
    np.testing.assert_allclose(found.guess, FACES, atol=0.08)
    np.testing.assert_allclose(found.z[:, 0], TRUE_Z, atol=0.08)


@pytest.mark.parametrize("recipe", [Recipe(num_iter=30), Recipe(num_iter=30, starts=3, pool=32, answer="mean"),
                                    Recipe(num_iter=30, space="activations", hold=0.1, starts=2, scatter=0.1)])
def test_a_face_is_completed_alike_alone_and_in_company(recipe):
    together = searched(recipe, seeds=[3, 4, 5, 6])
    alone = searched(recipe, FACES[1:2], KNOWN[1:2], seeds=[4])
    np.testing.assert_allclose(together.z[1], alone.z[0], atol=1e-5)
    np.testing.assert_allclose(together.guess[1], alone.guess[0], atol=1e-5)


def test_what_lies_under_the_hole_does_not_matter():
    other = np.where(KNOWN[..., None], FACES, np.nan)
    np.testing.assert_array_equal(searched(Recipe(num_iter=20)).z, searched(Recipe(num_iter=20), other).z)


def test_an_encoder_sees_a_likely_answer_in_the_hole_and_the_search_still_aims_at_what_is_known():
    recipe = Recipe(num_iter=0, space="activations", mirror=True)
    whole = [see(view, None) for view in (FACES, FACES[:, :, ::-1])]
    found = searched(recipe, likely=FACES)
    straight = np.abs(found.z - whole[0][:, None]).max(axis=2) < 1e-5
    np.testing.assert_array_equal(straight | (np.abs(found.z - whole[1][:, None]).max(axis=2) < 1e-5), True)
    assert straight.any(axis=1).all() and np.abs(found.z - searched(recipe).z).max() > 1e-3
    moving = dataclasses.replace(recipe, num_iter=5)
    likely = np.zeros_like(FACES)                       # as good as no answer
    np.testing.assert_array_equal(searched(moving, likely=likely).guess, searched(moving).guess)
    context = context_loss(found.guesses[:, 0], FACES, context_weights(KNOWN, recipe.window))
    np.testing.assert_allclose(found.contexts[:, 0], context, rtol=1e-4)


@pytest.mark.parametrize("recipe, optimizer, tolerance", [
    (Recipe(num_iter=25, lam=0.5), lambda: tf.keras.optimizers.Adam(0.01, 0.9, 0.999, epsilon=1e-8), 1e-4),
    (Recipe(num_iter=25, lam=0, optimizer="nesterov", learning_rate=1e-4),
     lambda: tf.keras.optimizers.SGD(1e-4, MOMENTUM, nesterov=True), 1e-5)], ids=["adam", "nesterov"])
def test_the_search_descends_as_keras_does(recipe, optimizer, tolerance):
    starts = [np.random.default_rng(seed).uniform(-1, 1, (1, Z_DIM)) for seed in (1, 2, 3, 4)]
    z, weights, descent = tf.Variable(np.concatenate(starts).astype(np.float32)), context_weights(KNOWN), optimizer()
    for _ in range(recipe.num_iter):
        with tf.GradientTape() as tape:
            guess = generate(z)
            loss = tf.reduce_sum(context_loss(guess, FACES, weights) + recipe.lam * prior_loss(realism(guess)))
        descent.apply([tape.gradient(loss, z)], [z])
        z.assign(tf.clip_by_value(z, -1, 1))
    np.testing.assert_allclose(searched(recipe).z[:, 0], z.numpy(), atol=tolerance)


def test_latents_stay_in_the_support_of_the_prior():
    assert np.abs(searched(Recipe(num_iter=60, learning_rate=0.5)).z).max() <= 1


def test_every_interval_and_the_end_are_shown_once():
    assert [found.step for found in steps_of(Recipe(num_iter=25), interval=10)] == [0, 10, 20, 25]
    assert [found.step for found in steps_of(Recipe(num_iter=0), interval=10)] == [0]
    assert [found.step for found in steps_of(Recipe(num_iter=3))] == [0, 3]


def test_a_deep_hole_makes_no_updates_beside_one_that_makes_all_and_both_end_as_alone():
    recipe = Recipe(num_iter=10, space="activations", by_depth=True)
    known = KNOWN.copy()
    known[1] = True
    known[1, ::2] = False                               # whose unknown pixels are beside known ones
    *steps, both = steps_of(recipe, known, interval=4)
    np.testing.assert_array_equal(both.updates, [0, 10, 0, 0])
    assert [found.step for found in (*steps, both)] == [0, 4, 8, 10]
    for face, as_asked in enumerate((0, 10, 0, 0)):
        alone = searched(dataclasses.replace(recipe, num_iter=as_asked, by_depth=False), FACES[face:face + 1],
                         known[face:face + 1], seeds=[face + 1])
        np.testing.assert_array_equal(both.z[face], alone.z[0])
        np.testing.assert_array_equal(both.guess[face], alone.guess[0])
    assert np.abs(steps[1].z - steps[0].z)[1].max() > 0


def test_the_interval_does_not_change_the_result():
    whole, cut = searched(Recipe(num_iter=25)), searched(Recipe(num_iter=25), interval=4)
    np.testing.assert_allclose(whole.z, cut.z, atol=1e-6)


def test_a_search_is_ended_within_a_few_updates_by_what_its_check_raises():
    seen = []

    def check():
        seen.append(None)
        if len(seen) == 3:
            raise InterruptedError
    with pytest.raises(InterruptedError):
        searched(dataclasses.replace(SEED, num_iter=10_000), check=check)
    assert len(seen) == 3


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


def test_the_mean_answer_is_the_mean_of_all_faces_found_which_stand_in_the_order_of_their_context_loss():
    found = searched(Recipe(num_iter=5, starts=3, answer="mean"))
    faces = generate(tf.constant(found.z.reshape(-1, Z_DIM))).numpy().reshape(4, 3, SIZE, SIZE, 3)
    np.testing.assert_allclose(found.guess, faces.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(found.guesses, faces, atol=1e-5)
    assert (np.diff(found.contexts) > 0).all()
    np.testing.assert_array_equal(found.contexts[:, 0], found.context)


def test_the_gradients_have_the_lengths_of_the_losses_derivatives():
    recipe, basis = Recipe(num_iter=3, lam=0.7, starts=2), BASIS.reshape(Z_DIM, SIZE, SIZE, 3)
    search = Search(Latent(lambda z: tf.tensordot(z, basis, 1), Z_DIM, realism), recipe)
    found = search(FACES, KNOWN, (1, 2, 3, 4))
    difference = np.tensordot(found.z[:, 0], basis, 1) - np.where(KNOWN[..., None], FACES, 0)
    slopes = np.einsum("bhwc,zhwc->bz", context_weights(KNOWN)[..., None] * np.sign(difference), basis)
    np.testing.assert_allclose(found.context_gradient, np.linalg.norm(slopes, axis=1), rtol=1e-4)
    logits = np.tensordot(found.z[:, 0], basis, 1).mean(axis=(1, 2, 3))
    steepness = recipe.lam / (1 + np.exp(-logits)) * np.linalg.norm(basis.mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(found.prior_gradient, steepness, rtol=1e-4)


@pytest.mark.parametrize("prior", recipes.PRIORS)
def test_every_form_of_the_prior_draws_towards_realism(prior):
    trusting, blind = (searched(Recipe(num_iter=60, lam=lam, prior=prior)) for lam in (30.0, 0.0))
    assert trusting.prior.mean() < blind.prior.mean()


def test_the_seed_recipe_is_the_report():
    assert SEED == Recipe(window=7, lam=0.1, prior="log(1 - D)", num_iter=500, optimizer="adam", learning_rate=0.01,
                          decay=1, starts=1, pool=0, draw="uniform", iterate="last", answer="best", blend="none")


def test_every_recipe_can_be_searched_and_says_where_it_comes_from():
    for name, recipe in RECIPES.items():
        found = searched(dataclasses.replace(recipe, num_iter=2, pool=min(recipe.pool, 16)))
        assert np.isfinite(found.guess).all()
        assert recipe.space == "activations" or np.abs(found.z).max() <= 1
        assert any(line.startswith(f"{name}: {SOURCES[name]}") for line in describe_recipes())


def test_every_name_of_a_recipe_is_known_to_the_search():
    assert recipes.OPTIMIZERS == tuple(OPTIMIZERS) and recipes.PRIORS == tuple(PRIORS)


def test_the_learning_rate_falls_by_its_factor_every_hundred_updates():
    whole, falling = (searched(Recipe(num_iter=101, learning_rate=1e-3, decay=decay), interval=100)
                      for decay in (1, 1e-6))
    until = searched(Recipe(num_iter=100, learning_rate=1e-3))
    assert np.abs(whole.z - until.z).max() > 1e-5 > np.abs(falling.z - until.z).max()


def test_the_best_iterate_is_the_one_with_the_smallest_loss():
    wild = Recipe(num_iter=60, learning_rate=0.5, lam=0)
    found, losses = searched(dataclasses.replace(wild, iterate="best")), [
        step.context for step in steps_of(wild, interval=1)]
    np.testing.assert_allclose(found.context, np.min(losses[:-1], axis=0), rtol=1e-5)


def test_normal_starts_are_cut_where_z_ends():
    start = searched(Recipe(num_iter=1, learning_rate=1e-9, starts=50, draw="normal")).z
    assert np.abs(start).max() == pytest.approx(1) and 0.2 < (np.abs(start) > 0.999).mean() < 0.45


@pytest.mark.parametrize("plain", [0, 1])
def test_a_search_of_activations_begins_where_the_encoder_says(plain):
    masked = np.where(KNOWN[..., None], FACES, 0)
    recipe = Recipe(num_iter=1, learning_rate=1e-9, space="activations", starts=200, scatter=0.3)
    spread = searched(recipe, plain=plain).z - see(masked, KNOWN).numpy()[:, None]
    assert ((np.abs(spread) < 1e-6).all(axis=2).sum(axis=1) == plain).all()
    assert spread[..., :Z_DIM].std() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(spread[..., Z_DIM:], 0, atol=1e-6)           # the details are not scattered


def test_a_search_of_activations_leaves_the_support_of_z_and_fits_better():
    recipe, bright = Recipe(num_iter=300, learning_rate=0.05, lam=0), np.full_like(FACES, 0.9)
    free = searched(dataclasses.replace(recipe, space="activations"), bright)
    bound = searched(recipe, bright)
    assert np.abs(free.z).max() > 1 and (free.context < bound.context).all()


def test_the_search_is_held_to_its_start_alike_for_small_and_large_holes():
    def moves(hold, known):
        recipe = Recipe(num_iter=200, learning_rate=0.01, lam=0, space="activations", hold=hold)
        first, last = steps_of(recipe, known)
        return np.abs(last.z - first.z).mean()
    small = np.ones_like(KNOWN)
    small[:, 7:9, 7:9] = False
    for known in (KNOWN, small):
        assert moves(100, known) < 0.1 * moves(0.01, known)


def test_a_search_with_mirrored_starts_completes_the_mirror_image_alike():
    recipe = Recipe(num_iter=20, space="activations", mirror=True, answer="mean", starts=2)
    mirrored = searched(recipe, FACES[:, :, ::-1], KNOWN[:, :, ::-1])
    np.testing.assert_allclose(mirrored.guess[:, :, ::-1], searched(recipe).guess, atol=1e-5)


def test_the_gradients_of_a_mirrored_search_are_those_of_the_mirror_image():
    recipe, other = (Recipe(num_iter=1, space="activations", mirror=mirror) for mirror in (True, False))
    some = np.concatenate([FACES[:2], FACES[2:, :, ::-1]])
    both, *each = (searched(recipe, faces) for recipe, faces in (
        (recipe, some), (other, some), (other, some[:, :, ::-1])))
    first = np.argmin([found.context for found in each], axis=0)
    assert 0 < first.sum() < len(some)
    np.testing.assert_allclose(both.context_gradient,
                               np.choose(first, [found.context_gradient for found in each]), rtol=1e-4)
