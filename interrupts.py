"""How the start of a command ends when it is interrupted: at once and without a word, whatever is half imported.

It is every command's first import, that of its package too: from its main on, shell.signals decides. Who imports the
toolkit's modules into a program of their own keeps their handlers.
"""
import _signal as signal  # signal itself imports for longer than all of this takes
import os
import sys

SCRIPTS = "face_completion.py", "train_network.py", "evaluate_completion.py"
ROOMS = "baselines", "benchmarks", "completion", "models", "output", "preprocess"


def _end(number, _):
    os._exit(128 + number)


def _is_command():
    """Whether Python was started with a command of ours; it has not yet found the module that -m names."""
    if sys.argv[:1] == ["-m"]:
        words = sys.orig_argv
        modules = [word[2:] or following for word, following in zip(words, [*words[1:], ""]) if word.startswith("-m")]
        return any(module.partition(".")[0] in ROOMS for module in modules[:1])
    script = getattr(sys.modules["__main__"], "__file__", None) or ""
    return os.path.basename(script) in SCRIPTS and os.path.dirname(script) == os.path.dirname(__file__)


if _is_command():
    for _number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_number, _end)
