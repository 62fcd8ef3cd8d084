"""TensorFlow is set up here, once: nobody else imports it."""
import contextlib
import functools
import gc
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


@contextlib.contextmanager
def quick_import():
    """Spare TensorFlow's import two fifths of its time: Keras, which training alone needs, and the garbage collector.

    What is imported stays; so the collector need not look through it later either.
    """
    hidden = sys.modules.setdefault("keras", None) is None      # which TensorFlow would import if it were there
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if hidden:
            del sys.modules["keras"]


os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")     # off by default on AMD, where it nearly doubles the speed
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")     # what matters comes as an exception too
with quiet_stderr(), quick_import():
    import tensorflow as tf
    tf.config.list_physical_devices()                   # looks for GPUs, and would say later that there is none
    tf.get_logger().setLevel("ERROR")                   # its warnings name each tensor of a save that does not fit

# No Python here branches on tensors; to translate it all the same would take longer than to trace it. A batch of
# another size is traced once more, then for all sizes.
traced = functools.partial(tf.function, autograph=False, reduce_retracing=True)


def plain_words(error):
    """What an error of TensorFlow's or the system's says, without the names of TensorFlow's own functions."""
    return re.sub(r"\{\{.*?\}\} ?| ?\[Op:\w+\]", "", getattr(error, "message", None) or str(error)).strip()
