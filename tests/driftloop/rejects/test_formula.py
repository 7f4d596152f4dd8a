"""Formula cells are made harmless, and come back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.rejects.formula import defused, restored

starts = st.sampled_from(["", "'", "''", "=", "+", "-", "@", "\t", "\r", "'=", "1", "-1", "＝"])
cells = st.builds(str.__add__, starts, st.one_of(st.text(max_size=4), st.just("2.5e3")))


@given(cells)
def test_a_defused_cell_comes_back_and_starts_no_formula(cell: str) -> None:
    shown = defused(cell)
    assert restored(shown) == cell
    if shown[:1] in set("=+-@\t\r＝"):
        float(shown)


@pytest.mark.parametrize("cell", ["-5", "+1.5", "-.5e-3", "AA", "", "a=b", "'tis", "1-2"])
def test_numbers_and_plain_words_stay(cell: str) -> None:
    assert defused(cell) == cell


@pytest.mark.parametrize("cell", ["=1+1", "-1+1", "@SUM(A1)", "+A1", "\t=1", "\r=1", "-٣"])
def test_what_a_spreadsheet_would_run_is_text(cell: str) -> None:
    assert defused(cell) == "'" + cell
