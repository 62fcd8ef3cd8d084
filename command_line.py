"""What the commands share at the shell: options, exit codes, signals, progress, and one process per output folder.

Only commands import this module.
"""
import argparse
import contextlib
import fcntl
import functools
import math
import os
import shlex
import signal
import socket
import sys
import time
from pathlib import Path

from helpers import BAD_OUTPUT, NO_INPUT, OUT_OF_MEMORY, USAGE, VERSION, UsageError, no_link
from listing import find_photos, read_list

LOCK = ".lock"


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line and whose help shows every default."""

    def __init__(self, description, epilog=None, **others):
        super().__init__(description=description, epilog=epilog, formatter_class=_HelpFormatter, allow_abbrev=False,
                         **others)
        self.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")

    def error(self, message):
        self.exit(USAGE, f"{self.prog}: error: {message} (--help lists the options)\n")


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


def whole_number(at_least=0):
    """An argparse type: an integer not below `at_least`."""
    def convert(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < at_least:
            raise argparse.ArgumentTypeError(f"needs a whole number of at least {at_least}, got {text!r}")
        return value
    return convert


def number(at_least=-math.inf, at_most=math.inf, above=-math.inf):
    """An argparse type: a finite number within the bounds; `above` is a bound that it must not equal."""
    def convert(text):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and at_least <= value <= at_most and value > above):
            bounds = [f"{name} {bound:g}" for name, bound in
                      (("at least", at_least), ("above", above), ("at most", at_most)) if math.isfinite(bound)]
            raise argparse.ArgumentTypeError(f"needs a finite number {' and '.join(bounds)}, got {text!r}")
        return value
    return convert


def add_inputs(parser):
    """Declare the inputs that every command on many photos takes."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="photos or folders of photos; - reads a list from "
                        "standard input")
    parser.add_argument("--from_file", metavar="LIST", help="a text file with one path a line (60,000 paths do not "
                        "fit on a command line)")


def add_training_faces(group):
    """Declare the options of every training command that say which faces to train on."""
    group.add_argument("--dataset", required=True, metavar="DIR",
                       help="folder of aligned faces to train on, or a pack of preprocess.pack_dataset")
    group.add_argument("--validation", metavar="DIR", help="folder of faces of other people; every epoch the run is "
                       "examined on them, and the model that completes them best is kept in best/")
    group.add_argument("--strict", action="store_true", help="refuse a data set with unreadable files")
    group.add_argument("--no-flip", dest="flip", action="store_false", help="do not mirror faces at random")


def add_training_run(group, name, *, epoch, batch_size):
    """Declare those that say for how long, where, and what to keep; `name` is the run's unless it gets another."""
    group.add_argument("--epoch", type=whole_number(1), default=epoch, metavar="N", help="passes over the faces")
    group.add_argument("--batch_size", type=whole_number(1), default=batch_size, metavar="N", help="faces an update")
    group.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides weights, noise and order")
    group.add_argument("--run", default=name, metavar="NAME", help="name of the run's folders")
    group.add_argument("--checkpoint_dir", default="checkpoint", metavar="DIR", help="saves go to DIR/NAME")
    group.add_argument("--log_dir", default="logs", metavar="DIR", help="curves and samples go to DIR/NAME")
    for what, default, between in (("save", 500, "saves"), ("sample", 250, "sheets of samples"),
                                   ("report", 10, "points of the curves")):
        group.add_argument(f"--{what}_every", type=whole_number(1), default=default, metavar="STEPS",
                           help=f"updates between {between}")
    group.add_argument("--keep", type=whole_number(1), default=3, metavar="N", help="saves to keep")
    group.add_argument("--resume_from", type=whole_number(), metavar="STEP",
                       help="go on from the save of this step instead of the newest; what came after it is dropped")
    group.add_argument("--begin_from", metavar="DIR",
                       help="model whose weights a new run begins with, as far as it has the same networks")
    group.add_argument("--export", metavar="DIR", help="at the end, write a model folder without the optimizers")
    group.add_argument("--half", action="store_true", help="write the kernels of that model in 16 bits, to ship it")
    group.add_argument("--other_data", action="store_true", help="go on with a run although the faces have changed")
    group.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto", help="where to train")
    group.add_argument("--strategy", choices=("auto", "one", "mirrored", "multi_worker"), default="auto",
                       help="one device, all of this machine, or those of all machines that TF_CONFIG names; auto "
                       "takes all there are")
    group.add_argument("--xla", action="store_true", help="compile the update by XLA, for a GPU; it draws other "
                       "random numbers")


def gather_inputs(options, exclude=None):
    """The (sources, failures) of listing.find_photos for add_inputs' options; UsageError (3) if there are none."""
    paths, named = [], list(options.paths)
    for path in options.paths:
        paths += read_list(sys.stdin.buffer.read()) if path == "-" else [path]
    if options.from_file:
        try:
            paths += read_list(Path(options.from_file).read_bytes())
        except OSError as error:
            raise UsageError(f"cannot read the list {options.from_file}: {error.strerror}") from error
        named.append(options.from_file)
    sources, failures = find_photos(paths, exclude)
    if not sources and all(problem.reason == "missing" for _, problem in failures):
        raise UsageError(f"no images found in {', '.join(map(printable, named)) or 'nothing'}: name photos, a folder "
                         "of photos, or a list by --from_file", NO_INPUT)
    return sources, failures


def command(main):
    """Decorate a command's main(argv=None): a user's mistake ends in one line on stderr and its exit code."""
    @functools.wraps(main)
    def guarded(argv=None):
        try:
            return main(argv) or 0
        except UsageError as error:
            complain(error)
            return error.exit_code
        except Stopped as stopped:
            again = shlex.join([sys.executable, *_start(), *_to_resume(sys.argv[1:])])
            say(f"stopped; what is finished is kept, resume with: {again}")
            return stopped.args[0]
        except KeyboardInterrupt:
            complain("interrupted")
            return 128 + signal.SIGINT
        except Exception as error:
            if not _is_out_of_memory(error):
                raise
            complain("out of memory: reduce --batch_size")
            return OUT_OF_MEMORY
    return guarded


def _start():
    """What Python was given to run: a file, or -m and a module."""
    module = getattr(sys.modules["__main__"], "__spec__", None)
    return ["-m", module.name] if module and module.origin == sys.argv[0] else sys.argv[:1]


def _to_resume(words):
    """A command line without what would throw away the work that it has done."""
    return [word for before, word in zip(["", *words], words) if before != "--resume_from"
            and word != "--overwrite" and not word.startswith("--resume_from")]


def _is_out_of_memory(error):
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def complain(message):
    """Print one line on stderr, led by the command's name."""
    _show(f"{Path(sys.argv[0]).name}: error: {' '.join(str(message).split())}", sys.stderr)


def warn(message):
    """Print one line of warning on stderr."""
    _show(f"warning: {message}", sys.stderr)


def report_failure(path, problem):
    """Print one line on stderr about an input that could not be used."""
    _show(f"failed: {path}: {problem}", sys.stderr)


def say(message):
    """Print a line on stdout."""
    _show(message, sys.stdout)


def _show(text, stream):
    """Print a line; when its reader has gone away, the work goes on without one."""
    try:
        print(printable(text), file=stream, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def printable(text):
    """The text with what no terminal can show (parts of file names that are no UTF-8, line breaks) escaped."""
    return str(text).encode("utf-8", "backslashreplace").decode().replace("\n", "\\n").replace("\r", "\\r")


class Stopped(Exception):
    """The user asked a command to stop; what is finished is kept."""


class StopRequest:
    """Turn the first SIGINT or SIGTERM into a flag that a loop asks for, and the second into an end at once."""

    def __init__(self):
        self.signal = None

    def __enter__(self):
        self._before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number, _):
        if self.signal is not None:
            os._exit(128 + number)
        self.signal = number
        with contextlib.suppress(OSError):              # nobody may be reading
            os.write(2, b"\nstopping after the work in hand; once more ends at once\n")

    def __bool__(self):
        return self.signal is not None

    @property
    def exit_code(self):
        """130 for SIGINT, 143 for SIGTERM, 0 if none came."""
        return 128 + self.signal if self else 0

    def check(self):
        """Raise Stopped, which ends a command with the signal's exit code, if a signal came."""
        if self:
            raise Stopped(self.exit_code)


class Progress:
    """A progress bar with rate and time left on a terminal; elsewhere a plain line every 30 seconds."""

    def __init__(self, total, unit, first=0, seconds=30):
        self.total, self.unit, self.first, self.done, self.seconds = total, unit, first, first, seconds
        self.start = self.last = time.monotonic()
        self.bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm
            self.bar = tqdm(total=total, initial=first, unit=f" {unit}", dynamic_ncols=True, smoothing=0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.bar:
            self.bar.close()

    def update(self, count=1, **figures):
        """Count `count` more as done, and show `figures` beside them."""
        self.done += count
        if self.bar:
            self.bar.set_postfix(figures, refresh=False)
            self.bar.update(count)
        elif time.monotonic() - self.last >= self.seconds:
            self.last = time.monotonic()
            rate = (self.done - self.first) / (self.last - self.start)
            left = (self.total - self.done) / rate if rate else math.inf
            shown = "".join(f", {name} {value}" for name, value in figures.items())
            _show(f"{self.done}/{self.total} {self.unit}, {rate:.1f}/s, {left:.0f} s left{shown}", sys.stderr)


def claim_folder(folder):
    """Make `folder` if need be, prove that it can be written, and keep other processes out of it until we end.

    Returns the open lock file; hold on to it. Raises UsageError (exit code 5) that names the process already there.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = open(path / LOCK, "a+", opener=no_link)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}: {printable(shlex.join(sys.argv))}\n")
        lock.flush()
    except BlockingIOError as error:
        lock.seek(0)
        raise UsageError(f"{folder} is in use by {lock.read().strip() or 'another process'}", BAD_OUTPUT) from error
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}", BAD_OUTPUT) from error
    return lock
