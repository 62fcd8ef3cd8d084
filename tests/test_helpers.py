import contextlib
import os
import pickle
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from benchmarks.fuzz_inputs import float_tiff
from helpers import MAX_BYTES, BadPhoto, UsageError, counted, resize, to_float, to_uint8
from pictures.photo import read_photo

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(values, colour_type, *between):
    """A PNG of (H, W, C) big-endian samples, made without Pillow; `between` are chunks before the pixels."""
    height, width, _ = values.shape
    header = struct.pack(">IIBBBBB", width, height, 8 * values.dtype.itemsize, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    return PNG + chunk(b"IHDR", header) + b"".join(between) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def blocks(height=48, width=64, channels=3, seed=0):
    """Squares of 8x8 pixels of one colour each, which JPEG keeps wherever they stand."""
    colours = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, channels), dtype=np.uint8)
    return colours.repeat(8, axis=0).repeat(8, axis=1)


GREY = blocks(channels=1)[..., 0]
COLOUR, ALPHA = blocks(), blocks(channels=1, seed=1)[..., 0]


def saved(path, image, **options):
    image.save(path, **options)
    return path


def written(path, content):
    path.write_bytes(content)
    return path


def reason(path):
    with pytest.raises(BadPhoto) as caught:
        read_photo(path)
    return caught.value.reason


@pytest.fixture
def portrait(samples):
    return samples / "A000369.jpg"


def test_every_level_survives_the_way_to_float_and_back():
    levels = np.arange(256, dtype=np.uint8)
    values = to_float(levels)
    assert values.dtype == np.float32
    assert (values[0], values[-1]) == (-1, 1)
    assert (np.diff(values) > 0).all()
    np.testing.assert_array_equal(to_uint8(values), levels)


def test_values_go_to_the_nearest_level_and_what_lies_outside_is_clipped():
    values = np.linspace(-1.5, 1.5, 1001, dtype=np.float32)
    least = np.abs(to_float(np.arange(256, dtype=np.uint8))[None] - values[:, None]).min(axis=1)
    assert (np.abs(to_float(to_uint8(values)) - values) <= least + 1e-6).all()       # ties go either way
    assert (to_uint8(np.float32([-7, 7])) == [0, 255]).all()
    assert (np.diff(to_uint8(values).astype(int)) >= 0).all()


@pytest.mark.parametrize("shape", [(178, 218), (1, 1), (1, 5000), (64, 63)])
@pytest.mark.parametrize("how", ["resize", "crop"])
def test_a_picture_of_one_colour_keeps_it_at_any_size(shape, how):
    resized = resize(np.full((*shape, 3), (10, 200, 77), np.uint8), 64, how)
    assert resized.shape == (64, 64, 3)
    assert (resized == (10, 200, 77)).all()


def test_crop_takes_the_largest_centred_square():
    pixels = np.zeros((40, 64, 3), np.uint8)
    pixels[:, 12:52] = blocks(40, 40)
    np.testing.assert_array_equal(resize(pixels, 40, "crop"), pixels[:, 12:52])
    np.testing.assert_array_equal(resize(pixels.transpose(1, 0, 2), 40, "crop"), pixels[:, 12:52].transpose(1, 0, 2))


def test_resizing_to_its_own_size_changes_nothing():
    np.testing.assert_array_equal(resize(blocks(64, 64), 64, "resize"), blocks(64, 64))


def test_a_photo_reads_as_the_decoder_gives_it(portrait):
    np.testing.assert_array_equal(read_photo(portrait).pixels, np.asarray(Image.open(portrait).convert("RGB")))


def test_an_empty_file_is_refused_as_empty(tmp_path):
    assert reason(written(tmp_path / "0.png", b"")) == "empty"


def test_html_named_jpg_is_refused_as_no_image(tmp_path):
    assert reason(written(tmp_path / "page.jpg", b"<!doctype html><title>404</title>" * 99)) == "not_an_image"


def test_a_jpeg_cut_at_half_is_refused_as_truncated(tmp_path, portrait):
    content = portrait.read_bytes()
    assert reason(written(tmp_path / "half.jpg", content[:len(content) // 2])) == "truncated"


@pytest.mark.parametrize("progressive", [False, True])
def test_a_cut_jpeg_is_whole_or_refused(tmp_path, progressive):
    whole = saved(tmp_path / "whole.jpg", Image.fromarray(blocks()), progressive=progressive)
    pixels, content = read_photo(whole).pixels, whole.read_bytes()
    for length in range(1, len(content), 29):
        try:
            np.testing.assert_array_equal(read_photo(written(tmp_path / "cut.jpg", content[:length])).pixels, pixels)
        except BadPhoto as problem:
            assert problem.reason in ("truncated", "corrupt", "not_an_image")


def test_a_png_with_one_flipped_byte_is_refused_unless_only_its_end_mark_is_hit(tmp_path):
    content = png(COLOUR[:16, :16], 2)
    for place in range(len(content)):
        flipped = written(tmp_path / "flipped.png", content[:place] + bytes([content[place] ^ 1]) + content[place + 1:])
        if place < len(content) - 12:
            assert reason(flipped) in ("corrupt", "truncated", "not_an_image", "too_large"), f"byte {place}"
        else:
            with contextlib.suppress(BadPhoto):
                np.testing.assert_array_equal(read_photo(flipped).pixels, COLOUR[:16, :16])


def test_a_cut_png_is_refused(tmp_path):
    content = png(blocks(8, 16), 2)
    for length in range(1, len(content) - 12):
        assert reason(written(tmp_path / "cut.png", content[:length])) in ("corrupt", "truncated", "not_an_image")


@pytest.mark.parametrize("size", [(60000, 60000), (10000, 9000)])
@pytest.mark.fault("F03", "readers")
def test_a_small_file_that_claims_many_pixels_is_refused_without_memory(tmp_path, finish, size):
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    bomb = written(tmp_path / "bomb.png", PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")))
    ended = finish("-c", """if True:
        import resource, sys, helpers, pictures.photo
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            pictures.photo.read_photo(sys.argv[1])
        except helpers.BadPhoto as problem:
            print(problem.reason, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)""", bomb)
    said, megabytes = ended.out.split()
    assert said == "too_large"
    assert int(megabytes) < 20


def test_a_file_of_many_bytes_is_refused_unread(tmp_path):
    path = written(tmp_path / "large.png", PNG)
    os.truncate(path, MAX_BYTES + 1)
    assert reason(path) == "too_large"


def packed_zeros(megabytes):
    """A zlib stream of zeros, put together from one packed megabyte."""
    packer = zlib.compressobj(9, wbits=-15)
    head = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (megabytes * 2**20 % 65521) << 16 | 1
    return b"\x78\xda" + head * megabytes + packer.flush() + struct.pack(">I", checksum)


@pytest.mark.parametrize(("name", "head"), [(b"zTXt", b"Comment\0\0"), (b"iTXt", b"Comment\0\1\0\0\0")])
def test_a_text_of_200_megabytes_in_a_png_is_refused(tmp_path, name, head):
    assert zlib.decompress(packed_zeros(3)) == bytes(3 * 2**20)
    bomb = png(COLOUR, 2, chunk(name, head + packed_zeros(200)))
    assert reason(written(tmp_path / "text.png", bomb)) == "corrupt"


@pytest.mark.fault("F05", "readers")
def test_postscript_is_refused_and_no_helper_program_started(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    for name in ("gs", "gswin32c", "gswin64c"):
        written(tmp_path / "bin" / name, f"#!/bin/sh\ntouch {tmp_path}/started\n".encode()).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    assert reason(written(tmp_path / "letter.png", eps)) == "not_an_image"
    assert not (tmp_path / "started").exists()


def on_white(pixels, alpha):
    """Colours over white, in whole levels of 255."""
    share = alpha[..., None] / 255
    return pixels * share + 255 * (1 - share)


INDEXED = Image.fromarray(COLOUR).quantize(16)
PALETTE = np.array(INDEXED.getpalette()).reshape(-1, 3)
DEEP = (COLOUR.astype(np.uint16) * 257).astype(">u2")
FIRST_KEY = struct.pack(">H", int(GREY[0, 0]) * 257)
TWINS = {
    "grey": (Image.fromarray(GREY), "png", GREY),
    "16-bit grey": (Image.fromarray(GREY.astype(np.uint16) * 257), "png", GREY),
    "16-bit grey TIFF": (Image.fromarray(GREY.astype(np.uint16) * 257), "tiff", GREY),
    "16-bit grey with a transparent level": (
        png((GREY.astype(np.uint16) * 257).astype(">u2")[..., None], 0, chunk(b"tRNS", FIRST_KEY)), "png",
        np.where(GREY == GREY[0, 0], 255, GREY)),
    "16-bit grey and alpha": (
        png(np.stack([GREY, ALPHA], -1).astype(">u2") * np.uint16(257), 4), "png",
        on_white(GREY[..., None], ALPHA)),
    "16-bit RGB": (png(DEEP, 2), "png", COLOUR),
    "16-bit RGBA": (png(np.concatenate([DEEP, ALPHA[..., None].astype(">u2") * np.uint16(257)], -1).astype(">u2"), 6),
                    "png", on_white(COLOUR, ALPHA)),
    "8 bits in 16, TIFF": (Image.fromarray(GREY.astype(np.uint16)), "tiff", GREY),
    "8 bits in 32, TIFF": (Image.fromarray(GREY.astype(np.int32)), "tiff", GREY),
    "12 bits in 16, TIFF": (Image.fromarray(np.rint(GREY * (4095 / 255)).astype(np.uint16)), "tiff", GREY),
    "12 bits in 32, TIFF": (Image.fromarray(np.rint(GREY * (4095 / 255)).astype(np.int32)), "tiff", GREY),
    "16 bits in 32, TIFF": (Image.fromarray(GREY.astype(np.int32) * 257), "tiff", GREY),
    "16-bit PPM": (b"P6 %d %d 65535\n" % COLOUR.shape[1::-1] + DEEP.tobytes(), "ppm", COLOUR),
    "float in [0, 1]": (Image.fromarray(GREY.astype(np.float32) / 255), "tiff", GREY),
    "float in [0, 255]": (Image.fromarray(GREY.astype(np.float32)), "tiff", GREY),
    "1 bit": (Image.fromarray(GREY > 127), "png", np.where(GREY > 127, 255, 0)),
    "grey and alpha": (Image.fromarray(np.stack([GREY, ALPHA], -1)), "png", on_white(GREY[..., None], ALPHA)),
    "palette": (INDEXED, "png", PALETTE[np.asarray(INDEXED)]),
    "RGBA": (Image.fromarray(np.dstack([COLOUR, ALPHA])), "png", on_white(COLOUR, ALPHA)),
    "CMYK": (Image.fromarray(np.dstack([255 - COLOUR, 0 * ALPHA]), mode="CMYK"), "tiff", COLOUR),
}


@pytest.mark.fault("F06", "completion")
@pytest.mark.parametrize("name", TWINS)
@pytest.mark.fault("F06", "readers")
def test_every_pixel_format_equals_its_8_bit_twin_within_a_level(tmp_path, name):
    image, suffix, twin = TWINS[name]
    path = tmp_path / f"photo.{suffix}"
    written(path, image) if isinstance(image, bytes) else saved(path, image)
    pixels, notes, *_ = read_photo(path)
    assert pixels.dtype == np.uint8
    deep = name in ("16-bit RGB", "16-bit RGBA", "16-bit PPM", "16-bit grey and alpha")
    ranged = name.startswith(("8 bits", "12 bits")) or name == "float in [0, 255]"
    said = [note for note in notes if "taken for white" not in note]
    assert said == ["colours of more than 8 bits: 8 are kept"] * deep
    assert len(notes) == deep + ranged
    twin = np.broadcast_to(twin[..., None], pixels.shape) if twin.ndim == 2 else np.broadcast_to(twin, pixels.shape)
    assert np.abs(pixels - twin.astype(float)).max() <= 1


def test_a_transparent_palette_entry_shows_white(tmp_path):
    path = saved(tmp_path / "p.png", INDEXED, transparency=5)
    twin = PALETTE[np.asarray(INDEXED)]
    twin[np.asarray(INDEXED) == 5] = 255
    np.testing.assert_array_equal(read_photo(path).pixels, twin)


def test_a_cmyk_jpeg_is_not_inverted(tmp_path):
    cmyk = Image.fromarray(np.dstack([255 - COLOUR, 0 * ALPHA]), mode="CMYK")
    pixels = read_photo(saved(tmp_path / "print.jpg", cmyk, quality=95)).pixels
    assert abs(pixels.mean() - COLOUR.mean()) <= 1
    assert np.abs(pixels - COLOUR.astype(int)).mean() <= 2


@pytest.mark.parametrize("values", [[[-1, 0.5]], [[0, np.nan]], [[0, 1e9]]])
def test_grey_values_of_no_known_range_are_refused(tmp_path, values):
    assert reason(saved(tmp_path / "wild.tiff", Image.fromarray(np.array(values, np.float32)))) == "unsupported"


def test_what_grey_is_taken_for_is_noted_where_its_range_alone_says_it(tmp_path):
    notes = {kind: read_photo(saved(tmp_path / "grey.tiff", TWINS[kind][0])).notes for kind in TWINS
             if kind.endswith("TIFF")}
    assert notes.pop("16-bit grey TIFF") == notes.pop("16 bits in 32, TIFF") == []
    assert {note.split(": ")[1] for kind, (note,) in notes.items() if "8 bits" in kind} == {"255 taken for white"}
    assert {note.split(": ")[1] for kind, (note,) in notes.items() if "12 bits" in kind} == {"4095 taken for white"}


@pytest.mark.fault("F06", "completion")
@pytest.mark.parametrize(("kind", "said"), [(np.float64, "64-bit float"), (np.float16, "16-bit float")])
def test_a_tiff_of_samples_that_nobody_reads_is_refused_by_them(tmp_path, kind, said):
    with pytest.raises(BadPhoto, match=said) as caught:
        read_photo(written(tmp_path / "deep.tiff", float_tiff(kind)))
    assert caught.value.reason == "unsupported"


def turned_away(pixels, orientation):
    """How a camera stores an upright picture under an EXIF orientation."""
    return {1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.transpose(1, 0, 2),
            6: np.rot90(pixels), 7: pixels[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(pixels, -1)}[orientation]


@pytest.mark.parametrize(("suffix", "options"), [("jpg", {"quality": 100, "subsampling": 0}), ("png", {}),
                                                 ("tiff", {}), ("webp", {"lossless": True})])
def test_eight_orientations_give_eight_equal_photos(tmp_path, suffix, options):
    photos = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(np.ascontiguousarray(turned_away(COLOUR, orientation)))
        photos.append(read_photo(saved(tmp_path / f"{orientation}.{suffix}", image, exif=exif, **options)).pixels)
    assert np.abs(photos[0] - COLOUR.astype(int)).max() <= 3
    for photo in photos[1:]:
        np.testing.assert_array_equal(photo, photos[0])


@pytest.mark.parametrize("suffix", ["gif", "tiff", "png", "webp", "mpo"])
def test_of_several_frames_the_first_is_read_and_noted(tmp_path, suffix):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("white", "black", "black")]
    options = {"lossless": True} if suffix == "webp" else {}
    photo = read_photo(saved(tmp_path / f"moving.{suffix}", frames[0], save_all=True, append_images=frames[1:],
                             **options))
    assert (photo.pixels == 255).all()
    assert photo.notes == ["first of several frames"]


@pytest.mark.parametrize("name", ["B.JPG", "b.jpeg", "face", "face.png", "face.txt"])
def test_a_photo_is_read_by_its_content_whatever_its_name(tmp_path, portrait, name):
    path = written(tmp_path / name, portrait.read_bytes())
    np.testing.assert_array_equal(read_photo(path).pixels, read_photo(portrait).pixels)


def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    assert {reason(path) for path in tmp_path.iterdir()} == {"not_a_file"}


def test_a_file_that_went_away_is_refused_as_vanished(tmp_path):
    assert reason(tmp_path / "gone.png") == "vanished"


def test_a_link_to_itself_is_refused(tmp_path):
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert reason(tmp_path / "loop.png") == "link_loop"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused_as_such(tmp_path):
    path = written(tmp_path / "secret.png", png(blocks(8, 8), 2))
    path.chmod(0)
    assert reason(path) == "permission"


@pytest.mark.parametrize("error", [UsageError("what to do", 5), BadPhoto("corrupt", "at byte 7")])
def test_errors_survive_the_way_between_processes(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), vars(again), again.args) == (type(error), vars(error), error.args)


def test_a_number_of_things_is_said_in_the_right_number():
    assert [counted(number, "face") for number in (0, 1, 2000)] == ["0 faces", "1 face", "2,000 faces"]
    assert [counted(number, "copy", "copies") for number in (1, 2)] == ["1 copy", "2 copies"]
