"""Photos that cannot be used, and photos of every kind that can."""
import importlib
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from dataset.store import Pack
from helpers import SOME_FAILED
from pictures.photo import read_photo
from shell.records import read_records

STRICT = {"training": ["--strict"], "learned": ["--strict"]}      # names what is bad, and trains nothing


def names(ended, reasons, folder):
    """Whether a command named every bad file of a folder with its reason."""
    return [name for name, reason in reasons.items() if f"{folder / name}: {reason}" not in ended.err] == []


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_of(width, height, *chunks):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.fault("F01 F02 F03 F04 F05", "readers", "check")
@pytest.mark.fault("F01 F02 F03 F04 F05", "latent", slow=True)
@pytest.mark.fault("F41", "trained")
def test_files_that_are_no_pictures_fail_with_their_reasons_and_the_others_are_done(command, inputs, call, done,
                                                                                    samples):
    photo = (samples / "A000369.jpg").read_bytes()
    Image.open(samples / "A000369.jpg").crop((0, 0, 64, 64)).save(inputs / "flipped.png")
    flipped = bytearray((inputs / "flipped.png").read_bytes())
    flipped[len(flipped) // 2] ^= 1
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200 * 2**20), 1))
    bad = {"empty.png": (b"", "empty"), "page.jpg": (b"<!doctype html><title>404</title>", "not_an_image"),
           "half.jpg": (photo[:len(photo) // 2], "truncated"), "flipped.png": (bytes(flipped), "corrupt"),
           "huge.png": (png_of(60000, 60000), "too_large"), "large.png": (png_of(10000, 9000), "too_large"),
           "text.png": (png_of(64, 64, text), "corrupt"), "letter.png": (b"%!PS-Adobe-3.0\nshowpage\n", "not_an_image")}
    for name, (content, _) in bad.items():
        (inputs / name).write_bytes(content)
    ended = call(inputs)
    assert names(ended, {name: reason for name, (_, reason) in bad.items()}, inputs), ended.err
    assert done() == 3 and ended.code == (0 if command in STRICT else SOME_FAILED)


@pytest.mark.fault("F11", "readers", "split", "check")
@pytest.mark.fault("F11", "latent", slow=True)
def test_what_is_no_file_fails_with_its_reason_and_is_never_waited_for(command, inputs, call, done):
    (inputs / "folder.png").mkdir()
    (inputs / "dangling.png").symlink_to("nowhere")
    (inputs / "zero.png").symlink_to("/dev/zero")
    (inputs / "loop.png").symlink_to("loop.png")
    os.mkfifo(inputs / "pipe.png")
    ended = call(inputs, *STRICT.get(command, ()))
    assert names(ended, {"folder.png": "not_a_file", "dangling.png": "dangling_link", "zero.png": "not_a_file",
                         "loop.png": "link_loop", "pipe.png": "not_a_file"}, inputs), ended.err
    assert ended.code == SOME_FAILED and (command in STRICT or done() == 3)


@pytest.mark.fault("F12", "readers", "split", "check")
@pytest.mark.fault("F12", "latent", slow=True)
def test_a_photo_that_vanished_after_it_was_listed_fails_alone(command, inputs, call, done, put, monkeypatch):
    victim, module = put("gone.png"), importlib.import_module({
        "alignment": "preprocess.align_dlib", "split": "preprocess.split_dataset", "pack": "preprocess.pack_dataset",
        "completion": "face_completion", "onnx": "face_completion", "evaluation": "evaluate_completion",
        "latent": "completion.latent", "check": "preprocess.check_dataset"}.get(command, "dataset.folder"))
    name = next(name for name in ("find_inputs", "find_in_folder", "find_photos") if hasattr(module, name))
    find = getattr(module, name)

    def find_and_lose(*arguments, **options):
        found = find(*arguments, **options)
        victim.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(module, name, find_and_lose)
    ended = call(inputs, *STRICT.get(command, ()))
    assert names(ended, {"gone.png": "vanished"}, inputs), ended.err
    assert ended.code == SOME_FAILED and (command in STRICT or done() == 3)


@pytest.mark.fault("F12", "split", "pack", "completion", "onnx")
@pytest.mark.fault("F12", "alignment", "evaluation", slow=True)
def test_a_photo_without_permission_fails_alone(command, inputs, spawn, done, put, obey_permissions):
    put("secret.png").chmod(0)
    ended = spawn(inputs, *STRICT.get(command, ()), preexec_fn=obey_permissions)
    assert names(ended, {"secret.png": "permission"}, inputs), ended.err
    assert ended.code == SOME_FAILED and (command in STRICT or done() == 3)


FORMATS = {"grey.png": lambda photo: photo.convert("L"), "bits.png": lambda photo: photo.convert("1"),
           "deep.png": lambda photo: Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257),
           "float.tiff": lambda photo: Image.fromarray(np.asarray(photo.convert("L")) / np.float32(255)),
           "grey_alpha.png": lambda photo: photo.convert("LA"), "alpha.png": lambda photo: photo.convert("RGBA"),
           "palette.png": lambda photo: photo.quantize(64), "print.tiff": lambda photo: photo.convert("CMYK")}


def shown(command, out):
    """The faces that a command has made of photos, in the order of their names."""
    if command == "pack":
        return Pack(out, 64)[:]
    pictures = {"alignment": "*.png", "completion": "*/original.png", "onnx": "*/original.png",
                "evaluation": "pictures/center/laplace/*.png"}
    return [read_photo(path).pixels for path in sorted(out.glob(pictures[command]))]


@pytest.mark.fault("F06", "alignment", "pack", "completion", "onnx")
@pytest.mark.fault("F06", "evaluation", slow=True)
def test_photos_in_every_pixel_format_are_done(command, put, call, out):
    with Image.open(put("colour.png")) as photo:
        for name, convert in FORMATS.items():
            convert(photo.convert("RGB")).save(put(name))
    assert call(put.folder).code == 0
    faces, paths = shown(command, out), sorted(put.folder.iterdir())
    assert len(faces) == len(paths) == 9
    for path, face in zip(paths, faces):
        if command in ("pack", "completion", "onnx"):           # what others make of the pixels, they do not show
            np.testing.assert_array_equal(face, read_photo(path).pixels)


def turn(photo, orientation):
    """How a camera stores an upright photo under an EXIF orientation, and that orientation."""
    steps = {1: [], 2: ["FLIP_LEFT_RIGHT"], 3: ["ROTATE_180"], 4: ["FLIP_TOP_BOTTOM"], 5: ["TRANSPOSE"],
             6: ["ROTATE_90"], 7: ["TRANSVERSE"], 8: ["ROTATE_270"]}[orientation]
    for step in steps:
        photo = photo.transpose(Image.Transpose[step])
    exif = Image.Exif()
    exif[0x0112] = orientation
    return photo, exif


@pytest.mark.fault("F07", "alignment", "pack", "completion", "onnx")
@pytest.mark.fault("F07", "evaluation", slow=True)
def test_eight_exif_orientations_of_a_photo_give_eight_equal_results(command, put, call, out):
    with Image.open(put("1.png")) as photo:
        for orientation in range(1, 9):
            turned, exif = turn(photo.convert("RGB"), orientation)
            turned.save(put(f"{orientation}.png"), exif=exif)
    ended = call(put.folder, *["--mask_type", "half"] * (command in ("completion", "onnx")))
    assert ended.code == 0
    faces = shown(command, out)
    assert len(faces) == 8
    for face in faces:
        np.testing.assert_array_equal(face, faces[0])


@pytest.mark.fault("F06 F07 F08 F10", "trained", "check")
@pytest.mark.fault("F06 F07 F08 F10", "latent", slow=True)
def test_a_run_takes_photos_of_every_kind(command, put, call, done):
    """What it makes of them it does not show; it reads them as all other commands do."""
    with Image.open(put("colour.PNG")) as photo:
        for name, convert in FORMATS.items():
            convert(photo.convert("RGB")).save(put(name))
        turned, exif = turn(photo.convert("RGB"), 6)
        turned.save(put("turned.png"), exif=exif)
        photo.save(put("moving.gif"), save_all=True, append_images=[photo.rotate(90)])
    put("no suffix"), put("wrong.jpg")
    ended = call(put.folder, "--quiet")
    assert (ended.code, ended.err, done()) == (0, "", 13)


@pytest.mark.fault("F08", "alignment", "pack", "completion", "onnx", "evaluation")
def test_of_several_frames_the_first_is_taken(command, put, call, out):
    with Image.open(put("1.png")) as photo:
        photo.convert("RGB").save(put("moving.tiff"), save_all=True, append_images=[Image.new("RGB", photo.size)])
    assert call(put.folder).code == 0
    faces = shown(command, out)
    np.testing.assert_array_equal(faces[0], faces[1])
    records = {"alignment": "alignment.jsonl", "completion": "results.jsonl", "onnx": "results.jsonl"}
    if command in records:
        notes = [record["notes"] for record in read_records(out / records[command], source=str)]
        assert sorted(map(len, notes)) == [0, 1] and "first of several frames" in sum(notes, [])[0]


@pytest.mark.fault("F09", "readers")
@pytest.mark.fault("F09", "latent", slow=True)
def test_photos_of_another_size_fail_with_their_size_and_what_to_do(command, inputs, call, done):
    for width, height in ((178, 218), (1, 1), (1, 5000), (64, 63)):
        Image.new("RGB", (width, height), "gray").save(inputs / f"of {width}x{height}.png")
    ended = call(inputs, *STRICT.get(command, ()))
    assert ended.code == SOME_FAILED and (command in STRICT or done() == 3)
    for size in ("178x218", "1x1", "1x5000", "64x63"):
        line, = [line for line in ended.err.splitlines() if f"of {size}.png: " in line]
        assert "no_face" in line if command == "alignment" else f"wrong_size ({size}, " in line and "align" in line
        assert command not in ("evaluation", "latent") or "--fit" not in line and "--paste_back" not in line


@pytest.mark.fault("F10", "alignment", "split", "pack", "completion", "onnx", "evaluation")
def test_photos_are_found_and_read_by_their_content_whatever_their_names(command, put, call, done):
    for name, stem in (("A.JPG", "A000369"), ("b.jpeg", "B001273"), ("no suffix", "C001070"), ("wrong.gif", "D000600")):
        put(name, stem)
    put("notes.txt").write_text("no photo")
    options = ["--train", 2, "--validation", 1, "--test", 1] if command == "split" else []
    assert call(put.folder, *options).code == 0 and done() == 4
