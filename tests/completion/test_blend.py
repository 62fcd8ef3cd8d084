import numpy as np
import pytest

from completion.blend import BLENDS, blend_poisson, paste
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
def test_known_pixels_stay_equal_bit_for_bit_and_arguments_unchanged(blend, mask):
    faces, guesses = random_faces(seed=1), random_faces(seed=2)
    known = np.stack([MASKS[mask](16, np.random.default_rng(index)) for index in range(2)])
    before = faces.copy(), guesses.copy(), known.copy()
    blended = BLENDS[blend](faces, guesses, known)
    np.testing.assert_array_equal(blended[known], faces[known])
    for now, then in zip((faces, guesses, known), before):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("blend", BLENDS)
def test_what_lies_under_the_hole_does_not_leak(blend):
    faces, guesses, known = random_faces(seed=1), random_faces(seed=2), np.stack([center(16)] * 2)
    other = np.where(known[..., None], faces, 0.9)
    np.testing.assert_array_equal(BLENDS[blend](faces, guesses, known), BLENDS[blend](other, guesses, known))


def test_a_guess_that_is_off_by_a_constant_is_corrected():
    faces, known = random_faces(), np.stack([center(16)] * 2)
    np.testing.assert_allclose(blend_poisson(faces, faces + 0.3, known), faces, atol=1e-6)


def test_different_holes_in_one_batch_are_blended_as_if_alone():
    faces, guesses = random_faces(4, seed=1), random_faces(4, seed=2)
    known = np.stack([MASKS[name](16, np.random.default_rng(0)) for name in ("center", "left", "center", "pattern")])
    alone = np.concatenate([blend_poisson(faces[i:i + 1], guesses[i:i + 1], known[i:i + 1]) for i in range(4)])
    np.testing.assert_allclose(blend_poisson(faces, guesses, known), alone, atol=1e-6)


def test_a_bright_seam_stays_within_the_range_of_pixels():
    faces, guesses = np.ones((1, 16, 16, 3), np.float32), -np.ones((1, 16, 16, 3), np.float32)
    faces[:, :8] = -1
    blended = blend_poisson(faces, guesses, center(16)[None])
    assert blended.min() >= -1 and blended.max() <= 1


def test_a_face_of_which_nothing_is_known_is_refused():
    with pytest.raises(ValueError, match="nothing is known"):
        blend_poisson(random_faces(), random_faces(), np.zeros((2, 16, 16), bool))


def test_shapes_that_differ_are_named():
    with pytest.raises(ValueError, match=r"\(2, 16, 16, 3\).*\(2, 8, 8, 3\)"):
        blend_poisson(random_faces(), random_faces(size=8), np.ones((2, 16, 16), bool))


def test_pasting_copies_the_guess():
    faces, guesses, known = random_faces(seed=1), random_faces(seed=2), np.stack([center(16)] * 2)
    np.testing.assert_array_equal(paste(faces, guesses, known)[~known], guesses[~known])
