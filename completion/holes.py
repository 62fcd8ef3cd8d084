"""Where the hole of a face or photo comes from: a kind of mask that is known by name, or the user."""
import os
import re
from pathlib import Path

import numpy as np
from PIL import Image

from helpers import SUFFIXES, BadPhoto, UsageError, file_stamp, read_photo, resize

from .masks import make_hole

HALF = 128                                              # of 255, from which on a grey pixel of a mask is hole
TRACE = 8                                               # of 255, above which a scaled pixel has something of the hole
TOLERANCE = 32                                          # levels a channel, for JPEG does not keep a colour exactly


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
    """Holes of the user: in a mask file or a folder of them, what is transparent, or what has a certain colour.

    source : path of a mask, whose white is the hole, of any size; path of a folder with a mask for every face, named
        as the face is, or as its file; "alpha" for what is not wholly opaque; or "color:#rrggbb"
    invert : the hole is what would be kept
    dilate : pixels of the finished face, or photo, by which the hole grows, in all eight directions
    Raises UsageError if there is no such file or folder, or the colour makes no sense.
    """

    in_photos = True                                    # the hole lies in the photo, wherever the face is
    proposed = False

    def __init__(self, source, *, invert=False, dilate=0):
        self.source, self.invert, self.dilate, self._files = source, invert, dilate, {}
        if source.startswith("color:"):
            if not re.fullmatch("color:#[0-9a-fA-F]{6}", source):
                raise UsageError(f"--mask {source}: a colour is like color:#00ff00")
            self._find = self._find_color
            self._color = np.array([int(source[7 + at:9 + at], 16) for at in (0, 2, 4)])
        elif source == "alpha":
            self._find = self._find_transparent
        elif Path(source).is_dir():
            self._find, self._files = self._find_by_name, _files_by_name(Path(source))
        else:
            self._find, self._mask = self._find_in_file, _read_only_mask(source)

    def of_face(self, photo, source, name, size, fit):
        """(the known pixels of a face, (size, size) bool, [remarks on its mask]).

        photo : helpers.Photo as it was read from the file `source`; name : the face's relative output name
        fit : how a photo of another size is brought to `size`, "resize" or "crop"
        Raises BadPhoto: no_mask, no_alpha, nothing_known, or what read_photo says of the mask.
        """
        hole, least = self._find(photo, name)
        remarks = _remark(hole, photo)
        if hole.shape != (size, size):
            how = fit if hole.shape == photo.pixels.shape[:2] else "resize"
            hole = resize(np.repeat(hole[..., None], 3, axis=2), size, how)[..., 0]
        return self._known(hole >= least, remarks)

    def of_photo(self, photo, name):
        """(the known pixels of a whole photo, (H, W) bool of its own size, [remarks]); its mask is stretched to it.

        photo, name : as above; raises the same
        """
        hole, least = self._find(photo, name)
        remarks = _remark(hole, photo)
        height, width = photo.pixels.shape[:2]
        if hole.shape != (height, width):
            hole = np.asarray(Image.fromarray(hole).resize((width, height), Image.Resampling.BILINEAR))
        return self._known(hole >= least, remarks)

    def _known(self, hole, remarks):
        """What is not hole, as the user wants it inverted and grown, and the remarks."""
        if self.invert:
            hole = ~hole
        if self.dilate:
            from scipy import ndimage  # half a second that --help need not wait for
            hole = ndimage.binary_dilation(hole, np.ones((3, 3), bool), self.dilate)
        if hole.all():
            raise BadPhoto("nothing_known", f"everything is missing by --mask {self.source}")
        if not hole.any():
            remarks = [*remarks, "nothing is missing by its mask: copied"]
        return ~hole, remarks

    def stamp(self, name):
        """The size and time of a face's own mask, as helpers.file_stamp gives them; () if it has none of its own."""
        path = self._path_of(name)
        return file_stamp(path) if path else ()

    def _find_in_file(self, photo, name):
        return self._mask, HALF

    def _find_by_name(self, photo, name):
        path = self._path_of(name)
        if not path:
            raise BadPhoto("no_mask", f"no mask {name}.png or the like in {self.source}")
        return _read_mask(path), HALF

    def _path_of(self, name):
        """A face's mask in the folder, or None: of its name, else of its file's alone, which no other input changes."""
        stem, suffix = os.path.splitext(name)
        alone = os.path.basename(stem if suffix.lower() in SUFFIXES else name)
        return self._files.get(name) or self._files.get(alone)

    def _find_transparent(self, photo, name):
        if photo.alpha is None:
            raise BadPhoto("no_alpha", "the photo has no alpha channel")
        return np.where(photo.alpha < 255, 255, 0).astype(np.uint8), TRACE

    def _find_color(self, photo, name):
        distance = np.abs(photo.pixels.astype(int) - self._color).max(axis=-1)
        return np.where(distance <= TOLERANCE, 255, 0).astype(np.uint8), TRACE


def _remark(hole, photo):
    """What is to be said of a mask (H, W) of 0 to 255 for a photo."""
    (height, width), greys = hole.shape, np.count_nonzero((hole > 0) & (hole < 255))
    return ([f"mask of {width}x{height} resized"] if hole.shape != photo.pixels.shape[:2] else []) + (
        [f"{greys} grey pixels of the mask made black or white"] if greys else [])


def _read_mask(path):
    """(H, W) uint8, 255 where the hole is."""
    try:
        return np.rint(read_photo(path).pixels.mean(axis=-1)).astype(np.uint8)
    except BadPhoto as problem:
        raise BadPhoto(f"mask_{problem.reason}", f"{path}: {problem.detail}") from problem


def _read_only_mask(path):
    try:
        return _read_mask(path)
    except BadPhoto as problem:
        raise UsageError(f"--mask {problem.detail} ({problem.reason.removeprefix('mask_')})") from problem


def _files_by_name(folder):
    """{path below the folder without suffix: path} of its pictures."""
    return {str(path.relative_to(folder).with_suffix("")): path for path in sorted(folder.rglob("*"))
            if path.suffix.lower() in SUFFIXES}
