"""The dial between likely and lifelike."""
import numpy as np
import pytest

from completion.detail import DEEP, SHALLOW, SHARES, mix
from completion.masks import center, half, random
from completion.updates import mean_depths

KNOWN = center(64)[None]


@pytest.fixture
def pair():
    """A textured face, and one without texture and of other colours, that agree where the face is known."""
    rng = np.random.default_rng(0)
    smooth = np.repeat(np.linspace(-0.5, 0.5, 64, dtype=np.float32)[None, :, None, None], 64, axis=2).repeat(3, axis=3)
    lifelike = smooth + rng.normal(0, 0.1, (1, 64, 64, 3)).astype(np.float32)
    return lifelike, np.where(KNOWN[..., None], lifelike, smooth + 0.2).astype(np.float32)


def test_the_likely_end_is_the_weighted_mean_and_the_lifelike_end_the_search(pair):
    lifelike, other = pair
    assert mix(lifelike, other, KNOWN, 1) is lifelike
    for known in (KNOWN, half(64, np.random.default_rng(0))[None], random(64, np.random.default_rng(0))[None]):
        depth, = mean_depths(known)
        share = SHARES[0] + (SHARES[1] - SHARES[0]) * min(max((depth - SHALLOW) / (DEEP - SHALLOW), 0), 1)
        expected = np.where(known[..., None], lifelike, (1 - share) * lifelike + share * other)
        np.testing.assert_allclose(mix(lifelike, other, known, 0), expected, atol=1e-6)
    assert share == pytest.approx(SHARES[0], abs=0.02)  # of single pixels the search says more


@pytest.mark.parametrize("detail", [0, 0.3, 0.9, 1])
def test_what_is_known_stays_bit_for_bit(pair, detail):
    np.testing.assert_array_equal(mix(*pair, KNOWN, detail)[KNOWN], pair[0][KNOWN])


def test_in_between_stand_likely_colours_and_the_texture_of_the_lifelike_answer(pair):
    lifelike, other = (faces[:, 20:44, 20:44] for faces in pair)
    mixed = mix(*pair, KNOWN, 0.6)[:, 20:44, 20:44]
    assert (mixed - lifelike).mean() == pytest.approx((other - lifelike).mean(), abs=0.01)
    fine = [np.diff(faces, axis=2).ravel() for faces in (mixed, lifelike)]
    assert np.corrcoef(*fine)[0, 1] > 0.95


def test_the_deviation_grows_with_the_face(pair):
    known = np.kron(KNOWN, np.ones((1, 2, 2), bool))
    large = [np.kron(faces[0], np.ones((2, 2, 1), np.float32))[None] for faces in pair]
    shrunk = mix(*large, known, 0.7)[:, ::2, ::2]
    np.testing.assert_allclose(shrunk, mix(*pair, KNOWN, 0.7), atol=0.05)


def test_single_pixels_of_a_large_face_keep_less_of_the_lifelike_answer_s_texture(pair):
    lifelike, other = (np.kron(faces[0], np.ones((2, 2, 1), np.float32)) for faces in pair)
    known = np.stack([random(128, np.random.default_rng(0)), np.kron(KNOWN[0], np.ones((2, 2), bool))])
    both = np.stack([lifelike] * 2), np.where(known[..., None], lifelike, other + 0.2)
    mixed, likely = mix(*both, known, 0.3), mix(*both, known, 0)
    single, centre = (np.abs(mixed[at] - likely[at])[40:88, 40:88].mean() for at in (0, 1))
    assert single < 0.5 * centre
    np.testing.assert_allclose(mix(*(faces[1:] for faces in both), known[1:], 0.3), mixed[1:], atol=1e-6)
