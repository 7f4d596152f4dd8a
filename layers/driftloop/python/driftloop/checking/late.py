"""What only a whole upload can decide of a row: is its category among the most frequent, and was
its key, or the value of a unique feature, accepted before?

However an upload is cut into pieces, its rows fare the same: the pieces of which something else
follows from the whole are checked again, told what it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from driftloop.checking import repeats
from driftloop.checking.contract import allowed_categories, counted
from driftloop.data.rowhash import Hashes
from driftloop.errors import WrongColumns
from driftloop.spec import Spec

if TYPE_CHECKING:
    from driftloop.checking.check import Checked

MOST_WORDS = 100_000
"""Different categories that an upload may hold, all features without a list of their own taken
together. They are counted in memory, and a column of so many is none."""


@dataclass(frozen=True)
class Late:
    """``categories``: by feature that has too many, those that stay; ``lines``: line → (field,
    rule) of every row that repeats another of the upload, None when each piece decides that by
    itself."""

    categories: dict[str, list[str]] = field(default_factory=dict)
    lines: dict[int, tuple[str, str]] | None = None

    def to_json(self) -> dict[str, Any]:
        lines = None
        if self.lines is not None:
            lines = [[line, *reason] for line, reason in sorted(self.lines.items())]
        return {"categories": self.categories, "lines": lines}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Late:
        lines = document["lines"]
        if lines is not None:
            lines = {line: (name, rule) for line, name, rule in lines}
        return cls(document["categories"], lines)


def late_of(spec: Spec, pieces: Sequence[Checked]) -> dict[int, Late]:
    """The pieces (by position) that are to be checked again, and with what; {} when all is
    decided. To be asked again of the pieces' new answers: categories first, then repeats.

    Raises WrongColumns for more categories than can be counted.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in counted(spec)}
    for piece in pieces:
        for name, words in piece.categories.items():
            counts[name].update(words)
    check_words(counts)
    allowed = allowed_categories(spec, counts)
    if allowed:
        known = {name: {*words} for name, words in allowed.items()}
        return {
            i: Late({**(piece.late.categories if piece.late else {}), **allowed})
            for i, piece in enumerate(pieces)
            if any(piece.categories[name].keys() - words for name, words in known.items())
        }
    named = repeats.reasons(spec)
    if len(pieces) < 2 or not named:
        return {}
    again = {}
    for i, rows in enumerate(repeats.across(_Marks(pieces, len(named)))):
        marks = read_marks(pieces[i], len(named))
        lines = _lines(marks, rows, named)
        late = pieces[i].late or Late()
        if late.lines is None:
            (own,) = repeats.across([marks[:, 1:]])
            decided = _lines(marks, own, named)
        else:
            decided = late.lines
        if lines != decided:
            again[i] = Late(late.categories, lines)
    return again


def _lines(
    marks: Hashes, found: Mapping[int, int], named: Sequence[tuple[str, str]]
) -> dict[int, tuple[str, str]]:
    """``found``: row → mark that was taken."""
    at = marks[np.fromiter(found, np.int64, len(found)), 0].tolist()
    return {line: named[which] for line, which in zip(at, found.values(), strict=True)}


def check_words(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Raises WrongColumns."""
    if sum(map(len, counts.values())) > MOST_WORDS:
        name = max(counts, key=lambda name: len(counts[name]))
        raise WrongColumns(
            f"{name!r} has over {len(counts[name]) - 1:,} different values, which is no category "
            f"(at most {MOST_WORDS:,} are counted): leave it out, or make it the key"
        )


def read_marks(piece: Checked, width: int) -> Hashes:
    """uint64[n, 1 + width], of every row sound in itself: its line, then its marks."""
    return np.fromfile(piece.marks_file, np.uint64).reshape(-1, 1 + width)


class _Marks(Sequence[Hashes]):
    """The marks of all pieces, read anew whenever a piece's turn comes: one is held at a time."""

    def __init__(self, pieces: Sequence[Checked], width: int) -> None:
        self._pieces, self._width = pieces, width

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, i: Any) -> Any:
        return read_marks(self._pieces[i], self._width)[:, 1:]
