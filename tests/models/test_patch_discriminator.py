"""The discriminator of patches: what each logit sees, and what the losses count."""
import numpy as np
import pytest

from models.patch_discriminator import PatchDiscriminator, hinge_losses
from network import tf

REACH = 5 // 2 * (1 + 2 + 4 + 8 + 8)                    # pixels beyond a place that five 5x5 convolutions see at most


@pytest.fixture(scope="module")
def judge():
    """One with weights that let differences through."""
    judge = PatchDiscriminator(seed=1)
    for _ in range(3):
        judge(tf.zeros((1, 64, 64, 3)), np.ones((1, 64, 64), bool), training=True)
    return judge


@pytest.mark.parametrize("side", [64, 128])
def test_every_place_of_eight_pixels_has_a_logit(judge, side):
    faces = np.random.default_rng(0).uniform(-1, 1, (2, side, side, 3)).astype(np.float32)
    logits = judge(faces, np.ones((2, side, side), bool))
    assert logits.shape == (2, side // 8, side // 8) and logits.dtype == tf.float32


def test_a_place_feels_what_is_near_and_the_hole_and_nothing_far(judge):
    faces, known = np.zeros((1, 128, 128, 3), np.float32), np.ones((1, 128, 128), bool)
    plain, changed, hidden = judge(faces, known), faces.copy(), known.copy()
    changed[0, 4, 4], hidden[0, 4, 4] = 1, False
    for moved in (judge(changed, known) - plain, judge(faces, hidden) - plain):
        assert moved[0, 0, 0] != 0
        assert not np.any(moved[0, (4 + REACH) // 8 + 1:]) and not np.any(moved[0, :, (4 + REACH) // 8 + 1:])


def test_kernels_are_divided_by_their_spectral_norm(judge):
    for kernel, limit in zip(judge.kernels, judge.limits):
        for _ in range(100):
            limited = limit(tf.convert_to_tensor(kernel), training=True)
        assert np.linalg.norm(np.reshape(limited, (-1, kernel.shape[-1])), 2) == pytest.approx(1, rel=0.02)


def test_the_losses_count_places_by_their_share_of_the_hole_and_faces_alike():
    real = tf.constant([[[0.5, 3.0], [9.0, 9.0]], [[-1.0, 0.0], [0.0, 2.0]]])
    fake = tf.constant([[[-0.5, 2.0], [9.0, 9.0]], [[0.0, -2.0], [1.0, -1.0]]])
    hole = np.zeros((2, 16, 16), np.float32)
    hole[0, :8, :], hole[0, :4, 8:], hole[1] = 1, 0, 1  # the second place of the first face is half in the hole
    d_loss, g_loss = hinge_losses(real, fake, tf.constant(hole))
    # first face: 2/3 of place (0, 0), 1/3 of (0, 1); second: a quarter of each
    first = 2 / 3 * (0.5 + 0.5) + 1 / 3 * (0 + 3)
    second = ((2 + 1) + (1 + 0) + (1 + 2) + (0 + 0)) / 4
    assert float(d_loss) == pytest.approx((first + second) / 2)
    assert float(g_loss) == pytest.approx(-((2 / 3 * -0.5 + 1 / 3 * 2) + (0 - 2 + 1 - 1) / 4) / 2)
    assert [float(loss) for loss in hinge_losses(real, fake, tf.zeros((2, 16, 16)))] == [0, 0]
