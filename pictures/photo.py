"""Every kind of picture file, read completely or refused with a reason."""
import contextlib
import io
import re
import struct
import warnings
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin, features

from helpers import BadPhoto, read_file

from .colours import alpha_of, to_srgb

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = {".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm",
            ".tif", ".tiff", ".webp"}
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
SIGNATURE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8|II[*+]\0|MM\0[*+]|"
                       rb"RIFF.{4}WEBP|BM.{4}\0{4}|P[1-6]\s+[#\d]", re.DOTALL)
HEIF_BRANDS, AVIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}, {b"avif", b"avis"}
WIDE, HIGH_RANGE = (9, 11, 12), (16, 18)                # of ITU-T H.273: BT.2020's and P3's primaries, PQ and HLG
EXCHANGING = range(5, 9)                                # orientations of EXIF by which width and height change places
MAX_PIXELS = 64_000_000
FRAMES = "first of several frames"                      # a remark


class Photo(NamedTuple):
    """A picture as read: (H, W, 3) uint8 sRGB, upright, remarks on what had to be done to it, and its opacity.

    alpha : (H, W) uint8, 255 where it is opaque; None if the file has no such channel
    image : the same, upright, in the file's own mode and colours, its `info` and `format` those of the file
    profile : of these colours, where they are not sRGB's, the ICC profile
    orientation : by which EXIF turned it upright, 1 to 8; 1 where nothing did
    """
    pixels: np.ndarray
    notes: list
    alpha: np.ndarray | None = None
    image: Image.Image | None = None
    profile: bytes | None = None
    orientation: int = 1


def read_photo(path):
    """Read the first frame of a picture file completely, or say why not.

    Returns a Photo: turned upright by its EXIF orientation, transparent parts laid on white, brought to sRGB by its
    colour profile, grey of more than 8 bits by the smallest of white_of's levels that holds it.
    Raises BadPhoto with a reason: vanished, permission, not_a_file, empty, too_large, not_an_image, truncated,
    corrupt, unsupported, needs_heif, needs_avif.
    """
    content = read_file(path)
    if not content:
        raise BadPhoto("empty", "0 bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                 # Pillow warns of large pictures, which are refused
        try:
            return _decode(content, _heif_formats(content) or FORMATS)
        except (BadPhoto, MemoryError):
            raise
        except Image.DecompressionBombError as error:
            raise BadPhoto("too_large", f"more than {MAX_PIXELS:,} pixels") from error
        except Image.UnidentifiedImageError as error:
            if samples := _tiff_samples(content):
                raise BadPhoto("unsupported", f"a TIFF of {samples} samples") from error
            raise BadPhoto("not_an_image", f"none of {', '.join(FORMATS)}, AVIF, HEIF") from error
        except Exception as error:                      # a decoder fed hostile bytes may raise anything at all
            cut = "truncated" in str(error) or content.startswith(PNG_START) and not content.endswith(PNG_END)
            raise BadPhoto("truncated" if cut else "corrupt", " ".join(str(error).split())) from error


def is_picture(head):
    """Whether the first 32 bytes or more of a file are those of a picture."""
    return bool(SIGNATURE.match(head)) or _is_heif(head)


def _is_heif(head):
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS | AVIF_BRANDS


def _tiff_samples(content):
    """What the samples of a TIFF are that Pillow never knows, such as "64-bit float", None if they are others."""
    with contextlib.suppress(Exception):                # hostile bytes
        directory, file = TiffImagePlugin.ImageFileDirectory_v2(content[:8]), io.BytesIO(content)
        file.seek(directory.next)
        directory.load(file)
        bits, kind = directory[258][0], {1: "integer", 2: "signed integer", 3: "float"}[directory.get(339, (1,))[0]]
        return f"{bits}-bit {kind}" if bits > 32 or kind == "float" and bits != 32 else None
    return None


def _heif_formats(content):
    """The Pillow formats that an HEIC or AVIF picture may be read by, () for others; BadPhoto if nobody here can."""
    if not _is_heif(content):
        return ()
    brands = {content[at:at + 4] for at in range(8, min(int.from_bytes(content[:4], "big"), 256), 4)}
    if brands & AVIF_BRANDS:
        if not features.check("avif"):
            raise BadPhoto("needs_avif", "Pillow 11.3 or later reads AVIF: pip install --upgrade pillow")
        return ("AVIF",)
    try:
        import pillow_heif
    except ImportError as error:
        raise BadPhoto("needs_heif", "pillow-heif reads HEIC: pip install -r requirements-heic.txt") from error
    pillow_heif.register_heif_opener()
    return ("HEIF",)


def _decode(content, formats):
    image = Image.open(io.BytesIO(content), formats=formats)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise BadPhoto("too_large", f"{width}x{height}, at most {MAX_PIXELS:,} pixels")
    if image.format == "PNG":
        image.verify()                                  # load() alone does not check the sums of the pixel chunks
        image = Image.open(io.BytesIO(content), formats=formats)
    notes = list(_losses(image, content))
    image.seek(0)
    orientation = _orientation(image) if image.format == "TIFF" else 1      # Pillow turns a TIFF where it loads it
    image.load()
    orientation = max(orientation, _orientation(image))
    _turn_upright(image)
    pixels, profile, remarks = to_srgb(image)
    return Photo(pixels, notes + remarks, alpha_of(image), image, profile, orientation)


def _losses(image, content):
    """Remarks on what of an opened picture Pillow will not read."""
    if getattr(image, "is_animated", False):
        yield FRAMES
    heif, how = image.format in ("AVIF", "HEIF"), str(image.tile and image.tile[0].args)
    deep = content.partition(b"pixi")[2][5:6] > b"\x08" if heif else (     # ISO/IEC 23008-12, 6.5.6: bits a channel
        "65535" in how if image.format == "PPM" else ";16" in how and image.format != "BMP")
    if deep and image.mode[0] not in "IF":
        yield "colours of more than 8 bits: 8 are kept"
    primaries, transfer = struct.unpack(">HH", content.partition(b"colrnclx")[2][:4].ljust(4, b"\0"))
    if heif and "icc_profile" not in image.info and (primaries in WIDE or transfer in HIGH_RANGE):
        yield "wide gamut or high dynamic range: taken for sRGB"


def _turn_upright(image):
    """Turn a picture in place, by its EXIF block if that is not broken, and leave its metadata as they are."""
    info = dict(image.info)
    with contextlib.suppress(Exception):                # Pillow turns first, and then stumbles over what is broken
        ImageOps.exif_transpose(image, in_place=True)
    image.info = info


def _orientation(image):
    """By which EXIF turns a picture, 1 to 8; 1 where nothing does."""
    with contextlib.suppress(Exception):                # blocks may be broken in any way
        orientation = image.getexif().get(ExifTags.Base.Orientation)
        return orientation if orientation in range(2, 9) else 1
    return 1
