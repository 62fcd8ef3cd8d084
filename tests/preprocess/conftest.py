"""What the tests of the alignment share."""
import os
import shutil

import pytest

from preprocess.align_dlib import main
from tests.preprocess.aligned import FACES, TEMPLATE


@pytest.fixture
def put(tmp_path, samples):
    """put(name, stem) copies a portrait to the folder raw/, which it returns."""
    def call(name, stem=FACES[0]):
        path = os.path.join(os.fsencode(tmp_path / "raw"), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(samples / f"{stem}.jpg", path)
        return tmp_path / "raw"
    return call


@pytest.fixture
def raw(put):
    """The folder raw/ with the portraits of FACES."""
    return [put(f"{stem}.jpg", stem) for stem in FACES][0]


@pytest.fixture
def align(run, tmp_path):
    """Align the folder raw/ into out/ with one process, or as the options say."""
    def call(*options, source=tmp_path / "raw", output=tmp_path / "out"):
        return run(main, source, "align", TEMPLATE, output, "--jobs", 1, *options)
    return call
