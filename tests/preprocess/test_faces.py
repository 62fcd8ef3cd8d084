import numpy as np
import pytest
from PIL import Image

from helpers import BadPhoto
from pictures.photo import read_photo
from preprocess import faces
from preprocess.alignment import Plan, align_photo
from preprocess.crops import Frame, Limits
from preprocess.face_search import FaceSearch
from preprocess.faces import Face, alignment_matrix, is_covered, unwarp, warp, warp_known


@pytest.fixture(scope="module")
def portrait(samples):
    return read_photo(samples / "A000369.jpg").pixels


def align_face(search, pixels, size, template, **limits):
    """(crop, record) of the largest face that search(pixels) finds."""
    faces, _ = search(pixels)
    [(crop, _)], record = align_photo(pixels, faces, Plan(Frame(size, template), Limits(**limits)))
    return crop, record


@pytest.fixture(scope="module")
def search(finder):
    return FaceSearch(finder)


def stand_in(landmarks):
    """Finds one face where it is told."""
    return lambda _: ([Face((0, 0, 9, 9), 1.0, landmarks)], [])


def landmarks_around(x, y, spread=30, seed=0):
    return np.random.default_rng(seed).uniform(-spread, spread, (68, 2)) + (x, y)


def noise(height=50, width=70, seed=0):
    return np.random.default_rng(seed).integers(1, 256, (height, width, 3), dtype=np.uint8)


def reason(*arguments, **options):
    with pytest.raises(BadPhoto) as caught:
        align_face(*arguments, 64, "innerEyesAndBottomLip", **options)
    return caught.value.reason


def test_crops_are_those_that_openface_cuts(search, samples, openface):
    crops = sorted(openface.glob("*.png"))
    assert len(crops) == 12
    for path in crops:
        crop, _ = align_face(search, read_photo(samples / f"{path.stem}.jpg").pixels, 64, "innerEyesAndBottomLip")
        difference = np.abs(crop - read_photo(path).pixels.astype(int))
        assert difference.mean() <= 0.01 and difference.max() <= 1, path.stem


@pytest.mark.parametrize(("x", "y"), [(0, 0), (5, 9), (-7, 3), (-20, -30), (60, 2)])
def test_a_warp_by_whole_pixels_cuts_a_window_which_is_black_outside(x, y):
    pixels, size = noise(), 32
    expected = np.pad(pixels, ((100, 100), (100, 100), (0, 0)))[100 + y:100 + y + size, 100 + x:100 + x + size]
    crop, outside = warp(pixels, np.array([[1, 0, -x], [0, 1, -y]], float), size)
    np.testing.assert_array_equal(crop, expected)
    assert outside == (expected == 0).all(axis=2).mean()


def test_a_warp_draws_bilinearly_what_the_matrix_says():
    pixels, matrix, size = noise(), np.array([[0.8, 0.3, -5], [-0.2, 1.1, 4]]), 24
    crop, outside = warp(pixels, matrix, size)
    padded, missing = np.pad(pixels.astype(float), ((90, 90), (90, 90), (0, 0))), 0
    for row in range(size):
        for column in range(size):
            x, y = np.linalg.solve(matrix[:, :2], (column, row) - matrix[:, 2])
            left, top, missing = int(np.floor(x)), int(np.floor(y)), missing + (not (0 <= x <= 69 and 0 <= y <= 49))
            near = padded[90 + top:92 + top, 90 + left:92 + left]
            value = np.einsum("i,j,ijc->c", (1 - y + top, y - top), (1 - x + left, x - left), near)
            assert np.abs(crop[row, column] - value).max() <= 0.5 + 1e-6
    assert outside == missing / size**2


@pytest.mark.parametrize("matrix", [[[0.3, 0.05, -12], [-0.04, 0.28, -9]], [[1.7, 0.2, -30], [-0.1, 1.5, -20]]])
def test_a_crop_knows_nothing_that_it_reads_from_the_hole(matrix):
    """At both scales: a known pixel of the crop is the same whatever lies under the hole, and each hole leaves one."""
    matrix, rng = np.array(matrix), np.random.default_rng(0)
    pixels, known = noise(160, 180), rng.uniform(size=(160, 180)) > 0.01
    other = np.where(known[..., None], pixels, 255 - pixels)
    there = warp_known(known, matrix, 32)
    np.testing.assert_array_equal(warp(pixels, matrix, 32)[0][there], warp(other, matrix, 32)[0][there])
    assert there.any() and not there.all()
    rows, columns = np.nonzero(~known)
    for row, column in np.array((rows, columns)).T[is_covered(matrix, 32, rows, columns)]:
        alone = np.ones_like(known)
        alone[row, column] = False
        assert not warp_known(alone, matrix, 32).all()


def test_what_lies_outside_the_photo_is_not_known():
    there = warp_known(np.ones((50, 70), bool), np.array([[1, 0, 10], [0, 1, 5]], float), 32)
    assert not there[:5].any() and not there[:, :10].any() and there[5:, 10:].all()


def test_an_enlarged_crop_lies_where_it_was_cut_and_is_smooth():
    matrix, (rows, columns) = np.array([[0.5, 0.1, -20], [-0.05, 0.4, -10]]), np.mgrid[:200, :220]
    ramp = np.stack([rows, columns, rows / 2 + columns / 3], axis=-1).astype(np.uint8)
    crop, _ = warp(ramp, matrix, 32)
    window, values, inside = unwarp(crop.astype(float), matrix, 200, 220)
    np.testing.assert_array_equal(inside, is_covered(matrix, 32, *np.mgrid[window]))
    middle = is_covered(np.array(matrix) + [[0, 0, -4], [0, 0, -4]], 24, *np.mgrid[window])
    assert np.abs(values - ramp[window])[middle].max() < 1.5
    covered = is_covered(matrix, 32, rows, columns)
    assert covered.sum() == inside.sum() == pytest.approx(32 * 32 / np.linalg.det(matrix[:, :2]), rel=0.02)


def test_large_photos_are_searched_smaller_and_the_box_is_that_of_the_photo(finder, portrait, monkeypatch):
    box = finder.boxes(portrait)[0]
    monkeypatch.setattr(faces, "SEARCH_PIXELS", portrait.shape[0] * portrait.shape[1] // 6)
    again = finder.boxes(portrait)[0]
    assert np.abs(np.subtract(again, box)).max() < 0.15 * (box[2] - box[0])


def test_of_several_faces_the_largest_is_taken(finder, portrait):
    height, width = portrait.shape[:2]
    small = np.asarray(Image.fromarray(portrait).resize((width // 2, height // 2)))
    both = np.full((height, width + width // 2, 3), 128, np.uint8)
    both[:height // 2, :width // 2], both[:, width // 2:] = small, portrait
    search = FaceSearch(finder, "all")
    crop, record = align_face(search, both, 64, "innerEyesAndBottomLip")
    alone, _ = align_face(search, portrait, 64, "innerEyesAndBottomLip")
    assert record["faces"] == 2
    assert np.abs(crop - alone.astype(int)).mean() < 8
    assert reason(search, both, only_single=True) == "several_faces"


@pytest.mark.parametrize("content", ["noise", "black", "one pixel", "upside down", "hidden"])
@pytest.mark.fault("F46", "alignment")
def test_a_photo_without_a_frontal_face_is_refused(search, portrait, content):
    hidden = portrait.copy()
    hidden[150:400, 100:350] = 128
    pixels = {"noise": noise(200, 200), "black": np.zeros((200, 200, 3), np.uint8), "hidden": hidden,
              "one pixel": noise(1, 1), "upside down": np.ascontiguousarray(portrait[::-1])}[content]
    assert reason(search, pixels) == "no_face"


@pytest.mark.fault("F46", "alignment")
def test_a_face_cut_by_the_border_is_refused_before_its_crop_is_mostly_black():
    shares = []
    for x in range(0, -60, -4):
        landmarks = landmarks_around(x, 100)
        _, outside = warp(noise(200, 200), alignment_matrix(landmarks, 64, "innerEyesAndBottomLip"), 64)
        shares.append(outside)
        if outside > 0.5:
            assert reason(stand_in(landmarks), noise(200, 200)) == "cut_by_border"
        else:
            crop, record = align_face(stand_in(landmarks), noise(200, 200), 64, "innerEyesAndBottomLip")
            assert (crop == 0).all(axis=2).mean() <= 0.5
            assert record["outside"] == round(outside, 4)
    assert min(shares) <= 0.5 < max(shares)


def test_the_photo_is_left_as_it_was(search, portrait):
    before = portrait.copy()
    align_face(search, portrait, 64, "outerEyesAndNose")
    np.testing.assert_array_equal(portrait, before)
