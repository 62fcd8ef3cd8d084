"""Whether a completed face is still the same person: the distance of two face descriptors.

The numbers are this toolkit's own. dlib cuts its chips otherwise than OpenFace does, so dlib's rule of thumb (less than
0.6 is one person) says nothing about crops of 64 pixels; tests/metrics/test_identity.py shows what does hold.
"""
import dlib
import numpy as np

from helpers import resize

CHIP = 150                                              # the side that the network was trained on


class FaceDescriber:
    """dlib's face descriptor, a residual network of 29 layers; about 40 ms a face on one core.

    path : of that network, as preprocess.dlib_models.checked gives it
    Source: King, "Dlib-ml", JMLR 2009, face_recognition_model_v1; He, Zhang, Ren, Sun, "Deep Residual Learning for
    Image Recognition", CVPR 2016.
    """

    def __init__(self, path):
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
