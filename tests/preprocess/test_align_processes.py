"""An alignment whose processes are killed or asked to stop."""
import os
import signal
import time
from pathlib import Path

import pytest

from tests.preprocess.aligned import FACES, TEMPLATE, agrees, complaints, crops, ways


def workers_of(process):
    """The ids of a running command's worker processes."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process.pid and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.fixture
def begin(start, tmp_path):
    """Begin to align the folder raw/ into out/ in a process of its own."""
    def call():
        return start("-m", "preprocess.align_dlib", tmp_path / "raw", "align", TEMPLATE, tmp_path / "out", "--jobs", 1)
    return call


def wait_until(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers by /proc")


@needs_proc
@pytest.mark.slow
@pytest.mark.fault("F48", "alignment")
def test_a_killed_worker_costs_nothing(tmp_path, raw, begin, openface):
    process = begin()
    wait_until(lambda: workers_of(process))
    os.kill(workers_of(process)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, complaints(err)) == (0, [])
    assert out.startswith("3 aligned")
    assert all(agrees(tmp_path / "out" / f"{stem}.png", openface / f"{stem}.png") for stem in FACES)


@needs_proc
@pytest.mark.fault("F48", "alignment")
def test_a_photo_whose_worker_is_killed_twice_fails_and_nothing_hangs(tmp_path, put, begin):
    put("1.jpg")
    process = begin()

    def kill_all():
        for worker in workers_of(process):
            os.kill(worker, signal.SIGKILL)
        return process.poll() is not None

    wait_until(kill_all)
    assert process.returncode == 1
    assert ways(tmp_path / "out") == {"1.jpg": "worker_died"}


@pytest.mark.slow
@pytest.mark.fault("F49", "alignment")
def test_after_a_kill_in_the_middle_the_union_equals_one_clean_run(tmp_path, raw, begin, align):
    process = begin()
    wait_until(lambda: (tmp_path / "out" / "A000369.png").exists())
    process.kill()
    process.wait()
    assert align().code == 0
    assert align(output=tmp_path / "clean").code == 0
    assert crops(tmp_path / "out") == crops(tmp_path / "clean")
    assert ways(tmp_path / "out") == {f"{stem}.jpg": "done" for stem in FACES}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.fault("F39", "alignment")
def test_a_signal_ends_the_command_and_the_same_command_goes_on(tmp_path, put, begin, align, number, code):
    for index in range(6):
        put(f"{index}.jpg")
    process = begin()
    wait_until(lambda: (tmp_path / "out" / "0.png").exists())
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code
    assert "Traceback" not in err and "resume with: " in out
    done = len(crops(tmp_path / "out"))
    assert 0 < done
    assert align().out.startswith(f"{6 - done} aligned, {done} skipped")
