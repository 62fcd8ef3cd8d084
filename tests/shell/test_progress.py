"""How far a command is, as it is shown and as it is told when somebody asks."""
import os
import signal
import time

import pytest

from shell.messages import be_quiet
from shell.progress import Progress, telling_on_request


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
    (10, 0, 5, 10, "5/10 photos, 2 s each, 10 s left"), (10, 4, 3, 2, "7/10 photos, 1.5/s, 2 s left"),
    (10, 0, 1, 1000, "1/10 photos, 1000 s each, 9000 s left"), (10, 0, 10, 2, "10/10 photos, 5.0/s, 0 s left"),
    (None, 0, 0, 7, "photos, 7 s so far"), (None, 0, 70, 7, "70 photos, 10.0/s")])
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
