"""Faces in whole photos: what comes back, what stays, and what is said when there is nothing to do."""
import dataclasses
import re

import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy import ndimage

from benchmarks.portraits import place_faces
from completion import membrane, photos
from completion.damage_holes import FoundHoles
from completion.face import Told
from completion.holes import OwnHoles
from completion.owners import lies_on_heads
from completion.photos import PhotoReader, judge_outside
from completion.placing import FacePlacer, Placement, scale_of
from completion.points import ADVICE, Points
from completion.pouring import pour_back
from helpers import BadPhoto
from metrics.images import psnr
from pictures.photo import read_photo
from preprocess.faces import unwarp, warp

TEMPLATE = "innerEyesAndBottomLip"


@pytest.fixture(scope="module")
def photo(samples):
    return read_photo(samples / "A000369.jpg").pixels


@pytest.fixture(scope="module")
def matrix(finder, photo):
    return place_faces(finder, photo)[0]


def block(photo, matrix, first=20, last=44):
    """Known pixels of the photo when a square of the crop is the hole."""
    crop, known = np.zeros((64, 64, 1)), np.ones(photo.shape[:2], bool)
    crop[first:last, first:last] = 1
    window, share, inside = unwarp(crop, matrix, *known.shape, order=0)
    known[window] = (share[..., 0] == 0) | ~inside
    return known


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return str(path)


def reason(call, *arguments):
    with pytest.raises(BadPhoto) as caught:
        call(*arguments)
    return caught.value.reason


@pytest.mark.parametrize("damage", ["block", "scratch", "both"])
def test_known_pixels_stay_and_what_lies_under_the_hole_does_not_matter(photo, matrix, damage):
    known = block(photo, matrix) if damage != "scratch" else np.ones(photo.shape[:2], bool)
    if damage != "block":
        known[:, 190:194] = False
    before, completed = photo.copy(), np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    restored = pour_back(photo, known, [completed], [matrix])
    np.testing.assert_array_equal(restored[known], photo[known])
    np.testing.assert_array_equal(photo, before)
    other = np.where(known[..., None], photo, np.uint8(7))
    np.testing.assert_array_equal(pour_back(other, known, [completed], [matrix]), restored)


@pytest.mark.parametrize("sample", ["A000369", "B001232", "C001056"])
def test_the_true_crop_poured_back_gives_the_photo_again(finder, samples, sample):
    photo = read_photo(samples / f"{sample}.jpg").pixels
    matrix = place_faces(finder, photo)[0]
    known = block(photo, matrix)
    error, smooth = (np.abs(pour_back(photo, known, [crop], [matrix])[~known] - photo[~known].astype(float))
                     for crop in (warp(photo, matrix, 64)[0], np.zeros((64, 64, 3), np.uint8)))
    assert error.mean() < 9 and error.mean() < 0.5 * smooth.mean()


def test_no_seam_shows_even_if_the_completed_face_is_much_brighter(photo, matrix):
    known = block(photo, matrix)
    completed = np.clip(warp(photo, matrix, 64)[0].astype(int) + 60, 0, 255).astype(np.uint8)
    restored = pour_back(photo, known, [completed], [matrix]).astype(float)
    seam = ~known & ndimage.binary_dilation(known)
    assert np.abs(restored - photo)[seam].mean() < 8


def test_outside_the_crop_the_hole_is_filled_smoothly():
    ramp = np.repeat(np.tile(np.arange(200, dtype=np.uint8), (150, 1))[..., None], 3, axis=2)
    known = np.ones((150, 200), bool)
    known[20:30, 10:60] = False
    matrix = np.array([[1.0, 0, -120], [0, 1, -50]])
    assert np.abs(pour_back(ramp, known, [np.zeros((64, 64, 3), np.uint8)], [matrix]) - ramp.astype(int)).max() <= 1


@pytest.mark.parametrize("size", [64, 128])
def test_the_border_of_a_crop_is_not_used(size):
    plain, known = np.full((300, 300, 3), 120, np.uint8), np.ones((300, 300), bool)
    known[60:140, 60:140] = False                       # across a corner of the crop
    crop = np.full((size, size, 3), 120, np.uint8)
    for border in (slice(None, size // 32), slice(-size // 32, None)):
        crop[border], crop[:, border] = 255, 255
    matrix = np.array([[size / 100, 0, -size], [0, size / 100, -size]])
    np.testing.assert_array_equal(pour_back(plain, known, [crop], [matrix]), plain)


def test_a_photo_without_colour_stays_so(photo, matrix):
    grey = np.repeat(np.asarray(Image.fromarray(photo).convert("L"))[..., None], 3, axis=2)
    restored = pour_back(grey, block(photo, matrix), [warp(photo, matrix, 64)[0]], [matrix])
    assert (restored == restored[..., :1]).all()


def test_what_no_crop_shows_of_the_hole_is_noted():
    matrix, known = np.array([[1.0, 0, -100], [0, 1, -100]]), np.ones((300, 300), bool)
    known[130] = False
    assert judge_outside(known, [matrix], [64]) == [
        "78.7% of the hole lies outside the face: filled smoothly; if the face was not found right, " + ADVICE]
    beside = matrix - [[0, 0, 70], [0, 0, 0]]
    assert judge_outside(known, [matrix, beside], [64] * 2) == [
        "57.3% of the hole lies outside the 2 faces: filled smoothly; if the 2 faces were not found right, " + ADVICE]
    inside = np.ones((300, 300), bool)
    inside[110:150, 110:150] = False
    assert judge_outside(inside, [matrix], [64]) == judge_outside(np.ones((300, 300), bool), [matrix], [64]) == []


def test_a_face_is_found_though_a_block_hides_it_in_a_screaming_colour(tmp_path, finder, photo, matrix):
    known = block(photo, matrix, 16, 48)
    painted = np.where(known[..., None], photo, np.array([0, 255, 0], np.uint8))
    read = PhotoReader(FacePlacer(finder, TEMPLATE, 64), OwnHoles("color:#00ff00"), [64])
    face, = read(save(tmp_path / "face.png", painted), "face")
    assert np.abs(face.matrix - matrix).max() < 8 and 900 < (~face.known).sum() < 1400
    np.testing.assert_array_equal(face.pixels[face.known], warp(photo, face.matrix, 64)[0][face.known])
    restored, = read.restore([face], [[face.pixels]]).pictures
    np.testing.assert_array_equal(restored[known], photo[known])


def test_a_hole_is_factorised_once_for_all_answers_and_then_forgotten(tmp_path, finder, photo, monkeypatch):
    made, kept = [], membrane._factorize_once.size
    monkeypatch.setattr(photos, "factorize", lambda *hole: made.append(hole) or membrane.factorize(*hole))
    hole = np.zeros(photo.shape[:2], np.uint8)
    hole[220:300, 170:240] = 255
    read = PhotoReader(FacePlacer(finder, TEMPLATE, 64), OwnHoles(save(tmp_path / "hole.png", hole)), [64])
    face, = read(save(tmp_path / "face.png", photo), "face")
    first, second = read.restore([face], [[face.pixels], [255 - face.pixels]]).pictures
    assert (first != second).any() and len(made) == 1 and membrane._factorize_once.size == kept


@pytest.mark.fault("F46", "completion", "onnx")
def test_a_face_that_cannot_be_found_or_is_not_damaged_is_refused(tmp_path, finder, photo):
    hole = np.zeros(photo.shape[:2], np.uint8)
    hole[100:420, 60:350] = 255
    read = PhotoReader(FacePlacer(finder, TEMPLATE, 64), OwnHoles(save(tmp_path / "hole.png", hole)), [64])
    path = save(tmp_path / "face.png", photo)
    assert reason(read, path, "face") == "no_face"
    np.testing.assert_array_equal(read.take_known(path), hole == 0)
    assert read.take_known(path) is None
    corner = np.zeros_like(hole)
    corner[:20, :20] = 255
    read = PhotoReader(FacePlacer(finder, TEMPLATE, 64), OwnHoles(save(tmp_path / "corner.png", corner)), [64])
    with pytest.raises(BadPhoto, match="the face found around (\\d+),(\\d+); .* upside down") as caught:
        read(path, "face")
    assert caught.value.reason == "hole_outside_face"
    marks = finder.landmarks(photo, finder.boxes(photo)[0])
    found = np.array(re.search(r"(\d+),(\d+);", caught.value.detail).groups(), float)
    assert (marks.min(axis=0) < found).all() and (found < marks.max(axis=0)).all()


@pytest.mark.parametrize("points, code, words", [
    ([(5000, 5000), (5060, 5000), (5030, 5080)], "points_outside", "lie outside the photo of 409x500 pixels"),
    ([(-90, -90), (-30, -90), (-60, -10)], "points_outside", "--points -90,-90"),
    ([(180, 236), (222, 237), (200, 322)], "hole_outside_face", "where --points places it")])
def test_points_that_are_wrong_are_told_as_such(tmp_path, photo, points, code, words):
    corner = np.zeros(photo.shape[:2], np.uint8)
    corner[:5, :5] = 255
    place = FacePlacer(None, TEMPLATE, 64, points=Points(sum(points, ())))
    read = PhotoReader(place, OwnHoles(save(tmp_path / "corner.png", corner)), [64])
    with pytest.raises(BadPhoto, match=words) as caught:
        read(save(tmp_path / "face.png", photo), "face")
    assert caught.value.reason == code


def test_damage_that_was_found_beside_the_face_is_filled_smoothly(tmp_path, finder, photo):
    corner = np.zeros(photo.shape[:2], bool)
    corner[:20, :20] = True
    read = PhotoReader(FacePlacer(finder, TEMPLATE, 64), FoundHoles(lambda pixels: corner), [64])
    face, = read(save(tmp_path / "face.png", photo), "face")
    assert face.known.all() and face.notes[-1] == "100.0% of the hole lies outside the face: filled smoothly"
    restored, = read.restore([face], [[face.pixels]]).pictures
    np.testing.assert_array_equal(restored[~corner], photo[~corner])
    assert np.abs(restored[corner].astype(int) - photo[corner]).mean() < 8


@pytest.mark.parametrize("rows, columns, on_head", [((-30, -5), (20, 44), True), ((-60, -40), (20, 44), False),
                                                    ((20, 40), (-14, -4), True), ((66, 90), (20, 44), False)])
def test_a_hole_on_a_forehead_or_an_ear_is_filled_smoothly_and_one_beyond_is_refused(tmp_path, photo, matrix, rows,
                                                                                     columns, on_head):
    down, across = np.indices(photo.shape[:2])
    across, down = np.einsum("ij,jhw->ihw", matrix, [across, down, np.ones_like(across)])           # in the crop
    hole = (rows[0] <= down) & (down < rows[1]) & (columns[0] <= across) & (across < columns[1])
    mask, path = save(tmp_path / "hole.png", hole), save(tmp_path / "face.png", photo)
    read = PhotoReader(lambda *_: [Placement(matrix)], OwnHoles(mask), [64])
    if not on_head:
        assert reason(read, path, "face") == "hole_outside_face"
        return
    face, = read(path, "face")
    restored, = read.restore([face], [[face.pixels]]).pictures
    assert face.known.all() and ADVICE in face.notes[-1] and (restored[hole] != photo[hole]).any()
    np.testing.assert_array_equal(restored[~hole], photo[~hole])


def test_a_hole_on_two_foreheads_lies_on_heads():
    known, matrices = np.ones((200, 300), bool), [np.array([(1.0, 0, -x), (0, 1, -100)]) for x in (40, 190)]
    known[75:95, 60:80] = known[75:95, 210:230] = False
    assert lies_on_heads(known, matrices, 64) and not lies_on_heads(known, matrices[:1], 64)


def test_a_photo_whose_mask_has_no_hole_is_copied(tmp_path, finder, photo):
    mask = save(tmp_path / "mask.png", np.zeros(photo.shape[:2], np.uint8))
    read = PhotoReader(FacePlacer(finder, TEMPLATE, 64), OwnHoles(mask), [64])
    face, = read(save(tmp_path / "face.png", photo), "face")
    assert face.known.all() and face.notes == ["nothing is missing by its mask: copied"]
    np.testing.assert_array_equal(next(read.restore([face], [[face.pixels]]).pictures), photo)


def test_a_photo_is_read_upright_and_its_mask_lies_on_what_one_sees(tmp_path, finder, photo, matrix):
    known = block(photo, matrix)
    mask = save(tmp_path / "mask.png", np.where(known, 0, 255).astype(np.uint8))
    exif = Image.Exif()
    exif[274] = 6                                       # to be seen, the stored picture is turned clockwise
    turned = Image.fromarray(photo).rotate(90, expand=True)
    turned.save(tmp_path / "turned.png", exif=exif)
    assert ImageOps.exif_transpose(Image.open(tmp_path / "turned.png")).size == photo.shape[1::-1]
    read = PhotoReader(FacePlacer(finder, TEMPLATE, 64), OwnHoles(mask), [64])
    (upright,), (sideways,) = (read(path, "a") for path in (save(tmp_path / "up.png", photo),
                                                            str(tmp_path / "turned.png")))
    np.testing.assert_array_equal(upright.pixels, sideways.pixels)
    np.testing.assert_array_equal(upright.known, sideways.known)


def test_a_face_that_cannot_be_cut_out_does_not_lose_the_others(tmp_path, photo, matrix):
    half_outside, beyond = (Placement(matrix + [[0, 0, right], [0, 0, 0]]) for right in (70, 120))
    fold = np.zeros(photo.shape[:2], np.uint8)
    fold[250:253] = 255
    hole, path = save(tmp_path / "hole.png", fold), save(tmp_path / "face.png", photo)

    def read(*placements):
        return PhotoReader(lambda *_: list(placements), OwnHoles(hole), [64])(path, "face")
    face, = read(half_outside, Placement(matrix, ("a remark",)))
    np.testing.assert_array_equal(face.matrix, matrix)
    note, share, remark = face.notes
    assert [isinstance(each, Told) for each in face.notes] == [True, True, False]
    assert note.startswith("a face is left out, cut_by_border") and "outside the face: filled smoothly" in share
    assert remark == "a remark" and face.name == "face" and face.faces == 1
    with pytest.raises(BadPhoto, match=f"cut_by_border.*: {ADVICE}"):
        read(half_outside)
    with pytest.raises(BadPhoto, match="cut_by_border.*, as --points places it"):
        read(dataclasses.replace(half_outside, by_hand=True))
    assert reason(read, beyond) == "hole_outside_face"


def test_a_face_that_is_placed_with_doubt_is_refused_and_the_others_are_completed(tmp_path, photo, matrix):
    fold = np.zeros(photo.shape[:2], np.uint8)
    fold[250:253] = 255
    hole, path = save(tmp_path / "hole.png", fold), save(tmp_path / "face.png", photo)
    doubtful = Placement(matrix, ("estimated",), 9.0, doubtful=True)

    def read(*placements):
        return PhotoReader(lambda *_: list(placements), OwnHoles(hole), [64])(path, "face")
    with pytest.raises(BadPhoto, match=f"doubtful_face.*{ADVICE}"):
        read(doubtful)
    face, = read(doubtful, Placement(matrix))
    assert any("a face is left out, doubtful_face" in note and ADVICE in note for note in face.notes)


def test_a_photo_that_changes_its_size_meanwhile_is_refused(tmp_path, photo, matrix):
    hole = save(tmp_path / "hole.png", np.where(block(photo, matrix), 0, 255).astype(np.uint8))
    path = save(tmp_path / "face.png", photo)
    read = PhotoReader(lambda *_: [Placement(matrix)], OwnHoles(hole), [64])
    face, = read(path, "face")
    save(tmp_path / "face.png", photo[:-1])
    assert reason(read.restore, [face], [[face.pixels]]) == "changed"


@pytest.mark.parametrize("shrink, size", [(1, 128), (2.5, 128), (3, 64)])
def test_a_face_is_cut_out_in_the_size_that_suits_its_pixels(tmp_path, photo, matrix, shrink, size):
    small = np.asarray(Image.fromarray(photo).resize([round(side / shrink) for side in photo.shape[1::-1]]))
    there = matrix * [shrink, shrink, 1]
    assert (64 / scale_of(there) < 80) == (size == 64)
    hole = save(tmp_path / "hole.png", np.where(block(small, there), 0, 255).astype(np.uint8))
    read = PhotoReader(lambda *_: [Placement(there)], OwnHoles(hole), (64, 128))
    face, = read(save(tmp_path / "face.png", small), "face")
    assert face.pixels.shape == (size, size, 3) and 0.1 < (~face.known).mean() < 0.4
    np.testing.assert_array_equal(face.pixels, warp(small, there * (size / 64), size)[0])
    restored, = read.restore([face], [[face.pixels]]).pictures
    assert psnr(small, restored, ~block(small, there)) > 24
