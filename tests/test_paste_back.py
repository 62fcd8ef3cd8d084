"""Whole photos through the command, by the fastest of its methods."""
import numpy as np
import pytest
from PIL import Image

import face_completion
from helpers import BAD_OUTPUT, write_picture
from methods import completion_options
from pictures.photo import read_photo
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
    assert read_photo(out / "portrait/completed.png").pixels.shape == (128, 128, 3)
    record, = (record for record in read_records(out / "results.jsonl") if record["name"] == "portrait")
    assert {"restored.png", "mask.png", "before.jpg", "after.jpg"} < record["files"].keys()
    np.testing.assert_array_equal(read_photo(out / "portrait/mask.png").pixels[..., 0], np.where(hole, 255, 0))
    assert read_photo(out / "portrait/before.jpg").pixels.shape == photo.shape
    assert any("outside the face" in note for note in record["notes"]) and "hole_psnr" not in record
    (out / "portrait/before.jpg").write_bytes((out / "portrait/before.jpg").read_bytes()[:-9])
    assert restore(*arguments) == 1 and "1 completed, 0 skipped" in capsys.readouterr().out
    assert restore(*arguments, "--landmarks", "outerEyesAndNose") == BAD_OUTPUT
    assert "--landmarks innerEyesAndBottomLip, asked for outerEyesAndNose" in capsys.readouterr().err


def test_a_proposed_hole_is_written_though_no_face_is_found(tmp_path, monkeypatch):
    wall = np.full((90, 120, 3), 200, np.uint8)
    wall[:, 30:33] = 255
    write_picture(tmp_path / "wall.png", wall)
    monkeypatch.setattr(completion_options, "damage_finder", lambda *_: lambda pixels: pixels[..., 0] == 255)
    assert restore(tmp_path / "wall.png", "--mask", "auto", "--out_dir", tmp_path / "out") == 1
    record, = read_records(tmp_path / "out/results.jsonl")
    assert record["reason"] == "no_face" and [*record["files"]] == ["mask.png"]
    np.testing.assert_array_equal(read_photo(tmp_path / "out/wall/mask.png").pixels[..., 0],
                                  np.where(wall[..., 0] == 255, 255, 0))


def test_without_a_mask_the_hole_is_made_in_the_face_and_measured_there(samples, tmp_path, capsys):
    assert restore(samples / "A000369.jpg", "--mask_type", "O6", "--out_dir", tmp_path / "out") == 0
    photo, restored = (read_photo(path).pixels for path in (samples / "A000369.jpg",
                                                            tmp_path / "out/A000369/restored.png"))
    changed = (photo != restored).any(axis=-1)
    assert 0 < changed.sum() < 0.1 * changed.size and "hole: PSNR" in capsys.readouterr().out


def test_restored_photos_keep_their_metadata_and_say_what_does_not_stay(samples, tmp_path):
    image, exif, hole = Image.open(samples / "A000369.jpg"), Image.Exif(), np.zeros((500, 409), np.uint8)
    exif[0x0112], exif[0x8298] = 6, "somebody"
    hole[220:300, 170:240] = 255
    write_picture(tmp_path / "hole.png", hole)
    image.rotate(90, expand=True).save(tmp_path / "photo.jpg", exif=exif, dpi=(300, 300), quality=85, subsampling=0)
    given = read_photo(tmp_path / "photo.jpg").pixels
    arguments = tmp_path / "photo.jpg", "--mask", tmp_path / "hole.png", "--format"
    for wanted, file in (("png", "restored.png"), ("same", "restored.jpg")):
        out = tmp_path / wanted
        assert restore(*arguments, wanted, "--out_dir", out) == 0
        after, (record,) = Image.open(out / "photo" / file), read_records(out / "results.jsonl")
        assert after.getexif()[0x0112] == 1 and after.getexif()[0x8298] == "somebody" and after.size == (409, 500)
        assert file in record["files"] and any("recompression" in note for note in record["notes"]) == (wanted != "png")
        far = np.abs(np.asarray(after)[320:].astype(int) - given[320:])
        assert far.max() == 0 if wanted == "png" else far.mean() < 1


def test_what_was_transparent_outside_the_hole_stays_so(samples, tmp_path):
    photo, opacity = read_photo(samples / "A000369.jpg").pixels, np.full((500, 409), 255, np.uint8)
    opacity[:, :30], opacity[:, 30:60], opacity[230:260, 170:200] = 0, 128, 40
    Image.fromarray(np.dstack([photo, opacity])).save(tmp_path / "photo.png")
    hole = np.zeros((500, 409), np.uint8)
    hole[220:300, 170:240] = 255
    write_picture(tmp_path / "hole.png", hole)
    assert restore(tmp_path / "photo.png", "--mask", tmp_path / "hole.png", "--out_dir", tmp_path / "out") == 0
    after = np.asarray(Image.open(tmp_path / "out/photo/restored.png"))
    np.testing.assert_array_equal(after[hole == 0], np.dstack([photo, opacity])[hole == 0])
    assert (after[hole > 0, 3] == 255).all() and (after[hole > 0, :3] != photo[hole > 0]).any()


def test_a_whole_photo_gets_the_advice_to_paste_back_and_a_crop_does_not(samples, tmp_path, run, model):
    write_picture(tmp_path / "crop.png", np.zeros((128, 128, 3), np.uint8))
    write_picture(tmp_path / "small.png", np.zeros((30, 40, 3), np.uint8))
    for path, advised in ((samples / "A000369.jpg", True), ("crop.png", False), ("small.png", False)):
        ended = run(face_completion.main, tmp_path / path, "--checkpoint", model, "--out_dir", tmp_path / "out")
        assert ended.code == 1 and "wrong_size" in ended.err and ("--paste_back" in ended.err) == advised


def test_a_face_lies_where_points_say_and_a_hidden_one_is_told_on_the_terminal(samples, tmp_path, capsys):
    photo = read_photo(samples / "A000369.jpg").pixels
    hole = np.zeros(photo.shape[:2], np.uint8)
    hole[200:250, 90:310] = 255
    Image.fromarray(hole).save(tmp_path / "hole.png")
    arguments = samples / "A000369.jpg", "--mask", tmp_path / "hole.png"
    assert restore(*arguments, "--out_dir", tmp_path / "found") == 0
    assert f"warning: {samples / 'A000369.jpg'}: the hole hides landmarks of the face (eyes" in capsys.readouterr().err
    pairs = "180,236", "222,237", "200,322"
    assert restore(*arguments, "--out_dir", tmp_path / "told", "--points", *pairs) == 0
    record, = read_records(tmp_path / "told/results.jsonl")
    assert "placed by --points" in record["notes"] and "hidden" not in capsys.readouterr().err
    (tmp_path / "points.csv").write_text(f"A000369.jpg,{','.join(pairs)}\n")
    assert restore(*arguments, "--out_dir", tmp_path / "filed", "--points", tmp_path / "points.csv") == 0
    np.testing.assert_array_equal(read_photo(tmp_path / "filed/A000369/restored.png").pixels,
                                  read_photo(tmp_path / "told/A000369/restored.png").pixels)
    for wrong in ([samples, *arguments[1:]], arguments[:1] * 2):
        for words in (pairs, [",".join(pairs)]):
            with pytest.raises(SystemExit):
                restore(*wrong, "--out_dir", tmp_path / "none", "--points", *words)
