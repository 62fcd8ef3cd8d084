"""The same command again: nothing is done twice, what is broken is mended, and equal work has equal results."""
import json
import os
import signal
import time

import numpy as np
import pytest

from helpers import BAD_OUTPUT
from pictures.photo import read_photo

SHOWN = (".png", ".npy", ".onnx", ".index", "data-00000-of-00001")
FACES = 40


def results(folder):
    """{relative path: content} of what is the same whenever it is made."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.name.endswith(SHOWN)}


@pytest.mark.fault("F15", "split", "onnx", "masks")
@pytest.mark.fault("F44", "alignment", "split", "pack", "completion", "onnx", "evaluation", "masks", "samples", "shape")
@pytest.mark.fault("F44", "latent", "export", slow=True)
def test_equal_commands_have_equal_results_and_the_same_one_again_changes_nothing(command, inputs, call, out):
    other = out.parent / "other"
    assert call(inputs).code == 0 and call(inputs, out=other).code == 0
    first = results(out)
    assert first and first == results(other)
    assert call(inputs).code == (BAD_OUTPUT if command == "pack" else 0)
    assert results(out) == first


@pytest.mark.fault("F15", "pack")
def test_a_pack_that_is_there_is_not_made_again(command, inputs, call, out):
    call(inputs)
    before = (out / "pack.json").stat().st_mtime_ns
    assert call(inputs).code == BAD_OUTPUT and (out / "pack.json").stat().st_mtime_ns == before


@pytest.mark.fault("F16", "completion", "onnx", "evaluation", "masks", "samples", "shape")
@pytest.mark.fault("F16", "latent", "export", slow=True)
def test_an_output_that_was_cut_is_made_again(command, inputs, call, out):
    call(inputs)
    whole = results(out)
    for victim in {min(whole), max(whole)}:             # of one face, and of all
        os.truncate(out / victim, len(whole[victim]) // 2)
        assert call(inputs).code == 0 and results(out) == whole


@pytest.mark.fault("F45", "alignment", "completion", "onnx", "masks", "samples")
@pytest.mark.fault("F45", "evaluation", "latent", slow=True)
def test_a_result_depends_on_no_other_that_is_asked_for(command, inputs, put, call, out, model):
    alone, more = out.parent / "alone", []
    if command in ("masks", "samples"):
        more = ["--count", 1] if command == "masks" else []
        assert call(inputs, *([] if more else [model])).code == 0 and call(inputs, *more, out=alone).code == 0
    else:
        assert call(inputs).code == 0 and call(put("C001070.png", "C001070"), out=alone).code == 0
    both, single = results(out), results(alone)
    if command == "samples":
        np.testing.assert_array_equal(read_photo(out / "rows.png").pixels[:64], read_photo(alone / "rows.png").pixels)
    elif command == "latent":
        scores = [json.loads((folder / "projected.json").read_text())["faces"] for folder in (out, alone)]
        assert scores[0]["C001070"] == pytest.approx(scores[1]["C001070"], abs=0.05)
    else:
        faces = [path for path in single if "grids" not in path and "figure" not in path]
        assert faces and all(single[path] == both[path] for path in faces)


def kill_in_the_middle(process, folder):
    """Kill a command with SIGKILL as soon as the first file of ours lies in a folder."""
    while process.poll() is None and not any(folder.rglob("*.png")) and not any(folder.rglob("*.npy")):
        time.sleep(0.001)
    process.kill()
    process.communicate()


@pytest.mark.fault("F49", "split", "pack", "completion", "onnx", "masks")
@pytest.mark.fault("F49", "evaluation", slow=True)
def test_a_killed_command_goes_on_and_ends_as_an_untouched_one(command, inputs, put, start_command, call, out):
    for index in range(8 if command == "evaluation" else FACES):
        put(f"{index}.png")
    options = {"masks": ["--count", FACES], "split": ["--train", 1]}.get(command, [])
    kill_in_the_middle(start_command(inputs, *options), out.parent)
    assert call(inputs, *options).code == 0
    assert call(inputs, *options, out=out.parent / "untouched").code == 0
    shown = results(out)
    assert shown and shown == results(out.parent / "untouched")


@pytest.mark.fault("F17", "completion", "onnx")
def test_while_old_results_are_replaced_each_file_is_the_old_or_the_new_one(command, put, start_command, call, out):
    for index in range(FACES):
        put(f"{index}.png")
    assert call(put.folder).code == 0 and call(put.folder, "--mask_type", "half", out=out.parent / "new").code == 0
    old, new = results(out), results(out.parent / "new")
    process = start_command(put.folder, "--mask_type", "half", "--overwrite")
    while process.poll() is None and results(out) == old:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    now = results(out)
    assert now.keys() == old.keys() and now != old
    assert all(content in (old[path], new[path]) for path, content in now.items())
    assert call(put.folder, "--mask_type", "half").code == 0 and results(out) == new


KILLED = """if True:
    import os, runpy, signal, sys
    os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)"""


@pytest.mark.fault("F17", "latent", "export", slow=True)
def test_killed_as_it_replaces_a_file_a_command_leaves_the_old_one(command, inputs, words_of, finish, call, out):
    assert call(inputs).code == 0
    old = results(out)
    assert finish("-c", KILLED, *words_of(inputs, out)).code == -signal.SIGKILL
    assert results(out) == old and call(inputs).code == 0
