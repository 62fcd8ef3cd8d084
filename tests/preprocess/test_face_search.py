"""Faces are found where OpenFace finds them, sooner, and where it finds none."""
import numpy as np
import pytest
from PIL import Image

from pictures.photo import read_photo
from preprocess.face_search import FaceSearch
from preprocess.faces import FaceFinder
from preprocess.pyramid import SHORTER, find_large, level_sizes

PORTRAITS = ["A000369", "B001273", "C001070", "C001056"]


@pytest.fixture(scope="module")
def photos(samples):
    return [read_photo(samples / f"{stem}.jpg").pixels for stem in PORTRAITS]


def shrunk(pixels, share):
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((round(width * share), round(height * share))))


@pytest.mark.parametrize("share", [1, 0.73, 0.5, 0.31])
def test_the_largest_face_has_the_box_and_score_of_a_search_of_everything(finder, photos, share):
    for pixels in photos:
        small = shrunk(pixels, share)
        assert finder.large_boxes(small)[0] == finder.scored_boxes(small)[0]


@pytest.mark.parametrize("corner", [(0, 1), (1, 0), (1, 1)])
def test_a_face_that_begins_outside_the_photo_has_the_same_box_too(finder, photos, corner):
    for pixels in photos[:2]:
        left, top, right, _ = finder.scored_boxes(pixels)[0][0]
        row, column = (round(start + 0.08 * (right - left)) for start in (top, left))
        cut = np.ascontiguousarray(pixels[corner[0] * row:, corner[1] * column:])
        whole = finder.scored_boxes(cut)[0]
        assert min(whole[0][:2]) < 0 and finder.large_boxes(cut)[0] == whole


def test_a_fast_search_finds_a_box_within_a_step_of_the_detector(finder, photos):
    for pixels in photos:
        (fast, *_), (exact, *_) = finder.large_boxes(pixels, exact=False)[0], finder.scored_boxes(pixels)[0]
        assert np.abs(np.subtract(fast, exact)).max() < 0.2 * (exact[2] - exact[0])


def test_coarse_levels_are_searched_first_and_small_faces_leave_it_to_the_whole_pyramid():
    sizes, drawn = level_sizes(500, 400), []
    assert sizes[0] == (1001, 802) and sizes[1] == (834, 668) and SHORTER <= min(sizes[-1]) < SHORTER * 6 / 5
    assert find_large(lambda level: drawn.append(level) or [], lambda level: level, sizes) is None
    assert drawn == [8, 5, 2]
    settled, unsettled = [((5, 5, 109, 109), 1.0)], [((5, 5, 92, 92), 1.0)]
    assert find_large(lambda _: unsettled, lambda level: level, sizes) is None
    for found, settled_from in ((settled, 2), (unsettled, 0)):
        [(box, score)] = find_large(lambda _, found=found: found, lambda level: level, sizes, settled_from)
        assert score == 1.0 and box[2] - box[0] == pytest.approx((found[0][0][2] - 5) * 1.2 ** 8 / 2, rel=0.02)


def test_a_small_face_is_found_on_the_second_try(finder, photos):
    tiny = np.full((120, 120, 3), 128, np.uint8)
    tiny[30:80, 30:71] = shrunk(photos[0], 0.1)
    assert FaceSearch(finder)(tiny) == ([], [])
    [face], notes = FaceSearch(finder, upsample=1)(tiny)
    assert 16 < face.box[2] - face.box[0] < 40 and "doubled" in notes[0]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_photo_gives_the_landmarks_where_they_lie_in_it(finder, photos, quarters):
    turned = np.ascontiguousarray(np.rot90(photos[0], quarters))
    assert FaceSearch(finder)(turned)[0] == []
    [face], notes = FaceSearch(finder, turned=True)(turned)
    [upright], _ = FaceSearch(finder)(photos[0])
    height, width = photos[0].shape[:2]
    x, y = upright.landmarks.T
    expected = {1: (y, width - 1 - x), 2: (width - 1 - x, height - 1 - y), 3: (height - 1 - y, x)}[quarters]
    np.testing.assert_array_equal(face.landmarks, np.column_stack(expected))
    assert face.box[0] < face.box[2] and face.box[1] < face.box[3]
    assert notes == [f"found in the photo turned by {360 - 90 * quarters} degrees"]


def test_five_landmarks_are_corners_of_the_eyes_and_the_nose(finder, photos):
    [five], _ = FaceSearch(FaceFinder(points="5"))(photos[0])
    [face], _ = FaceSearch(finder)(photos[0])
    eyes = np.linalg.norm(face.landmarks[45] - face.landmarks[36])
    assert np.linalg.norm(five.landmarks - face.landmarks[[45, 42, 36, 39, 33]], axis=1).max() < 0.1 * eyes


@pytest.mark.slow
def test_the_network_finds_the_face_that_the_detector_finds(finder, photos):
    small = shrunk(photos[0], 0.3)
    [face], _ = FaceSearch(FaceFinder(detector="cnn"))(small)
    (box, *_), = finder.scored_boxes(small)
    assert np.abs(np.subtract(face.box, box)).max() < 0.3 * (box[2] - box[0])
