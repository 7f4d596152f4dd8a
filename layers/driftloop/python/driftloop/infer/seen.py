"""What is known of a data file before there is a spec: each column's values, counted by how they
are written. Plain numbers and words, so that what is made of them can be tested without a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Form = Literal[
    "whole",  # 7, -7, 7.0
    "decimal",  # 7.5, 1e-3
    "code",  # 007: digits that are no number
    "time",  # ISO 8601
    "commas",  # 1.234,5 or 1,234.5
    "unit",  # 5 %, $5
    "date",  # 31/12/2013, Dec 31, 2013
    "nested",  # a list or an object of JSON
    "text",
]
NUMBERS: tuple[Form, ...] = ("whole", "decimal")
MOST_COUNTED = 2000  # different values of a column that are counted one by one


@dataclass(frozen=True)
class Seen:
    """One column over all rows read."""

    name: str
    rows: int
    blank: int = 0
    """Empty cells; nulls of JSON and Parquet."""
    nulls: Mapping[str, int] = field(default_factory=dict)
    """Words that stand for nothing (NA, null …), with counts."""
    forms: Mapping[Form, int] = field(default_factory=dict)
    """All other values, by how they are written."""
    examples: Mapping[Form, tuple[int, str]] = field(default_factory=dict)
    """Form → line and text of its first value."""
    counts: Mapping[str, int] | None = field(default_factory=dict)
    """Value → rows, blanks and null words aside; None for more than ``MOST_COUNTED`` values."""
    unique: bool = False
    """No two rows hold the same value, and none is missing."""
    rising: bool = False
    """Numbers or times only, none below the one before it."""
    running: bool = False
    """Whole numbers only, each one more than the one before it."""
    low: float | None = None
    """The least and the greatest number (times: epoch ms), placeholders aside."""
    high: float | None = None
    placeholders: Mapping[float, int] = field(default_factory=dict)
    """How often stands what people write for "unknown": -999, 9999 …"""
    booleans: int = 0
    """Values that are true or false in JSON or Parquet; a file of text has none."""
    characters: float = 0.0
    """Mean length of a value."""
    longest: int = 0

    @property
    def known(self) -> int:
        """Rows that hold a value."""
        return sum(self.forms.values())

    @property
    def missing(self) -> int:
        """Rows that hold none, null words included."""
        return self.blank + sum(self.nulls.values())

    @property
    def distinct(self) -> int | None:
        """How many different values; None when more than ``MOST_COUNTED``."""
        return None if self.counts is None else len(self.counts)

    def count(self, *forms: Form) -> int:
        return sum(self.forms.get(form, 0) for form in forms)

    def share(self, *forms: Form) -> float:
        """Of the values known; 0 when there are none."""
        return self.count(*forms) / self.known if self.known else 0.0


@dataclass(frozen=True)
class Table:
    """A file as read. ``broken``: records that could not be read as rows; ``fault``: of the first
    of them, its line and why."""

    columns: tuple[Seen, ...]
    rows: int
    broken: int = 0
    whole: bool = True
    """False when reading stopped before the end."""
    fault: str = ""
