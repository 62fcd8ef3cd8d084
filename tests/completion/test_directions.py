"""Ways through a latent space."""
import numpy as np

from completion.directions import along, over_numbers, principal_directions


def test_principal_directions_are_as_long_as_the_deviations_and_share_the_variance():
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    drawn = np.random.default_rng(1).normal(size=(20_000, 3)) * [5, 2, 1] @ rotation.T + 7
    directions, shares = principal_directions(drawn, 2)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), [5, 2], rtol=0.02)
    np.testing.assert_allclose(np.abs(directions @ rotation) / [[5], [2]], np.eye(2, 3), atol=0.03)
    np.testing.assert_allclose(shares, [25 / 30, 4 / 30], atol=0.01)
    assert (np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1) > 0).all()


def test_a_way_along_a_direction_leaves_what_lies_behind_it():
    points = along(np.array([1, 1, 9]), np.array([[0, 1], [2, 0]]), reach=2, count=3)
    np.testing.assert_allclose(points, [[[1, -1, 9], [1, 1, 9], [1, 3, 9]], [[-3, 1, 9], [1, 1, 9], [5, 1, 9]]])


def test_a_way_over_numbers_changes_one_of_them():
    points = over_numbers(np.array([.1, .2, .3]), [2, 0], 3)
    np.testing.assert_allclose(points, [[[.1, .2, -1], [.1, .2, 0], [.1, .2, 1]],
                                        [[-1, .2, .3], [0, .2, .3], [1, .2, .3]]], rtol=1e-6)
