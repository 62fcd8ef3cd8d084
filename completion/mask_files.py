"""Pictures of holes as people and programs save them: which of their pixels are the hole."""
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from helpers import BadPhoto
from pictures.colours import is_deep, white_of
from pictures.photo import FRAMES, SUFFIXES, read_photo

MASKED = re.compile(r"(.*/)?(?:mask[_ -](.+)|(.+?)[_ -]\(?mask\)?[_ -]?\(?\d*\)?)",
                    re.IGNORECASE | re.DOTALL)          # names of masks, which may have line breaks
LOSSY = ("JPEG", "WEBP", "AVIF", "HEIF")
FAINT = 1 / 16                                          # of white: less, in a lossy picture, is noise on black
INDICES = 32                                            # levels below which values may number classes
SPECK = 1 / 1000                                        # of a mask: less of a value is a soft edge, and no class
HUES = 1 / 4                                            # by which channels of colours differ if not by brightness alone


class Mask(NamedTuple):
    """A mask as read: the hole by its values, (H, W) uint8, 255 where it is, 0 where not, greys of soft edges between.

    greys : (H, W) uint8, the luminance that the file shows; opaque : (H, W) bool, None if all or nothing is
    orientation : by which its EXIF turned them
    lossy : whether its values are no more than nearly those with which it was saved
    frames, classes : remarks on other frames in the file, and on values or colours that number classes; () if none
    """
    hole: np.ndarray
    greys: np.ndarray
    opaque: np.ndarray | None = None
    orientation: int = 1
    lossy: bool = False
    frames: tuple = ()
    classes: tuple = ()


def read_mask(path):
    """The Mask of a picture file.

    White is the hole. If nothing is as bright as middle grey (values 0 and 1, red on black), all that is not black is;
    of two palette entries the brighter; in a picture with transparent parts that is else of one shade, the opaque ones.
    Raises BadPhoto: empty_mask if a picture that is not simply black shows no hole, no_mask if its values number
    classes, or what read_photo says, as mask_*.
    """
    try:
        photo = read_photo(path)
    except BadPhoto as problem:
        raise BadPhoto(f"mask_{problem.reason}", f"{path}: {problem.detail}") from problem
    lossy, opaque = photo.image.format in LOSSY, None if photo.alpha is None else photo.alpha >= 128
    layered = opaque is not None and opaque.min() < opaque.max()
    hole = _find_hole(photo, lossy, path)
    frames = ("its mask is the first of several frames",) * (FRAMES in photo.notes)
    return Mask(hole, np.asarray(Image.fromarray(photo.pixels).convert("L")), opaque if layered else None,
                photo.orientation, lossy, frames, () if lossy else _name_classes(photo, hole))


def _find_hole(photo, lossy, path):
    values, white = _values(photo)
    _check_indices(values, white, path)
    brightest = float(values.max())
    if 2 * brightest >= white:
        return np.rint(values * (255 / white)).astype(np.uint8)
    if not lossy:
        return np.where(values > 0, 255, 0).astype(np.uint8)
    if 0 < brightest < FAINT * white:
        raise BadPhoto("empty_mask", f"{path}: its brightest value is {brightest:g} of {white}, and white is the hole")
    return np.where(values >= max(brightest / 2, 1), 255, 0).astype(np.uint8)


def _check_indices(values, white, path):
    """Refuse indices of classes with white for what is none of them: no value says which is the hole."""
    indices = (values > 0) & (values < INDICES)
    if values.max() == white == 255 and np.count_nonzero(indices) > np.count_nonzero(values == white) and (
            values.min() == 0 and not ((values >= INDICES) & (values < white)).any()):
        numbers = ", ".join(f"{number:g}" for number in np.unique(values))
        raise BadPhoto("no_mask", f"{path}: its values are {numbers}, as of classes with 255 for none of them: draw "
                       "the hole in white on black")


def _name_classes(photo, hole):
    """(a remark on a mask whose values or colours are classes, for one of them may be meant), or ()."""
    numbers = np.asarray(photo.image)
    if photo.image.mode == "RGB":
        return _name_colours(photo.pixels, hole)
    if photo.alpha is not None or numbers.ndim > 2 or numbers.dtype.kind not in "iu" or numbers.max() > 255:
        return ()
    drawn = photo.pixels.any(axis=-1)
    classes = np.flatnonzero(np.bincount(numbers[drawn], minlength=256) > SPECK * numbers.size)
    if len(classes) < 2 or len(classes) + (~drawn).any() < 3 or not (
            _are_hues(np.array([photo.pixels[numbers == number][0] for number in classes]))
            if photo.image.mode == "P" else classes[-1] < INDICES):
        return ()
    holes = np.unique(numbers[hole >= 128])
    return (f"its mask numbers classes ({', '.join(map(str, classes))}), and the hole is {', '.join(map(str, holes))}: "
            "draw it in white on black if that is not what was meant",)


def _name_colours(pixels, hole):
    """The same of a mask that is drawn in flat colours, (H, W, 3) uint8."""
    numbers = pixels.astype(np.int64) @ (65536, 256, 1)
    found, counts = np.unique(numbers[numbers > 0], return_counts=True)
    classes = found[counts > SPECK * numbers.size]
    flat = counts[counts > SPECK * numbers.size].sum() >= (1 - FAINT) * counts.sum()
    colours = np.stack([classes >> 16, classes >> 8 & 255, classes & 255], axis=1)
    if not flat or not 2 <= len(classes) <= INDICES or not _are_hues(colours):
        return ()
    holes = np.intersect1d(classes, numbers[hole >= 128])
    named, taken = (", ".join(f"#{colour:06x}" for colour in some) for some in (classes, holes))
    return (f"its mask has regions of several colours ({named}), and the hole is {taken}: draw it in white on black if "
            "that is not what was meant",)


def _are_hues(colours):
    """Whether colours (N, 3) are more than shades of one, as those of a soft edge are."""
    return (np.ptp(colours / colours.max(axis=1, keepdims=True), axis=0) > HUES).any()


def _values(photo):
    """(grey values (H, W), what is white among them)."""
    image, alpha = photo.image, photo.alpha
    if alpha is not None and alpha.min() < alpha.max():
        return _values_over_nothing(np.asarray(image.convert("RGBA"))[..., :3].mean(axis=-1), alpha), 255
    if alpha is not None and not alpha.any():
        raise BadPhoto("empty_mask", "the mask is wholly transparent")
    if is_deep(image):
        return np.asarray(image, np.float64), white_of(image)
    greys = np.asarray(image.convert("RGB")).mean(axis=-1)
    if image.mode == "P" and len(entries := np.unique(indices := np.asarray(image))) == 2:
        shades = [greys[indices == entry][0] for entry in entries]
        return np.where(indices == entries[int(shades[1] >= shades[0])], 255, 0), 255
    return greys, 255


def _values_over_nothing(greys, alpha):
    """Grey values (H, W): what is transparent is no hole; if the rest has one shade, all of it is hole."""
    opaque = greys[alpha >= min(128, alpha.max())]
    has_both = opaque.min() < 128 <= opaque.max()
    return np.where(alpha >= 128, greys, 0) if has_both else alpha


class MaskFolder:
    """The masks of a folder, each for the picture NAME after which it is called: NAME_mask.png, NAME_mask001.png,
    mask_NAME.png, and if there is none NAME.png or NAME.jpg.png, of any format, in folders as the pictures' names have
    them.
    """

    def __init__(self, folder):
        self.folder, self._paths = folder, {}
        named = {str(path.relative_to(folder).with_suffix("")): path for path in sorted(folder.rglob("*"))
                 if path.suffix.lower() in SUFFIXES}
        for name, path in named.items():
            if masked := MASKED.fullmatch(name):
                self._paths.setdefault("".join(part or "" for part in masked.groups()), path)
        doubled = {str(Path(name).with_suffix("")): path for name, path in named.items()
                   if Path(name).suffix.lower() in SUFFIXES}        # NAME.jpg.png beside its photo NAME.jpg
        self._paths = named | doubled | self._paths

    def __bool__(self):
        return bool(self._paths)

    def find(self, *names):
        """The path of the mask of the first name that has one, or None."""
        return next((self._paths[name] for name in names if name in self._paths), None)
