"""The tone of photos: one of a single tone keeps it in its hole, one with colours stays as it is."""
import numpy as np
import pytest
from PIL import Image, ImageColor

from completion.drawn_damage import as_jpeg
from completion.masks import MASKS, center
from completion.tone import find_tone, keep_tone
from helpers import resize
from pictures.photo import read_photo

GREY = np.array([0.299, 0.587, 0.114])


def ramp(*colours):
    """The colour of 256 grey levels, (256, 3), from black over so many colours evenly to white."""
    stops = np.linspace(0, 255, len(colours))
    return np.stack([np.interp(np.arange(256), stops, channel) for channel in zip(*colours)], axis=-1)


TONES = {"sepia": ramp((0, 0, 0), (150, 120, 85), (255, 245, 225)),
         "cyanotype": ramp((5, 20, 55), (60, 115, 160), (235, 245, 250)),
         "warm": ramp((2, 0, 0), (131, 128, 123), (255, 254, 248)), "faded": ramp((70, 58, 45), (232, 218, 190))}


@pytest.fixture(scope="module")
def photo(samples):
    return read_photo(samples / "A000369.jpg").pixels


@pytest.fixture(scope="module")
def known(photo):
    """A hole over nose and mouth."""
    known = np.ones(photo.shape[:2], bool)
    known[220:310, 155:255] = False
    return known


def toned(pixels, tone, noise=0.0):
    """The photo in a tone, with noise of so many levels in every channel."""
    clean = TONES[tone][np.rint(pixels @ GREY).astype(int)]
    return np.clip(np.rint(clean + np.random.default_rng(0).normal(0, noise, clean.shape)), 0, 255).astype(np.uint8)


def foreign(pixels, photo, known):
    """The photo of a tone whose hole has the colours of another, at its own luminances."""
    colour = photo - np.rint(photo @ GREY)[..., None]
    return np.where(known[..., None], pixels, np.clip((pixels @ GREY)[..., None] + colour, 0, 255)).astype(np.uint8)


def deviation(pixels, known, tone):
    """99th percentile of how far the hole's colours are from the tone of the same luminance, in levels."""
    curve = TONES[tone]
    right = np.stack([np.interp(pixels @ GREY, curve @ GREY, channel) for channel in curve.T], axis=-1)
    return np.quantile(np.abs(pixels - right).max(axis=-1)[~known], 0.99)


@pytest.mark.parametrize("noise", [0, 6, 35])
@pytest.mark.parametrize("tone", TONES)
def test_foreign_colours_in_the_hole_take_the_tone_of_the_photo(photo, known, tone, noise):
    filled = foreign(toned(photo, tone, noise), photo, known)
    kept = keep_tone(filled, known)
    np.testing.assert_array_equal(kept[known], filled[known])
    assert deviation(filled, known, tone) > 15 and deviation(kept, known, tone) <= 6


@pytest.mark.parametrize("tone", TONES)
def test_a_noisy_photo_that_was_a_jpeg_keeps_its_tone_and_one_with_colours_its_colours(photo, known, tone):
    noisy = as_jpeg(toned(photo, tone, 25), 75)
    assert deviation(keep_tone(foreign(noisy, photo, known), known), known, tone) <= 6
    coloured = photo + np.random.default_rng(0).normal(0, 35, photo.shape)
    assert find_tone(np.clip(np.rint(coloured), 0, 255).astype(np.uint8), known) is None


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("mask", ["center", "top", "pattern", "random"])
def test_small_crops_with_large_holes_have_their_tone(photo, tone, mask):
    crop, known = resize(photo[110:370, 75:335], 64, "crop"), MASKS[mask](64, np.random.default_rng(0))
    kept = keep_tone(foreign(toned(crop, tone, 3), crop, known), known)
    assert deviation(kept, known, tone) <= 6


def test_exact_grey_stays_exact(photo, known):
    grey = np.repeat(np.asarray(Image.fromarray(photo).convert("L"))[..., None], 3, axis=2)
    kept = keep_tone(np.where(known[..., None], grey, photo), known)
    np.testing.assert_array_equal(kept, grey)


@pytest.mark.parametrize("mark", ["stamp", "pixels", "date", "frame", "paint"])
def test_some_strange_pixels_do_not_turn_it_off(photo, known, mark):
    strange = np.zeros_like(known)
    if mark == "pixels":
        strange = np.random.default_rng(0).random(known.shape) < 0.03
    elif mark == "frame":
        strange[:5] = strange[-5:] = strange[:, :5] = strange[:, -5:] = True
    else:
        strange[{"stamp": np.s_[380:480, 300:400], "date": np.s_[470:490, 20:180:3],
                 "paint": np.s_[217:313, 152:258]}[mark]] = True
    filled = toned(photo, "sepia", 2)
    filled[strange & known] = 200, 30, 40
    assert deviation(keep_tone(foreign(filled, photo, known), known), known, "sepia") <= 6


@pytest.mark.parametrize("tone, paper", [("sepia", "#ffffff"), ("warm", "#f0e1c3"), ("cyanotype", "#3c281e")])
def test_the_paper_around_a_print_lends_the_hole_no_tone(photo, known, tone, paper):
    filled = toned(photo, tone)
    filled[:12] = filled[-12:] = filled[:, :12] = filled[:, -12:] = ImageColor.getrgb(paper)
    filled[~known] = np.linspace(30, 225, np.count_nonzero(~known))[:, None]
    assert deviation(keep_tone(filled, known), known, tone) <= 6


@pytest.mark.parametrize("radius, middle", [(95, (70, 80)), (80, (460, 200))])
@pytest.mark.parametrize("tone", ["sepia", "cyanotype"])
def test_a_soft_stain_beside_the_hole_lends_it_no_tone(photo, known, tone, radius, middle):
    rows, columns = np.indices(known.shape)
    share = np.clip(1.5 - np.hypot(rows - middle[0], columns - middle[1]) / radius, 0, 0.7)[..., None]
    stained = np.rint(toned(photo, tone, 2) * (1 - share * [0.5, 0.7, 0.9])).astype(np.uint8)
    assert 0.1 < (share > 0.1).mean() < 0.25
    assert deviation(keep_tone(foreign(stained, photo, known), known), known, tone) <= 6


def test_the_curve_goes_on_where_the_hole_is_brighter_or_darker_than_all_else(photo):
    grey = np.rint(photo @ GREY)
    for tone, dark in (("cyanotype", False), ("cyanotype", True), ("faded", False), ("faded", True)):
        known = grey > 60 if dark else grey < 200
        kept = keep_tone(foreign(toned(photo, tone), photo, known), known)
        assert deviation(kept, known, tone) <= 6


@pytest.mark.parametrize("shape", [(10, 2000), (300, 3), (1, 300)])
def test_a_narrow_strip_of_noise_has_no_tone(shape):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert find_tone(noise, np.ones(shape, bool)) is None


def test_photos_with_colours_stay_as_they_are(samples):
    for path in sorted(samples.glob("*.jpg")):
        pixels = read_photo(path).pixels
        known = np.ones(pixels.shape[:2], bool)
        known[220:310, 155:255] = False
        assert keep_tone(pixels, known) is pixels, path


def test_aligned_faces_with_colours_stay_as_they_are(openface):
    for path in sorted(openface.glob("*.png")):
        for mask in ("center", "O3", "O6", "random"):
            assert find_tone(read_photo(path).pixels, MASKS[mask](64, np.random.default_rng(0))) is None, (path, mask)


def test_a_photo_coloured_by_hand_stays_so(photo, known):
    tinted = toned(photo, "sepia")
    tinted[140:230, 130:280] = photo[140:230, 130:280]
    assert find_tone(tinted, known) is None


def test_what_lies_under_the_hole_decides_nothing_and_no_known_pixel_no_tone(photo, known):
    sepia = toned(photo, "sepia")
    np.testing.assert_array_equal(find_tone(sepia, known), find_tone(np.where(known[..., None], sepia, 7), known))
    assert find_tone(sepia, np.zeros_like(known)) is None


def test_a_large_photo_is_looked_at_on_a_grid(photo):
    large = np.tile(toned(photo, "sepia"), (8, 10, 1))[:4000, :4090]
    known = np.ones(large.shape[:2], bool)
    known[1000:1400, 1000:1400] = False
    np.testing.assert_allclose(find_tone(large, known).astype(int)[30:220], find_tone(large[:500, :409], center(500)[
        :, :409]).astype(int)[30:220], atol=3)
