"""What every method gives: known pixels as they were read, the face's own tone, and numbers."""
from types import SimpleNamespace

import numpy as np
import pytest

from completion.face import Face
from completion.masks import MASKS
from completion.tone import SKIN
from helpers import BadPhoto, UsageError
from methods import batches
from methods.method_settings import MethodSettings
from methods.outcome import Outcome
from pictures.photo import read_photo

LUMA = np.array([0.299, 0.587, 0.114])
SEPIA = np.rint(np.stack([np.interp(np.arange(256), [0, 128, 255], stops) for stops in
                          ((0, 150, 255), (0, 120, 245), (0, 85, 225))], axis=-1)).astype(np.uint8)


@pytest.fixture
def colour(openface):
    return read_photo(openface / "A000369.png").pixels


def face_of(pixels, mask="center"):
    return Face("a", "a.png", (0, 0), pixels, MASKS[mask](64, np.random.default_rng(0)), 0, [])


def sepia(pixels):
    return SEPIA[np.rint(pixels @ LUMA).astype(int)]


def complete(monkeypatch, face, method):
    """The CompletedFace of a face by a method, and its pictures of steps."""
    steps = []
    monkeypatch.setattr(batches, "make_method", lambda *_: method)
    (_, result), = batches.Completer({64: SimpleNamespace(has_network=True)})(
        [(face,)], on_step=lambda batch, step, pixels: steps.append(pixels[0]))
    return result, steps


def is_sepia(pixels, known):
    """Whether 99 of 100 pixels of the hole are within 6 levels of the tone."""
    luminances = SEPIA @ LUMA
    right = np.stack([np.interp(pixels @ LUMA, luminances, channel) for channel in SEPIA.T], axis=-1)
    return np.quantile(np.abs(pixels - right).max(axis=-1)[~known], 0.99) <= 6


def test_a_sepia_face_reaches_methods_in_skin_tones_and_all_that_they_give_becomes_sepia(monkeypatch, colour):
    face, seen = face_of(sepia(colour)), []

    def method(faces, known, seeds, on_step):
        seen.append(batches.to_uint8(faces)[0])
        teal = np.full_like(faces, [-0.5, 0.2, 0.1])
        on_step(0, teal)
        return Outcome(teal, [{}], [teal, faces])

    result, steps = complete(monkeypatch, face, method)
    np.testing.assert_array_equal(seen[0][face.known], SKIN[np.rint(face.pixels[face.known] @ LUMA).astype(int)])
    for picture in (result.pixels, *result.answers, *steps):
        np.testing.assert_array_equal(picture[face.known], face.pixels[face.known])
        assert is_sepia(picture, face.known)
    assert result.record["one_tone"] and len(steps) == 1


def test_a_grey_face_is_completed_in_exact_grey(monkeypatch, colour):
    grey = np.repeat(np.rint(colour @ LUMA).astype(np.uint8)[..., None], 3, axis=2)
    for mask in ("center", "random", "O6"):
        result, _ = complete(monkeypatch, face_of(grey, mask), lambda faces, *_: Outcome(-faces, [{}]))
        assert (result.pixels == result.pixels[..., :1]).all()


def test_a_face_with_colours_reaches_methods_and_comes_from_them_as_it_is(monkeypatch, colour):
    def method(faces, known, seeds, on_step):
        np.testing.assert_array_equal(batches.to_uint8(faces)[0], colour)
        return Outcome(faces, [{}])
    result, _ = complete(monkeypatch, face_of(colour), method)
    np.testing.assert_array_equal(result.pixels, colour)
    assert not result.record["one_tone"]


@pytest.mark.parametrize("scheduler", [None, "tcp://host:8786"])
def test_no_batch_is_begun_here_or_on_a_cluster_before_the_networks_are_loaded(monkeypatch, colour, scheduler):
    methods = {side: MethodSettings("vae", f"model{side}", device="gpu") for side in (64, 128)}
    begun, loaded = [], []

    def make_method(settings, side, check):
        loaded.append((side, settings.device))
        if side == 128:
            raise UsageError("no usable model")
    monkeypatch.setattr(batches, "make_method", make_method)
    monkeypatch.setattr(batches, "map_on_cluster", lambda function, items, *_, **__: list(items))
    monkeypatch.setattr(MethodSettings, "models", lambda settings: {})
    with pytest.raises(UsageError, match="no usable model"):
        list(batches.Completer(methods, scheduler)([(face_of(colour),)], on_batch=begun.append))
    device = "auto" if scheduler else "gpu"             # which the workers may have, and this machine not
    assert (begun, loaded) == ([], [(64, device), (128, device)])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["face", "answer"])
@pytest.mark.parametrize("toned", [True, False])
def test_one_value_that_is_no_number_fails_the_face(monkeypatch, colour, value, where, toned):
    def method(faces, known, seeds, on_step):
        bad = faces.copy()
        bad[0, 30, 30, 1] = value
        on_step(0, bad)
        return Outcome(bad if where == "face" else faces, [{}], [faces, bad] if where == "answer" else [])
    result, _ = complete(monkeypatch, face_of(sepia(colour) if toned else colour), method)
    assert isinstance(result, BadPhoto) and result.reason == "not_finite"
