"""Standard streams that are closed, or that nobody can write to."""
import sys

import pytest

from helpers import resize, write_picture
from pictures.photo import read_photo


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full"])
def test_the_work_is_done_whatever_becomes_of_the_messages(samples, tmp_path, finish, closed):
    photo = tmp_path / "a.png"
    write_picture(photo, resize(read_photo(samples / "A000369.jpg").pixels, 64, "crop"))
    (tmp_path / "bad.png").touch()
    words = f"{sys.executable} face_completion.py {tmp_path} --method laplace --out_dir {tmp_path}/out {closed}"
    ended = finish("-c", f"import os; os.execvp('sh', ['sh', '-c', {words!r}])")
    assert ended.code == 1 and "Traceback" not in ended.err
    assert read_photo(tmp_path / "out/a/completed.png").pixels.shape == (64, 64, 3)
    assert b"empty" in (tmp_path / "out/results.jsonl").read_bytes()
