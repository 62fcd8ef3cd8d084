"""How the mask of a file lies on its photo, and whether it is one."""
import numpy as np
from PIL import ExifTags, Image, ImageOps

from helpers import BadPhoto, counted
from pictures.photo import EXCHANGING

ASPECT = 1.05                                           # between the shapes of a mask and its photo: more is no match
GREYS = 0.3                                             # of a mask's pixels that may be neither dark nor light
BACK = {6: 8, 8: 6}                                     # what undoes them; the others undo themselves
ALIKE, MOSTLY = 16, 0.8                                 # levels that a copy differs at most, in most of its pixels
FLAT = 16                                               # levels of noise on what is black or white in a lossy picture
ROUNDING = 2                                            # pixels that a side may be off in a photo scaled as a whole
NEARLY = 1.1                                            # times a photo's size: nobody scales by less
PLAIN = 4                                               # levels of deviation: less is one shade, and no photo
ADVICE = ", no mask; a photo that is painted over goes in the photo's place, with --mask color:#rrggbb"


def fit_mask(mask, photo):
    """(the hole of a mask_files.Mask, (h, w) uint8, upright as its Photo, but of any size, [what is to be said of it]).

    Raises BadPhoto: no_mask if it is a photo.
    """
    mask, remarks = _turn_upright(mask, photo)
    remarks = [*mask.frames, *remarks]
    if is_shaped(mask.hole.shape, photo) and (hole := _take_cut_out(mask, photo)) is not None:
        return hole, [*remarks, f"its mask shows a part of the photo: {hole.mean() / 255:.1%} of it is the hole"]
    _check_other(mask, photo)
    return mask.hole, [*mask.classes, *remarks, *_judge_padding(mask.hole, photo)]


def _turn_upright(mask, photo):
    """(the Mask, turned if it was drawn on what EXIF turns in its photo, [what is to be said of that])."""
    raw = _turn(mask, BACK.get(mask.orientation, mask.orientation))
    fits, fits_raw = (is_shaped(each.hole.shape, photo) for each in (mask, raw))
    if fits_raw and not fits:
        return raw, ["its mask is taken as it is stored, for turned by its own EXIF it has not the photo's shape"]
    if mask.orientation != 1 and fits:
        doubt = fits_raw and mask.orientation != photo.orientation
        return mask, ["its mask is turned as its own EXIF says"] * doubt
    stored = mask.hole.shape[::-1] if photo.orientation in EXCHANGING else mask.hole.shape
    if photo.orientation == 1 or not is_shaped(stored, photo):
        return mask, []
    if fits:
        return mask, ["EXIF turns the photo, and its mask is taken as drawn on the turned one"]
    return _turn(mask, photo.orientation), ["its mask is turned as EXIF turns the photo"]


def _turn(mask, orientation):
    """A Mask as EXIF turns a picture of an orientation."""
    if orientation == 1:
        return mask
    return mask._replace(**{name: _turn_array(getattr(mask, name), orientation)
                            for name in ("hole", "greys", "opaque")})


def _turn_array(array, orientation):
    if array is None:
        return None
    image = Image.fromarray(array)
    image.getexif()[ExifTags.Base.Orientation] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


def _take_cut_out(mask, photo):
    """The hole, (h, w) uint8, of a Mask that shows the photo there and is black, white or transparent elsewhere, or of
    a photo from which it is erased; None if it is neither.

    Where the photo itself is so dark or white, the hole is what the rest of it encloses.
    Raises BadPhoto (no_mask) if it shows most of the photo, and nothing is transparent.
    """
    noise = FLAT * mask.lossy
    black, white = mask.greys <= noise, mask.greys >= 255 - noise
    ground = ~mask.opaque if mask.opaque is not None else max(black, white, key=np.count_nonzero)
    shown, telling = ~ground, ~(ground | black | white)         # black and white prove nothing: masks have them too
    if not telling.any() or mask.greys[telling].std() < PLAIN:
        return None
    alike = np.abs(np.subtract(mask.greys, _scale_to(mask, photo), dtype=np.int16)) <= ALIKE
    if min(alike[shown].mean(), alike[telling].mean()) < MOSTLY:
        return None
    if mask.opaque is not None:
        hole = shown if shown.mean() <= 0.5 else ground
    elif shown.mean() <= 0.5 and not alike.all():
        from scipy import ndimage  # half a second that --help need not wait for
        parts, _ = ndimage.label(ground)
        hole = ~np.isin(parts, parts[ground & ~alike])
    else:
        raise BadPhoto("no_mask", f"{shown.mean():.0%} of its mask is the photo itself{ADVICE}")
    return np.where(hole, np.uint8(255), np.uint8(0))


def _scale_to(mask, photo):
    """The luminance of a photo, (h, w) uint8, in the size of a Mask."""
    grey = Image.fromarray(photo.pixels).convert("L")
    return np.asarray(grey.resize(mask.greys.shape[::-1], Image.Resampling.BILINEAR))


def _check_other(mask, photo):
    """Refuse another photo as a mask, and one made of its own photo, as by dimming what is no hole."""
    if (greys := np.mean((mask.hole >= 64) & (mask.hole < 192))) > GREYS:
        raise BadPhoto("no_mask", f"{greys:.0%} of its mask is neither dark nor light: that is a photo{ADVICE}")
    between = (mask.hole > FLAT) & (mask.hole < 128)
    if is_shaped(mask.hole.shape, photo) and between.mean() > GREYS and mask.hole[between].std() >= PLAIN:
        dark, seen = mask.hole[between], _scale_to(mask, photo)[between]
        dimmed = seen * np.median(dark / np.maximum(seen, 1.0))
        alike = np.abs(dark - dimmed) <= ALIKE / 2
        if alike.mean() >= MOSTLY and dimmed[alike].std() >= PLAIN:         # a plain photo would be like any ground
            raise BadPhoto("no_mask", f"{between.mean():.0%} of its mask is the photo itself, dimmed{ADVICE}")


def _judge_padding(hole, photo):
    """[a remark on a mask (H, W) that is hardly its photo scaled as a whole: it may be padded or cut], or []."""
    (height, width), (tall, wide) = hole.shape, photo.pixels.shape[:2]
    apart = abs(width * tall - height * wide) / max(tall, wide, height, width)
    ratio, off = max(height / tall, tall / height), max(abs(height - tall), abs(width - wide))
    odd = apart > ROUNDING or off > ROUNDING and ratio < NEARLY
    return [f"its mask of {width}x{height} has not quite the size of the photo of {wide}x{tall}: if it is padded or "
            "cut, the hole lies beside its place"] * (odd and is_shaped(hole.shape, photo))


def is_shaped(shape, photo):
    """Whether a mask of this shape (height, width) may belong to a photo."""
    (height, width), (tall, wide) = shape, photo.pixels.shape[:2]
    aspect = height * wide / (width * tall)
    return max(aspect, 1 / aspect) <= ASPECT and not ((height, width) == (wide, tall) and tall != wide)


def check_shape(hole, photo):
    """Refuse a mask (H, W) of another shape than its photo's, for it is that of another photo or turned."""
    (height, width), (tall, wide) = hole.shape, photo.pixels.shape[:2]
    turned = (height, width) == (wide, tall) and tall != wide
    if not is_shaped(hole.shape, photo):
        raise BadPhoto("wrong_mask_shape", f"a mask of {width}x{height} for a photo of {wide}x{tall}"
                       f"{': its sides are exchanged' * turned}")


def remark(hole, photo):
    """What is to be said of a mask (H, W) of 0 to 255 for a photo."""
    (height, width), greys = hole.shape, np.count_nonzero((hole > 0) & (hole < 255))
    return ([f"mask of {width}x{height} resized"] if hole.shape != photo.pixels.shape[:2] else []) + (
        [f"{counted(greys, 'grey pixel')} of the mask made black or white"] if greys else [])
