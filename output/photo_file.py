"""A restored photo as a file: in the mode, the colours and with the metadata of the file that it was restored from."""
import contextlib
import functools
import io
import re
import struct
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin

from pictures.colours import COLOURS, white_of
from pictures.photo import EXCHANGING

SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif"}
LOSSLESS = {"PNG": {"compress_level": 3},               # of noisy photos as small as 6, in a third of the time
            "WEBP": {"lossless": True, "exact": True}, "TIFF": {"compression": "tiff_adobe_deflate"}}
QUALITY = {"quality": 95, "subsampling": 0}             # of a JPEG that was none before
LONGEST = 1024                                          # side of a small picture
LARGEST_BLOCK = 65_000                                  # bytes that a JPEG can hold in each of these
BLOCKS = {"EXIF": "exif", "XMP": "xmp", "comment": "comment"}
AS_SRGB = {"CMYK": "CMYK is written as sRGB", "LAB": "CIELAB is written as sRGB",
           "F": "floating point is written as 8 bits"}                   # modes that are not kept
EXIF, XMP = b"Exif\0\0", "XML:com.adobe.xmp"            # how these begin in a JPEG, and are called in a PNG
RAW_EXIF = "Raw profile type exif"                      # in a PNG of ImageMagick
ORIENTATION, IPTC, RESOLUTIONS = 274, 33723, (282, 283)         # tags of EXIF and TIFF
SHORT = 3                                               # type of the first's value
IFDS = 34665, 34853                                     # tags of further tags, on the exposure and the place
OF_PICTURES = 270, 271, 272, 305, 306, 315, 33432, *IFDS        # tags of a TIFF that say nothing of its pixels


class Encoding(NamedTuple):
    """How restored photos are written: a format of Pillow, the arguments of its save(), remarks on what is lost."""
    format: str
    arguments: dict
    remarks: list

    @property
    def suffix(self):
        """Of the file's name."""
        return SUFFIXES[self.format]


def choose_encoding(photo, wanted):
    """The Encoding for what is restored of a Photo.

    wanted : one of completed_folder.FORMATS; "same" is what the photo was read from, JPEG with its quality and
        subsampling, WEBP and TIFF without loss, and PNG for all others
    """
    source = {"MPO": "JPEG"}.get(photo.image.format, photo.image.format)
    format = {"png": "PNG", "jpeg": "JPEG"}.get(wanted, source if source in SUFFIXES else "PNG")
    remarks = [f"{source} is written as PNG"] if wanted == "same" and source not in SUFFIXES else []
    if photo.image.mode in AS_SRGB:
        remarks.append(AS_SRGB[photo.image.mode])
    if photo.image.mode.startswith("I") and format == "JPEG":
        remarks.append("16 bits are written as 8")
    arguments = LOSSLESS.get(format) or {}
    if format == "JPEG":
        remarks.append("JPEG: known pixels change by recompression" + (", and nothing is transparent" if
                       photo.alpha is not None else ""))
        arguments = QUALITY if source != "JPEG" else {
            "qtables": photo.image.quantization, "subsampling": JpegImagePlugin.get_sampling(photo.image)}
    metadata, lost = _metadata(photo.image, format, photo.orientation in EXCHANGING)
    if lost:
        remarks.append(f"{format} does not take its {', '.join(lost)}: left out")
    return Encoding(format, arguments | metadata, remarks)


def encode(photo, known, restored, encoding):
    """The content, bytes, of a file with a restored photo, (H, W, 3) uint8 sRGB.

    photo : the Photo before; known : (H, W) bool. Unless the Encoding is JPEG, known pixels have the values
    that they had in its file, transparency included; the hole is opaque, and in the photo's own colours.
    """
    image, buffer = _in_own_mode(photo, known, restored), io.BytesIO()
    if encoding.format == "JPEG":
        image = _for_jpeg(image)
    image.save(buffer, encoding.format, **encoding.arguments)
    return buffer.getvalue()


def shrink(pixels):
    """(H, W, 3) uint8 with at most LONGEST pixels a side."""
    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST, LONGEST))
    return np.asarray(image)


def _in_own_mode(photo, known, restored):
    """A Pillow image: I;16 of 16-bit grey, else L, LA, RGB or RGBA, the smallest that holds the photo's colours."""
    image, hole = photo.image, ~known
    mode = "L" if Image.getmodebase(image.mode) == "L" else "RGB"
    filled = _in_own_colours(restored[hole], photo.profile, mode)
    if image.mode.startswith("I"):
        return _in_16_bits(image, hole, filled[:, 0])
    own = Image.fromarray(restored) if image.mode in AS_SRGB else image
    pixels = np.array(own.convert(mode + "A" * (photo.alpha is not None))).reshape(*known.shape, -1)
    if image.mode not in AS_SRGB:
        pixels[hole] = 255
        pixels[hole, :len(mode)] = filled
    return Image.fromarray(pixels if pixels.shape[-1] > 1 else pixels[..., 0])


def _in_own_colours(colours, profile, mode):
    """(N, channels of the mode) uint8 of colours in sRGB, (N, 3) uint8."""
    picture = Image.fromarray(np.vstack([colours, np.zeros(3, np.uint8)])[None])    # Pillow has none without pixels
    transform = profile and _back_transform(profile, mode)
    picture = ImageCms.applyTransform(picture, transform) if transform else picture.convert(mode)
    return np.asarray(picture).reshape(-1, len(mode))[:-1]


def _in_16_bits(image, hole, filled):
    """16-bit grey with a hole filled by 8 bits, none of them of the value that counts as transparent."""
    values = np.array(image).astype(np.uint16)
    values[hole] = np.rint(filled * (white_of(image) / 255))
    values[hole & (values == image.info.get("transparency"))] ^= 1
    return Image.fromarray(values)


@functools.lru_cache(8)
def _back_transform(profile, mode):
    """The ImageCms transform from sRGB to the colours of an ICC profile; None for one that leads to sRGB only."""
    own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    try:
        return ImageCms.buildTransform(srgb, own, "RGB", mode, *COLOURS)
    except ImageCms.PyCMSError:
        return None


def _for_jpeg(image):
    """The same in 8 bits, on white where it is transparent."""
    if image.mode == "I;16":
        return Image.fromarray(np.rint(np.asarray(image) * (255 / white_of(image))).astype(np.uint8))
    if image.mode in ("LA", "RGBA"):
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert(image.mode[:-1])
    return image


def _metadata(image, format, turned):
    """(the arguments of save() that keep profile, EXIF, XMP, resolution and texts of a picture, names of what is lost).

    turned : whether width and height have changed places, and so have the two numbers of the resolution
    """
    info, kept, blocks = image.info, {}, _blocks(image)
    if info.get("icc_profile") and image.mode not in AS_SRGB:
        kept["icc_profile"] = info["icc_profile"]
    if block := _exif_of(image):
        kept["exif"] = EXIF * (format == "JPEG") + set_upright(block)
    says_it = RESOLUTIONS[0] in getattr(image, "tag_v2", RESOLUTIONS)      # of a TIFF without one Pillow says 1
    if says_it and all(0 < float(side) < 1e6 for side in info.get("dpi", [0])):
        kept["dpi"] = tuple(map(float, info["dpi"]))[::-1 if turned else 1]
    if "transparency" in info and image.mode.startswith("I") and format == "PNG":
        kept["transparency"] = info["transparency"]
    xmp = info.get("xmp") or info.get(XMP, b"")
    xmp = re.sub(rb'(tiff:Orientation(?:="|>))[2-8]', rb"\g<1>1", xmp.encode() if isinstance(xmp, str) else xmp)
    if format == "PNG":
        kept["pnginfo"] = _chunks(image, xmp)
    elif xmp:
        kept |= {"tiffinfo": {700: xmp}} if format == "TIFF" else {"xmp": xmp}
    lost = ["IPTC"] * (bool(blocks) and format != "JPEG" or IPTC in getattr(image, "tag_v2", ()))
    if format == "JPEG":
        kept |= {"extra": blocks, "comment": info.get("comment", b"")}
        lost += [name for name, key in BLOCKS.items() if len(kept.get(key, b"")) > LARGEST_BLOCK and kept.pop(key)]
        lost += ["texts"] * bool(_texts(image)) + ["gamma"] * ("gamma" in info)
    return kept, lost


def _blocks(image):
    """What a JPEG's segments for Photoshop hold, IPTC for one, as they stand in it: Pillow does not write them."""
    return b"".join(b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
                    for name, block in getattr(image, "applist", ()) if name == "APP13")


def _chunks(image, xmp):
    """XMP, texts, and what colours mean without a profile, as a PNG keeps them."""
    chunks, info = PngImagePlugin.PngInfo(), image.info
    texts = {XMP: xmp, "Comment": info.get("comment"), **_texts(image)}
    for name, text in texts.items():
        if text:
            chunks.add_itxt(name, text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
    for name, values in ((b"gAMA", [info.get("gamma", 0)]), (b"cHRM", info.get("chromaticity", [0]))):
        if any(values):
            chunks.add(name, struct.pack(f">{len(values)}I", *(round(100_000 * value) for value in values)))
    return chunks


def _texts(image):
    """{keyword: text} of a PNG, but for XMP and EXIF."""
    return {name: text for name, text in getattr(image, "text", {}).items() if name not in (XMP, RAW_EXIF)}


def _exif_of(image):
    """The EXIF block of a picture, bytes that begin with its byte order; empty if it has none."""
    if block := image.info.get("exif"):
        return block.removeprefix(EXIF)
    with contextlib.suppress(ValueError, TypeError, KeyError, struct.error, OSError, SyntaxError):
        if raw := image.info.get(RAW_EXIF):             # as ImageMagick writes it, three lines before it
            return bytes.fromhex("".join(raw.split("\n")[3:])).removeprefix(EXIF)
        if image.format == "TIFF":
            tags, exif = image.getexif(), Image.Exif()
            exif.update({tag: tags.get_ifd(tag) if tag in IFDS else tags[tag] for tag in OF_PICTURES if tag in tags})
            return exif.tobytes().removeprefix(EXIF) if exif else b""
    return b""


def set_upright(block):
    """An EXIF block of a photo that is upright now, and without its thumbnail, which shows the photo as it was.

    Its orientation is 1, and its resolutions have changed places if width and height have.

    block : bytes that begin with their byte order. All else stays byte for byte; so does a block that is broken.
    """
    order, changed = {b"II": "<", b"MM": ">"}.get(block[:2], "<"), bytearray(block)
    with contextlib.suppress(struct.error):
        first, = struct.unpack_from(order + "I", block, 4)
        count, = struct.unpack_from(order + "H", block, first)
        entries = {struct.unpack_from(order + "H", block, entry)[0]: entry
                   for entry in range(first + 2, first + 2 + 12 * count, 12)}
        if ORIENTATION in entries:
            if struct.unpack_from(order + "H", block, entries[ORIENTATION] + 8)[0] in EXCHANGING:
                _exchange(changed, entries)
            struct.pack_into(order + "HHIHH", changed, entries[ORIENTATION], ORIENTATION, SHORT, 1, 1, 0)
        struct.pack_into(order + "I", changed, first + 2 + 12 * count, 0)
    return bytes(changed)


def _exchange(block, entries):
    """Exchange what the two resolutions of an EXIF block are, if it has both; entries : {tag: where it stands}."""
    if all(tag in entries for tag in RESOLUTIONS):
        one, other = (slice(entries[tag] + 2, entries[tag] + 12) for tag in RESOLUTIONS)
        block[one], block[other] = block[other], block[one]
