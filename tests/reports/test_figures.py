import numpy as np
from PIL import Image

from helpers import read_photo, write_picture
from reports.figures import write_gif, write_sheet

FACES = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)


def test_a_sheet_holds_every_picture_in_its_place(tmp_path):
    files = [tmp_path / f"{index}.png" for index in range(10)]
    for file, face in zip(files, FACES):
        write_picture(file, face)
    sheet = write_sheet(tmp_path / "sheet.png", files)
    assert sheet.shape == (16, 64, 3)
    np.testing.assert_array_equal(sheet[8:, 8:16], FACES[9])
    np.testing.assert_array_equal(read_photo(tmp_path / "sheet.png").pixels, sheet)


def test_an_animation_has_every_frame_and_rests_on_the_last(tmp_path):
    write_gif(tmp_path / "faces.gif", list(FACES[:4]))
    with Image.open(tmp_path / "faces.gif") as animation:
        assert animation.n_frames == 4 and animation.info["loop"] == 0
        first = animation.info["duration"]
        animation.seek(3)
        assert animation.info["duration"] > first
