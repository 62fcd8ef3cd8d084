"""TensorFlow is set up here, once: nobody else imports it."""
import contextlib
import os
import re
import sys


@contextlib.contextmanager
def quiet_stderr():
    """Keep TensorFlow's C++ libraries from telling the terminal that they found no GPU; what Python prints comes."""
    before, nowhere, stream = os.dup(2), os.open(os.devnull, os.O_WRONLY), sys.stderr
    try:
        os.dup2(nowhere, 2)
        if stream is sys.__stderr__:
            sys.stderr = open(before, "w", encoding=stream.encoding, errors=stream.errors, closefd=False)
        yield
    finally:
        sys.stderr = stream
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")     # off by default on AMD, where it nearly doubles the speed
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
with quiet_stderr():
    import keras  # noqa: F401
    import tensorflow as tf
    tf.config.list_physical_devices()                   # looks for GPUs, and would say later that there is none


def plain_words(error):
    """What an error of TensorFlow's or the system's says, without the names of TensorFlow's own functions."""
    return re.sub(r"\{\{.*?\}\} ?| ?\[Op:\w+\]", "", getattr(error, "message", None) or str(error)).strip()
