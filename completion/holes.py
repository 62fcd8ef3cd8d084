"""Where the hole of a face or photo comes from: a kind of mask that is known by name, or the user."""
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from helpers import BadPhoto, UsageError, file_stamp, resize
from pictures.colours import is_deep
from pictures.photo import SUFFIXES

from .mask_files import MaskFolder, read_mask
from .mask_fitting import check_shape, fit_mask, remark
from .masks import make_hole

HALF = 128                                              # of 255, from which on a grey pixel of a mask is hole
TRACE = 8                                               # of 255, above which a scaled pixel has something of the hole
TOLERANCE = 32                                          # levels a channel that paint may differ from its colour
MOST = 0.6                                              # of a photo that may be hole without a remark


class StandardHoles:
    """Holes of one kind, in the aligned face.

    mask : a name of masks.MASKS; settings : passed to it; seed : with the name of a face's file decides a drawn hole
    """
    in_photos = False                                   # the hole lies in the face, wherever that is in a photo
    proposed = False                                    # the hole is what was asked for, and no proposal to look at

    def __init__(self, mask="center", seed=0, **settings):
        self.mask, self.seed, self.settings = mask, seed, settings

    def of_face(self, photo, source, name, size, fit):
        """(the known pixels of a face, (size, size) bool, []); as OwnHoles.of_face has it."""
        return make_hole(self.mask, size, Path(source).stem, self.seed, **self.settings), []

    def stamp(self, name):
        """(): no file decides these holes."""
        return ()


class OwnHoles:
    """Holes of the user: in a mask file or a folder of them, what is transparent, or what is painted in a colour.

    source : path of a mask as mask_files.read_mask reads it, of any size; path of a folder with a mask for every face,
        named as mask_files.MaskFolder says; "alpha" for what is not wholly opaque; or "color:" and a colour, such as
        #00ff00, #0f0 or lime
    invert : the hole is what would be kept
    dilate : pixels of the finished face, or photo, by which the hole grows, in all eight directions
    tolerance : levels a channel that paint may differ from its colour, as for painted.find_paint
    warn : function, called with a line about what the user should look at
    Raises UsageError if there is no such file or folder, or the colour makes no sense.
    """

    in_photos = True                                    # the hole lies in the photo, wherever the face is
    proposed = False

    def __init__(self, source, *, invert=False, dilate=0, tolerance=TOLERANCE, warn=lambda line: None):
        self.source, self.invert, self.dilate, self.tolerance, self._warn = source, invert, dilate, tolerance, warn
        self._folder, self._fitting = None, False
        if source.startswith("color:"):
            self._find, self._color = self._find_color, _read_color(source)
        elif source == "alpha":
            self._find = self._find_transparent
        elif Path(source).is_dir():
            self._find, self._folder = self._find_by_name, MaskFolder(Path(source))
            if not self._folder:
                raise UsageError(f"--mask {source}: no picture in this folder")
        else:
            self._find, self._mask = self._find_in_file, _read_only_mask(source)

    def of_face(self, photo, source, name, size, fit):
        """(the known pixels of a face, (size, size) bool, [remarks on its mask]).

        photo : Photo as it was read from the file `source`, by which it is told; name : the face's relative output name
        fit : how a photo of another size is brought to `size`, "resize" or "crop"
        Raises BadPhoto: no_mask, no_alpha, empty_mask, wrong_mask_shape, nothing_known, or what read_mask says.
        """
        hole, least, remarks = self._find(photo, name)
        self._tell(source, remarks)
        if len(hole) != hole.shape[1]:
            check_shape(hole, photo)
        scaled = resize(hole, size, fit if hole.shape == photo.pixels.shape[:2] else "resize")
        return self._known(scaled >= least, [*remarks, *remark(hole, photo)], source, drawn=hole >= least)

    def of_photo(self, photo, source, name):
        """(the known pixels of a whole photo, (H, W) bool of its own size, [remarks]); its mask is stretched to it.

        Arguments and errors are those of of_face.
        """
        hole, least, remarks = self._find(photo, name)
        self._tell(source, remarks)
        check_shape(hole, photo)
        scaled = np.asarray(Image.fromarray(hole).resize(photo.pixels.shape[1::-1], Image.Resampling.BILINEAR))
        return self._known(scaled >= least, [*remarks, *remark(hole, photo)], source, drawn=hole >= least)

    def _tell(self, source, remarks):
        for line in remarks:
            self._warn(f"{source}: {line}")

    def _known(self, hole, remarks, source, drawn):
        """What is not hole, as the user wants it inverted and grown, and the remarks; tells the user of the odd ones.

        drawn : the hole before it was brought to the picture's size
        """
        if self.invert:
            hole, drawn = ~hole, ~drawn
        if self.dilate:
            from scipy import ndimage  # half a second that --help need not wait for
            hole = ndimage.binary_dilation(hole, np.ones((3, 3), bool), self.dilate)
        odd = [] if self._find == self._find_color else self._judge_extent(hole)
        odd = odd or self._judge_outline(hole)
        self._tell(source, odd)
        if hole.all():
            left = "" if self._find in (self._find_color, self._find_transparent) else (
                f", {'white' if self.invert else 'black'} in a mask")
            raise BadPhoto("nothing_known", f"everything is missing by --mask {self.source}: some has to be left{left}")
        if not hole.any() and drawn.any():
            raise BadPhoto("empty_mask", "the hole of its mask is too fine to be left when it is resized")
        return ~hole, [*remarks, *odd]

    def _judge_extent(self, hole):
        """Remarks on a hole that is nothing or nearly everything."""
        if not hole.any():
            return ["nothing is missing by its mask: copied"]
        if MOST < hole.mean() < 1:
            other = "without --invert_mask" if self.invert else "with --invert_mask"
            return [f"{hole.mean():.0%} of the picture is hole; {other} the rest would be"]
        return []

    def _judge_outline(self, hole):
        """[a remark on a hole that is no more than a line around what may be meant], or []."""
        from .outlines import share_enclosed  # scipy
        enclosed = 0 if self.invert else share_enclosed(hole)
        return [f"a closed line around {enclosed:.1%} of the picture is the hole, and what it encloses is not: fill it "
                "if the damage lies inside"] if enclosed else []

    def stamp(self, name):
        """The size and time of a face's own mask, as helpers.file_stamp gives them; () if it has none of its own."""
        path = self._path_of(name)
        return file_stamp(path) if path else ()

    def _find_in_file(self, photo, name):
        return _fit(self._mask, photo)

    def _find_by_name(self, photo, name):
        path = self._path_of(name)
        if not path:
            if not self._fitting:                       # a command asks for all stamps first: so no photo has a mask
                self._warn(f"no mask in {self.source} fits any photo: they are paired as NAME.png, NAME_mask.png or "
                           "NAME_mask001.png")
                self._fitting = True
            raise BadPhoto("no_mask", f"no mask {name}.png or {name}_mask.png or the like in {self.source}")
        return _fit(read_mask(path), photo)

    def _path_of(self, name):
        """A face's mask in the folder, or None: of its name, else of its file's alone, which no other input changes."""
        stem, suffix = os.path.splitext(name)
        alone = os.path.basename(stem if suffix.lower() in SUFFIXES else name)
        path = self._folder and self._folder.find(name, alone)
        self._fitting |= bool(path)
        return path

    def _find_transparent(self, photo, name):
        if photo.alpha is None:
            raise BadPhoto("no_alpha", "the photo has no alpha channel")
        if photo.alpha.min() == 255:
            raise BadPhoto("empty_mask", "the photo is opaque everywhere")
        return np.where(photo.alpha < 255, 255, 0).astype(np.uint8), TRACE, []

    def _find_color(self, photo, name):
        from .painted import are_lines_left, distance_to, find_paint, is_paint_left  # scipy
        own = photo.alpha is not None and not (photo.profile or is_deep(photo.image))
        pixels = np.asarray(photo.image.convert("RGBA"))[..., :3] if own else photo.pixels      # not laid on white
        hole, remarks = find_paint(pixels, self._color, self.tolerance), []
        if not hole.any():
            distance = distance_to(pixels, self._color)
            nearest = bytes(pixels.reshape(-1, 3)[distance.argmin()]).hex()
            raise BadPhoto("empty_mask", f"no paint of {self.source}: the nearest colour is #{nearest}, "
                           f"{distance.min():.0f} levels away (--tolerance {self.tolerance})")
        if not self.dilate and is_paint_left(pixels, self._color, hole):
            remarks.append("paint is left around the hole: a larger --tolerance or --dilate takes it in")
        if are_lines_left(pixels, self._color, hole):
            remarks.append("what looks like half-transparent paint is not in the hole: paint it over opaquely")
        return np.where(hole, 255, 0).astype(np.uint8), TRACE, remarks


def _fit(mask, photo):
    """What OwnHoles._find gives of a Mask as it was read."""
    hole, remarks = fit_mask(mask, photo)
    return hole, HALF, remarks


def _read_color(source):
    """The (3,) levels of "color:#00ff00", "color:#0f0" or "color:lime"; UsageError if it is none."""
    try:
        color = np.array(ImageColor.getrgb(source.removeprefix("color:")))
    except ValueError:
        color = np.array([])
    if color.shape != (3,):
        raise UsageError(f"--mask {source}: a colour is like color:#00ff00, color:#0f0 or color:lime")
    return color


def _read_only_mask(path):
    try:
        return read_mask(path)
    except BadPhoto as problem:
        raise UsageError(f"--mask {problem.detail} ({problem.reason.removeprefix('mask_')})") from problem
