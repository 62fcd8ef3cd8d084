"""Which face a part of a hole belongs to, and what two faces make of one hole."""
import numpy as np
import pytest

from completion.owners import find_owners, touches, used_part
from completion.pouring import pour_back

SIZE = 64


def at(column, row, scale=1.0):
    """The map to a crop whose first pixel is the photo's at (row, column), `scale` pixels of the photo for each."""
    return np.array([[1 / scale, 0, -column / scale], [0, 1 / scale, -row / scale]])


def photo_with(*boxes, shape=(200, 300)):
    """Known pixels of a photo with holes (first row, past the last, first column, past the last)."""
    known = np.ones(shape, bool)
    for top, bottom, left, right in boxes:
        known[top:bottom, left:right] = False
    return known


def test_each_part_of_a_hole_belongs_to_the_face_that_shows_it():
    known, faces = photo_with((20, 30, 20, 40), (50, 52, 130, 140), (150, 160, 5, 9)), [at(10, 10, 1.5), at(120, 20)]
    owners = find_owners(known, faces, [SIZE] * len(faces))
    assert (owners[20:30, 20:40] == 1).all() and (owners[50:52, 130:140] == 2).all()
    assert not owners[150:160, 5:9].any() and not owners[known].any()
    assert [touches(known, matrix, SIZE) for matrix in [*faces, at(200, 100)]] == [True, True, False]


@pytest.mark.parametrize("size, border", [(64, 2), (128, 5)])
def test_what_is_used_of_a_crop_leaves_out_its_border(size, border):
    matrix, side = used_part(at(10, 20), size)
    assert side == size - 2 * border
    np.testing.assert_array_equal(matrix, at(10 + border, 20 + border))
    inside, outside = photo_with((20, 21 + border, 40, 50)), photo_with((20, 20 + border, 40, 50))
    assert touches(outside, at(10, 20), size) and not touches(outside, matrix, side) and touches(inside, matrix, side)


def test_a_fold_across_two_faces_is_shared_and_what_lies_between_belongs_to_neither():
    known, faces = photo_with((40, 42, 0, 300)), [at(10, 10), at(200, 10)]
    owners = find_owners(known, faces, [SIZE] * len(faces))[40]
    np.testing.assert_array_equal(np.unique(np.flatnonzero(owners == 1)[[0, -1]]), [10, 73])
    np.testing.assert_array_equal(np.unique(np.flatnonzero(owners == 2)[[0, -1]]), [200, 263])
    assert np.count_nonzero(owners) == 128


@pytest.mark.parametrize("right, owner", [(70, 1), (100, 2)])
def test_where_two_crops_overlap_a_hole_belongs_to_the_face_it_covers_most(right, owner):
    known, faces = photo_with((30, 40, 55, right), (60, 62, 56, 60)), [at(10, 10), at(50, 10)]
    owners = find_owners(known, faces, [SIZE] * len(faces))
    assert (owners[30:40, 55:70] == owner).all() and (owners[60:62, 56:60] == 1).all()
    np.testing.assert_array_equal(owners[30:40, 74:right], 2)


def test_a_face_that_lies_outside_the_photo_owns_nothing():
    known = photo_with((0, 200, 0, 30))
    assert not find_owners(known, [at(-500, 0), at(0, 900)], [SIZE] * 2).any() and not touches(known, at(-500, 0), SIZE)


def test_two_crops_fill_one_hole_without_a_seam_between_them():
    rows, columns = np.mgrid[:200, :300]
    photo = np.stack([rows / 2 + 40, columns / 2 + 40, rows + 20], axis=-1).astype(np.uint8)
    known, corners = photo_with((30, 50, 20, 100)), [(10, 10), (50, 10)]
    crops = [photo[row:row + SIZE, column:column + SIZE] for column, row in corners]
    crops[1] = crops[1] // 2 + 90                       # of another light
    restored = pour_back(photo, known, crops, [at(*corner) for corner in corners])
    assert np.abs(restored.astype(int) - photo)[30:50, 20:70].max() <= 2
    steps = np.abs(np.diff(restored[30:50, 20:100].astype(int), axis=1))
    assert steps.max() <= 8
    np.testing.assert_array_equal(restored[known], photo[known])
    other = np.where(known[..., None], photo, np.uint8(9))
    np.testing.assert_array_equal(pour_back(other, known, crops, [at(*corner) for corner in corners]), restored)
