"""What SECURITY.md promises and no other test shows."""
import ast
import hashlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from dataset.store import Pack, write_pack
from helpers import UsageError
from tests.test_floors import MODULES, imports

ROOT = Path(__file__).resolve().parents[2]
RUN_CODE = {"pickle", "marshal", "shelve", "subprocess", "pty", "ctypes", "code", "runpy"}
NETWORK = {"urllib", "http", "ftplib", "smtplib", "xmlrpc", "requests", "socketserver", "asyncio", "ssl"}
CALLS = re.compile(r"(os\.(system|popen|exec\w+|spawn\w+|posix_spawnp?)|eval|exec|compile|__import__)$")
WITHOUT_NETWORK = """if True:
    import runpy, sys
    def forbid(event, arguments):
        if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"):
            raise RuntimeError(f"{event} {arguments}")
    sys.addaudithook(forbid)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)"""


def product():
    return [name for name in MODULES if not name.startswith("benchmarks")]


def test_no_module_can_run_programs_or_foreign_code():
    # The first pickles what it sends to workers, the others start commands under their old names.
    allowed = {"shell.dask_cluster": {"pickle"}, "baselines.train": {"runpy"}, "baselines.samples": {"runpy"}}
    assert {name: used for name in product() if (used := imports(name) & RUN_CODE)} == allowed
    assert {name for name in product() if imports(name) & NETWORK} == {"shell.dask_cluster"}
    for name in product():
        calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(MODULES[name].read_text()))
                 if isinstance(node, ast.Call)]
        assert not [call for call in calls if CALLS.match(call)], name
        assert "allow_pickle" not in MODULES[name].read_text()


def test_an_array_of_objects_is_no_pack(tmp_path):
    write_pack(tmp_path / "pack", np.zeros((2, 8, 8, 3), np.uint8))
    content = io.BytesIO()
    np.save(content, np.array([{"a": 1}, None], object), allow_pickle=True)
    (tmp_path / "pack" / "faces-00000.npy").write_bytes(content.getvalue())
    description = json.loads((tmp_path / "pack" / "pack.json").read_text())
    description["files"]["faces-00000.npy"] = hashlib.sha256(content.getvalue()).hexdigest()
    (tmp_path / "pack" / "pack.json").write_text(json.dumps(description))
    with pytest.raises(UsageError):
        Pack(tmp_path / "pack", 8)


SLOW = [pytest.param(command, marks=pytest.mark.slow) for command in (
    "alignment", "evaluation", "training", "learned", "samples")]


@pytest.mark.parametrize("command", ["split", "pack", "completion", "masks", "shape", *SLOW])
def test_no_command_asks_the_network(command, inputs, words_of, finish, out):
    ended = finish("-c", WITHOUT_NETWORK, *words_of(inputs, out))
    assert ended.code == 0, ended.err


def test_the_tests_that_the_page_names_exist():
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 12
    for path, test in named:
        assert f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"
