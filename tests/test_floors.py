"""Who may import whom: the floors of the house, and what --help must not wait for."""
import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import VERSION

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = {"face_completion", "train_network", "evaluate_completion", "preprocess.align_dlib",
            "preprocess.split_dataset", "preprocess.check_dataset", "preprocess.pack_dataset", "preprocess.learn_shape",
            "completion.export", "completion.latent", "completion.masks.__main__", "models.train", "models.samples",
            "output.beside"}
OLD_SPELLINGS = {"baselines", "baselines.train", "baselines.samples"}
# The longest name that fits counts. A module imports lower floors and its own room, and no module of it in a circle.
FLOORS = {"helpers": 0, "interrupts": 0, "pictures": 1, "nn": 2, "metrics": 2, "preprocess": 2, "network": 3,
          "dataset": 3, "completion": 3, "shell": 4, "training": 5, "models": 6, "output": 6, "methods": 7,
          "evaluation": 8, "benchmarks": 10, "baselines": 10}
LIGHT = {"helpers", "models", "methods", "nn", "nn.choices", "training.settings", *COMMANDS}
TENSORFLOW = {"tensorflow", "keras"}


def find_modules():
    """{dotted name: path} of the toolkit's own modules."""
    folders = [ROOT, *(path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")]
    paths = [path for folder in folders for path in (folder.rglob if folder != ROOT else folder.glob)("*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


MODULES = find_modules()


def floor(name):
    return 9 if name in COMMANDS else next(FLOORS[part] for part in (name, name.partition(".")[0]) if part in FLOORS)


def package(name):
    return name.partition(".")[0] if "." in name or MODULES[name].name == "__init__.py" else None


def imports(name, top_level=False):
    """Dotted names of all that a module imports; those inside functions too unless `top_level`."""
    found = set()
    for node in _nodes(ast.parse(MODULES[name].read_text()), top_level):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".") if MODULES[name].name == "__init__.py" else name.split(".")[:-1]
            start = ".".join(parts[:len(parts) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, (start, node.module)))
            children = {f"{base}.{alias.name}" for alias in node.names} & MODULES.keys()
            found |= children or {base}
    return found


def _nodes(tree, top_level):
    if top_level and isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return
    yield tree
    for child in ast.iter_child_nodes(tree):
        yield from _nodes(child, top_level)


def own(names):
    """Those of the names that are the toolkit's own."""
    return {name for name in names if name in MODULES}


def outside(names):
    return {name.partition(".")[0] for name in names if name not in MODULES} - set(sys.stdlib_module_names)


def loaded_by(name):
    """Everything that importing a module imports in turn, third parties included."""
    reached, waiting = set(), [name]
    while waiting:
        module = waiting.pop()
        imported = imports(module, top_level=True)
        imported |= {child.partition(".")[0] for child in own(imported)}
        for found in imported - reached:
            reached.add(found)
            waiting += own({found})
    return reached


def test_the_modules_are_found():
    assert {"helpers", "network", "training.checkpoint", "preprocess.faces", "completion.search"} <= MODULES.keys()
    assert imports("face_completion") >= {"output.writer", "completion.face", "shell.command"}
    assert "training.loop" in imports("training.run_command") - imports("training.run_command", top_level=True)
    assert imports("completion.search") >= {"completion.losses"}
    assert "output.writer" not in imports("face_completion", top_level=True)
    assert "tensorflow" in imports("nn.setup", top_level=True) and "tensorflow" in loaded_by("training.checkpoint")


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_module_imports_lower_floors_and_its_own_package_only(name):
    for imported in own(imports(name)):
        family = package(name) is not None and package(name) == package(imported)
        assert floor(imported) < floor(name) or family, f"{name} imports {imported}"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_nobody_imports_a_command(name):
    assert not imports(name) & COMMANDS


def test_no_module_imports_itself_through_others():
    below = {name: own(imports(name)) - {name} for name in MODULES}
    while free := {name for name, imported in below.items() if not imported & below.keys()}:
        for name in free:
            del below[name]
    assert not below, f"these import each other in a circle: {sorted(below)}"


def test_helpers_needs_numpy_and_pillow_only():
    assert not own(imports("helpers"))
    assert outside(imports("helpers")) == {"numpy", "PIL"}


# Who may touch the disk and the system, and why helpers alone is not enough.
DOORS = {"helpers": "files", "shell.lock": "locks", "shell.records": "records, appended a line at a time",
         "shell.processes": "processes", "shell.command": "standard streams", "shell.messages": "standard streams",
         "nn.setup": "TensorFlow's own messages", "training.checkpoint": "saves, which TensorFlow writes itself"}
OPENS = re.compile(r"open|os\.(open|remove|unlink|replace|rename|link|symlink|mkdir|makedirs|rmdir|kill|fork|exec\w*|"
                   r"spawn\w*|system|popen)|shutil\.\w+|subprocess\.\w+|multiprocessing\.\w+|tempfile\.\w+|"
                   r"np\.(load|memmap|fromfile|savez?)|.*\.(read_text|read_bytes|write_text|write_bytes|unlink|mkdir|rmdir|"
                   r"rename|symlink_to|hardlink_to|touch)")


def touches(name):
    """The calls in a module that open, move or remove files, or start or end processes."""
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(MODULES[name].read_text()))
              if isinstance(node, ast.Call)}
    return {call for call in called if OPENS.fullmatch(call) and not call.startswith("helpers.")}


@pytest.mark.parametrize("name", sorted(name for name in MODULES if package(name) != "benchmarks"))
def test_there_is_one_door_to_the_disk_and_to_processes(name):
    assert bool(touches(name)) == (name in DOORS), touches(name)


def test_tensorflow_is_imported_in_nn_only():
    assert {name for name in MODULES if outside(imports(name)) & TENSORFLOW} == {"nn.setup"}


def test_dlib_is_imported_where_faces_are_found_or_known_again_only():
    assert {name for name in MODULES if "dlib" in outside(imports(name))} <= {
        "preprocess.faces", "metrics.identity", "benchmarks.alignment_speed"}


def test_matplotlib_is_imported_in_output_only():
    assert {package(name) for name in MODULES if "matplotlib" in outside(imports(name))} <= {"output"}


@pytest.mark.parametrize("name", sorted(
    name for name in MODULES if name in LIGHT or name.partition(".")[0] in ("preprocess", "metrics", "shell")))
def test_importing_a_light_module_does_not_import_tensorflow(name):
    assert not outside(loaded_by(name)) & TENSORFLOW


@pytest.mark.parametrize("name", sorted((COMMANDS & MODULES.keys()) | {"baselines.train", "baselines.samples"}))
def test_help_comes_where_tensorflow_cannot_be_imported(tmp_path, name):
    for absent in (*TENSORFLOW, "dlib"):
        (tmp_path / f"{absent}.py").write_text("raise ImportError('not installed')\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    start = [sys.executable, "-m", name] if "." in name else [sys.executable, str(ROOT / f"{name}.py")]
    broken = subprocess.run([sys.executable, "-c", "import tensorflow"], env=environment, capture_output=True)
    assert broken.returncode == 1
    shown = subprocess.run([*start, "--version"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (0, "") and shown.stdout.endswith(f" {VERSION}\n")
    shown = subprocess.run([*start, "--help"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("usage:") and "--version" in shown.stdout
