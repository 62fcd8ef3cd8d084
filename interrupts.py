"""How the start of a command ends when it is interrupted: at once and without a word, whatever is half imported.

It is every command's first import, that of its package too: from its main on, shell.signals decides. Who imports the
toolkit's modules into a program of their own keeps their handlers.
"""
import _signal as signal  # signal itself imports for longer than all of this takes
import os
import sys


def _end(number, _):
    os._exit(128 + number)


_script = getattr(sys.modules["__main__"], "__file__", None) or ""
if sys.argv[0] == "-m" or os.path.dirname(_script) == os.path.dirname(__file__):    # -m : Python looks for the command
    for _number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(_number, _end)
