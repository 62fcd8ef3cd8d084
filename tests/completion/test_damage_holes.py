"""What is found in a photo becomes its hole: thresholds, scales, and what is said of it."""
import numpy as np
import pytest

from completion.damage_holes import (
    FAINT,
    LARGEST,
    SMALLEST,
    SURE,
    VIEWS,
    FoundHoles,
    find_damage,
    keep_sure,
    look,
    take_rim,
)
from helpers import BadPhoto
from pictures.photo import Photo


def bright(pixels):
    """A network that takes white for damage."""
    return pixels[..., 0].astype(np.float32) / 255


def dark_photo(height, width):
    return np.zeros((height, width, 3), np.uint8)


def test_what_is_faint_counts_where_it_touches_what_is_sure_and_specks_do_not():
    likely = np.zeros((20, 40), np.float32)
    likely[5, 3:30] = np.linspace(FAINT, 1, 27) + 0.01
    likely[12, 3:12] = (FAINT + SURE) / 2
    likely[15:17, 20] = 1
    found = keep_sure(likely)
    assert found.sum() == 27 and found[5, 3:30].all()


def test_beside_what_is_sure_the_faint_is_its_rim():
    likely = np.zeros((20, 40), np.float32)
    likely[9:12] = [[0.5], [1], [0.7]]
    assert keep_sure(likely).any(axis=1).nonzero()[0].tolist() == [10, 11]


def test_a_rim_is_taken_where_it_is_mixed_with_damage_and_nowhere_else():
    photo, hole = dark_photo(30, 40) + np.uint8(60), np.zeros((30, 40), bool)
    hole[14:16] = True
    photo[hole], photo[13, :20], photo[16, :20] = 240, 150, 90
    found = take_rim(photo, hole)
    assert found[13, 2:18].all() and found[14:16].all() and not found[:13].any()
    assert not found[16].any() and not found[13, 22:].any() and found.sum() == 2 * 40 + found[13].sum()
    assert not take_rim(photo, np.zeros_like(hole)).any() and take_rim(photo, np.ones_like(hole)).all()


@pytest.mark.parametrize("height, width, width_of_line, sizes", [
    (300, 240, 3, 1), (3000, 2000, 14, 3), (64, 64, 2, 1), (700, 600, 3, 2)])
def test_a_line_is_found_where_it_is_at_every_size(height, width, width_of_line, sizes):
    photo, seen = dark_photo(height, width), []
    hole = np.zeros((height, width), bool)
    hole[:, width // 3:width // 3 + width_of_line] = True
    photo[hole] = 255

    def look(pixels):
        seen.append(pixels.shape)
        return bright(pixels)
    found = find_damage(photo, look)
    assert np.mean(found & hole) / np.mean(found | hole) > 0.7
    (h, w, _), *others = seen
    assert len(others) == sizes * len(VIEWS) - 1 and h * w <= LARGEST * 1.01 and min(h, w) >= SMALLEST


def test_all_views_are_asked_and_what_one_of_them_sees_alone_is_no_damage():
    def mirrored_only(pixels):
        return np.full(pixels.shape[:2], 0.999 if pixels[0, 0, 0] else 0.1, np.float32)
    photo = dark_photo(200, 200)
    photo[:20, -20:] = 255
    likely = look(photo, mirrored_only)
    odds = (4 * np.log(0.1 / 0.9) + np.log(0.999 / 0.001)) / 5
    np.testing.assert_allclose(likely, 1 / (1 + np.exp(-odds)), atol=1e-4)


def test_a_photo_without_damage_is_known_everywhere_and_that_is_said():
    holes = FoundHoles(lambda pixels: bright(pixels) > 0.5)
    known, remarks = holes.of_photo(Photo(dark_photo(40, 30), []), "name.png", "name")
    assert known.all() and known.shape == (40, 30) and remarks == ["no damage found: copied"]


def test_the_hole_grows_by_dilate_and_a_face_has_it_at_its_own_size():
    photo = dark_photo(40, 40)
    photo[10, 20] = 255
    holes = FoundHoles(lambda pixels: bright(pixels) > 0.5, dilate=2)
    known, _ = holes.of_photo(Photo(photo, []), "name.png", "name")
    assert np.argwhere(~known).min(0).tolist() == [8, 18] and (~known).sum() == 25
    photo[8:16, 8:16] = 255
    known, _ = FoundHoles(holes.find).of_face(Photo(photo, []), "photo.png", "name", 20, fit="resize")
    assert known.shape == (20, 20) and not known[4:8, 4:8].any() and known[10:].all() and holes.stamp("name") == ()


def test_what_looks_damaged_everywhere_is_refused():
    with pytest.raises(BadPhoto, match="nothing_known"):
        FoundHoles(lambda pixels: bright(pixels) < 0.5).of_photo(Photo(dark_photo(40, 30), []), "a.png", "a")
