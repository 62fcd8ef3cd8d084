"""A photo without colours of its own gets none, and another keeps its own."""
import io

import numpy as np
import pytest
from PIL import Image

from completion.tone import LUMA, find_tone, keep_tone
from helpers import read_photo

LEVELS = np.arange(256)[:, None]
TONES = {"grey": LEVELS * np.ones(3), "sepia": np.minimum(LEVELS * np.array([1.351, 1.203, 0.937]), 255),
         "cyanotype": np.stack([np.interp(LEVELS[:, 0], (0, 128, 255), ends) for ends in
                                ((5, 60, 235), (20, 115, 245), (55, 160, 250))], axis=-1),
         "warm": np.clip(LEVELS + np.array([3, 0, -4]), 0, 255),
         "faded": np.array([70, 58, 45]) + LEVELS * np.array([162, 160, 145]) / 255}


def toned(photo, tone, noise=0, quality=None):
    """A colour photo as one of TONES."""
    clean = TONES[tone][np.rint(photo @ LUMA).astype(int)]
    noisy = clean + np.random.default_rng(0).normal(0, noise, clean.shape) if noise else clean
    noisy = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    if quality:
        content = io.BytesIO()
        Image.fromarray(noisy).save(content, "JPEG", quality=quality)
        noisy = np.asarray(Image.open(content))
    return noisy


def hidden(photo):
    """What is known of a portrait without its nose and mouth."""
    known = np.ones(photo.shape[:2], bool)
    height, width = known.shape
    known[int(.45 * height):int(.65 * height), int(.35 * width):int(.65 * width)] = False
    return known


def foreign(photo):
    """A colour photo in the range of luminance that all TONES have."""
    return (64 + 0.6 * photo).astype(np.uint8)


def deviation(pixels, tone, known):
    """The 99th percentile of how far colours in the hole are from those of the tone at their luminance, in levels."""
    curve = TONES[tone]
    nearest = np.abs((pixels[~known] @ LUMA)[:, None] - curve @ LUMA).argmin(axis=1)
    return np.quantile(np.abs(pixels[~known] - curve[nearest]).max(axis=1), 0.99)


@pytest.fixture(params=["A000369", "C000542", "W000187"])
def photo(request, samples):
    return read_photo(samples / f"{request.param}.jpg").pixels


@pytest.mark.parametrize("tone", list(TONES))
@pytest.mark.parametrize("noise, quality", [(0, None), (5, None), (10, None), (0, 90), (3, 75)])
def test_a_hole_gets_the_tone_of_its_photo(photo, tone, noise, quality):
    known, pixels = hidden(photo), toned(photo, tone, noise, quality)
    filled = np.where(known[..., None], pixels, foreign(photo))
    result = keep_tone(filled, known)
    np.testing.assert_array_equal(result[known], pixels[known])
    assert deviation(result, tone, known) <= 6
    assert tone in ("warm", "faded") or deviation(filled, tone, known) > 10


def test_a_grey_photo_stays_exactly_grey_though_some_pixels_have_colours(photo):
    known, grey = hidden(photo), toned(photo, "grey")
    grey[:40, :40] = 200, 30, 30                        # a stamp
    grey[-1, -1] = 90, 91, 92
    result = keep_tone(np.where(known[..., None], grey, foreign(photo)), known)
    assert (result[~known] == result[~known][:, :1]).all()


def test_photos_with_colours_stay_as_they_are(samples):
    for path in sorted(samples.glob("*.jpg")):
        photo = read_photo(path).pixels
        assert find_tone(photo, hidden(photo)) is None, path.name


def test_crops_have_tones_too(openface):
    for path in sorted(openface.glob("*.png")):
        crop = read_photo(path).pixels
        known = np.ones((64, 64), bool)
        known[16:48, 16:48] = False
        assert keep_tone(crop, known) is crop
        for tone in TONES:
            result = keep_tone(np.where(known[..., None], toned(crop, tone, noise=3), foreign(crop)), known)
            assert deviation(result, tone, known) <= 6


def test_a_hole_brighter_and_darker_than_all_that_is_known_goes_on_with_the_curve():
    known, grey = np.ones((64, 64), bool), np.tile(np.linspace(80, 150, 64).astype(int), (64, 1))
    known[:, 20:40], grey[:30, 20:40], grey[30:, 20:40] = False, 30, 180
    pixels = np.where(known[..., None], TONES["sepia"][grey], grey[..., None]).astype(np.uint8)
    assert deviation(keep_tone(pixels, known), "sepia", known) <= 6


def test_next_to_nothing_known_tells_no_tone():
    known = np.zeros((64, 64), bool)
    known[0, :20] = True
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert keep_tone(pixels, known) is pixels
