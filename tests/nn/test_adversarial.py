"""Losses against closed forms, penalties against known slopes, and what augmentation may and may not do."""
import numpy as np
import pytest

from nn.adversarial import AUGMENTATIONS, LOSSES, PENALTIES, augment
from nn.setup import tf

REAL, FAKE = np.array([2.0, -1.0, 0.3]), np.array([-0.7, 1.5, 0.2])
LOG_SIGMOID = {"real": np.log1p(np.exp(-REAL)).mean(), "fake": np.log1p(np.exp(FAKE)).mean()}


@pytest.mark.parametrize("name, label, of_d, of_g", [
    ("cross_entropy", 1.0, LOG_SIGMOID["real"] + LOG_SIGMOID["fake"], np.log1p(np.exp(-FAKE)).mean()),
    ("cross_entropy", 0.9, LOG_SIGMOID["real"] + 0.1 * REAL.mean() + LOG_SIGMOID["fake"],
     np.log1p(np.exp(-FAKE)).mean()),
    ("hinge", 1.0, (0 + 2 + 0.7) / 3 + (0.3 + 2.5 + 1.2) / 3, -FAKE.mean()),
    ("least_squares", 1.0, ((REAL - 1) ** 2).mean() / 2 + (FAKE ** 2).mean() / 2, ((FAKE - 1) ** 2).mean() / 2),
    ("wasserstein", 1.0, FAKE.mean() - REAL.mean(), -FAKE.mean()),
])
def test_losses_are_those_of_their_papers(name, label, of_d, of_g):
    loss_of_d, loss_of_g = LOSSES[name]
    real, fake = tf.constant(REAL, tf.float32), tf.constant(FAKE, tf.float32)
    assert float(loss_of_d(real, fake, label)) == pytest.approx(of_d, rel=1e-5)
    assert float(loss_of_g(fake)) == pytest.approx(of_g, rel=1e-5)


def test_penalties_of_a_linear_discriminator_follow_from_its_slope():
    rng = np.random.default_rng(0)
    slope = tf.constant(rng.normal(size=(8, 8, 3)), tf.float32)
    real, fake = (tf.constant(rng.normal(size=(4, 8, 8, 3)), tf.float32) for _ in range(2))
    length = float(tf.norm(slope))
    for name, expected in (("r1", length ** 2 / 2), ("wgan_gp", (length - 1) ** 2)):
        found = PENALTIES[name](lambda x: tf.reduce_sum(slope * x, (1, 2, 3)), real, fake, tf.fill((4, 1, 1, 1), 0.3))
        assert float(found) == pytest.approx(expected, rel=1e-4)


def test_r1_looks_at_real_faces_and_wgan_gp_between_both():
    real, fake = tf.ones((1, 2, 2, 3)), -tf.ones((1, 2, 2, 3))
    def square(x):                                                       # its slope is 2 x
        return tf.reduce_sum(x ** 2, (1, 2, 3))
    assert float(PENALTIES["r1"](square, real, fake, None)) == pytest.approx(4 * 12 / 2)
    middle = float(PENALTIES["wgan_gp"](square, real, fake, tf.fill((1, 1, 1, 1), 0.5)))
    assert middle == pytest.approx(1, abs=1e-4)                          # halfway the slope is 0


@pytest.fixture
def faces():
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, (6, 16, 16, 3)), tf.float32)


def seed(number):
    return tf.constant([number, 7], tf.int64)


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_augmentation_depends_on_the_seed_alone_and_passes_gradients(faces, kind):
    once, twice, other = (augment(faces, [kind], seed(number)) for number in (1, 1, 2))
    np.testing.assert_array_equal(once, twice)
    assert once.shape == faces.shape and np.abs(once - other).max() > 0.1
    with tf.GradientTape() as tape:
        tape.watch(faces)
        total = tf.reduce_sum(augment(faces, [kind], seed(1)) ** 2)
    gradient = tape.gradient(total, faces).numpy()
    assert np.isfinite(gradient).all() and (gradient.reshape(6, -1) != 0).any(axis=1).all()


def test_translation_moves_what_is_there_by_at_most_an_eighth(faces):
    for before, after in zip(faces.numpy(), augment(faces, ["translation"], seed(3)).numpy()):
        padded = np.pad(before, ((2, 2), (2, 2), (0, 0)))
        assert any(np.array_equal(after, padded[y:y + 16, x:x + 16]) for y in range(5) for x in range(5))


def test_a_cutout_leaves_everything_but_a_square_of_half_the_side(faces):
    changed = (augment(faces, ["cutout"], seed(3)).numpy() != faces.numpy()).all(axis=-1)
    for hole in changed:
        rows, columns = hole.any(axis=1).sum(), hole.any(axis=0).sum()
        assert 4 <= rows <= 9 and 4 <= columns <= 9 and hole.sum() == rows * columns


def test_colour_keeps_where_bright_and_dark_are_in_a_grey_face():
    grey = tf.repeat(tf.constant(np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 1)), tf.float32), 3, axis=3)
    after = augment(grey, ["color"], seed(5)).numpy()
    for before, face in zip(grey.numpy(), after):
        assert np.corrcoef(before.ravel(), face.ravel())[0, 1] == pytest.approx(1, abs=1e-5)
