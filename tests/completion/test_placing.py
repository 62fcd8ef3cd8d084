"""Faces under damage: found, placed by what is seen of them, and what is said of it."""
import dataclasses
import re

import numpy as np
import pytest
from PIL import Image

from benchmarks.photo_placement import HOLES
from completion.finding import find_landmarks, turn_photo
from completion.placing import INNER, FacePlacer, Placement, describe_estimate, drop_doubles, shrink
from helpers import BadPhoto
from models import load_locator
from pictures.photo import read_photo
from preprocess.affine import invert, move, through
from preprocess.faces import alignment_matrix
from preprocess.templates import TEMPLATES

TEMPLATE = "innerEyesAndBottomLip"
GOAL = 64 * np.array(TEMPLATES[TEMPLATE][1])


@pytest.fixture(scope="module")
def portrait(finder, samples):
    """A photo and the landmarks of its face."""
    pixels = read_photo(samples / "A000369.jpg").pixels
    return pixels, finder.landmarks(pixels, finder.boxes(pixels)[0])


@pytest.fixture(scope="module")
def place(finder):
    return FacePlacer(finder, TEMPLATE, 64, load_locator)


def eye_band(pixels, landmarks):
    """The known pixels of a photo whose face is hidden from the brows to below the eyes."""
    known = np.ones(pixels.shape[:2], bool)
    (left, _), (right, _) = landmarks[[0, 16]].astype(int)
    known[int(landmarks[17:27, 1].min()):int(landmarks[36:48, 1].max()) + 8, left:right] = False
    return known


def error(matrix, landmarks):
    """Mean distance in pixels of the crop by which a matrix misses the template."""
    return np.linalg.norm(move(matrix, landmarks[[39, 42, 57]]) - GOAL, axis=1).mean()


@pytest.mark.parametrize("hidden", [None, (slice(0, 60), slice(0, 60)), (slice(440, 480), slice(100, 300))])
def test_a_face_whose_landmarks_are_seen_is_placed_exactly_by_them_and_no_network_is_loaded(finder, portrait, hidden):
    pixels, landmarks = portrait
    known = np.ones(pixels.shape[:2], bool)
    if hidden:
        known[hidden] = False
    placement, = FacePlacer(finder, TEMPLATE, 64, pytest.fail)(pixels, known)
    np.testing.assert_array_equal(placement.matrix, alignment_matrix(landmarks, 64, TEMPLATE))
    assert not placement.notes


def test_hidden_eyes_are_placed_and_what_lies_under_the_hole_does_not_matter(place, portrait):
    pixels, landmarks = portrait
    known = eye_band(pixels, landmarks)
    placement = place(pixels, known)[0]
    assert error(placement.matrix, landmarks) < 1.5
    about, = re.findall(r"\(eyes.*estimated, to about (\d+) pixels?", placement.notes[0])
    assert 0 < int(about) < 20
    other = place(np.where(known[..., None], pixels, np.uint8(200)), known)[0]
    np.testing.assert_array_equal(other.matrix, placement.matrix)


def test_without_a_network_hidden_eyes_are_placed_by_the_shape_of_faces(finder, portrait):
    pixels, landmarks = portrait
    placement = FacePlacer(finder, TEMPLATE, 64)(pixels, eye_band(pixels, landmarks))[0]
    assert error(placement.matrix, landmarks) < 3
    assert placement.notes[0].endswith("by the shape of faces alone")


@pytest.mark.parametrize("name", ["B000574", "D000600"])
def test_a_false_upright_face_in_a_photo_upside_down_is_not_believed(finder, place, samples, name):
    pixels = read_photo(samples / f"{name}.jpg").pixels
    landmarks, known = finder.landmarks(pixels, finder.boxes(pixels)[0]), np.ones(pixels.shape[:2], bool)
    (left, top), (right, bottom) = (edge.astype(int) for edge in (landmarks[48:].min(axis=0) - 9,
                                                                  landmarks[48:].max(axis=0) + 9))
    known[top:bottom, left:right] = False
    turned = np.array(known.shape[::-1]) - 1 - landmarks
    placement, = place(pixels[::-1, ::-1].copy(), known[::-1, ::-1].copy())
    assert error(placement.matrix, turned) < 2


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_face_that_lies_is_found(finder, portrait, degrees):
    pixels, landmarks = portrait
    turned, matrix = turn_photo(pixels, degrees)
    placement = FacePlacer(finder, TEMPLATE, 64)(turned, np.ones(turned.shape[:2], bool))[0]
    assert error(placement.matrix, move(matrix, landmarks)) < 2


@pytest.mark.parametrize("degrees", [45, 315, 300])
def test_the_landmarks_of_a_slanted_face_lie_where_those_of_the_upright_one_do(finder, portrait, degrees):
    pixels, landmarks = portrait
    turned, matrix = turn_photo(np.pad(pixels, ((70, 70), (70, 70), (0, 0)), mode="edge"), degrees)
    found, = find_landmarks(finder, turned, np.ones(turned.shape[:2], bool), lambda face, sure: True, None)
    apart = np.linalg.norm(found - move(matrix, landmarks + 70), axis=1)
    assert apart[INNER].mean() < 2 and apart[[39, 42, 57]].max() < 2


@pytest.mark.parametrize("error, words", [(0.3, "1 pixel"), (1.4, "1 pixel"), (1.6, "2 pixels")])
def test_an_error_is_told_in_whole_pixels(error, words):
    assert describe_estimate(np.zeros(68, bool), np.full(3, error)).endswith(f"to about {words}")


def test_turning_moves_pixels_where_its_map_says():
    pixels = np.zeros((40, 61, 3), np.uint8)
    pixels[7, 50] = 255
    for degrees in (0, 90, 180, 270):
        turned, matrix = turn_photo(pixels, degrees)
        (x, y), = move(matrix, np.array([(50.0, 7)]))
        assert turned[round(y), round(x)].min() == 255
        np.testing.assert_allclose(move(invert(matrix), np.array([(x, y)])), [(50, 7)], atol=1e-9)


def test_the_network_is_asked_again_from_where_it_said(finder, portrait):
    class Shifted:
        """Says that the face lies 2 pixels right of the crop's middle as long as it is more than that off the truth."""
        size, template = 64, TEMPLATE

        def locate(self, crop, known):
            return GOAL + (2, 0), np.full(3, 0.01)
    pixels, landmarks = portrait
    known = eye_band(pixels, landmarks)
    alone, shifted = (FacePlacer(finder, TEMPLATE, 64, load)(pixels, known)[0].matrix for load in (None, Shifted))
    corners = through(GOAL, move(invert(alone), GOAL))
    np.testing.assert_allclose(move(shifted, move(corners, GOAL + (6, 0))), GOAL, atol=1e-6)


def hide_mouth(known, landmarks):
    """`known` without the mouth too."""
    (left, top), (right, bottom) = landmarks[48:60].min(0).astype(int) - 10, landmarks[48:60].max(0).astype(int) + 10
    known[top:bottom, left:right] = False
    return known


def is_believed(place, pixels, known):
    """Whether a face is found, and beyond doubt."""
    try:
        return not place(pixels, known)[0].doubtful
    except BadPhoto as problem:
        assert "--points" in problem.detail
        return False


def test_a_face_in_a_faded_and_noisy_photo_is_placed(finder, place, samples):
    pixels = read_photo(samples / "D000191.jpg").pixels
    landmarks = finder.landmarks(pixels, finder.boxes(pixels)[0])
    known = ~HOLES["nose_and_mouth"](landmarks, pixels.shape[:2], np.random.default_rng(0))
    noise = np.random.default_rng(0).normal(0, 14, pixels.shape)
    faded = np.clip(np.rint(70 + 0.55 * (pixels @ [0.299, 0.587, 0.114])[..., None] + noise), 0, 255).astype(np.uint8)
    placement, = place(faded, known)
    assert error(placement.matrix, landmarks) < 2 and not placement.doubtful


def test_hidden_eyes_and_mouth_are_placed_and_without_a_network_not_believed(finder, place, portrait):
    pixels, landmarks = portrait
    known = hide_mouth(eye_band(pixels, landmarks), landmarks)
    placement = place(pixels, known)[0]
    assert error(placement.matrix, landmarks) < 3 and not placement.doubtful
    assert not is_believed(FacePlacer(finder, TEMPLATE, 64), pixels, known)


@pytest.mark.parametrize("times", [2, 3])
def test_a_hidden_face_lies_in_the_same_place_in_a_photo_of_more_pixels(finder, place, samples, times):
    pixels = read_photo(samples / "A000014.jpg").pixels
    landmarks = finder.landmarks(pixels, finder.boxes(pixels)[0])
    known = ~HOLES["eye_band_and_mouth"](landmarks, pixels.shape[:2], None)
    large = np.asarray(Image.fromarray(pixels).resize((times * pixels.shape[1], times * pixels.shape[0])))
    as_it_is, enlarged = place(pixels, known)[0], place(large, known.repeat(times, axis=0).repeat(times, axis=1))[0]
    assert not as_it_is.doubtful and not enlarged.doubtful
    there = (move(invert(enlarged.matrix), GOAL) + 0.5) / times - 0.5
    assert np.linalg.norm(move(as_it_is.matrix, there) - GOAL, axis=1).mean() < 0.8


def test_a_reduced_photo_knows_only_what_no_pixel_of_the_hole_falls_into():
    pixels, known = np.zeros((60, 90, 3), np.uint8), np.ones((60, 90), bool)
    pixels[30:33, 60:63], known[6, 9] = 255, False
    small, left, matrix = shrink(pixels, known, 1 / 3)
    assert small.shape == (20, 30, 3) and small[10, 20].min() > 100
    np.testing.assert_array_equal(np.argwhere(~left), [(2, 3)])
    np.testing.assert_allclose(move(matrix, np.array([(61.0, 31)])), [(20, 10)])
    for same, given in zip(shrink(pixels, known, 1.5), (pixels, known, np.eye(2, 3))):
        np.testing.assert_array_equal(same, given)


def test_a_face_nearly_all_hidden_is_not_believed(place, portrait):
    pixels, landmarks = portrait
    known = hide_mouth(eye_band(pixels, landmarks), landmarks)
    (left, top), (right, bottom) = landmarks[17:68].min(0).astype(int) - 20, landmarks[17:68].max(0).astype(int) + 20
    known[top:bottom, left:right] = False
    assert not is_believed(place, pixels, known)


@pytest.mark.parametrize("off, errors, doubtful", [(0, 2.3, False), (0, 2.5, True), (16, 0.1, True)])
def test_a_place_is_doubtful_by_its_error_and_by_its_shear(finder, portrait, off, errors, doubtful):
    class Says:
        """Says that the mouth lies `off` pixels beside where it should."""
        size, template = 64, TEMPLATE

        def locate(self, crop, known):
            return GOAL + [(0, 0), (0, 0), (off, 0)], np.array([0.1, 0.1, errors])
    pixels, landmarks = portrait
    assert FacePlacer(finder, TEMPLATE, 64, Says)(pixels, eye_band(pixels, landmarks))[0].doubtful == doubtful


def test_a_wide_face_of_which_much_is_seen_is_believed(finder, place, portrait):
    pixels = np.asarray(Image.fromarray(portrait[0]).resize((491, 500)))
    landmarks, = (finder.landmarks(pixels, box) for box in finder.boxes(pixels))
    assert np.linalg.cond(alignment_matrix(landmarks, 64, TEMPLATE)[:, :2]) > 1.4
    known, across = np.ones(pixels.shape[:2], bool), int(landmarks[39, 0])
    known[:, across - 6:across + 6] = False
    placement, = place(pixels, known)
    assert error(placement.matrix, landmarks) < 2 and not placement.doubtful


def test_of_two_places_over_each_other_the_one_of_less_expected_error_stays():
    face = Placement(np.array([(1.0, 0, -100), (0, 1, -100)]), uncertain=1.0)
    double = Placement(np.array([(0.4, 0, -30), (0, 0.4, -15)]), uncertain=5.0)
    beside = Placement(face.matrix - [[0, 0, 64], [0, 0, 0]], uncertain=9.0)
    unknown = dataclasses.replace(double, uncertain=float("nan"))
    for others in [double], [unknown]:
        first, second = drop_doubles([*others, face, beside], 64)
        assert first is face and second is beside
    doubtful = dataclasses.replace(double, doubtful=True)
    assert drop_doubles([doubtful, face], 64) == [doubtful, face]           # to be refused
    only, = drop_doubles([dataclasses.replace(double, uncertain=0.0), face], 64)
    assert only.uncertain == 0
    assert len(drop_doubles([dataclasses.replace(place, uncertain=0.0) for place in (double, face)], 64)) == 2


def test_what_only_looks_like_a_face_is_asked_for_even_if_all_of_it_is_seen():
    class Finder:
        """Sees something in the upper half, faintly."""
        def scored_boxes(self, pixels, threshold=0.0):
            return [((10, 10, 60, 60), -0.5, 0)] if threshold < 0 else []

        def landmarks(self, pixels, box):
            return np.random.default_rng(0).uniform(10, 60, (68, 2))
    known = np.ones((200, 200), bool)
    known[10:40, 10:60] = False
    photo = np.zeros((200, 200, 3), np.uint8)
    assert find_landmarks(Finder(), photo, known, lambda face, sure: True, lambda guesses, hole: None) == []
    assert len(find_landmarks(Finder(), photo, known, lambda face, sure: True, lambda guesses, hole: guesses[0])) == 1


class Guesses:
    """A detector that sees nothing for sure, and at its first faint look a face at each of these landmarks."""
    def __init__(self, found):
        self.found, self.looks = found, 0

    def scored_boxes(self, pixels, threshold=0.0):
        self.looks += threshold < 0
        return [((number,), -0.5, 0) for number in range(len(self.found)) if threshold < 0 and self.looks == 1]

    def landmarks(self, pixels, box):
        return self.found[box[0]]


@pytest.mark.parametrize("expected, moved, above, believed", [
    (1.7, [0], False, True), (2.0, [0], False, False), (2.0, [0, 2, 4], False, True), (2.5, [0, 2, 4], False, False),
    (2.0, [0, 2, 40], False, False), (2.0, [0, 2, 4], True, False)])
def test_a_guess_is_believed_that_is_certain_or_that_others_agree_with(portrait, expected, moved, above, believed):
    class Says:
        """Agrees with where it is asked."""
        size, template = 64, TEMPLATE

        def locate(self, crop, known):
            return GOAL, np.full(3, expected)
    pixels, landmarks = portrait
    known = hide_mouth(eye_band(pixels, landmarks), landmarks)
    if above:                                           # most of what the hole hides is no part of the face
        known[:int(landmarks[36:48, 1].max())] = False
    place = FacePlacer(Guesses([landmarks + right for right in moved]), TEMPLATE, 64, Says)
    assert is_believed(place, pixels, known) == believed


def test_a_wall_has_no_face(place):
    wall = np.random.default_rng(0).integers(90, 160, (200, 200, 3), np.uint8)
    known = np.ones((200, 200), bool)
    known[60:140, 60:140] = False
    with pytest.raises(BadPhoto, match="--points"):
        place(wall, known)
