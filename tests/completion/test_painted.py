"""Paint is found with its soft rim and what JPEG makes of it, and nothing else is."""
import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from completion.membrane import fill_harmonic
from completion.painted import are_lines_left, distance_to, find_paint, is_paint_left
from metrics.images import psnr
from pictures.photo import read_photo

GREEN, MAGENTA, RED, BLUE, BLACK = (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)


@pytest.fixture(scope="module", params=["A000369.jpg", "G000565.jpg"])
def photo(request, samples):
    return read_photo(samples / request.param).pixels


def stroke(shape, radius, rim=0.0):
    """How opaque a scratch across the face is, (H, W) in [0, 1]; rim : of the radius, what is softer than paint."""
    rows, columns = np.indices(shape)
    line = np.abs(rows - 130 - 0.5 * columns - 8 * np.sin(columns / 25)) / np.hypot(1, 0.6)
    line[:, [*range(60), *range(330, shape[1])]] = radius
    return np.clip((radius - line) / (rim * radius), 0, 1) if rim else (line < radius).astype(float)


def paint(pixels, alpha, colour=GREEN):
    return np.rint(pixels * (1 - alpha[..., None]) + alpha[..., None] * np.array(colour)).astype(np.uint8)


def as_jpeg(pixels, quality=90):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def decibels(truth, painted, hole, touched):
    """PSNR of the smooth filling in all pixels that the brush has touched."""
    filled = painted.copy()
    filled[hole] = np.clip(np.rint(fill_harmonic(painted, ~hole)), 0, 255)
    return psnr(truth, filled, touched)


@pytest.mark.parametrize("blur, quality", [(3, None), (0, 75), (3, 75), (6, 95)])
def test_no_tint_is_left_beside_a_soft_or_compressed_blob(photo, blur, quality):
    rows, columns = np.indices(photo.shape[:2])
    alpha = (np.hypot((rows - 260) / 25, (columns - 200) / 45) < 1).astype(float)
    painted = paint(photo, ndimage.gaussian_filter(alpha, blur) if blur else alpha)
    if quality:
        painted = as_jpeg(painted, quality)
    hole = find_paint(painted, GREEN, 32)
    ring = ndimage.binary_dilation(hole, np.ones((3, 3))) & ~hole
    tint = [pixels[ring].astype(float) @ [-0.5, 1, -0.5] for pixels in (painted, photo)]
    assert (tint[0] - tint[1]).mean() < 8


@pytest.mark.parametrize("colour", [GREEN, MAGENTA, RED, BLUE])
def test_hard_edges_are_found_as_they_are(photo, colour):
    alpha = stroke(photo.shape[:2], 4)
    own = distance_to(photo, colour) <= 32
    np.testing.assert_array_equal(find_paint(paint(photo, alpha, colour), colour, 32), (alpha > 0) | own)


@pytest.mark.parametrize("radius, rim", [(3, 0.5), (6, 0.4), (14, 0.5), (5, 1)])
def test_a_soft_rim_belongs_to_the_hole_and_little_else(photo, radius, rim):
    alpha = stroke(photo.shape[:2], radius, rim)
    painted = paint(photo, alpha)
    hole = find_paint(painted, GREEN, 32)
    assert hole[alpha > 0.1].all() and (hole & (alpha == 0)).sum() < 0.11 * hole.sum()
    best = decibels(photo, painted, alpha > 0, alpha > 0)
    assert decibels(photo, painted, hole, alpha > 0) > best - 2
    assert decibels(photo, painted, distance_to(painted, GREEN) <= 32, alpha > 0) < best - 5
    assert not is_paint_left(painted, GREEN, hole)


@pytest.mark.parametrize("radius, rim", [(1.5, 0), (3, 0), (6, 0.4)])
def test_in_a_jpeg_the_smear_belongs_to_the_hole(photo, radius, rim):
    alpha = stroke(photo.shape[:2], radius, rim)
    painted = as_jpeg(paint(photo, alpha))
    hole = find_paint(painted, GREEN, 32)
    touched = alpha > 0
    assert hole[alpha > 0.1].all() and not (hole & ~ndimage.binary_dilation(touched, iterations=9)).any()
    assert decibels(photo, painted, hole, touched) > decibels(photo, paint(photo, alpha), touched, touched) - 7.6
    assert is_paint_left(painted, GREEN, distance_to(painted, GREEN) <= 32)


@pytest.mark.parametrize("radius, quality", [(1.2, 90), (1.5, 60)])
def test_a_thin_line_that_a_jpeg_has_dulled_is_found_along_with_the_paint_that_it_crosses(photo, radius, quality):
    rows, columns = np.indices(photo.shape[:2])
    thin = np.clip(2 - 2 * np.abs(rows - 140 - 0.75 * (columns - 60)) / (1.25 * radius), 0, 1)
    thin *= (columns > 60) & (columns < 330)
    alpha = np.fmax(stroke(photo.shape[:2], 6), thin)
    hole = find_paint(as_jpeg(paint(photo, alpha), quality), GREEN, 32)
    assert hole[alpha > 0.5].all() and not (hole & ~ndimage.binary_dilation(alpha > 0, iterations=9)).any()


def test_what_fills_soft_white_paint_is_no_lighter(photo):
    white = np.full(3, 255)
    painted = paint(photo, ndimage.gaussian_filter(stroke(photo.shape[:2], 5).astype(float), 1), white)
    hole = find_paint(painted, white, 32)
    light = [fill_harmonic(pixels, ~hole).mean() for pixels in (painted, photo)]
    assert abs(light[0] - light[1]) < 2.5


@pytest.mark.parametrize("quality", [None, 90])
@pytest.mark.parametrize("blur", [1, 1.5, 2.5])
def test_what_fills_soft_paint_has_no_tint_of_it(photo, blur, quality):
    painted = paint(photo, ndimage.gaussian_filter(stroke(photo.shape[:2], 5).astype(float), blur))
    painted = as_jpeg(painted, quality) if quality else painted
    hole = find_paint(painted, GREEN, 32)
    tint = [fill_harmonic(pixels, ~hole) @ [-0.5, 1, -0.5] for pixels in (painted, photo)]
    assert (tint[0] - tint[1]).mean() < 2.5


def test_a_green_stripe_that_touches_paint_is_kept_but_for_its_beginning(photo):
    striped = photo.copy()
    striped[300:304] = 50, 170, 60
    alpha = np.zeros(photo.shape[:2])
    alpha[290:314, 20:40] = 1
    hole = find_paint(as_jpeg(paint(striped, alpha), 90), GREEN, 32)
    assert hole[alpha > 0].all() and not hole[:, 40 + 96:].any()


def test_a_green_garment_beside_green_paint_is_kept(photo):
    garment = photo.copy()
    garment[260:] = np.array((50, 150, 70)) + np.random.default_rng(0).integers(-6, 7, garment[260:].shape)
    alpha = stroke(photo.shape[:2], 6, 0.5)
    for painted in (paint(garment, alpha), as_jpeg(paint(garment, alpha))):
        hole = find_paint(painted, GREEN, 32)
        assert hole[alpha > 0.6].all() and (hole & ~ndimage.binary_dilation(alpha > 0, iterations=8)).sum() < 30


def test_black_paint_does_not_take_dark_hair_and_cloth_along(photo):
    alpha = stroke(photo.shape[:2], 4)
    hole = find_paint(paint(photo, alpha, BLACK), BLACK, 32)
    assert hole[alpha > 0].all()
    assert (hole & (alpha == 0)).sum() < 0.35 * hole.sum() + (distance_to(photo, BLACK) <= 4).sum()


def test_paint_may_touch_the_border_be_a_dot_be_all_or_nothing(photo):
    corner = np.zeros(photo.shape[:2])
    corner[:9, :20] = corner[200, 200] = 1
    np.testing.assert_array_equal(find_paint(paint(photo, corner), GREEN, 32), corner > 0)
    assert not find_paint(photo, GREEN, 32).any()
    assert find_paint(paint(photo, np.ones(photo.shape[:2])), GREEN, 32).all()


def test_the_tolerance_is_of_levels(photo):
    painted = photo.copy()
    painted[100:110, 100:130], painted[200:210, 100:130] = (40, 215, 40), (0, 255, 0)
    found = [find_paint(painted, GREEN, tolerance)[[105, 205], 115].tolist() for tolerance in (32, 40)]
    assert found == [[False, True], [True, True]]


def test_the_soft_rim_of_wide_paint_is_found_in_a_smaller_picture(photo):
    large = np.asarray(Image.fromarray(photo).resize((3 * photo.shape[1], 3 * photo.shape[0])))
    alpha = stroke(photo.shape[:2], 10, 0.5).repeat(3, axis=0).repeat(3, axis=1)
    hole = find_paint(paint(large, alpha), GREEN, 32)
    assert hole[alpha > 0.25].all() and (hole & (alpha == 0)).sum() < 0.06 * hole.sum()


def test_in_a_large_photo_the_edges_that_scaling_has_softened_leave_no_tint(photo):
    small = Image.fromarray(photo)
    alpha = np.zeros(photo.shape[:2], np.uint8)
    alpha[235:285, 160:250] = 255
    sizes = [3 * side for side in small.size]
    large = np.asarray(small.resize(sizes))
    alpha = np.asarray(Image.fromarray(alpha).resize(sizes)) / 255
    hole = find_paint(paint(large, alpha), GREEN, 32)
    assert hole[alpha > 0.06].all() and (hole & (alpha == 0)).sum() < 0.06 * hole.sum()


def test_soft_black_paint_that_is_left_is_told_of(photo):
    painted = paint(photo, ndimage.gaussian_filter(stroke(photo.shape[:2], 6), 3), BLACK)
    assert is_paint_left(painted, BLACK, distance_to(painted, BLACK) <= 4)


def test_paint_that_is_left_in_one_place_is_told_of(photo):
    alpha = stroke(photo.shape[:2], 6)
    hole, painted = alpha > 0, paint(photo, alpha)
    assert not is_paint_left(painted, GREEN, hole)
    hole[:, :80] = False
    assert is_paint_left(painted, GREEN, hole)


def fade(shape, sigma, radius):
    """How opaque a wide bar over both eyes is, (H, W) in [0, 1], that a brush has blurred by sigma pixels."""
    rows, columns = np.indices(shape)
    bar = np.hypot(rows - 220, np.fmax(np.abs(columns - 200) - 80, 0)) < radius
    return ndimage.gaussian_filter(bar.astype(float), sigma)


@pytest.mark.parametrize("sigma, radius, quality", [(10, 20, 90), (14, 26, None), (14, 26, 75)])
def test_a_wide_very_soft_brush_leaves_no_tint_where_it_fades_out(photo, sigma, radius, quality):
    alpha = fade(photo.shape[:2], sigma, radius)
    painted = paint(photo, alpha)
    hole = find_paint(as_jpeg(painted, quality) if quality else painted, GREEN, 32)
    ring = ndimage.binary_dilation(hole, np.ones((3, 3))) & ~hole
    assert alpha[ring].mean() < 0.024 and (hole & (alpha < 1e-3)).sum() < 0.06 * hole.sum()


@pytest.mark.parametrize("name", ["B001283.jpg", "C000542.jpg"])
def test_a_wide_soft_rim_is_not_taken_for_the_texture_of_a_photo(samples, name):
    photo = read_photo(samples / name).pixels
    alpha = fade(photo.shape[:2], 14, 26)
    assert find_paint(paint(photo, alpha), GREEN, 32)[alpha > 0.2].all()


@pytest.mark.parametrize("name, most", [("G000546.jpg", 0.05), ("B001283.jpg", 0.02)])
def test_a_wide_soft_rim_takes_hardly_any_clean_photo_with_it(samples, name, most):
    photo = read_photo(samples / name).pixels
    alpha = fade(photo.shape[:2], 10, 20)
    hole = find_paint(as_jpeg(paint(photo, alpha), 90), GREEN, 32)
    assert (hole & (alpha < 1e-3)).sum() < most * hole.sum()


def line(shape, opacity, width):
    """How opaque a thin curve above the brows is, (H, W), nowhere more than its opacity."""
    rows, columns = np.indices(shape)
    curve = np.abs(rows - 150 - 10 * np.sin(columns / 30)) <= width / 2
    return opacity * ndimage.gaussian_filter((curve & (columns > 130) & (columns < 260)).astype(float), 0.5)


@pytest.mark.parametrize("opacity, width, quality", [(0.4, 2, None), (0.4, 5, 75), (0.5, 3, 90), (0.6, 2, 75)])
def test_half_transparent_lines_that_are_left_are_told_of(photo, opacity, width, quality):
    alpha, hard = line(photo.shape[:2], opacity, width), stroke(photo.shape[:2], 4)
    hard[:200] = 0
    painted = paint(photo, np.fmax(alpha, hard))
    painted = as_jpeg(painted, quality) if quality else painted
    hole = find_paint(painted, GREEN, 32)
    assert not hole[alpha > 0].any() and are_lines_left(painted, GREEN, hole)
    assert not are_lines_left(painted, GREEN, hole | (alpha > 0))


@pytest.mark.parametrize("opacity, quality", [(0.7, None), (0.8, None), (0.7, 90), (0.75, 60)])
def test_a_half_transparent_patch_is_found_or_told_of(photo, opacity, quality):
    rows, columns = np.indices(photo.shape[:2])
    patch, hard = np.hypot(rows - 300, columns - 200) < 25, stroke(photo.shape[:2], 4)
    hard[250:] = 0
    painted = paint(photo, np.fmax(opacity * patch, hard))
    painted = as_jpeg(painted, quality) if quality else painted
    hole = find_paint(painted, GREEN, 32)
    assert hole[patch].all() or are_lines_left(painted, GREEN, hole)
    assert not are_lines_left(painted, GREEN, hole | ndimage.binary_dilation(patch, iterations=2))


def test_green_clothes_and_backgrounds_are_no_lines_of_paint(photo):
    hole = stroke(photo.shape[:2], 4) > 0
    for painted in (paint(photo, hole), as_jpeg(paint(photo, hole.astype(float)), 75)):
        assert not are_lines_left(painted, GREEN, find_paint(painted, GREEN, 32))
    garment = photo.copy()
    garment[300:], garment[:, :60] = (50, 150, 70), (20, 160, 30)
    assert not are_lines_left(garment, GREEN, hole)
