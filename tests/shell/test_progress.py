"""How far a command is, as it is shown and as it is told when somebody asks."""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from shell.messages import be_quiet
from shell.progress import Progress, telling_on_request

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clock(monkeypatch):
    """The seconds that have passed, [0], which a test sets."""
    seconds = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    return seconds


@pytest.mark.fault("F29", "alignment", "pack", "trained", "completion", "evaluation")
def test_progress_off_a_terminal_is_a_plain_line_now_and_then(capsys):
    with Progress(10, "photos", first=4, seconds=0.1) as progress:
        progress.update(3, loss=0.5)
        time.sleep(0.35)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 3 and "\r" not in "".join(lines)
    assert all(line.startswith("7/10 photos, ") and line.endswith(" s left, loss 0.5") for line in lines)
    with Progress(10, "photos", seconds=30) as progress:
        progress.update(10)
    assert capsys.readouterr().err == ""


def test_a_line_comes_though_nothing_is_finished(capsys):
    with Progress(None, "starting TensorFlow", seconds=0.1):
        time.sleep(0.25)
    assert capsys.readouterr().err.splitlines()[0] == "starting TensorFlow, 0 s so far"


@pytest.mark.parametrize(("total", "first", "done", "seconds", "said"), [
    (10, 0, 0, 40, "0/10 photos, 40 s so far"), (10, 4, 0, 40, "4/10 photos, 40 s so far"),
    (10, 0, 5, 10, "5/10 photos, 2.0 s/photo, 10 s left"),
    (10, 4, 3, 2, "7/10 photos, 1.5 photos/s, 2 s left"), (10, 0, 1, 1000, "1/10 photos, 1000.0 s/photo, 9000 s left"),
    (10, 0, 10, 2, "10/10 photos, 5.0 photos/s, 0 s left"), (None, 0, 0, 7, "photos, 7 s so far"),
    (None, 0, 70, 7, "70 photos, 10.0 photos/s"), (None, 0, 1, 7, "1 photo, 7.0 s/photo")])
def test_rate_and_time_left_are_told_as_soon_as_they_are_known(clock, total, first, done, seconds, said):
    progress = Progress(total, "photos", first)
    progress.update(done)
    clock[0] = seconds
    assert progress.describe() == said


def test_a_quiet_command_shows_no_progress(capsys):
    be_quiet(True)
    try:
        with Progress(10, "photos", seconds=0.1):
            time.sleep(0.25)
    finally:
        be_quiet(False)
    assert capsys.readouterr().err == ""


def test_what_is_done_is_told_when_somebody_asks(capfd):
    with telling_on_request(), Progress(10, "photos") as progress:
        progress.update(3)
        with Progress(None, "reading"):
            os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
    inner, outer = capfd.readouterr().err.splitlines()
    assert inner.endswith(": reading, 0 s so far") and ": 3/10 photos, " in outer
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_steps_of_many_items_are_counted_once_each_whatever_their_number():
    with Progress(200_000, "steps") as progress:
        for first in range(0, 50_000, 50):
            names = [str(name) for name in range(first, first + 50)]
            progress.reach(names, 2)
            for name in names:
                progress.reach([name], 4)
    assert progress.done == 200_000


def test_items_are_counted_as_they_are_done():
    with Progress(3, "steps") as progress:
        assert [(item, progress.done) for item in progress.each("abc")] == [("a", 0), ("b", 1), ("c", 2)]
    assert progress.done == 3


def on_a_terminal(script):
    """The lines that are left on a terminal of 100 columns on which a script was run."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    with subprocess.Popen([sys.executable, "-c", script], stdout=theirs, stderr=theirs, cwd=ROOT):
        os.close(theirs)
        shown = b""
        while piece := read_some(ours):
            shown += piece
    os.close(ours)
    lines = []
    for line in shown.decode().split("\n"):
        cells = ""
        for part in re.split(r"\r|(?=\x1b\[K)", line):     # the cursor goes back, and what is written lies over it
            cells = part[3:] if part.startswith("\x1b[K") else part + cells[len(part):]
        lines.append(cells.rstrip())
    return lines


def read_some(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:                                     # nobody writes to it any more
        return b""


def test_a_warning_beside_a_bar_is_a_line_of_its_own_and_the_bar_goes_on():
    lines = on_a_terminal("""
import os, signal, time
from shell.messages import say, warn
from shell.progress import Progress, telling_on_request
with telling_on_request(), Progress(4, "faces") as progress:
    for step in range(4):
        time.sleep(0.15)
        progress.update(d_loss="0.5")
        if step == 1:
            warn("the second")
            say("beside it")
            os.kill(os.getpid(), signal.SIGUSR1)
""")
    assert "warning: the second" in lines and "beside it" in lines
    assert any(re.fullmatch(r"-c: 2/4 faces, .* s left, d_loss 0.5", line) for line in lines)
    assert any(re.fullmatch(r"100%\|.*\| 4/4 \[00:0\d<00:00, \d\.\d faces/s, d_loss 0.5\]", line) for line in lines)


@pytest.mark.parametrize("total", [None, 0])
def test_work_of_unknown_length_and_none_at_all_is_shown_on_a_terminal_too(total):
    lines = on_a_terminal(f"""
import time
from shell.progress import Progress
with Progress({total}, "looking") as progress:
    time.sleep(1.3)
print("over")
""")
    assert lines[-2:] == ["over", ""] and not any("Error" in line for line in lines)


def test_a_bar_that_is_over_has_the_rate_of_all_and_not_the_latest():
    lines = on_a_terminal("""
import time
from shell.progress import Progress
with Progress(20, "faces") as progress:
    time.sleep(2)
    progress.update(0)                                  # as a search has it before its first step
    time.sleep(0.2)
    progress.update(20)
""")
    rates = [float(found[1]) for line in lines if (found := re.search(r"20/20 .* (\S+) faces/s", line))]
    assert len(rates) == 1 and rates[0] < 10


def test_a_slow_bar_says_how_long_one_takes():
    lines = on_a_terminal("""
import time
from shell.progress import Progress
with Progress(2, "faces") as progress:
    time.sleep(1.3)
    progress.update()
""")
    assert any(re.search(r"1/2 .*, 1\.\d s/face\]$", line) for line in lines)
