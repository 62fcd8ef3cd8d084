"""Sheets of faces, and pictures that are whole."""
import numpy as np
import pytest

from helpers import write_picture
from shell.pictures import is_whole_png, tile


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16])
def test_a_sheet_holds_every_face_at_its_place_and_white_elsewhere(count):
    faces = np.random.default_rng(count).integers(0, 255, (count, 6, 5, 3), dtype=np.uint8)
    sheet = tile(faces)
    for index in range(count):
        top, left = 6 * (index // 8), 5 * (index % 8)
        np.testing.assert_array_equal(sheet[top:top + 6, left:left + 5], faces[index])
        sheet[top:top + 6, left:left + 5] = 255
    assert (sheet == 255).all()
    assert sheet.shape == (6 * -(-count // 8), 40, 3)


def test_only_a_whole_png_counts_as_whole(tmp_path):
    def is_whole(content):
        (tmp_path / "some.png").write_bytes(content)
        return is_whole_png(tmp_path / "some.png")
    write_picture(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8))
    content = (tmp_path / "whole.png").read_bytes()
    assert is_whole(content)
    for length in (0, 5, 8, 20, len(content) // 2, len(content) - 1):
        assert not is_whole(content[:length])
    for place in range(len(content)):
        assert not is_whole(content[:place] + bytes([content[place] ^ 4]) + content[place + 1:])
    assert not is_whole_png(tmp_path / "absent.png")
