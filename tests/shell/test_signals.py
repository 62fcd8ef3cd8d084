"""How commands end when they are asked to, whatever they are at."""
import os
import re
import signal
import time
from pathlib import Path

import pytest

from helpers import Stopped
from shell.command import command
from shell.signals import StopRequest

FACES = Path(__file__).parents[1] / "data" / "openface64"
IMPORTING = """if True:
    import importlib, sys
    sys.path.insert(0, sys.argv.pop(1))
    sys.exit(importlib.import_module(sys.argv[1]).main(sys.argv[2:]))"""
COMMANDS = {"completion": ["face_completion", FACES, "--out_dir", "{}/out"],
            "evaluation": ["evaluate_completion", FACES, "--methods", "latent", "--out_dir", "{}/out"],
            "training": ["train_network", "--dataset", FACES, "--checkpoint_dir", "{}/saves", "--log_dir", "{}/logs"],
            "learned": ["models.train", "vae", "--dataset", FACES, "--checkpoint_dir", "{}/saves", "--log_dir",
                        "{}/logs"],
            "samples": ["models.samples", "{}/samples.png", "checkpoint/celeba64"]}
ROOT = Path(__file__).parents[2]
STARTED = [path.relative_to(ROOT) for pattern in ("*.py", "[!.t]*/*.py", "[!.t]*/*/*.py") for path in ROOT.glob(pattern)
           if re.search("^if __name__ == .__main__.:", path.read_text(), re.MULTILINE)]


@pytest.fixture
def importing(tmp_path, start):
    """Start a command whose import of TensorFlow takes for ever, and wait until it has come to that."""
    def call(name):
        (tmp_path / "modules").mkdir()
        (tmp_path / "modules" / "tensorflow.py").write_text(
            "import os, time\nos.write(1, b'importing\\n')\nwhile True: time.sleep(1)\n")
        process = start("-c", IMPORTING, tmp_path / "modules", *(str(word).format(tmp_path) for word in COMMANDS[name]))
        assert process.stdout.readline() == "importing\n", process.communicate()
        return process
    return call


@pytest.mark.parametrize("option", ["-m", "-m{}", "-B -m", "-Bm"])
def test_a_command_begins_however_its_module_is_named(finish, option):
    words = option.format("completion.masks").split()
    ended = finish(*words, *["completion.masks"] * ("{" not in option), "--help")
    assert ended.code == 0 and ended.out.startswith("usage: ") and not ended.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_is_a_wish_that_the_loop_hears(number, code):
    before = signal.getsignal(number)
    with StopRequest() as stop:
        stop.check()
        os.kill(os.getpid(), number)
        with pytest.raises(Stopped) as stopped:
            stop.check()
    assert stopped.value.exit_code == code
    assert signal.getsignal(number) is before


@pytest.mark.fault("F39", "alignment", "pack", "trained", "completion", "evaluation")
def test_the_second_signal_ends_at_once(start):
    process = start("-c", "import time\nfrom shell.signals import StopRequest\n"
                          "with StopRequest():\n"
                          "    print('ready', flush=True)\n"
                          "    while True: time.sleep(0.01)")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 143


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.fault("F39", "completion", "evaluation", "training", "learned", "samples")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_imports_for_ever_ends_within_five_seconds(importing, name, number, code):
    process = importing(name)
    asked = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - asked < 5 and process.returncode == code
    assert "resume with: " in out and "Traceback" not in err


def test_a_second_signal_ends_a_command_that_imports_at_once(importing):
    process = importing("training")
    process.send_signal(signal.SIGUSR1)
    assert "starting TensorFlow" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert "once more" in process.stderr.readline()
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == 130 and time.monotonic() - asked < 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("path", STARTED, ids=str)
def test_a_command_that_has_not_yet_begun_ends_at_once_and_without_a_word(start, tmp_path, monkeypatch, path, number,
                                                                          code):
    (tmp_path / "numpy.py").write_text("import os, time\nos.write(1, b'importing\\n')\nwhile True: time.sleep(1)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    name = ".".join(path.with_suffix("").parts)
    process = start("-m", name.removesuffix(".__main__")) if "." in name else start(path)
    assert process.stdout.readline() == "importing\n", process.communicate()
    process.send_signal(number)
    assert process.communicate(timeout=5) == ("", "") and process.returncode == code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_where_nothing_is_in_hand_ends_a_command_at_once(run, number, code):
    ended = run(command(lambda argv: os.kill(os.getpid(), number)))
    assert ended.code == code and "interrupted; go on with: " in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_swallows_exceptions_is_ended_all_the_same_and_says_how_to_go_on(start, number, code):
    process = start("-c", """if True:
        import sys, time
        from shell.command import command
        @command
        def main(argv=None):
            while True:
                try:
                    print("begun", flush=True)
                    time.sleep(60)
                except BaseException:
                    pass
        sys.exit(main())""", "a photo.png", "--overwrite")
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    assert process.communicate(timeout=20)[0].endswith("-c 'a photo.png'\n") and process.returncode == code


def test_who_holds_is_waited_for_and_who_was_asked_before_does_not_begin():
    with StopRequest() as stop:
        stop.hold()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop._end is None
        with pytest.raises(Stopped):
            stop.check()
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped):
            stop.hold()
