"""Pictures of holes as people save them: which pixels are the hole, and what is said of those that show none."""
import numpy as np
import pytest
from PIL import Image, ImageFilter

from completion.mask_files import MaskFolder, read_mask
from completion.mask_fitting import fit_mask
from helpers import BadPhoto
from pictures.photo import read_photo

HOLE = np.zeros((20, 30), bool)
HOLE[5:12, 8:20] = True


def saved(path, array, mode=None, palette=None, **options):
    image = Image.fromarray(array, mode) if mode else Image.fromarray(array)
    if palette:
        image.putpalette(palette)
    image.save(path, **options)
    return path


def colours(hole, other):
    return np.where(HOLE[..., None], np.uint8(hole), np.uint8(other))


GOOD = {
    "white": (np.uint8(255) * HOLE, {}),
    "one": (np.uint8(1) * HOLE, {}),
    "one bit": (HOLE, {}),
    "labels": (np.where(HOLE, np.uint8(2), np.uint8(0)) - np.uint8(HOLE & (np.arange(30) > 12)), {}),
    "dark grey": (np.uint8(90) * HOLE, {}),
    "16 bit of 0 and 65535": (np.uint16(65535) * HOLE, {}),
    "16 bit of 0 and 255": (np.uint16(255) * HOLE, {}),
    "16 bit of 0 and 1": (np.uint16(1) * HOLE, {}),
    "red on black": (colours((255, 0, 0), (0, 0, 0)), {}),
    "blue on black": (colours((0, 0, 255), (0, 0, 0)), {}),
    "white on transparent": (colours((255, 255, 255, 255), (255, 255, 255, 0)), {}),
    "black on transparent": (colours((0, 0, 0, 255), (0, 0, 0, 0)), {}),
    "black on transparent white": (colours((0, 0, 0, 255), (255, 255, 255, 0)), {}),
    "palette of black and 1": (np.uint8(1) * HOLE, {"palette": [0, 0, 0, 1, 1, 1]}),
    "palette of black and red": (np.uint8(1) * HOLE, {"palette": [0, 0, 0, 255, 0, 0]}),
    "palette of white and black": (np.uint8(1) * ~HOLE, {"palette": [255, 255, 255, 0, 0, 0]}),
    "palette of two greys": (np.uint8(1) * HOLE, {"palette": [10, 10, 10, 100, 100, 100]}),
    "palette of labels": (np.where(HOLE, np.uint8(2), np.uint8(0)), {"palette": [0, 0, 0, 128, 0, 0, 0, 128, 0]}),
}


@pytest.mark.parametrize("name", GOOD)
def test_the_hole_is_found_whatever_its_values_are(tmp_path, name):
    array, options = GOOD[name]
    np.testing.assert_array_equal(read_mask(saved(tmp_path / "mask.png", array, **options)).hole >= 128, HOLE)


def test_an_opaque_picture_on_transparency_counts_by_its_values(tmp_path):
    layer = colours((255, 255, 255, 255), (0, 0, 0, 255))
    layer[:, 25:] = (255, 255, 255, 0)
    np.testing.assert_array_equal(read_mask(saved(tmp_path / "mask.png", layer)).hole >= 128, HOLE)


def test_red_on_black_is_found_in_a_jpeg_too(tmp_path):
    found = read_mask(saved(tmp_path / "mask.jpg", colours((255, 0, 0), (0, 0, 0)), quality=95, subsampling=0))
    assert ((found.hole >= 128) != HOLE).sum() <= 4


def test_a_simply_black_mask_has_no_hole(tmp_path):
    assert not read_mask(saved(tmp_path / "mask.png", np.uint8(0) * HOLE)).hole.any()


@pytest.mark.parametrize("array, suffix, said", [
    (np.full((20, 30), 4, np.uint8), "jpg", "brightest value is 4 of 255"),
    (colours((0, 0, 0, 0), (255, 255, 255, 0)), "png", "wholly transparent")])
def test_what_shows_no_hole_is_refused_with_what_was_seen(tmp_path, array, suffix, said):
    with pytest.raises(BadPhoto, match=said) as caught:
        read_mask(saved(tmp_path / f"mask.{suffix}", array))
    assert caught.value.reason == "empty_mask"


def test_indices_of_classes_with_white_for_none_are_refused(tmp_path):
    indices = np.where(HOLE, np.uint8(2), np.uint8(1))
    indices[0], indices[-1] = 0, 255
    with pytest.raises(BadPhoto, match="no_mask.*0, 1, 2, 255.*classes"):
        read_mask(saved(tmp_path / "mask.png", indices))


CLASSES = np.where(HOLE, np.uint8(1), np.uint8(0))
CLASSES[14:18, 2:9] = 2                                 # another class


@pytest.mark.parametrize("array, options, said", [
    (CLASSES, {}, "classes (1, 2), and the hole is 1, 2"),
    (np.uint16(CLASSES), {}, "classes (1, 2), and the hole is 1, 2"),
    (CLASSES, {"palette": [0, 0, 0, 128, 0, 0, 0, 128, 0]}, "classes (1, 2), and the hole is 1, 2"),
    (CLASSES, {"palette": [0, 0, 0, 192, 128, 128, 0, 128, 0]}, "classes (1, 2), and the hole is 1")])
def test_of_several_classes_it_is_said_which_are_the_hole(tmp_path, array, options, said):
    remark, = read_mask(saved(tmp_path / "mask.png", array, **options)).classes
    assert f"{said}: draw it in white" in remark


@pytest.mark.parametrize("name", [name for name in GOOD if name != "labels"])
def test_other_masks_number_no_classes(tmp_path, name):
    array, options = GOOD[name]
    assert not read_mask(saved(tmp_path / "mask.png", array, **options)).classes


def test_soft_edges_are_no_classes(tmp_path):
    soft = Image.fromarray(np.kron(np.uint8(255) * HOLE, np.ones((20, 20), np.uint8))).filter(ImageFilter.BoxBlur(3))
    red = Image.merge("RGB", (soft, Image.new("L", soft.size), Image.new("L", soft.size)))
    dark = soft.point(lambda value: value * 28 // 255)
    for name, picture in {"grey.png": soft, "palette.gif": soft.quantize(8), "red.gif": red.quantize(16),
                          "dark.jpg": dark}.items():
        picture.save(tmp_path / name)
        found = read_mask(tmp_path / name)
        assert found.hole.max() >= 128 and not found.classes, name


def test_a_class_of_few_pixels_that_is_the_hole_is_named(tmp_path):
    classes = np.kron(CLASSES, np.ones((20, 20), np.uint8))
    classes[:5, :10] = 3
    palette = [0, 0, 0, 120, 0, 0, 0, 120, 0, 224, 224, 192]
    remark, = read_mask(saved(tmp_path / "mask.png", classes, palette=palette)).classes
    assert "classes (1, 2), and the hole is 3:" in remark


def test_a_cut_out_in_a_palette_numbers_no_classes(tmp_path, samples):
    photo = Image.open(samples / "A000369.jpg").convert("RGB")
    cut = Image.new("RGB", photo.size)
    cut.paste(photo.crop((120, 160, 260, 250)), (120, 160))
    cut.quantize(64).save(tmp_path / "cut.gif")
    remark, = fit_mask(read_mask(tmp_path / "cut.gif"), read_photo(samples / "A000369.jpg"))[1]
    assert "shows a part of the photo" in remark


def test_further_frames_of_a_mask_are_said(tmp_path):
    first, second = (Image.fromarray(np.uint8(255) * hole) for hole in (HOLE, ~HOLE))
    first.save(tmp_path / "mask.tif", save_all=True, append_images=[second])
    assert read_mask(tmp_path / "mask.tif").frames == ("its mask is the first of several frames",)


def test_a_mask_beside_its_photo_is_called_after_the_whole_of_its_name(tmp_path):
    for name in ("a.jpg", "a.jpg.png"):
        (tmp_path / name).touch()
    assert MaskFolder(tmp_path).find("a").name == "a.jpg.png"


def test_masks_are_paired_by_the_names_that_people_give_them(tmp_path):
    for name in ("a.png", "b_mask.PNG", "c_mask001.png", "c_mask002.png", "d.png", "d_mask.png", "f.JPG.png",
                 "mask_g.png", "h-Mask (2).png", "line\nbreak_mask.png", "people/mask_i.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    folder = MaskFolder(tmp_path)
    assert [folder.find(name) and folder.find(name).name for name in "abcdefgh"] == [
        "a.png", "b_mask.PNG", "c_mask001.png", "d_mask.png", None, "f.JPG.png", "mask_g.png", "h-Mask (2).png"]
    assert folder.find("people/i").name == "mask_i.png" and folder.find("i") is None
    assert folder.find("line\nbreak").name == "line\nbreak_mask.png"
    assert folder.find("people/a", "a").name == "a.png" and not MaskFolder(tmp_path / "none")


REGIONS = np.zeros((40, 60, 3), np.uint8)
REGIONS[5:15, 5:25], REGIONS[20:30, 5:25], REGIONS[20:30, 30:50] = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def test_of_regions_in_several_colours_it_is_said_which_are_the_hole(tmp_path):
    mask = read_mask(saved(tmp_path / "mask.png", REGIONS))
    assert (mask.hole >= 128).sum() == 600
    assert "several colours (#0000ff, #00ff00, #ff0000), and the hole is #0000ff, #00ff00, #ff0000" in mask.classes[0]
    bright = REGIONS.copy()
    bright[5:15, 5:25] = 255
    assert "and the hole is #ffffff" in read_mask(saved(tmp_path / "bright.png", bright)).classes[0]


def test_one_colour_its_soft_edge_and_a_picture_are_no_regions(tmp_path):
    one = np.where(REGIONS.any(axis=-1, keepdims=True), np.uint8((255, 0, 0)), np.uint8(0))
    soft = np.asarray(Image.fromarray(one).filter(ImageFilter.GaussianBlur(2)))
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    for name, array in (("one", one), ("soft", soft), ("noise", noise)):
        assert not read_mask(saved(tmp_path / f"{name}.png", array)).classes, name
