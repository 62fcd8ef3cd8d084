"""Pixels and paths: the one reader, the one writer and the one converter of pictures.

Inside the toolkit a face is RGB, float32 in [-1, 1], faces are (N, H, W, 3). In files a face is uint8. Only this
module converts.
"""
import contextlib
import errno
import functools
import hashlib
import io
import itertools
import json
import os
import stat
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps, features

VERSION = "0.1.0"

SOME_FAILED, USAGE, NO_INPUT, BAD_CHECKPOINT, BAD_OUTPUT, NOT_FINITE, OUT_OF_MEMORY = range(1, 8)

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = {".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm",
            ".tif", ".tiff", ".webp"}
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
SIGNATURES = (b"\xff\xd8\xff", PNG_START, b"GIF8", b"II*\0", b"MM\0*")
HEIF_BRANDS, AVIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}, {b"avif", b"avis"}
MAX_PIXELS = 64_000_000
COLOURS = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION     # how profiles are applied
MAX_BYTES = 256 * 2**20


class UsageError(Exception):
    """Something the user can mend. Every command prints its one line and ends with its exit code."""

    def __init__(self, message, exit_code=USAGE):
        super().__init__(message, exit_code)            # all arguments, or the error does not survive pickling
        self.exit_code = exit_code

    def __str__(self):
        return self.args[0]


class BadPhoto(Exception):
    """One input that cannot be used: `reason` is a short code, `detail` says what was got. The others go on."""

    def __init__(self, reason, detail=""):
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self):
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


class Stopped(Exception):
    """The user asked a command to stop: whoever works long calls a function `check` and lets what it raises pass."""

    def __init__(self, exit_code):
        super().__init__(exit_code)
        self.exit_code = exit_code


class Photo(NamedTuple):
    """A picture as read: (H, W, 3) uint8 sRGB, upright, remarks on what had to be done to it, and its opacity.

    alpha : (H, W) uint8, 255 where it is opaque; None if the file has no such channel
    image : the same, upright, in the file's own mode and colours, its `info` and `format` those of the file
    profile : of these colours, where they are not sRGB's, the ICC profile
    """
    pixels: np.ndarray
    notes: list
    alpha: np.ndarray | None = None
    image: Image.Image | None = None
    profile: bytes | None = None


def read_photo(path):
    """Read the first frame of a picture file completely, or say why not.

    Returns a Photo: turned upright by its EXIF orientation, transparent parts laid on white, brought to sRGB by its
    colour profile, 16-bit grey scaled by 1/257, float grey taken as [0, 1] where it fits, else as [0, 255].
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
            raise BadPhoto("not_an_image", f"none of {', '.join(FORMATS)}, AVIF, HEIF") from error
        except Exception as error:                      # a decoder fed hostile bytes may raise anything at all
            cut = "truncated" in str(error) or content.startswith(PNG_START) and not content.endswith(PNG_END)
            raise BadPhoto("truncated" if cut else "corrupt", " ".join(str(error).split())) from error


def read_file(path):
    """The bytes of an input file; BadPhoto: vanished, permission, not_a_file, too_large, link_loop, unreadable."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise BadPhoto("not_a_file", "a folder, pipe or device")
        if status.st_size > MAX_BYTES:
            raise BadPhoto("too_large", f"{status.st_size:,} bytes, at most {MAX_BYTES:,}")
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise BadPhoto("vanished", "no such file") from error
    except PermissionError as error:
        raise BadPhoto("permission", "may not be read") from error
    except OSError as error:
        raise BadPhoto("link_loop" if error.errno == errno.ELOOP else "unreadable", error.strerror) from error


def is_heif(head):
    """Whether the first 12 bytes or more of a file are those of an HEIC, HEIF or AVIF picture."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS | AVIF_BRANDS


def _heif_formats(content):
    """The Pillow formats that an HEIC or AVIF picture may be read by, () for others; BadPhoto if nobody here can."""
    if not is_heif(content):
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
    notes = ["first of several frames"] if getattr(image, "is_animated", False) else []
    image.seek(0)
    image.load()
    _turn_upright(image)
    pixels, profile, remarks = _to_srgb(image)
    return Photo(pixels, notes + remarks, _alpha(image), image, profile)


def _turn_upright(image):
    """Turn a picture in place, by its EXIF block if that is not broken, and leave its metadata as they are."""
    info = dict(image.info)
    with contextlib.suppress(Exception):                # Pillow turns first, and then stumbles over what is broken
        ImageOps.exif_transpose(image, in_place=True)
    image.info = info


def _to_srgb(image):
    """((H, W, 3) uint8, the profile by which it was brought to sRGB or None, remarks)."""
    pixels, profile = _to_rgb(image), image.info.get("icc_profile")
    mode = image.mode if image.mode == "CMYK" else "L" if Image.getmodebase(image.mode) == "L" else "RGB"
    try:
        transform = profile and _srgb_transform(profile, mode)
    except (ImageCms.PyCMSError, OSError):
        return pixels, None, ["colour profile that is broken or for other pictures: taken for sRGB"]
    if not transform:
        return pixels, None, []
    coloured = image if mode == "CMYK" else Image.fromarray(pixels[..., 0] if mode == "L" else pixels)
    return np.asarray(ImageCms.applyTransform(coloured, transform)), profile, []


@functools.lru_cache(8)
def _srgb_transform(profile, mode):
    """The ImageCms transform by an ICC profile to sRGB; None if no colour changes by more than 2 levels."""
    own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(own, srgb, mode, "RGB", *COLOURS)
    cube = np.indices((6, 6, 6), np.uint8).reshape(3, 6, 36).T * 51
    if mode == "RGB" and np.abs(np.int_(ImageCms.applyTransform(Image.fromarray(cube), transform)) - cube).max() <= 2:
        return None
    return transform


def _to_rgb(image):
    """(H, W, 3) uint8 from every mode: Pillow's own convert() clips 16-bit grey to white and float to black."""
    if image.mode.startswith("I") or image.mode == "F":
        grey = _to_255(np.asarray(image, np.float64), is_float=image.mode == "F")
        if "transparency" in image.info:
            grey[np.asarray(image) == image.info["transparency"]] = 255
        return np.repeat(np.rint(grey)[..., None], 3, axis=2).astype(np.uint8)
    if _has_alpha(image):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))


def _has_alpha(image):
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info


def _alpha(image):
    """(H, W) uint8, or None."""
    if not _has_alpha(image):
        return None
    if image.mode.startswith("I") or image.mode == "F":
        return np.where(np.asarray(image) == image.info["transparency"], 0, 255).astype(np.uint8)
    return np.asarray(image.convert("RGBA").getchannel("A"))


def _to_255(grey, is_float):
    lowest, highest = grey.min(), grey.max()
    if not (lowest >= 0 and highest <= 65535):
        raise BadPhoto("unsupported", f"grey values from {lowest:g} to {highest:g}, known are [0, 1], 8 and 16 bit")
    if is_float and highest <= 255:
        return grey * 255 if highest <= 1 else grey
    return grey / 257


def to_float(pixels):
    """uint8 pixels of any shape to float32 in [-1, 1]; to_uint8 undoes it exactly."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(values):
    """Values in [-1, 1] (what lies outside is clipped) to the nearest of 256 levels, uint8."""
    return np.clip(np.rint((np.asarray(values, np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)


def resize(pixels, size, how):
    """Bring (H, W, 3) uint8 to (size, size, 3): `how` is "resize" (stretch) or "crop" (largest centred square)."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    left, top = ((width - side) // 2, (height - side) // 2) if how == "crop" else (0, 0)
    box = (left, top, left + side, top + side) if how == "crop" else (0, 0, width, height)
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC, box, reducing_gap=3))


def write_file(path, content):
    """Write bytes so that `path` is the old file or the new one, whole, whenever the process dies.

    Raises UsageError (exit code 5) when the disk is full or the place cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}-{next(_serial)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise unwritten(path, error) from error
    finally:                                            # an interrupt leaves nothing either
        with contextlib.suppress(OSError):
            temporary.unlink()


_serial = itertools.count()


def unwritten(path, error):
    """The UsageError (exit code 5) of an OSError that came when a file was written."""
    return UsageError(f"cannot write {path}: {error.strerror}; what is finished is kept, run the same command again to "
                      "go on", BAD_OUTPUT)


def remove_files(folder, names):
    """Remove plain files of our own right inside a folder, never behind a link; then the folder, if it is empty."""
    folder = Path(folder)
    for path in (folder / name for name in names if name == Path(name).name and not folder.is_symlink()):
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.lstat(path).st_mode):
                path.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()


def no_link(path, flags):
    """An `opener` for open() that refuses (OSError) to write through a link, which may lead anywhere."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def write_picture(path, pixels):
    """Write (H, W, 3) uint8 RGB as PNG, whole or not at all; returns its size in bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    write_file(path, buffer.getvalue())
    return buffer.tell()


def within(folder, name):
    """The path of `name` in `folder`; BadPhoto (unsafe_output) if a link in between leads out of the folder."""
    path = os.path.join(folder, name)
    real, home = os.path.realpath(os.path.dirname(path)), os.path.realpath(folder)
    if os.path.commonpath([real, home]) != home:
        raise BadPhoto("unsafe_output", f"{path} would be written to {real}, outside {folder}")
    return path


def open_plain(path):
    """A file open for reading bytes; OSError if it is none, such as a pipe or device, which might never end."""
    file = open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "no plain file", str(path))
    return file


def file_sha256(path):
    """The sha256 of a file's content, in hexadecimal digits; OSError as open_plain has it."""
    digest = hashlib.sha256()
    with open_plain(path) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def write_json(path, record):
    """Write a record as indented JSON, whole or not at all."""
    write_file(path, (json.dumps(record, indent=2) + "\n").encode())


def file_stamp(path):
    """(size, time of modification) by which a file is known again; (0, 0) if it is gone."""
    try:
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    except OSError:
        return 0, 0


def read_json(path):
    """The record of a JSON file; an empty one if there is no such file or it holds something else."""
    try:
        with open_plain(path) as file:
            record = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
