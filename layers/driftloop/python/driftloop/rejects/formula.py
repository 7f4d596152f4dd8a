"""Cells that a spreadsheet would run, made harmless and back.

A cell that begins with ``= + - @``, a tab or a line end may be taken for a formula by whoever opens
a CSV file (https://owasp.org/www-community/attacks/CSV_Injection), unless it is a number. It gets
an apostrophe in front; so does one that begins with apostrophes and then such a sign, so that
:func:`restored` is the exact inverse of :func:`defused`.
"""

from __future__ import annotations

import re

_RUNS = re.compile("'*[=+\\-@\t\r\n＝＋－＠]").match
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII).fullmatch


def runs(cell: str) -> bool:
    """Whether a spreadsheet might take the cell for a formula (or it looks like a defused one)."""
    return _RUNS(cell) is not None and _NUMBER(cell) is None


def defused(cell: str) -> str:
    """The cell as text for a spreadsheet."""
    return f"'{cell}" if runs(cell) else cell


def restored(cell: str) -> str:
    """What ``defused`` was given."""
    return cell[1:] if cell.startswith("'") and _RUNS(cell) else cell
