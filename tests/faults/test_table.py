"""The table of docs/reliability.md says what the tests are marked with, and every cell says something."""
import re

import pytest

from tests.fault_table import COMMANDS, PAGE, ROW, fill, read_marks

MARKS = read_marks()
ROWS = {found[1]: line for line in PAGE.read_text().splitlines() if (found := ROW.match(line))}


def test_the_page_has_the_tests_that_are_marked():
    assert fill(PAGE.read_text(), MARKS) == PAGE.read_text(), "python -m tests.fault_table fills the page"


def test_every_marker_is_of_a_row_and_of_commands():
    assert {row for row, _ in MARKS} <= ROWS.keys() and {command for _, command in MARKS} <= set(COMMANDS)
    assert len(ROWS) == 53


@pytest.mark.parametrize("row", ROWS)
def test_every_cell_has_a_test_or_a_reason_and_never_both(row):
    cells = ROWS[row].strip("|").split("|")[-len(COMMANDS):]
    for command, cell in zip(COMMANDS, cells):
        assert re.fullmatch(r" (–\w|(\[\d+\]\(\S+\) )+)\s*", cell), f"{row} {command}: {cell!r}"
