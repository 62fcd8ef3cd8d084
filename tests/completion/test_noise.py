"""Noisy photos are told from others, and smoothed where faces are looked for."""
import numpy as np
import pytest

from completion.noise import is_noisy, smooth
from pictures.photo import read_photo


def with_noise(pixels, levels):
    return np.clip(np.rint(pixels + np.random.default_rng(0).normal(0, levels, pixels.shape)), 0, 255).astype(np.uint8)


def test_portraits_are_not_noisy_and_with_noise_or_faded_and_with_less_they_are(samples):
    for path in sorted(samples.glob("*.jpg"))[::4]:
        photo = read_photo(path).pixels
        known = np.ones(photo.shape[:2], bool)
        faded = np.rint(70 + 0.5 * photo).astype(np.uint8)
        assert [is_noisy(each, known) for each in (photo, faded, with_noise(photo, 25), with_noise(faded, 12))] == [
            False, False, True, True], path


@pytest.mark.parametrize("times", [1, 5])
def test_what_lies_under_the_hole_decides_nothing_and_no_known_pixel_is_no_noise(samples, times):
    photo = read_photo(samples / "A000369.jpg").pixels.repeat(times, axis=0)
    known = np.ones(photo.shape[:2], bool)
    known[100 * times:450 * times, 50:350] = False
    assert not is_noisy(np.where(known[..., None], photo, with_noise(photo, 90)), known)
    assert is_noisy(np.where(known[..., None], with_noise(photo, 25), 128).astype(np.uint8), known)
    assert not is_noisy(photo, np.zeros_like(known))


def test_smoothing_takes_noise_away_and_keeps_what_is_larger(samples):
    photo = read_photo(samples / "A000369.jpg").pixels
    near = np.abs(smooth(with_noise(photo, 25)).astype(int) - photo).mean()
    assert near < 0.5 * np.abs(with_noise(photo, 25).astype(int) - photo).mean()
