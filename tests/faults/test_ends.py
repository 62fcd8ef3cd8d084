"""Ends that nobody planned: signals, memory, and more photos than a command line holds."""
import os
import re
import signal

import pytest

import completion.latent
import dataset.folder
import evaluation.comparison
import preprocess.check_dataset
import training.chief
from helpers import OUT_OF_MEMORY, SOME_FAILED, USAGE


@pytest.fixture
def signal_at(monkeypatch):
    """signal_at(number, nth, (module, function), ...): let this process get a signal at the nth call of them."""
    def call(number, nth, *targets):
        left = [nth]

        def counting(function):
            def call(*arguments, **options):
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), number)
                return function(*arguments, **options)
            return call

        for module, name in targets:
            monkeypatch.setattr(module, name, counting(getattr(module, name)))
    return call


WRITING = (os, "replace"), (os, "link")


@pytest.mark.fault("F39", "split", "check", "pack", "completion", "onnx", "evaluation", "compare", "masks", "samples",
                   "shape")
@pytest.mark.fault("F39", "latent", "export", slow=True)
def test_ctrl_c_ends_a_command_that_says_how_to_go_on_and_does(command, inputs, call, done, signal_at, out):
    at = {"samples": (1, *WRITING), "shape": (1, *WRITING), "export": (1, *WRITING),
          "pack": (2, (dataset.folder, "read_photo")), "check": (2, (preprocess.check_dataset, "read_photo")),
          "compare": (1, (evaluation.comparison, "paired_difference")),
          "latent": (1, (completion.latent, "find_points"))}
    signal_at(signal.SIGINT, *at.get(command, (2, *WRITING)))
    ended = call(inputs)
    assert ended.code == 130 and re.search("resume with: |go on with: ", ended.out + ended.err)
    assert call(inputs).code == 0 and done() == (1 if command in ("samples", "shape", "export") else 3)
    assert not list(out.parent.rglob("*.tmp"))


@pytest.mark.fault("F39", "learned")
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_asked_to_stop_saves_and_goes_on(command, inputs, call, out, signal_at, number, code):
    signal_at(number, 1, (training.chief.Chief, "report"))
    ended = call(inputs, "--epoch", 3)
    assert ended.code == code and "resume with: " in ended.out
    assert [path.name for path in out.glob("step-*")] == ["step-00000001"]
    assert call(inputs, "--epoch", 3).code == 0 and (out / "step-00000003").is_dir()


@pytest.mark.fault("F42", "pack", "masks")
def test_what_memory_cannot_hold_is_said_with_the_option_that_asks_for_it(command, inputs, call):
    ended = call(inputs, "--size", 2_000_000_000, *["--fit", "resize"] * (command == "pack"))
    assert (ended.code, ended.err.count("\n")) == (USAGE, 1) and "argument --size: needs" in ended.err


@pytest.mark.fault("F42", "learned", "completion", "evaluation")
def test_what_no_machine_can_compute_is_said_with_the_option_that_asks_for_it(command, inputs, call, model):
    latent = ["--checkpoint", model, "--num_iter", 1, "--recipe", "pool", "--pool", 2_000_000_000]
    options = {"learned": ["--gf_dim", 100_000_000], "completion": ["--method", "latent", *latent],
               "evaluation": ["--methods", "latent", *latent]}[command]
    ended = call(inputs, *options)
    assert ended.code == OUT_OF_MEMORY and "reduce --" in ended.err.splitlines()[-1]


MANY = 60_000
MEASURED = """if True:
    import resource, runpy, sys
    del sys.argv[0]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    finally:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"""


@pytest.mark.slow
@pytest.mark.fault("F23", "alignment", "split", "check", "pack", "completion", "onnx", "evaluation", "latent")
def test_sixty_thousand_files_are_worked_through_in_the_memory_of_a_few(command, put, words_of, finish, tmp_path):
    sizes, code = [], {"split": 0, "evaluation": 0}.get(command, SOME_FAILED)
    options = {"split": ["--train", 1, "--validation", 0, "--test", 0], "evaluation": ["--limit", 2]}.get(command, [])
    for count in (100, MANY):
        folder = tmp_path / str(count)
        first = put(f"{folder}/a.png")
        put(f"{folder}/b.png", "B001273")
        for index in range(count):
            (os.link(first, folder / f"c{index}.png") if command == "evaluation" else
             (folder / f"c{index}.png").touch())
        ended = finish("-c", MEASURED, *words_of(folder, tmp_path / f"out{count}"), *options)
        assert ended.code == code, ended.err[-1000:]
        sizes.append(int(ended.out.splitlines()[-1]))
    assert sizes[1] - sizes[0] < 150                    # megabytes, some 2 kB for every name


@pytest.mark.slow
@pytest.mark.fault("F23", "completion")
def test_sixty_thousand_paths_come_by_list_and_by_standard_input(command, put, finish, tmp_path, out):
    paths = [put("a.png"), *(put.folder / f"{index}.png" for index in range(MANY))]
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in paths))
    for source in (["--from_file", tmp_path / "list"], ["-"]):
        with open(tmp_path / "list") as stdin:
            ended = finish("-m", "face_completion", *source, "--method", "laplace", "--out_dir", out, stdin=stdin)
        assert ended.code == SOME_FAILED and f"{MANY} failed" in ended.out
