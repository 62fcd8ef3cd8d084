"""Methods that other people's libraries bring; each is optional and says so when it is missing."""
import importlib

import numpy as np

from helpers import UsageError, to_float, to_uint8

RADIUS = 3                                              # pixels around a point that OpenCV's methods look at
PATCH_RADIUS = 3                                        # 7x7 patches


def patchmatch(face, known, seed=0):
    """Copy patches from what is known, found by randomised search.

    Source: Barnes, Shechtman, Finkelstein, Goldman, "PatchMatch", SIGGRAPH 2009. For this and all methods here: face
    (H, W, 3) float32 in [-1, 1], never looked at in the hole; known (H, W) bool; returns (H, W, 3) float32 in [-1, 1],
    equal to `face` bit for bit where known. Raises UsageError if the library is missing.
    """
    library = need("patchmatch.patch_match", "patchmatch", "PyPatchMatch")
    library.set_random_seed(seed % 2 ** 32)
    return _filled(face, known, lambda picture: library.inpaint(picture, ~known, patch_size=PATCH_RADIUS))


def telea(face, known, seed=0):
    """March inwards from the border. Source: Telea, "An Image Inpainting Technique Based on the Fast Marching Method",
    JGT 2004."""
    return _by_opencv(face, known, "telea")


def navier_stokes(face, known, seed=0):
    """Continue the lines of equal brightness as a fluid's streamlines. Source: Bertalmio, Bertozzi, Sapiro,
    "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting", CVPR 2001."""
    return _by_opencv(face, known, "navier_stokes")


def biharmonic(face, known, seed=0):
    """Bend like a thin plate. Source: Damelin and Hoang, "On Surface Completion and Image Inpainting by Biharmonic
    Functions", 2018; scikit-image."""
    restoration = need("skimage.restoration", "biharmonic", "scikit-image")
    visible = np.where(known[..., None], face, 0)
    result = restoration.inpaint_biharmonic((visible + 1) / 2, ~known, channel_axis=-1)
    return np.where(known[..., None], face, np.clip(2 * result - 1, -1, 1)).astype(np.float32)


def _by_opencv(face, known, method):
    cv2 = need("cv2", method, "opencv-python-headless")
    how = {"telea": cv2.INPAINT_TELEA, "navier_stokes": cv2.INPAINT_NS}[method]
    return _filled(face, known, lambda picture: cv2.inpaint(picture, (~known).astype(np.uint8), RADIUS, how))


def _filled(face, known, inpaint):
    picture = to_uint8(np.where(known[..., None], face, 0))
    if known.all():
        return face.copy()
    return np.where(known[..., None], face, to_float(inpaint(picture)))


def need(module, method, package, requirements="requirements-baselines.txt"):
    """A module of somebody else's; raises UsageError that says which file of requirements has it."""
    try:
        return importlib.import_module(module)
    except (ImportError, OSError, RuntimeError) as error:      # a package may lack its native library
        raise UsageError(f"{method} needs {package}: pip install -r {requirements} ({error})") from error
