import argparse
import io
import os
import shutil
import sys
import types

import pytest

from helpers import (
    BAD_OUTPUT,
    NO_INPUT,
    OUT_OF_MEMORY,
    USAGE,
    VERSION,
    Stopped,
    UsageError,
)
from shell.command import command
from shell.lock import claim_folder
from shell.messages import command_line, printable
from shell.options import Parser, add_inputs, folder_name, number, whole_number
from shell.sources import find_inputs


def parser():
    parser = Parser("Does nothing.")
    parser.add_argument("--batch_size", type=whole_number(1), default=300, metavar="N", help="faces a batch")
    parser.add_argument("--rate", type=number(above=0, at_most=1), default=0.5, metavar="R", help="how fast")
    return parser


def gathered(*arguments):
    inputs = Parser("Reads photos.")
    add_inputs(inputs)
    options = inputs.parse_args([str(item) for item in arguments])
    sources, failures = find_inputs(options.paths, options.from_file)
    return [source.path for source in sources], {path: problem.reason for path, problem in failures}


@pytest.fixture
def photos(tmp_path, samples):
    """Two portraits in the folder photos/."""
    (tmp_path / "photos").mkdir()
    for name in ("A000369.jpg", "B001273.jpg"):
        shutil.copyfile(samples / name, tmp_path / "photos" / name)
    return sorted(str(path) for path in (tmp_path / "photos").iterdir())


def test_a_whole_number_may_be_as_large_as_every_library_takes():
    assert whole_number()("2147483647") == 2 ** 31 - 1 and whole_number(1, 3)("3") == 3
    with pytest.raises(argparse.ArgumentTypeError, match="from 1 to 3, got '4'"):
        whole_number(1, 3)("4")


def test_good_values_are_taken_and_the_others_default():
    options = parser().parse_args(["--batch_size", "7"])
    assert (options.batch_size, options.rate) == (7, 0.5)


@pytest.mark.parametrize("arguments", [
    ["--batch_size", "0"], ["--batch_size", "-3"], ["--batch_size", "abc"], ["--batch_size", "2.5"],
    ["--batch_size", ""], ["--batch_size"], ["--batch_size", "2147483648"], ["--batch_size", "9" * 5000],
    ["--rate", "nan"], ["--rate", "inf"], ["--rate", "0"], ["--rate", "1.1"],
    ["--rate", "-1e-9"], ["--rate", "fast"], ["--batch", "7"], ["--unknown"], ["stray"]])
def test_a_bad_option_ends_in_one_line(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(arguments)
    err = capsys.readouterr().err
    assert end.value.code == USAGE
    assert err.count("\n") == 1
    assert arguments[0] in err


def test_the_error_of_an_option_says_what_was_got_and_what_is_needed(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["--rate", "1.5"])
    err = capsys.readouterr().err
    assert "'1.5'" in err and "above 0" in err and "at most 1" in err


def test_help_shows_every_option_with_its_default(capsys):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(["--help"])
    out = capsys.readouterr().out
    assert end.value.code == 0
    assert "default: 300" in out and "default: 0.5" in out


def test_version_is_told(capsys):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(["--version"])
    assert (end.value.code, capsys.readouterr().out.split()[-1]) == (0, VERSION)


@pytest.mark.parametrize("bound", [0, 1, 8])
def test_a_whole_number_begins_at_its_bound(bound):
    convert = whole_number(bound)
    assert [convert(str(value)) for value in range(bound, bound + 3)] == [bound, bound + 1, bound + 2]
    with pytest.raises(Exception, match=f"from {bound} to"):
        convert(str(bound - 1))


@pytest.mark.parametrize(("error", "code"), [
    (UsageError("say\nso"), 2), (UsageError("say so", 5), 5), (Stopped(143), 143), (KeyboardInterrupt(), 130),
    (MemoryError(), 7), (type("ResourceExhaustedError", (Exception,), {})("OOM when allocating"), 7)])
def test_a_known_end_gives_its_exit_code_and_one_line(capsys, error, code):
    @command
    def main(argv=None):
        raise error

    assert main([]) == code
    captured = capsys.readouterr()
    assert (captured.out + captured.err).count("\n") == 1


def test_an_interrupted_command_says_how_to_go_on(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["command.py", "a photo.png", "--overwrite"])

    @command
    def main(argv=None):
        raise KeyboardInterrupt

    assert main([]) == 130
    assert capsys.readouterr().err.endswith("go on with: "
                                            f"{sys.executable} command.py 'a photo.png' --overwrite\n")


def test_a_command_that_ends_well_gives_zero_or_its_own_code():
    assert command(lambda argv=None: None)() == 0
    assert command(lambda argv=None: 1)() == 1


def test_a_mistake_of_ours_is_not_hidden():
    @command
    def main(argv=None):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        main()


def test_photos_are_gathered_from_folders_lists_and_standard_input_once_each(tmp_path, photos, monkeypatch):
    (tmp_path / "list").write_text("\n".join(photos))
    expected = (photos, {})
    assert gathered(tmp_path / "photos") == expected
    assert gathered("--from_file", tmp_path / "list") == expected
    assert gathered(*photos, "--from_file", tmp_path / "list") == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "list").read_bytes())))
    assert gathered("-") == expected


def test_a_list_made_anywhere_is_understood(tmp_path, photos):
    lines = [photos[1], "", str(tmp_path / "absent.jpg"), photos[0], photos[1], "   "]
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert gathered("--from_file", tmp_path / "list") == (photos[::-1], {str(tmp_path / "absent.jpg"): "missing"})


def test_no_photos_named_is_told_with_how_to_name_them():
    with pytest.raises(UsageError, match="^no photos are named: name photos, a folder") as caught:
        gathered()
    assert caught.value.exit_code == NO_INPUT


@pytest.mark.parametrize("kind", ["unmatched glob", "empty folder", "empty list"])
def test_no_input_is_told_with_what_was_searched(tmp_path, kind):
    (tmp_path / "empty").mkdir()
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbf\r\n\r\n")
    arguments = {"unmatched glob": [f"{tmp_path}/*.png"], "empty folder": [tmp_path / "empty"],
                 "empty list": ["--from_file", tmp_path / "list"]}[kind]
    with pytest.raises(UsageError, match="no images found in") as caught:
        gathered(*arguments)
    assert caught.value.exit_code == NO_INPUT
    assert all(str(item) in str(caught.value) for item in arguments[-1:])
    assert ("(there is no " in str(caught.value)) == (kind == "unmatched glob")


def test_anything_can_be_printed_on_one_line():
    shown = printable(os.fsdecode(b"a\xff\nb\r\xf0\x9f\x99\x82"))
    assert shown.encode() == b"a\\udcff\\nb\\r\xf0\x9f\x99\x82"


def test_work_goes_on_when_nobody_reads_the_output(finish):
    reader, writer = os.pipe()
    os.close(reader)
    ended = finish("-c", "import sys\nfrom shell.messages import say\n"
                         "for number in range(1000): say('x' * 100)\n"
                         "print('worked', file=sys.stderr)", stdout=writer)
    os.close(writer)
    assert (ended.code, ended.err) == (0, "worked\n")


def test_a_claimed_folder_is_refused_to_a_second_process_which_learns_who_has_it(tmp_path, finish):
    claim = "import sys\nfrom shell.lock import claim_folder\nclaim_folder(sys.argv[1])"
    with claim_folder(tmp_path / "new" / "folder"):
        ended = finish("-c", claim, tmp_path / "new" / "folder")
        assert f"is in use by process {os.getpid()} on " in ended.err
    assert finish("-c", claim, tmp_path / "new" / "folder").code == 0


def test_a_folder_is_free_again_when_its_process_was_killed(tmp_path, start):
    process = start("-c", "import sys, time\nfrom shell.lock import claim_folder\n"
                          "lock = claim_folder(sys.argv[1])\n"
                          "print('claimed', flush=True)\ntime.sleep(60)", tmp_path)
    assert process.stdout.readline() == "claimed\n"
    with pytest.raises(UsageError, match=f"process {process.pid} on") as caught:
        claim_folder(tmp_path)
    assert caught.value.exit_code == BAD_OUTPUT
    process.kill()
    process.wait()
    claim_folder(tmp_path).close()


def test_a_place_that_can_be_no_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path, reason in ((tmp_path / "file", "it is no folder"), (tmp_path / "file" / "inside", "Not a directory"),
                         ("/dev/null", "it is no folder")):
        with pytest.raises(UsageError, match=f"cannot write to {path}: {reason}") as caught:
            claim_folder(path)
        assert caught.value.exit_code == BAD_OUTPUT


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UsageError) as caught:
            claim_folder(tmp_path)
        assert caught.value.exit_code == BAD_OUTPUT
    finally:
        tmp_path.chmod(0o700)


def test_the_command_to_resume_with_never_throws_away_what_was_done(monkeypatch, run):
    @command
    def main(argv=None):
        raise Stopped(130)
    monkeypatch.setattr(sys, "argv", ["train_network.py", "--overwrite", "--seed", "3", "--resume_from", "10", "--run",
                                      "a", "--resume_from=7"])
    ended = run(main)
    assert ended.code == 130 and ended.out.endswith("train_network.py --seed 3 --run a\n")


def test_the_command_to_resume_with_starts_a_module_as_it_was_started(monkeypatch, run):
    @command
    def main(argv=None):
        raise Stopped(143)
    started = types.SimpleNamespace(__spec__=types.SimpleNamespace(name="models.train", origin="/b/train.py"))
    monkeypatch.setitem(sys.modules, "__main__", started)
    monkeypatch.setattr(sys, "argv", ["/b/train.py", "vae", "--seed", "3"])
    assert run(main).out.endswith(" -m models.train vae --seed 3\n")


@pytest.mark.parametrize("text", ["", ".", "..", "../evil", "a/b", "/tmp/x"])
def test_the_name_of_a_run_is_no_path(text):
    with pytest.raises(argparse.ArgumentTypeError, match="needs a plain name"):
        folder_name(text)


def test_inputs_that_lie_where_the_results_go_are_named_as_that(tmp_path):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "a.png").touch()
    with pytest.raises(UsageError, match="where the results go") as caught:
        find_inputs([str(tmp_path / "faces")], exclude=str(tmp_path / "faces"))
    assert caught.value.exit_code == NO_INPUT


def test_words_after_two_dashes_are_paths(monkeypatch):
    inputs = Parser("Reads photos.")
    add_inputs(inputs)
    inputs.add_argument("--seed", type=int)
    options = inputs.parse_inputs(["a.png", "--seed", "1", "b.png", "--", "-x.png", "--seed"])
    assert (options.paths, options.seed) == (["a.png", "b.png", "-x.png", "--seed"], 1)


@pytest.mark.parametrize("missing, package", [("dlib", "dlib"), ("keras", "tensorflow")])
def test_a_package_that_is_not_installed_is_one_line(capsys, missing, package):
    @command
    def main(argv=None):
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
    assert main() == USAGE
    assert f"error: {package} is not installed: pip install" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, blamed", [
    ((), "--batch_size"), (("--pool", "900000", "--batch_size", "8"), "--pool"), (("--gf_dim", "4096"), "--gf_dim")])
@pytest.mark.fault("F42", "samples")
def test_the_option_that_asks_for_too_much_memory_is_named(capsys, arguments, blamed):
    @command
    def main(argv=None):
        raise MemoryError
    assert main(arguments) == OUT_OF_MEMORY
    assert f"reduce {blamed}\n" in capsys.readouterr().err


def test_a_command_is_told_as_it_was_typed(monkeypatch):
    for spec, words, typed in ((None, ["tools/face_completion.py", "a b"], "python tools/face_completion.py 'a b'"),
                               ("completion.masks.__main__", ["/at/masks/__main__.py", "out"],
                                "python -m completion.masks out")):
        monkeypatch.setattr("sys.argv", words)
        spec = spec and types.SimpleNamespace(name=spec, origin=words[0])
        monkeypatch.setattr(sys.modules["__main__"], "__spec__", spec)
        assert command_line() == typed
