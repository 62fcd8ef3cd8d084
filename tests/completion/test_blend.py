import numpy as np
import pytest
from scipy import ndimage

from completion import recipes
from completion.blend import BLENDS, FADE, blend_feather, blend_matern, blend_poisson, paste
from completion.masks import MASKS, center


def random_faces(count=2, size=16, seed=0):
    return np.random.default_rng(seed).uniform(-0.4, 0.4, (count, size, size, 3)).astype(np.float32)


def poisson_by_least_squares(face, guess, known):
    """min || grad x - grad guess ||^2 over all pixel pairs that touch the hole, solved densely."""
    size, unknown = len(known), {tuple(pixel): index for index, pixel in enumerate(np.argwhere(~known))}
    rows, targets = [], []
    for row in range(size):
        for column in range(size):
            for other in ((row + 1, column), (row, column + 1)):
                here = (row, column)
                if max(other) >= size or here not in unknown and other not in unknown:
                    continue
                equation, target = np.zeros(len(unknown)), guess[other] - guess[here]
                for pixel, sign in ((other, 1), (here, -1)):
                    if pixel in unknown:
                        equation[unknown[pixel]] = sign
                    else:
                        target = target - sign * face[pixel]
                rows.append(equation)
                targets.append(target)
    blended = face.copy()
    blended[~known] = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=None)[0]
    return blended


@pytest.mark.parametrize("mask", ["center", "left", "random", "strokes", "O6"])
def test_the_poisson_blend_equals_dense_least_squares(mask):
    faces, guesses = random_faces(seed=1), random_faces(seed=2)
    known = np.stack([MASKS[mask](16, np.random.default_rng(0))] * 2)
    expected = [poisson_by_least_squares(*trio) for trio in zip(faces, guesses, known)]
    np.testing.assert_allclose(blend_poisson(faces, guesses, known), np.clip(expected, -1, 1), atol=1e-5)


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.fault("F51", "completion", "evaluation")
def test_known_pixels_stay_equal_bit_for_bit_and_arguments_unchanged(blend, mask):
    faces, guesses = random_faces(seed=1), random_faces(seed=2)
    known = np.stack([MASKS[mask](16, np.random.default_rng(index)) for index in range(2)])
    before = faces.copy(), guesses.copy(), known.copy()
    blended = BLENDS[blend](faces, guesses, known)
    np.testing.assert_array_equal(blended[known], faces[known])
    for now, then in zip((faces, guesses, known), before):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.fault("F52", "completion", "onnx", "evaluation")
def test_what_lies_under_the_hole_does_not_leak(blend):
    faces, guesses, known = random_faces(seed=1), random_faces(seed=2), np.stack([center(16)] * 2)
    other = np.where(known[..., None], faces, 0.9)
    np.testing.assert_array_equal(BLENDS[blend](faces, guesses, known), BLENDS[blend](other, guesses, known))


@pytest.mark.parametrize("mask", ["center", "left", "random", "strokes", "O6"])
def test_the_matern_blend_equals_dense_least_squares(mask):
    """min || (fade^2 - laplacian) d ||^2 over all offsets d that are face - guess on the known pixels."""
    faces, guesses = random_faces(seed=1), random_faces(seed=2)
    known = MASKS[mask](16, np.random.default_rng(0))
    places = np.eye(256).reshape(256, 16, 16)
    root = (FADE / 16) ** 2 * places
    for axis in (1, 2):
        differences = np.diff(places, axis=axis)
        ends = [(0, 0)] * 3
        ends[axis] = 1, 1
        root = root - np.diff(np.pad(differences, ends), axis=axis)
    root, hole = root.reshape(256, 256).T, ~known.ravel()
    for face, guess, blended in zip(faces, guesses, blend_matern(faces, guesses, np.stack([known] * 2))):
        offset = (face - guess).reshape(256, 3).astype(np.float64)
        found = np.linalg.lstsq(root[:, hole], -root[:, ~hole] @ offset[~hole], rcond=None)[0]
        np.testing.assert_allclose(blended[~known], np.clip(guess[~known] + found, -1, 1), atol=1e-5)


def test_the_matern_blend_leaves_the_middle_of_a_large_hole_as_guessed_and_has_no_seam():
    faces, known = np.zeros((1, 64, 64, 3), np.float32), center(64)[None]
    blended = blend_matern(faces, faces + 0.5, known)
    np.testing.assert_allclose(blended[0, 28:36, 28:36], 0.5, atol=0.02)
    steps = [np.abs(np.diff(blended, axis=axis)).max() for axis in (1, 2)]
    assert max(steps) < 0.5 / 4 and blended.min() > -0.01


def test_between_single_known_pixels_a_smooth_offset_is_found_better_than_by_a_membrane():
    faces = ndimage.gaussian_filter(random_faces(1, 64), (0, 2, 2, 0))
    known = MASKS["random"](64, np.random.default_rng(0))[None]
    errors = {name: np.abs(BLENDS[name](faces, 0 * faces, known) - faces).mean() for name in ("matern", "poisson")}
    assert errors["matern"] < 0.7 * errors["poisson"]


def test_a_guess_that_is_off_by_a_constant_is_corrected():
    faces, known = random_faces(), np.stack([center(16)] * 2)
    np.testing.assert_allclose(blend_poisson(faces, faces + 0.3, known), faces, atol=1e-6)


@pytest.mark.parametrize("blend", BLENDS)
def test_different_holes_in_one_batch_are_blended_as_if_alone(blend):
    faces, guesses = random_faces(4, seed=1), random_faces(4, seed=2)
    known = np.stack([MASKS[name](16, np.random.default_rng(0)) for name in ("center", "left", "center", "pattern")])
    alone = np.concatenate([BLENDS[blend](faces[i:i + 1], guesses[i:i + 1], known[i:i + 1]) for i in range(4)])
    np.testing.assert_allclose(BLENDS[blend](faces, guesses, known), alone, atol=1e-6)


def holes_of_every_kind(size=16):
    """Holes that touch the border, a corner or nothing, several at once, and one that leaves single pixels."""
    holes = np.zeros((6, size, size), bool)
    holes[0, 4:12, 4:12] = True
    holes[1, :, 5:9] = True
    holes[2, :6, :6] = True
    holes[3, 2:5, 2:5] = holes[3, 9:14, 8:] = True
    holes[4] = True
    holes[4, 7, 7] = False
    holes[5, ::2, ::2] = True
    return ~holes


@pytest.mark.parametrize("blend", [blend_poisson, blend_feather])
@pytest.mark.parametrize("color", [-1, -0.5, 1])
def test_a_guess_of_one_colour_stays_within_the_colours_around_it(blend, color):
    """The maximum principle; feathering may keep the guess's own colour too."""
    known = holes_of_every_kind()
    faces = np.random.default_rng(0).uniform(-0.9, 0.3, (len(known), 16, 16, 3)).astype(np.float32)
    for face, blended, there in zip(faces, blend(faces, np.full_like(faces, color), known), known):
        ring = face[there & ndimage.binary_dilation(~there)] if blend is blend_poisson else face[there]
        allowed = ring if blend is blend_poisson else np.append(ring, np.full((1, 3), color), axis=0)
        assert (blended[~there] >= allowed.min(axis=0) - 1e-6).all()
        assert (blended[~there] <= allowed.max(axis=0) + 1e-6).all()


@pytest.mark.parametrize("blend", [blend_poisson, blend_matern, blend_feather])
def test_a_seam_between_opposite_colours_stays_within_the_range_of_pixels(blend):
    known = holes_of_every_kind()
    faces, guesses = np.ones((2, len(known), 16, 16, 3), np.float32)
    faces[:, :8], guesses[:, :, :8] = -1, -1
    blended = blend(faces, guesses, known)
    assert np.abs(blended).max() <= 1 and np.isfinite(blended).all()


@pytest.mark.parametrize("blend", [blend_poisson, blend_feather])
def test_a_guess_of_the_opposite_colour_meets_the_face_without_a_seam(blend):
    faces, guesses, known = -np.ones((1, 64, 64, 3), np.float32), np.ones((1, 64, 64, 3), np.float32), center(64)[None]
    blended = blend(faces, guesses, known)
    steps = [np.abs(np.diff(blended, axis=axis)).max() for axis in (1, 2)]
    assert max(steps) <= (1e-6 if blend is blend_poisson else 0.5) and paste(faces, guesses, known).max() == 1


@pytest.mark.parametrize("blend", [blend_poisson, blend_matern, blend_feather])
def test_a_face_of_which_nothing_is_known_is_refused(blend):
    with pytest.raises(ValueError, match="nothing is known"):
        blend(random_faces(), random_faces(), np.zeros((2, 16, 16), bool))


def test_feathering_is_what_its_formula_says():
    faces, guesses, known = random_faces(6, seed=1), random_faces(6, seed=2), holes_of_every_kind()
    expected, width, places = guesses.astype(np.float64), 5, np.argwhere(np.ones((16, 16), bool))
    for face, guess, there, result in zip(faces, guesses, known, expected):
        near = places[there[tuple(places.T)]]
        offsets = (face - guess)[there].astype(np.float64)
        for row, column in np.argwhere(~there):
            far = np.hypot(*(near - (row, column)).T)
            weights = np.where(far < width, (width - far) / (width * far), 0) ** 2
            if weights.any():
                fade = (1 + np.cos(np.pi * far.min() / width)) / 2
                result[row, column] += fade * weights @ offsets / weights.sum()
    blended = blend_feather(faces, guesses, known, width=width)
    np.testing.assert_allclose(blended[~known], np.clip(expected, -1, 1)[~known], atol=1e-6)


def test_feathering_keeps_the_middle_of_a_large_hole_as_guessed():
    faces, guesses, known = random_faces(1, 64, 1), random_faces(1, 64, 2), center(64)[None]
    blended = blend_feather(faces, guesses, known)
    np.testing.assert_array_equal(blended[0, 24:40, 24:40], guesses[0, 24:40, 24:40])
    assert (blended != guesses)[0, 17:20, 17:47].any(axis=-1).all()


def test_the_recipes_know_every_blend():
    assert sorted(recipes.BLENDS) == sorted(BLENDS)


def test_shapes_that_differ_are_named():
    with pytest.raises(ValueError, match=r"\(2, 16, 16, 3\).*\(2, 8, 8, 3\)"):
        blend_poisson(random_faces(), random_faces(size=8), np.ones((2, 16, 16), bool))


def test_pasting_copies_the_guess():
    faces, guesses, known = random_faces(seed=1), random_faces(seed=2), np.stack([center(16)] * 2)
    np.testing.assert_array_equal(paste(faces, guesses, known)[~known], guesses[~known])
