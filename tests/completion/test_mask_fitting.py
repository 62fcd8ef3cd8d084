"""Masks that show the photo itself, or that their own EXIF turns: what of them is the hole."""
import numpy as np
import pytest
from PIL import Image

from completion.holes import OwnHoles
from helpers import BadPhoto
from pictures.photo import read_photo


@pytest.fixture(scope="module")
def photo(samples):
    """A photo with pixels that are simply black, some of them in the hole."""
    photo = read_photo(samples / "A000369.jpg")
    pixels = photo.pixels.copy()
    pixels[240:260, 180:200] = pixels[5:20, 5:20] = 0
    return photo._replace(pixels=pixels)


@pytest.fixture(scope="module")
def hole(photo):
    rows, columns = np.indices(photo.pixels.shape[:2])
    return np.hypot(rows - 230, columns - 200) < 90


def hole_of(tmp_path, photo, mask, name="mask.png", **options):
    """(what OwnHoles finds of a mask, its remarks)."""
    Image.fromarray(mask).save(tmp_path / name, **options)
    known, remarks = OwnHoles(str(tmp_path / name)).of_photo(photo, "photo.png", "photo")
    return ~known, remarks


@pytest.mark.parametrize("name, ground, grey, least", [
    ("mask.png", 0, False, 1), ("mask.png", 255, False, 1), ("mask.png", 0, True, 1), ("mask.jpg", 0, False, 0.98)])
def test_a_cut_out_is_the_hole_with_its_dark_parts(tmp_path, photo, hole, name, ground, grey, least):
    mask = np.where(hole[..., None], photo.pixels, np.uint8(ground))
    mask = np.asarray(Image.fromarray(mask).convert("L")) if grey else mask
    found, remarks = hole_of(tmp_path, photo, mask, name)
    assert (found & hole).sum() >= least * (found | hole).sum()
    assert remarks == [f"its mask shows a part of the photo: {found.mean():.1%} of it is the hole"]


@pytest.mark.parametrize("name", ["mask.png", "mask.jpg"])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("corner", [0, 255])
def test_a_soft_mask_over_what_is_black_or_white_in_the_photo_is_no_cut_out(tmp_path, photo, corner, inverted, name):
    rows, columns = np.indices(photo.pixels.shape[:2])
    torn = np.clip(150 - np.hypot(rows, columns), -6, 6) / 12 + 0.5        # soft at its edge
    torn_photo = photo._replace(pixels=np.where(torn[..., None] > 0.1, np.uint8(corner), photo.pixels))
    mask = np.rint(255 * (1 - torn if inverted else torn)).astype(np.uint8)
    found, remarks = hole_of(tmp_path, torn_photo, mask, name)
    np.testing.assert_allclose((found != inverted).mean(), (torn >= 0.5).mean(), atol=0.005)
    assert not any("shows a part" in line for line in remarks)


def test_a_cut_out_of_all_that_is_not_black_is_no_mask(tmp_path, photo, hole):
    alone = np.where(hole[..., None], photo.pixels, np.uint8(0))
    with pytest.raises(BadPhoto, match="no_mask.*the photo itself"):
        hole_of(tmp_path, photo._replace(pixels=alone), alone)


def test_a_noisy_dark_ground_over_a_plain_photo_is_no_dimmed_copy(tmp_path, photo, hole):
    rng = np.random.default_rng(0)
    plain = np.repeat(rng.normal(190, 6, hole.shape).round().astype(np.uint8)[..., None], 3, axis=2)
    mask = np.where(hole, 240, rng.normal(26, 5, hole.shape).round()).astype(np.uint8)
    found, _ = hole_of(tmp_path, photo._replace(pixels=plain), mask)
    np.testing.assert_array_equal(found, hole)


@pytest.mark.parametrize("erased", [False, True])
def test_of_a_cut_out_on_transparency_the_smaller_part_is_the_hole(tmp_path, photo, hole, erased):
    mask = np.dstack([photo.pixels, np.where(hole != erased, np.uint8(255), np.uint8(0))])
    found, remarks = hole_of(tmp_path, photo, mask)
    np.testing.assert_array_equal(found, hole)
    assert len(remarks) == 1


def test_a_photo_that_is_painted_over_in_black_is_no_mask(tmp_path, photo, hole):
    with pytest.raises(BadPhoto, match="no_mask.*the photo itself.*--mask color"):
        hole_of(tmp_path, photo, np.where(hole[..., None], np.uint8(0), photo.pixels))


def test_a_photo_that_is_dimmed_but_for_the_hole_is_no_mask(tmp_path, photo, hole):
    with pytest.raises(BadPhoto, match="no_mask.*the photo itself, dimmed"):
        hole_of(tmp_path, photo, np.where(hole[..., None], photo.pixels, photo.pixels // 3))


@pytest.mark.parametrize("padding, said", [((0, 1), False), ((12, 7), True), ((10, 8), True), ((500, 409), False)])
def test_a_mask_that_may_be_padded_is_said_to_be(tmp_path, photo, hole, padding, said):
    mask = np.pad(np.where(hole, np.uint8(255), np.uint8(0)), [(0, end) for end in padding])
    _, remarks = hole_of(tmp_path, photo, mask)
    assert remarks[-1] == f"mask of {mask.shape[1]}x{mask.shape[0]} resized"
    assert len(remarks) == 1 + said and (not said or "padded or cut" in remarks[0])


@pytest.mark.parametrize("orientation, stored, said", [
    (6, False, "as it is stored"), (8, False, "as it is stored"), (6, True, None), (3, True, "as its own EXIF says")])
def test_of_a_mask_with_exif_the_turn_counts_in_which_it_has_the_shape_of_its_photo(tmp_path, photo, hole, orientation,
                                                                                   stored, said):
    exif, turns = Image.Exif(), {3: 2, 6: 1, 8: 3}[orientation]
    exif[274] = orientation
    mask = np.rot90(np.where(hole, np.uint8(255), np.uint8(0)), turns * stored)
    found, remarks = hole_of(tmp_path, photo, mask, exif=exif)
    np.testing.assert_array_equal(found, hole)
    assert len(remarks) == bool(said) and (not said or said in remarks[0])


def test_a_mask_that_has_the_orientation_of_its_photo_is_not_doubted(tmp_path, photo, hole):
    exif = Image.Exif()
    exif[274] = 3
    mask = np.rot90(np.where(hole, np.uint8(255), np.uint8(0)), 2)
    found, remarks = hole_of(tmp_path, photo._replace(orientation=3), mask, exif=exif)
    np.testing.assert_array_equal(found, hole)
    assert not remarks
