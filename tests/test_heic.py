"""Photos of phones, HEIC and AVIF: read upright where their decoder is there, and named with what to install if not."""
import sys

import numpy as np
import pytest
from PIL import Image, features

import face_completion
from dataset.listing import find_photos
from helpers import BadPhoto
from pictures.photo import read_photo

TURNED = Image.Exif()
TURNED[0x0112] = 6                                      # EXIF orientation: to be turned by a quarter


def photo_of(folder, samples, suffix):
    """(path of a turned photo of a format, its upright pixels); what was written is not quite what is read."""
    if suffix == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    elif not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    portrait, path = Image.open(samples / "A000369.jpg"), folder / f"phone.{suffix}"
    portrait.save(path, quality=95, exif=TURNED.tobytes())
    return path, np.asarray(portrait.transpose(Image.Transpose.ROTATE_270))


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_phone_photos_are_read_upright(tmp_path, samples, suffix):
    path, upright = photo_of(tmp_path, samples, suffix)
    assert np.abs(read_photo(path).pixels - upright.astype(float)).mean() < 2


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_colours_that_are_not_srgb_are_noted(tmp_path, samples, suffix):
    path, _ = photo_of(tmp_path, samples, suffix)
    assert read_photo(path).notes == []
    content, srgb = path.read_bytes(), b"colrnclx\0\1\0\r"
    assert content.count(srgb) == 1
    path.write_bytes(content.replace(srgb, b"colrnclx\0\x09\0\x10"))           # BT.2020 and PQ
    assert read_photo(path).notes == ["wide gamut or high dynamic range: taken for sRGB"]


def test_a_heic_of_ten_bits_is_noted(tmp_path):
    values = np.random.default_rng(0).integers(0, 2**16, (64, 64, 3), dtype=np.uint16)
    pytest.importorskip("pillow_heif").from_bytes("RGB;16", (64, 64), values.tobytes()).save(tmp_path / "deep.heic")
    assert read_photo(tmp_path / "deep.heic").notes == ["colours of more than 8 bits: 8 are kept"]


@pytest.mark.parametrize("suffix, brand", [("heic", b"heic"), ("avif", b"avif"), ("HIF", b"mif1"), ("", b"heix")])
def test_phone_photos_of_a_folder_are_found_by_suffix_or_content(tmp_path, suffix, brand):
    (tmp_path / f"photo.{suffix}".rstrip(".")).write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(12))
    (tmp_path / "film").write_bytes(b"\0\0\0\x18ftypisom" + bytes(12))
    assert len(find_photos([tmp_path])[0]) == 1


def test_without_its_decoder_a_heic_is_named_with_what_to_install(tmp_path, samples, monkeypatch, run):
    path, _ = photo_of(tmp_path, samples, "heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(BadPhoto, match="needs_heif.*pip install -r requirements-heic.txt"):
        read_photo(path)
    ended = run(face_completion.main, tmp_path, "--out_dir", tmp_path / "out", "--method", "laplace")
    assert ended.code == 1 and "needs_heif" in ended.err


def test_without_its_decoder_an_avif_is_named_with_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "photo.avif").write_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0avifmiaf" + bytes(64))
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(BadPhoto, match="needs_avif.*pip install --upgrade pillow"):
        read_photo(tmp_path / "photo.avif")


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_half_a_phone_photo_is_a_bad_one(tmp_path, samples, suffix):
    path, _ = photo_of(tmp_path, samples, suffix)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(BadPhoto):
        read_photo(path)
