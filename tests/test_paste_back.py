"""Whole photos through the command, by the fastest of its methods."""
import numpy as np
from PIL import Image

import face_completion
from helpers import read_photo, write_picture
from shell.records import read_records


def restore(*arguments):
    return face_completion.main([*map(str, arguments), "--paste_back", "--method", "laplace"])


def test_a_photo_gets_its_face_back_and_keeps_every_other_pixel(samples, tmp_path, capsys):
    photo, out = read_photo(samples / "A000369.jpg").pixels, tmp_path / "out"
    hole = np.zeros(photo.shape[:2], bool)
    hole[220:300, 170:240] = hole[:, 200:203] = True
    (tmp_path / "photos").mkdir()
    damaged = np.dstack([np.where(hole[..., None], 0, photo), np.where(hole, 0, 255)]).astype(np.uint8)
    Image.fromarray(damaged).save(tmp_path / "photos" / "portrait.png")
    write_picture(tmp_path / "photos" / "wall.png", np.full((90, 90, 3), 200, np.uint8))
    arguments = tmp_path / "photos", "--mask", "alpha", "--out_dir", out
    assert restore(*arguments) == 1 and "no_alpha" in capsys.readouterr().err
    restored = read_photo(out / "portrait/restored.png").pixels
    np.testing.assert_array_equal(restored[~hole], photo[~hole])
    assert np.abs(restored[hole] - photo[hole].astype(float)).mean() < 25
    assert read_photo(out / "portrait/completed.png").pixels.shape == (64, 64, 3)
    record, = (record for record in read_records(out / "results.jsonl") if record["name"] == "portrait")
    assert "restored.png" in record["files"] and "outside the face" in record["notes"][0] and "hole_psnr" not in record
    (out / "portrait/restored.png").unlink()
    assert restore(*arguments) == 1 and "1 completed, 0 skipped" in capsys.readouterr().out
    assert restore(*arguments, "--landmarks", "outerEyesAndNose") == 2 and "paste_back" in capsys.readouterr().err


def test_without_a_mask_the_hole_is_made_in_the_face_and_measured_there(samples, tmp_path, capsys):
    assert restore(samples / "A000369.jpg", "--mask_type", "O6", "--out_dir", tmp_path / "out") == 0
    photo, restored = (read_photo(path).pixels for path in (samples / "A000369.jpg",
                                                            tmp_path / "out/A000369/restored.png"))
    changed = (photo != restored).any(axis=-1)
    assert 0 < changed.sum() < 0.1 * changed.size and "hole: PSNR" in capsys.readouterr().out
