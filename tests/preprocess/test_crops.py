"""Where faces are cut, how their crops are described, and the random warps for training."""
import numpy as np
import pytest

from helpers import BadPhoto
from pictures.photo import read_photo
from preprocess.alignment import Plan, align_photo
from preprocess.crops import Frame, Jitter, Limits, cut_face, describe, shaken
from preprocess.face_search import FaceSearch
from preprocess.faces import Face, warp
from preprocess.templates import ANCHORS, TEMPLATES


@pytest.fixture(scope="module")
def portrait(samples):
    return read_photo(samples / "A000369.jpg").pixels


@pytest.fixture(scope="module")
def face(finder, portrait):
    return FaceSearch(finder)(portrait)[0][0]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("points", ANCHORS)
def test_landmarks_that_lie_as_the_template_has_them_come_to_lie_on_it(points, template):
    indices, places = ANCHORS[points][template]
    landmarks, turn = np.zeros((68, 2)), np.array([(0.9, -0.4), (0.4, 0.9)])
    landmarks[list(indices)] = 200 * np.array(places) @ turn.T + (40, 90)
    for transform in ("affine", "similarity"):
        matrix = Frame(96, template, transform=transform, points=points).matrix(landmarks)
        moved = landmarks[list(indices)] @ matrix[:, :2].T + matrix[:, 2]
        np.testing.assert_allclose(moved, 96 * np.array(places), atol=1e-9)


def test_a_similarity_never_shears_and_an_affine_map_does(face):
    shears = [describe(np.zeros((64, 64, 3), np.uint8), Frame(transform=transform).matrix(face.landmarks))["shear"]
              for transform in ("affine", "similarity")]
    assert shears[0] > 0.02 and shears[1] == 0


def test_five_points_give_nearly_the_crop_of_68(portrait, face):
    five = face.landmarks[[45, 42, 36, 39, 33]]
    whole, few = (warp(portrait, Frame(points=points).matrix(landmarks), 64)[0].astype(int)
                  for points, landmarks in (("68", face.landmarks), ("5", five)))
    assert np.abs(whole - few).mean() < 15 < np.abs(whole - whole[:, ::-1]).mean()


def test_a_crop_is_described_by_its_map_and_its_grey_levels():
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 255
    about = describe(np.repeat(checks[..., None], 3, axis=2).astype(np.uint8), np.array([[0.5, 0, 3], [0, 0.25, 9]]))
    assert about.pop("sharpness") == pytest.approx((8 * 127.5) ** 2, rel=0.05)
    assert about == {"scale": 0.3536, "shear": 1.0, "brightness": 127.5}
    assert describe(np.full((64, 64, 3), 10, np.uint8), np.eye(2, 3))["sharpness"] == 0


@pytest.mark.parametrize(("limits", "reason"), [
    (Limits(min_face=500), "too_small"), (Limits(max_shear=0.001), "sheared"), (Limits(min_sharpness=1e6), "blurred"),
    (Limits(most_outside=-1), "cut_by_border")])
def test_a_face_beyond_a_limit_is_refused_by_its_reason(portrait, face, limits, reason):
    with pytest.raises(BadPhoto) as caught:
        cut_face(portrait, face, Frame(), limits)
    assert caught.value.reason == reason


def test_all_faces_are_cut_and_those_beyond_the_limits_told(portrait, face):
    faces = [face, face._replace(box=(0, 0, 19, 19)), face._replace(score=0.5)]
    plan = Plan(all_faces=True, limits=Limits(min_face=50))
    cut, record = align_photo(portrait, faces, plan)
    assert len(cut) == 2 and record["faces"] == 3 and record["score"] == face.score
    assert [other.get("reason") for other in record["further_faces"]] == [None, "too_small"]
    cut, record = align_photo(portrait, faces, Plan())
    assert len(cut) == 1 and [other["box"] for other in record["further_faces"]] == [(0, 0, 19, 19), face.box]


def test_warps_stay_within_their_bounds_and_belong_to_the_photo(portrait, face):
    matrix = Frame().matrix(face.landmarks)
    crop = warp(portrait, matrix, 64)[0].astype(int)
    still = list(shaken(portrait, matrix, 64, Jitter(2, 0, 0, 0), (0, 1)))
    np.testing.assert_array_equal(still, [crop, crop])
    moved = [list(shaken(portrait, matrix, 64, Jitter(3), seed)) for seed in ((0, 1), (0, 1), (0, 2))]
    np.testing.assert_array_equal(moved[0], moved[1])
    assert all((one != other).any() for one, other in zip(moved[0], moved[2]))
    assert all(3 < np.abs(one - crop).mean() < 40 for one in moved[0])
    grid = np.indices((400, 400)).transpose(1, 2, 0)[..., [1, 0, 1]] / 2
    for one in shaken(grid.astype(np.uint8), np.array([[1, 0, -100], [0, 1, -100]], float), 64, Jitter(20), (0,)):
        x, y = 2.0 * one[32, 32, :2] - 132
        assert np.hypot(x, y) < 64 * 0.03 * 2 ** 0.5 + 3
    assert Face((0, 0, 1, 1), None, np.zeros((5, 2))).record["score"] is None
