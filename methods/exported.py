"""The latent method's answer without updates out of an ONNX file, computed by onnxruntime, without TensorFlow."""
import functools
import hashlib

import helpers
from completion.blend import BLENDS, blend_matern
from completion.detail import mix
from helpers import BAD_CHECKPOINT, UsageError

from .libraries import need

OUTPUTS = ["lifelike"], ["lifelike", "likely"]
FATAL = 4                                               # of onnxruntime's messages; its errors are raised as well


def open_exported(path):
    """(the onnxruntime session, the first digits of the file's sha256) of a file that completion.export has written.

    Raises UsageError if onnxruntime is missing, or (exit code 4) if the file cannot be read or is another.
    """
    return _open_once(path, helpers.file_stamp(path))


@functools.lru_cache(maxsize=1)
def _open_once(path, stamp):
    runtime = need("onnxruntime", "--onnx", "onnxruntime", "requirements-onnx.txt")
    options = runtime.SessionOptions()
    options.log_severity_level = FATAL
    options.intra_op_num_threads = 1                    # others would wait for work busily, while Python blends
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC      # all cost two faces' time
    try:
        content = helpers.read_bytes(path)
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:                          # onnxruntime's own have no type in common
        raise UsageError(f"no usable ONNX file in {path}: {error}", BAD_CHECKPOINT) from error
    _check(session, path)
    return session, hashlib.sha256(content).hexdigest()[:16]


def side_of(session):
    """The side of the faces that a session takes, in pixels."""
    return session.get_inputs()[0].shape[1]


def _check(session, path):
    """Raise UsageError (exit code 4) unless a session takes and gives what methods.exporting.Answer does."""
    inputs, outputs = ({value.name: (value.type, *value.shape[1:]) for value in values}
                       for values in (session.get_inputs(), session.get_outputs()))
    side = inputs.get("faces", (None, None))[1]
    faces, known = ("tensor(float)", side, side, 3), ("tensor(bool)", side, side)
    if (not isinstance(side, int) or inputs != {"faces": faces, "known": known} or list(outputs) not in OUTPUTS
            or set(outputs.values()) != {faces}):
        raise UsageError(f"{path} is an ONNX file of something else: write one by python -m completion.export",
                         BAD_CHECKPOINT)


def _run(session, faces, known, path):
    """The session's answers, each as `faces`; UsageError (exit code 4) where it has none, MemoryError."""
    try:
        answers = session.run(None, {"faces": faces, "known": known})
    except Exception as error:
        if "alloc" in str(error):
            raise MemoryError from error
        raise UsageError(f"{path} cannot be computed: {error}", BAD_CHECKPOINT) from error
    if any(answer.shape != faces.shape for answer in answers):
        raise UsageError(f"{path} answers in another shape than it says: write one by python -m completion.export",
                         BAD_CHECKPOINT)
    return answers


def make_fill_batch(settings):
    """The function (faces, known, seeds) -> completed faces, as methods.table.Filling takes it.

    settings : a method_settings.ExportedSettings; errors as of open_exported
    """
    session, _ = open_exported(settings.file)

    def fill_batch(faces, known, seeds):
        guess, *likely = _run(session, faces, known, settings.file)
        lifelike = BLENDS[settings.blend](faces, guess, known)
        if settings.detail == 1:
            return lifelike
        return mix(lifelike, blend_matern(faces, *likely, known), known, settings.detail)
    return fill_batch
