"""Lines around damage that were not filled in, and other holes that enclose something."""
import numpy as np
import pytest
from PIL import Image, ImageDraw

from completion.holes import OwnHoles
from completion.outlines import share_enclosed
from pictures.photo import read_photo

CORNERS = [(100, 150), (250, 140), (270, 230), (180, 300), (90, 240)]


def drawn(lines, width=5, size=(409, 500)):
    """(H, W) bool, True on lines through corners (x, y)."""
    hole = Image.new("L", size)
    for line in lines:
        ImageDraw.Draw(hole).line(line, fill=255, width=width)
    return np.asarray(hole) > 0


def polygon_share(size=(409, 500)):
    inside = Image.new("L", size)
    ImageDraw.Draw(inside).polygon(CORNERS, fill=255)
    return np.mean(np.asarray(inside) > 0)


@pytest.mark.parametrize("width", [1, 5, 15])
@pytest.mark.parametrize("end", [CORNERS[0], (100 + 4, 150 - 1)])
def test_what_a_closed_line_encloses_is_found(width, end):
    share = share_enclosed(drawn([[*CORNERS, end]], width))
    assert 0.75 * polygon_share() < share < polygon_share()


def test_in_a_large_photo_as_in_a_small_one():
    hole = np.kron(drawn([[*CORNERS, CORNERS[0]]]), np.ones((6, 6), bool))
    assert abs(share_enclosed(hole) - share_enclosed(hole[::6, ::6])) < 0.01


@pytest.mark.parametrize("hole", [
    drawn([[*CORNERS, (140, 200)]]),                                                    # an open line
    drawn([[(20, 100), (390, 160)], [(60, 30), (330, 470)], [(350, 60), (40, 400)]]),   # scratches that cross
    drawn([[(0, 0), (408, 0), (408, 499), (0, 499), (0, 0)]], 30),                      # a torn border
    drawn([[(5, 5), (403, 5), (403, 494), (5, 494), (5, 5)]], 3),                       # a frame
    np.random.default_rng(0).random((500, 500)) < 0.3,                                  # noise
    drawn([[(150, 150), (156, 150), (156, 157), (150, 157), (150, 150)]], 2)],          # a speck
    ids=["open", "crossing", "border", "frame", "noise", "speck"])
def test_other_holes_are_no_outlines(hole):
    assert share_enclosed(hole) == 0


def test_a_filled_region_with_a_spot_left_is_no_outline():
    hole = drawn([[(150, 250), (250, 250)]], 80)
    hole[245:255, 195:205] = False
    assert share_enclosed(hole) == 0


@pytest.mark.parametrize("source", ["mask", "paint"])
def test_an_outline_around_damage_is_said(samples, tmp_path, source):
    photo, hole, warned = read_photo(samples / "A000369.jpg"), drawn([[*CORNERS, CORNERS[0]]]), []
    hole = hole[:photo.pixels.shape[0], :photo.pixels.shape[1]]
    if source == "paint":
        Image.fromarray(np.where(hole[..., None], np.uint8([0, 255, 0]), photo.pixels)).save(tmp_path / "photo.png")
        photo, mask = read_photo(tmp_path / "photo.png"), "color:#00ff00"
    else:
        mask = str(tmp_path / "mask.png")
        Image.fromarray(hole).save(mask)
    known, remarks = OwnHoles(mask, warn=warned.append).of_photo(photo, "photo.png", "photo")
    np.testing.assert_array_equal(~known, hole)
    assert warned == [f"photo.png: {remarks[-1]}"] and "a closed line around 9" in warned[0] and "fill it" in warned[0]
