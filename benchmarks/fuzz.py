"""Break files of every kind that the toolkit reads, and see that each is read, or refused by its reason.

python -m benchmarks.fuzz --seconds 600

Anything else is a find: another exception, more than SLOW seconds, memory that grows. The file of every find is kept.
"""
import collections
import contextlib
import faulthandler
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import zlib
from pathlib import Path

from helpers import BadPhoto, UsageError, counted
from pictures.photo import PNG_START
from shell.command import command
from shell.options import Parser, whole_number

from .fuzz_inputs import KINDS

SLOW = 5                                                # seconds of processor time that a file may take
MEMORY = 2**30                                          # bytes by which the process may grow, a picture included
TURN = 0.1                                              # seconds for a kind before it is another's turn
MOST = 8                                                # changes of a file
NUMBERS = 0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1
VALUES = None, True, -1, 0, 10**400, 1e308, float("nan"), "", "\udcff", "../x", "a\0b", [], [[]], {}, {"a": 1}


class Hang(BaseException):
    """A file took more than SLOW seconds."""


def break_bytes(content, rng, others):
    """The content with some of its bytes changed, taken away, doubled, or put in from another file."""
    broken = bytearray(content)
    for _ in range(rng.randint(1, MOST)):
        place, length = rng.randrange(len(broken) + 1), rng.choice((1, 2, 4, 16, 256))
        how = rng.randrange(7)
        if how == 0 and place < len(broken):
            broken[place] ^= 1 << rng.randrange(8)
        elif how == 1:
            broken[place:place + 1] = rng.randbytes(1)
        elif how == 2:
            width = rng.choice((1, 2, 4))
            number = rng.choice(NUMBERS) % 256**width
            broken[place:place + width] = number.to_bytes(width, rng.choice(("big", "little")))
        elif how == 3:
            del broken[place:place + length]
        elif how == 4:
            broken[place:place] = broken[place:place + length]
        elif how == 5:
            other = rng.choice(others)
            begin = rng.randrange(len(other) + 1)
            broken[place:place + length] = other[begin:begin + length]
        elif rng.random() < 0.2:
            del broken[place:]
    return bytes(broken)


def mend_png(content):
    """The content with the checksum of every chunk of a PNG made right, so that what is in them is looked at."""
    mended, place = bytearray(content), len(PNG_START)
    while content.startswith(PNG_START) and place + 12 <= len(content):
        end = place + 12 + int.from_bytes(content[place:place + 4], "big")
        if end > len(content):
            break
        mended[end - 4:end] = zlib.crc32(content[place + 4:end - 4]).to_bytes(4, "big")
        place = end
    return bytes(mended)


def break_record(value, rng):
    """A JSON value with one of the values in it changed or taken away."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {name: part for name, part in value.items() if name != key}
        return value | {key: break_record(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        place = rng.randrange(len(value))
        return [*value[:place], break_record(value[place], rng), *value[place + 1:]]
    return rng.choice(VALUES)


def break_records(content, rng):
    """Lines of JSON with some of their values changed."""
    lines = []
    for line in content.splitlines():
        record = json.loads(line)
        for _ in range(rng.randint(0, 3)):
            record = break_record(record, rng)
        lines.append(json.dumps(record).encode())
    return b"\n".join(lines) + b"\n"


def make_input(wholes, rng):
    """The content of a broken file; wholes : of good ones of its kind."""
    content = rng.choice(wholes)
    if content.startswith(b"{") and rng.random() < 0.7:
        return break_records(content, rng)
    content = break_bytes(content, rng, wholes)
    return mend_png(content) if rng.random() < 0.5 else content


@contextlib.contextmanager
def time_limit():
    """Raise Hang after SLOW seconds of work, or ten times as many of waiting."""
    def hang(*_):
        raise Hang
    timers = (signal.ITIMER_PROF, signal.SIGPROF, SLOW), (signal.ITIMER_REAL, signal.SIGALRM, 10 * SLOW)
    before = [signal.signal(number, hang) for _, number, _ in timers]
    for timer, _, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (timer, number, _), handler in zip(timers, before):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def judge(read, content, folder):
    """("read", or the reason of its refusal, "", or of a find where it came from)."""
    begun = time.process_time()
    try:
        with time_limit():
            read(content, folder)
        outcome = "read", ""
    except BadPhoto as problem:
        outcome = problem.reason, ""
    except UsageError:
        outcome = "refused", ""
    except (Exception, Hang) as error:
        place = next(frame for frame in reversed(traceback.extract_tb(error.__traceback__))
                     if "site-packages" not in frame.filename and "/lib/python" not in frame.filename)
        return type(error).__name__, f"{Path(place.filename).name}:{place.lineno} {error}"[:160]
    seconds = time.process_time() - begun
    return outcome if seconds < SLOW else ("slow", f"{seconds:.1f} s")


def memory(process="self"):
    """Bytes of a process that are in memory, 0 if it has ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def fuzz(seconds, seed, kinds, keep):
    """Break files of the kinds in turn; returns (inputs by kind, outcomes by kind, {find: path of its file})."""
    counts, outcomes, finds = collections.Counter(), collections.defaultdict(collections.Counter), {}
    with tempfile.TemporaryDirectory() as home:
        folders = {kind: Path(home, kind) for kind in kinds}
        for folder in folders.values():
            folder.mkdir()
        wholes = {kind: KINDS[kind][0](folders[kind]) for kind in kinds}
        first, end = memory(), time.monotonic() + seconds
        for kind in itertools.cycle(kinds):
            if time.monotonic() > end:
                break
            turn = min(end, time.monotonic() + TURN)
            while time.monotonic() < turn:
                content = make_input(wholes[kind], random.Random(f"{seed} {kind} {counts[kind]}"))
                Path(keep, "current").write_bytes(content)              # stays if the process dies of it
                name, place = judge(KINDS[kind][1], content, folders[kind])
                if memory() - first > MEMORY:
                    name, place, first = "memory", f"grew to {memory():,} bytes", memory()
                outcomes[kind][name] += 1
                if place and (find := f"{kind}: {name} at {place}") not in finds:
                    finds[find] = Path(keep, f"{kind}-{counts[kind]}")
                    finds[find].write_bytes(content)
                    print(f"find: {find}: {finds[find]}", flush=True)
                counts[kind] += 1
    return counts, outcomes, finds


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("--seconds", type=whole_number(1), default=600, metavar="S", help="for how long")
    parser.add_argument("--seed", type=whole_number(), default=0, metavar="N", help="decides what is broken")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), help="of files")
    parser.add_argument("--keep", default="fuzzed", metavar="DIR", help="folder for files of finds")
    return parser.parse_args(argv)


@command
def main(argv=None):
    """Run it; prints the counts of every kind, and returns 1 if there are finds."""
    options = parse(argv)
    faulthandler.enable()
    Path(options.keep).mkdir(parents=True, exist_ok=True)
    counts, outcomes, finds = fuzz(options.seconds, options.seed, options.kinds, options.keep)
    for kind in options.kinds:
        most = ", ".join(f"{name} {count:,}" for name, count in outcomes[kind].most_common(8))
        print(f"{kind}: {counted(counts[kind], 'input')}: {most}")
    print(f"{counted(counts.total(), 'input')}, {counted(len(finds), 'find')}, {memory() / 2**20:.0f} MB")
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
