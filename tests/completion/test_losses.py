import numpy as np
import pytest

from completion.losses import context_loss, prior_loss, prior_loss_unsaturated


def test_the_context_loss_is_the_weighted_sum_of_differences():
    guess, face = np.random.default_rng(0).uniform(-1, 1, (2, 3, 8, 8, 3)).astype(np.float32)
    weights = np.random.default_rng(1).uniform(0, 1, (3, 8, 8)).astype(np.float32)
    expected = [sum(weights[b, i, j] * abs(guess[b, i, j, c] - face[b, i, j, c])
                    for i in range(8) for j in range(8) for c in range(3)) for b in range(3)]
    np.testing.assert_allclose(context_loss(guess, face, weights), expected, rtol=1e-5)


def test_the_prior_loss_is_the_log_of_the_chance_of_being_generated():
    logits = np.array([-3.0, 0.0, 5.0], np.float32)
    real = 1 / (1 + np.exp(-logits.astype(float)))
    np.testing.assert_allclose(prior_loss(logits), np.log(1 - real), rtol=1e-4)


def test_the_unsaturated_prior_loss_is_minus_the_log_of_the_chance_of_being_real():
    logits = np.array([-3.0, 0.0, 2.0], np.float32)
    np.testing.assert_allclose(prior_loss_unsaturated(logits), -np.log(1 / (1 + np.exp(-logits))), rtol=1e-5)


def test_the_prior_loss_stays_finite_where_the_logarithm_would_not():
    assert prior_loss(np.array([200.0], np.float32)).numpy()[0] == pytest.approx(-200)
