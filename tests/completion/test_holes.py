"""The user's holes: where they are found, at any size, and what is said when there is none."""
import numpy as np
import pytest
from PIL import Image

from completion.face import FaceReader
from completion.holes import OwnHoles
from helpers import BadPhoto, UsageError, write_picture
from pictures.photo import read_photo

SIZE = 16
SQUARE = np.zeros((SIZE, SIZE), bool)
SQUARE[4:10, 6:12] = True


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return str(path)


def face(tmp_path, size=SIZE, name="face.png"):
    return save(tmp_path / name, np.random.default_rng(0).integers(90, 200, (size, size, 3), dtype=np.uint8))


def known(holes, path, name="face", size=SIZE, fit="refuse"):
    return holes.of_face(read_photo(path), path, name, size, fit)[0]


@pytest.mark.parametrize("scale", [1, 4])
@pytest.mark.fault("F50", "completion", "onnx")
def test_white_is_the_hole_at_any_size_of_the_mask(tmp_path, scale):
    mask = save(tmp_path / "mask.png", np.kron(SQUARE * np.uint8(255), np.ones((scale, scale), np.uint8)))
    np.testing.assert_array_equal(known(OwnHoles(mask), face(tmp_path)), ~SQUARE)


def test_grey_edges_count_from_their_middle_on(tmp_path):
    grey = np.zeros((SIZE, SIZE), np.uint8)
    grey[3], grey[4] = 127, 128
    found = known(OwnHoles(save(tmp_path / "mask.png", grey)), face(tmp_path))
    assert found[3].all() and not found[4].any()


def test_a_mask_can_be_inverted_and_grown(tmp_path):
    mask = save(tmp_path / "mask.png", ~SQUARE * np.uint8(255))
    np.testing.assert_array_equal(known(OwnHoles(mask, invert=True), face(tmp_path)), ~SQUARE)
    grown = ~known(OwnHoles(mask, invert=True, dilate=2), face(tmp_path))
    assert grown[2:12, 4:14].all() and grown.sum() == 100


def test_a_folder_has_a_mask_for_every_face_by_its_name(tmp_path):
    save(tmp_path / "masks" / "people" / "a.png", SQUARE * np.uint8(255))
    save(tmp_path / "masks" / "b.jpg", SQUARE.T * np.uint8(255), quality=95)
    holes = OwnHoles(str(tmp_path / "masks"))
    np.testing.assert_array_equal(known(holes, face(tmp_path), "people/a"), ~SQUARE)
    np.testing.assert_array_equal(known(holes, face(tmp_path), "b"), ~SQUARE.T)
    with pytest.raises(BadPhoto, match="no_mask"):
        known(holes, face(tmp_path), "c")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_not_wholly_opaque_is_the_hole_of_alpha(tmp_path, mode):
    alpha = np.where(SQUARE, np.uint8(0), np.uint8(255))
    picture = Image.fromarray(np.full((SIZE, SIZE), 77, np.uint8))
    if mode == "P":
        picture = Image.fromarray(np.where(SQUARE, np.uint8(5), np.uint8(1))).convert("P")
        picture.save(tmp_path / "face.png", transparency=5)
    else:
        alpha[0, 0] = 254
        picture = picture.convert(mode)
        picture.putalpha(Image.fromarray(alpha))
        picture.save(tmp_path / "face.png")
    np.testing.assert_array_equal(known(OwnHoles("alpha"), tmp_path / "face.png"), alpha == 255)


def test_a_photo_without_transparency_has_no_hole_of_alpha(tmp_path):
    with pytest.raises(BadPhoto, match="no_alpha"):
        known(OwnHoles("alpha"), face(tmp_path))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_colour_is_the_hole_even_as_jpeg(tmp_path, suffix):
    pixels = read_photo(face(tmp_path, 64)).pixels.copy()
    pixels[16:48, 16:48] = (0, 255, 0)
    how = {"quality": 95, "subsampling": 0} if suffix == "jpg" else {}
    path = save(tmp_path / f"painted.{suffix}", pixels, **how)
    hole = ~known(OwnHoles("color:#00FF00"), path, size=64)
    assert hole[16:48, 16:48].all() and not hole[:12].any() and not hole[:, 52:].any() and hole.sum() < 1.1 * 32 ** 2


def test_a_photo_of_another_size_takes_its_hole_along(tmp_path):
    pixels = read_photo(face(tmp_path, 64)).pixels.copy()
    pixels[16:32, 40:41] = (0, 255, 0)
    found = FaceReader(OwnHoles("color:#00ff00"), SIZE, fit="resize")(save(tmp_path / "wide.png", pixels), "wide")
    assert not found.known[4:8, 10].any() and found.known.sum() >= SIZE * SIZE - 12


def test_in_a_whole_photo_the_hole_keeps_the_photos_size(tmp_path):
    photo = read_photo(save(tmp_path / "photo.png", np.zeros((30, 48, 3), np.uint8)))
    mask = np.zeros((60, 96), np.uint8)
    mask[20:40, 30:60] = 255
    known, remarks = OwnHoles(save(tmp_path / "mask.png", mask)).of_photo(photo, "photo.png", "photo")
    assert remarks == ["mask of 96x60 resized"]
    assert known.shape == (30, 48) and not known[10:20, 15:30].any() and known.sum() == 30 * 48 - 150
    with pytest.raises(BadPhoto, match="nothing_known"):
        OwnHoles("color:#000000").of_photo(photo, "photo.png", "photo")


@pytest.mark.fault("F50", "completion", "onnx")
def test_a_mask_that_is_all_hole_is_refused(tmp_path):
    with pytest.raises(BadPhoto, match="nothing_known"):
        known(OwnHoles(save(tmp_path / "mask.png", np.full((SIZE, SIZE), 255, np.uint8))), face(tmp_path))


@pytest.mark.fault("F50", "completion", "onnx")
def test_a_mask_without_a_hole_leaves_all_known_with_a_remark(tmp_path):
    mask = save(tmp_path / "mask.png", np.zeros((SIZE, SIZE), np.uint8))
    found = FaceReader(OwnHoles(mask), SIZE)(face(tmp_path), "face")
    assert found.known.all() and found.notes == ["nothing is missing by its mask: copied"]


@pytest.mark.fault("F50", "completion", "onnx")
def test_grey_pixels_and_another_size_of_the_mask_are_remarked(tmp_path):
    grey = np.zeros((2 * SIZE, 2 * SIZE), np.uint8)
    grey[4:8, 4:8], grey[4] = 255, 90
    found = FaceReader(OwnHoles(save(tmp_path / "mask.png", grey)), SIZE)(face(tmp_path), "face")
    assert found.notes == [f"mask of {2 * SIZE}x{2 * SIZE} resized", f"{2 * SIZE} grey pixels of the mask made black "
                           "or white"]


@pytest.mark.parametrize("source", ["nowhere.png", "color:grass", "color:#12345"])
def test_a_mask_that_is_not_there_is_a_usage_error(source):
    with pytest.raises(UsageError, match=source):
        OwnHoles(source)


def test_a_mask_in_a_folder_that_is_no_picture_fails_its_face_alone(tmp_path):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "face.png").write_text("<html>")
    with pytest.raises(BadPhoto, match="mask_not_an_image"):
        known(OwnHoles(str(tmp_path / "masks")), face(tmp_path))


def test_paint_that_is_not_there_fails_with_the_nearest_colour(tmp_path):
    with pytest.raises(BadPhoto, match="empty_mask.*nearest colour is #.{6}, [0-9]+ levels away"):
        known(OwnHoles("color:#00ff00"), face(tmp_path))


def test_paint_that_is_left_around_the_hole_is_said(tmp_path):
    pixels, said = np.full((64, 64, 3), (200, 150, 120), np.uint8), []
    pixels[10:54, 10:54], pixels[25:39, 25:39] = 25, 0
    photo = read_photo(save(tmp_path / "photo.png", pixels))
    found, remarks = OwnHoles("color:#000000", warn=said.append).of_photo(photo, "photo.png", "photo")
    assert (~found).sum() == 14 * 14 and "paint is left" in remarks[0] and said == [f"photo.png: {remarks[0]}"]
    found, remarks = OwnHoles("color:#000000", tolerance=200, warn=said.append).of_photo(photo, "photo.png", "photo")
    assert (~found).sum() == 44 * 44 and not remarks


def test_half_transparent_lines_of_paint_that_stay_are_said(tmp_path):
    pixels, said = np.full((64, 64, 3), (200, 150, 120), np.uint8), []
    pixels[40:50, 10:50], pixels[20:23, 10:50] = (0, 255, 0), (100, 202, 60)
    photo = read_photo(save(tmp_path / "photo.png", pixels))
    found, remarks = OwnHoles("color:#00ff00", warn=said.append).of_photo(photo, "photo.png", "photo")
    assert (~found).sum() == 400 and "half-transparent" in remarks[0] and said == [f"photo.png: {remarks[0]}"]


def test_a_photo_that_is_opaque_everywhere_has_an_empty_mask(tmp_path):
    path = save(tmp_path / "face.png", np.full((SIZE, SIZE, 4), 255, np.uint8))
    with pytest.raises(BadPhoto, match="empty_mask"):
        known(OwnHoles("alpha"), path)


def test_a_mask_with_exchanged_sides_or_of_another_shape_is_refused(tmp_path):
    photo = read_photo(save(tmp_path / "photo.png", np.zeros((30, 32, 3), np.uint8)))
    for shape, said in (((32, 30), "exchanged"), ((30, 60), "60x30 for a photo of 32x30")):
        with pytest.raises(BadPhoto, match=f"wrong_mask_shape.*{said}"):
            OwnHoles(save(tmp_path / "mask.png", np.eye(*shape, dtype=np.uint8))).of_photo(photo, "photo.png", "photo")


@pytest.mark.parametrize("orientation, as_stored, said", [
    (3, False, "taken as drawn on the turned one"), (6, True, "is turned as EXIF"), (8, True, "is turned as EXIF"),
    (6, False, None), (1, False, None)])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_a_mask_drawn_on_the_stored_pixels_is_turned_with_its_photo_or_the_doubt_is_said(tmp_path, orientation,
                                                                                        as_stored, said, kind):
    hole, seen, exif, warned = np.zeros((30, 20), np.uint8), np.zeros((30, 20, 3), np.uint8), Image.Exif(), []
    hole[2:5, 3:9], exif[274] = 255, orientation
    stored = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]      # quarter turns counter-clockwise
    photo = read_photo(save(tmp_path / f"photo.{kind}", np.rot90(seen, stored).copy(), exif=exif))
    mask = save(tmp_path / "mask.png", np.rot90(hole, stored * as_stored).copy())
    known, remarks = OwnHoles(mask, warn=warned.append).of_photo(photo, "photo.png", "photo")
    np.testing.assert_array_equal(~known, hole > 0)
    assert len(remarks) == len(warned) == (said is not None) and (not said or said in remarks[0])


def test_a_hole_that_is_lost_in_resizing_is_a_failure(tmp_path):
    mask = np.zeros((40 * SIZE, 40 * SIZE), np.uint8)
    mask[300, 300] = 255
    with pytest.raises(BadPhoto, match="empty_mask"):
        known(OwnHoles(save(tmp_path / "mask.png", mask)), face(tmp_path))


@pytest.mark.parametrize("invert", [False, True])
def test_a_hole_of_most_of_the_photo_is_said_to_be_perhaps_the_rest(tmp_path, invert):
    mask, said = save(tmp_path / "mask.png", (SQUARE if invert else ~SQUARE) * np.uint8(255)), []
    photo = read_photo(face(tmp_path))
    _, remarks = OwnHoles(mask, invert=invert, warn=said.append).of_photo(photo, "face.png", "face")
    how = "without" if invert else "with"
    assert remarks == [f"86% of the picture is hole; {how} --invert_mask the rest would be"]
    assert said == [f"face.png: {remarks[0]}"]


def test_where_all_is_hole_no_rest_is_offered(tmp_path):
    mask, said = save(tmp_path / "mask.png", np.full((SIZE, SIZE), 255, np.uint8)), []
    with pytest.raises(BadPhoto, match="everything is missing"):
        OwnHoles(mask, warn=said.append).of_photo(read_photo(face(tmp_path)), "face.png", "face")
    assert not said


def test_a_folder_whose_masks_fit_no_photo_says_so_once_and_an_empty_one_at_once(tmp_path):
    said, masks = [], tmp_path / "masks"
    save(masks / "other.png", SQUARE * np.uint8(255))
    holes = OwnHoles(str(masks), warn=said.append)
    for name in ("a", "b"):
        with pytest.raises(BadPhoto, match="no_mask"):
            known(holes, face(tmp_path), name)
    assert len(said) == 1 and "fits any photo" in said[0]
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="no picture"):
        OwnHoles(str(tmp_path / "none"))


def test_a_photo_is_no_mask_of_itself(tmp_path):
    path = face(tmp_path, name="masks/face.png")
    with pytest.raises(BadPhoto, match="no_mask.*itself"):
        known(OwnHoles(str(tmp_path / "masks")), path)


def test_paint_is_sought_in_the_colours_of_a_photo_that_is_half_transparent(tmp_path):
    pixels = np.full((40, 30, 4), (120, 100, 90, 200), np.uint8)
    pixels[10:20, 5:15, :3] = 0, 255, 0
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    known, _ = OwnHoles("color:#00ff00").of_photo(read_photo(tmp_path / "photo.png"), "photo.png", "photo")
    expected = np.ones((40, 30), bool)
    expected[10:20, 5:15] = False
    np.testing.assert_array_equal(known, expected)


def test_a_photo_is_no_mask(tmp_path, samples):
    photo = read_photo(samples / "A000369.jpg")
    write_picture(tmp_path / "mask.png", photo.pixels[::-1])
    with pytest.raises(BadPhoto, match="neither dark nor light"):
        OwnHoles(str(tmp_path / "mask.png")).of_photo(photo, "A000369.png", "A000369")


def test_a_colour_is_taken_as_it_is_usually_written():
    for color, levels in (("#0f0", [0, 255, 0]), ("lime", [0, 255, 0]), ("#00FF00", [0, 255, 0]),
                          ("green", [0, 128, 0]), ("rgb(1, 2, 3)", [1, 2, 3])):
        assert OwnHoles(f"color:{color}")._color.tolist() == levels
    for color in ("", "#0", "grass", "#00ff0080"):
        with pytest.raises(UsageError, match="a colour is like color:#00ff00, color:#0f0 or color:lime"):
            OwnHoles(f"color:{color}")
