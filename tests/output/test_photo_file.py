"""What a restored photo keeps of the file that it was restored from."""
import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms, IptcImagePlugin, JpegImagePlugin, PngImagePlugin

from output.photo_file import choose_encoding, encode, set_upright, shrink
from pictures.photo import read_photo
from tests.output.profiles import icc, icc_of_inks

SHAPE = 60, 80
P3 = (0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)         # XYZ for D50 of Display P3
SRGB = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)


def portrait(samples, mode="RGB"):
    return Image.open(samples / "A000369.jpg").convert("RGB").resize(SHAPE[::-1]).convert(mode)


def with_alpha(image):
    opacity = np.full(SHAPE, 255, np.uint8)
    opacity[:20, :20], opacity[20:30, :20] = 0, 100
    image.putalpha(Image.fromarray(opacity))
    return image


KNOWN = np.ones(SHAPE, bool)
KNOWN[25:45, 10:50] = False


def restore(path, wanted="png", colour=(200, 120, 80)):
    """(Photo before, picture after, the encoding) if the hole is filled with one colour."""
    photo = read_photo(path)
    encoding = choose_encoding(photo, wanted)
    content = encode(photo, KNOWN, np.where(KNOWN[..., None], photo.pixels, np.array(colour, np.uint8)), encoding)
    return photo, Image.open(io.BytesIO(content)), encoding


@pytest.mark.parametrize("mode, kept, filled", [
    ("RGB", "RGB", (200, 120, 80)), ("RGBA", "RGBA", (200, 120, 80, 255)), ("L", "L", 139), ("LA", "LA", (139, 255)),
    ("1", "L", 139), ("P", "RGB", (200, 120, 80))])
def test_known_pixels_keep_all_their_channels_and_the_hole_is_opaque(samples, tmp_path, mode, kept, filled):
    image = with_alpha(portrait(samples)).convert(mode) if "A" in mode else portrait(samples, mode)
    image.save(tmp_path / "photo.png")
    _, after, _ = restore(tmp_path / "photo.png")
    assert after.mode == kept
    np.testing.assert_array_equal(np.asarray(after)[KNOWN], np.asarray(image.convert(kept))[KNOWN])
    assert (np.asarray(after)[~KNOWN] == filled).all()


def test_of_a_palette_with_transparency_all_four_channels_stay(samples, tmp_path):
    image = portrait(samples).quantize(60)
    image.save(tmp_path / "photo.png", transparency=bytes([0, 90, 255]))
    before = np.asarray(Image.open(tmp_path / "photo.png").convert("RGBA"))
    _, after, _ = restore(tmp_path / "photo.png")
    assert after.mode == "RGBA" and (before[..., 3] < 255).any()
    np.testing.assert_array_equal(np.asarray(after)[KNOWN], before[KNOWN])


@pytest.mark.parametrize("key", [None, 139 * 257])
def test_16_bits_of_grey_stay_16_and_no_filled_pixel_becomes_transparent(tmp_path, key):
    values = np.random.default_rng(0).integers(0, 65536, SHAPE).astype(np.uint16)
    values[0, 0] = 139 * 257
    Image.fromarray(values).save(tmp_path / "photo.png", **({} if key is None else {"transparency": key}))
    photo, after, _ = restore(tmp_path / "photo.png")
    assert after.mode == "I;16" and after.info.get("transparency") == key
    np.testing.assert_array_equal(np.asarray(after)[KNOWN], values[KNOWN])
    assert (np.asarray(after)[~KNOWN] == 139 * 257 - (key is not None)).all()


def test_the_model_sees_srgb_and_the_photo_keeps_its_own_colours(samples, tmp_path):
    image = portrait(samples)
    image.paste((234, 51, 35), (60, 0, 80, 20))         # in Display P3 the red of sRGB
    image.save(tmp_path / "photo.png", icc_profile=icc(P3))
    photo, after, _ = restore(tmp_path / "photo.png")
    assert photo.profile and np.abs(photo.pixels[5, 70].astype(int) - (255, 0, 0)).max() <= 10 and photo.notes == []
    assert after.info["icc_profile"] == icc(P3)
    np.testing.assert_array_equal(np.asarray(after)[KNOWN], np.asarray(image)[KNOWN])
    after.save(tmp_path / "after.png", icc_profile=after.info["icc_profile"])
    assert np.abs(read_photo(tmp_path / "after.png").pixels[~KNOWN].astype(int) - (200, 120, 80)).max() <= 2
    assert np.abs(np.asarray(after)[~KNOWN].astype(int) - (200, 120, 80)).max() > 5


def test_a_grey_profile_is_followed_and_grey_stays_grey(samples, tmp_path):
    image = portrait(samples, "L")
    image.save(tmp_path / "photo.png", icc_profile=icc(gamma=1.8))
    photo, after, _ = restore(tmp_path / "photo.png", colour=(128, 128, 128))
    assert (photo.pixels == photo.pixels[..., :1]).all()
    linear = (np.asarray(image) / 255) ** 1.8           # the curve of sRGB, IEC 61966-2-1
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(photo.pixels[..., 0] - 255 * srgb).max() <= 2
    np.testing.assert_array_equal(np.asarray(after)[KNOWN], np.asarray(image)[KNOWN])
    assert after.mode == "L" and np.abs(np.asarray(after)[~KNOWN].astype(int) - 109).max() <= 1   # .2158 ** (1 / 1.8)


@pytest.mark.parametrize("profile", [b"nonsense", icc(P3)[:200], icc(), icc(P3)[:-40] + bytes(40)])
def test_a_profile_that_cannot_be_used_is_noted_and_kept(samples, tmp_path, profile):
    image = portrait(samples)
    image.save(tmp_path / "photo.png", icc_profile=profile)
    photo, after, _ = restore(tmp_path / "photo.png")
    np.testing.assert_array_equal(np.asarray(after)[KNOWN], np.asarray(image)[KNOWN])
    assert after.info["icc_profile"] == profile
    if photo.notes:
        np.testing.assert_array_equal(photo.pixels, np.asarray(image))
        assert "colour profile" in photo.notes[0] and photo.profile is None


def test_a_profile_of_srgb_changes_no_pixel(samples, tmp_path):
    image = portrait(samples)
    from PIL import ImageCms
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.save(tmp_path / "photo.png", icc_profile=profile)
    photo, after, _ = restore(tmp_path / "photo.png")
    np.testing.assert_array_equal(photo.pixels, np.asarray(image))
    assert photo.profile is None and after.info["icc_profile"] == profile


@pytest.mark.parametrize("wanted", ["png", "same"])
def test_exif_stays_byte_for_byte_but_for_the_orientation(samples, tmp_path, wanted):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x8298] = "Maker", 6, "somebody"
    exif.get_ifd(0x8769)[0x9003] = "1931:05:01 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6" dc:title="a"/></x:xmpmeta>'
    portrait(samples).rotate(90, expand=True).save(tmp_path / "photo.jpg", exif=exif, dpi=(300, 300), xmp=xmp,
                                                   quality=95, comment="seen")
    photo, after, _ = restore(tmp_path / "photo.jpg", wanted)
    assert photo.pixels.shape == (*SHAPE, 3) == (after.height, after.width, 3)
    before = Image.open(tmp_path / "photo.jpg").info["exif"].removeprefix(b"Exif\0\0")
    kept = after.info["exif"].removeprefix(b"Exif\0\0")
    assert len(kept) == len(before) and sum(a != b for a, b in zip(kept, before)) == 1
    tags = after.getexif()
    assert tags[0x0112] == 1 and tags[0x010F] == "Maker" and tags[0x8298] == "somebody"
    assert tags.get_ifd(0x8769)[0x9003] == "1931:05:01 10:00:00" and tags.get_ifd(0x8825)[1] == "N"
    assert np.allclose(after.info["dpi"], 300, atol=0.1)
    kept = after.info.get("xmp") or after.info["XML:com.adobe.xmp"].encode()
    assert kept == xmp.replace(b'"6"', b'"1"')


@pytest.mark.parametrize("block", [b"", b"x", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff", b"II*\0\xff\xff\xff\xff",
                                   bytes(30)])
def test_a_broken_exif_block_stays_as_it_is_and_fails_nothing(samples, tmp_path, block):
    assert set_upright(block) == block
    image = portrait(samples)
    image.save(tmp_path / "photo.jpg", exif=b"Exif\0\0" + block, quality=95)
    _, after, _ = restore(tmp_path / "photo.jpg")
    assert after.info.get("exif", b"").removeprefix(b"Exif\0\0") == block


def test_a_thumbnail_of_the_damaged_photo_is_not_shown_on():
    tag = struct.pack("<HHII", 0x0112, 3, 1, 8)
    block = b"II*\0" + struct.pack("<IH", 8, 1) + tag + struct.pack("<I", 26) + bytes(6)
    assert set_upright(block) == block[:18] + struct.pack("<HHI", 1, 0, 0) + bytes(6)


@pytest.mark.parametrize("quality, sampling", [(60, 2), (90, 0), (97, 1)])
def test_a_jpeg_comes_back_as_a_jpeg_of_its_own_quality(samples, tmp_path, quality, sampling):
    Image.open(samples / "A000369.jpg").resize(SHAPE[::-1]).save(tmp_path / "photo.jpg", quality=quality,
                                                                 subsampling=sampling, icc_profile=icc(P3))
    photo, after, encoding = restore(tmp_path / "photo.jpg", "same")
    before = Image.open(tmp_path / "photo.jpg")
    assert after.format == "JPEG" and after.quantization == before.quantization and encoding.suffix == ".jpg"
    assert JpegImagePlugin.get_sampling(after) == JpegImagePlugin.get_sampling(before)
    assert after.info["icc_profile"] == icc(P3) and "recompression" in encoding.remarks[0]
    far = KNOWN.copy()
    far[16:48, :64] = False                             # the blocks that the hole lies in
    assert np.abs(np.asarray(after)[far].astype(int) - np.asarray(before)[far]).mean() < 1.5


@pytest.mark.parametrize("suffix, format, mode", [("webp", "WEBP", "RGBA"), ("tif", "TIFF", "RGB"),
                                                  ("bmp", "PNG", "RGB"), ("tif", "TIFF", "L")])
def test_the_same_format_is_kept_where_it_needs_no_loss(samples, tmp_path, suffix, format, mode):
    image = with_alpha(portrait(samples)) if mode == "RGBA" else portrait(samples, mode)
    image.save(tmp_path / f"photo.{suffix}", lossless=True, exact=True)
    _, after, encoding = restore(tmp_path / f"photo.{suffix}", "same")
    assert after.format == format and after.mode == mode and bool(encoding.remarks) == (suffix == "bmp")
    np.testing.assert_array_equal(np.asarray(after)[KNOWN], np.asarray(image)[KNOWN])


def test_what_a_tiff_says_of_itself_is_kept(samples, tmp_path):
    portrait(samples).save(tmp_path / "photo.tif", tiffinfo={270: "a wedding", 315: "somebody", 274: 3}, dpi=(600, 600))
    for wanted in ("png", "same"):
        _, after, _ = restore(tmp_path / "photo.tif", wanted)
        tags = after.getexif()
        assert tags[270] == "a wedding" and tags[315] == "somebody" and tags.get(274, 1) == 1
        assert np.allclose(after.info["dpi"], 600, atol=0.1)


def test_a_tiff_without_resolution_gets_none(samples, tmp_path):
    portrait(samples).save(tmp_path / "photo.tif")
    assert "dpi" not in restore(tmp_path / "photo.tif", "png")[1].info
    assert 282 not in restore(tmp_path / "photo.tif", "same")[1].tag_v2


@pytest.mark.parametrize("wanted", ["png", "jpeg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_resolution_turns_with_the_photo(samples, tmp_path, orientation, wanted):
    exif, image, right = Image.Exif(), portrait(samples), (300, 150) if orientation < 5 else (150, 300)
    exif.update({274: orientation, 282: 300, 283: 150, 296: 2})
    (image if orientation < 5 else image.transpose(Image.Transpose.ROTATE_90)).save(
        tmp_path / "photo.jpg", exif=exif, dpi=(300, 150))
    _, after, _ = restore(tmp_path / "photo.jpg", wanted)
    assert tuple(round(float(side)) for side in after.info["dpi"]) == right
    tags = after.getexif()
    assert (tags[282], tags[283], tags[274]) == (*right, 1)


def test_a_webp_has_its_resolution_in_exif_alone_and_it_turns(samples, tmp_path):
    exif = Image.Exif()
    exif.update({274: 6, 282: 300, 283: 150, 296: 2})
    portrait(samples).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "photo.webp", exif=exif, lossless=True)
    tags = restore(tmp_path / "photo.webp", "same")[1].getexif()
    assert (tags[282], tags[283], tags[274]) == (150, 300, 1)


def test_comments_texts_and_what_colours_mean_are_kept_in_a_png(samples, tmp_path):
    portrait(samples).save(tmp_path / "photo.jpg", comment="grandmother")
    assert restore(tmp_path / "photo.jpg")[1].text == {"Comment": "grandmother"}
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Title", "a wedding")
    chunks.add(b"gAMA", struct.pack(">I", 55556))
    chunks.add(b"cHRM", struct.pack(">8I", *range(30000, 38000, 1000)))
    portrait(samples).save(tmp_path / "photo.png", pnginfo=chunks)
    photo, after, encoding = restore(tmp_path / "photo.png")
    assert after.text == {"Title": "a wedding"} and not encoding.remarks
    assert after.info["gamma"] == 0.55556 and after.info["chromaticity"] == photo.image.info["chromaticity"]


def test_metadata_that_a_jpeg_does_not_take_are_named(samples, tmp_path):
    exif, texts = Image.Exif(), PngImagePlugin.PngInfo()
    exif[0x010E] = 70_000 * "x"
    texts.add_text("Title", "a wedding")
    portrait(samples).save(tmp_path / "photo.png", exif=exif, pnginfo=texts)
    _, after, encoding = restore(tmp_path / "photo.png", "jpeg")
    assert "exif" not in after.info and encoding.remarks[1:] == ["JPEG does not take its EXIF, texts: left out"]
    assert not restore(tmp_path / "photo.png")[2].remarks


def test_iptc_stays_in_a_jpeg_and_is_named_elsewhere(samples, tmp_path):
    caption = b"\x1c\x02\x78\0\x04seen"                 # record 2, data set 120
    block = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x09" + caption + b"\0"
    portrait(samples).save(tmp_path / "photo.jpg", extra=b"\xff\xed" + struct.pack(">H", len(block) + 2) + block)
    assert IptcImagePlugin.getiptcinfo(Image.open(tmp_path / "photo.jpg")) == {(2, 120): b"seen"}
    _, after, encoding = restore(tmp_path / "photo.jpg", "same")
    assert IptcImagePlugin.getiptcinfo(after) == {(2, 120): b"seen"} and len(encoding.remarks) == 1
    assert restore(tmp_path / "photo.jpg")[2].remarks == ["PNG does not take its IPTC: left out"]


@pytest.mark.parametrize("values", [np.uint16(40_000), np.float32(0.6)])
def test_bits_that_are_lost_are_named(tmp_path, values):
    Image.fromarray(np.full(SHAPE, values)).save(tmp_path / "photo.tif")
    remarks = [restore(tmp_path / "photo.tif", wanted)[2].remarks[:1] for wanted in ("jpeg", "png")]
    assert remarks == ([["16 bits are written as 8"], []] if values.dtype == np.uint16 else
                       [["floating point is written as 8 bits"]] * 2)


def test_as_jpeg_a_photo_lies_on_white_and_cmyk_becomes_srgb(samples, tmp_path):
    with_alpha(portrait(samples)).save(tmp_path / "photo.png")
    _, after, encoding = restore(tmp_path / "photo.png", "jpeg")
    assert after.mode == "RGB" and np.asarray(after)[:16, :16].min() > 250 and "transparent" in encoding.remarks[0]
    portrait(samples, "CMYK").save(tmp_path / "cmyk.jpg", quality=90)
    for wanted in ("png", "same"):
        photo, after, encoding = restore(tmp_path / "cmyk.jpg", wanted)
        assert after.mode == "RGB" and "CMYK is written as sRGB" in encoding.remarks
        assert np.abs(np.asarray(after)[KNOWN].astype(int) - photo.pixels[KNOWN]).mean() < (wanted == "same") * 3 + 1e-9


def in_luminance_and_chroma(cmyk, **options):
    """The content of a JPEG with the colours of a CMYK image as YCCK. Source: Adobe, "Supporting the DCT Filters in
    PostScript Level 2", Technical Note 5116, section 18."""
    inks, buffer = np.asarray(cmyk), io.BytesIO()
    ycc = np.asarray(Image.fromarray(inks[..., :3]).convert("YCbCr"))
    Image.fromarray(np.dstack([255 - ycc, inks[..., 3:]]), mode="CMYK").save(buffer, "JPEG", quality=95, **options)
    content = bytearray(buffer.getvalue())
    content[content.index(b"Adobe") + 11] = 2           # what the channels are: 0 for CMYK, 2 for YCCK
    return bytes(content)


@pytest.mark.parametrize("profile", [False, True])
@pytest.mark.parametrize("channels", ["CMYK", "YCCK"])
def test_inks_are_read_by_the_marker_and_the_profile_of_a_jpeg(samples, tmp_path, channels, profile):
    cmyk, options = portrait(samples, "CMYK"), {"icc_profile": icc_of_inks(40)} if profile else {}
    if channels == "CMYK":
        cmyk.save(tmp_path / "cmyk.jpg", quality=95, **options)
    else:
        (tmp_path / "cmyk.jpg").write_bytes(in_luminance_and_chroma(cmyk, **options))
    photo, after, encoding = restore(tmp_path / "cmyk.jpg")
    seen, right = photo.pixels, np.asarray(portrait(samples))
    if profile:
        srgb, lab = map(ImageCms.createProfile, ("sRGB", "LAB"))
        seen = np.asarray(ImageCms.profileToProfile(Image.fromarray(seen), srgb, lab, outputMode="LAB"))[..., 0]
        right = 255 - 40 * (np.asarray(cmyk).sum(axis=-1) / 255)
    assert np.abs(seen - right.astype(float)).mean() < 2
    assert after.mode == "RGB" and "icc_profile" not in after.info and photo.notes == []
    np.testing.assert_array_equal(np.asarray(after)[KNOWN], photo.pixels[KNOWN])
    assert "CMYK is written as sRGB" in encoding.remarks


def test_cielab_becomes_srgb_without_its_profile(samples, tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    portrait(samples, "LAB").save(tmp_path / "photo.tif", icc_profile=profile)
    photo, after, encoding = restore(tmp_path / "photo.tif")
    assert photo.notes == [] and np.abs(photo.pixels - np.int16(portrait(samples))).mean() < 2
    assert (after.mode, after.info.get("icc_profile")) == ("RGB", None)
    assert "CIELAB is written as sRGB" in encoding.remarks
    np.testing.assert_array_equal(np.asarray(after)[KNOWN], photo.pixels[KNOWN])


def test_a_photo_without_a_hole_is_copied(samples, tmp_path):
    image = with_alpha(portrait(samples))
    image.save(tmp_path / "photo.png")
    photo = read_photo(tmp_path / "photo.png")
    content = encode(photo, np.ones(SHAPE, bool), photo.pixels, choose_encoding(photo, "png"))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), np.asarray(image))


def test_small_pictures_keep_their_shape():
    assert shrink(np.zeros((3000, 2000, 3), np.uint8)).shape == (1024, 683, 3)
    assert shrink(np.zeros((30, 20, 3), np.uint8)).shape == (30, 20, 3)
