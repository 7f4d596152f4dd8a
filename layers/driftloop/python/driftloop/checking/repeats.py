"""Rows that are there twice, or share a value that is to be unique: found by 64-bit marks.

A row's *marks* are the hash of its key (without a key: of the row) where duplicates are dropped,
then one of each ``unique`` feature; ABSENT where a value is missing, which repeats nothing. In the
order of the rows one is accepted when no accepted row had one of its marks. The odds that two
different values share a mark are in :mod:`driftloop.data.rowhash`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from driftloop.data.rowhash import Hashes
from driftloop.spec import Spec

ABSENT = np.uint64(0)
MOST_SORTED = 2_000_000  # marks looked at in one go: 16 MB, and as much again to sort them
Bools = npt.NDArray[np.bool_]


def reasons(spec: Spec) -> list[tuple[str, str]]:
    """(field, rule) of each mark."""
    duplicate = [(spec.key or "", "duplicate")] if spec.data.duplicates == "drop" else []
    return duplicate + [(name, "not_unique") for name, f in spec.features.items() if f.unique]


class Repeats:
    """Of rows that come in blocks, those that repeat an earlier one."""

    def __init__(self, width: int) -> None:
        self._seen = [Seen() for _ in range(width)]

    def find(self, marks: Hashes) -> dict[int, int]:
        """marks: uint64[n, width]. Rows that are not accepted → the first of their marks that was
        taken. The others' marks are taken from now on."""
        earlier = np.stack([s.has(marks[:, i]) for i, s in enumerate(self._seen)], axis=1)
        within = np.stack([_doubled(marks[:, i]) for i in range(len(self._seen))], axis=1)
        rows = np.flatnonzero((earlier | within).any(axis=1))
        found = first_come(rows, marks[rows], earlier[rows])
        accepted = np.ones(len(marks), dtype=bool)
        accepted[list(found)] = False
        for i, seen in enumerate(self._seen):
            seen.add(marks[accepted, i])
        return found


def across(pieces: Sequence[Hashes], most: int = MOST_SORTED) -> Iterator[dict[int, int]]:
    """As :meth:`Repeats.find`, of rows that lie in several arrays (that may be files), one after
    the other; beside what repeats, about ``most`` marks are held in memory at once."""
    width = pieces[0].shape[1]
    total = sum(map(len, pieces))
    bits = (total // most).bit_length()  # marks are shared out by their first bits
    twice = [np.concatenate(
        [_twice(np.concatenate([_share(p[:, i], bits, n) for p in pieces])) for n in range(2**bits)]
    ) for i in range(width)]  # fmt: skip
    taken = [np.zeros(len(marks) + 1, dtype=bool) for marks in twice]  # the last: of no mark
    for piece in pieces:
        doubled = np.stack([np.isin(piece[:, i], twice[i]) for i in range(width)], axis=1)
        rows = np.flatnonzero(doubled.any(axis=1))
        marks, doubled = np.asarray(piece[rows]), doubled[rows]
        place = np.stack(
            [np.where(doubled[:, i], np.searchsorted(twice[i], marks[:, i]), len(twice[i]))
             for i in range(width)], axis=1,
        )  # fmt: skip
        earlier = np.stack([taken[i][place[:, i]] for i in range(width)], axis=1)
        found = first_come(rows, marks, earlier)
        accepted = ~np.isin(rows, np.fromiter(found, np.int64, len(found)))
        for i in range(width):
            taken[i][place[accepted, i]] = True
            taken[i][-1] = False
        yield found


def first_come(rows: npt.NDArray[np.int64], marks: Hashes, earlier: Bools) -> dict[int, int]:
    """Decide rows, of which only those need be given that may repeat another. ``earlier``: which
    marks are known to be taken."""
    if marks.shape[1] == 1:  # each one but the first of its kind
        again = np.ones(len(rows), dtype=bool)
        again[np.unique(marks[:, 0], return_index=True)[1]] = False
        return dict.fromkeys(rows[again | earlier[:, 0]].tolist(), 0)
    known: list[set[int]] = [set() for _ in range(marks.shape[1])]
    found = {}
    for row, own, gone in zip(rows.tolist(), marks.tolist(), earlier.tolist(), strict=True):
        for i, mark in enumerate(own):
            if gone[i] or mark in known[i]:
                found[row] = i
                break
        else:
            for i, mark in enumerate(own):
                if mark != ABSENT:
                    known[i].add(mark)
    return found


class Seen:
    """A set of marks: open addressing, at most half full, so 16 to 32 bytes each."""

    def __init__(self) -> None:
        self._slots = np.zeros(1 << 12, dtype=np.uint64)
        self._count = 0

    def has(self, marks: Hashes) -> Bools:
        """bool[n]; never ABSENT."""
        found = np.zeros(len(marks), dtype=bool)
        rows = np.flatnonzero(marks != ABSENT)
        place = self._home(marks[rows])
        while rows.size:
            there = self._slots[place]
            hit = there == marks[rows]
            found[rows[hit]] = True
            on = ~hit & (there != ABSENT)
            rows, place = rows[on], self._next(place[on])
        return found

    def add(self, marks: Hashes) -> None:
        """Marks that are not in it, and differ from each other."""
        marks = marks[marks != ABSENT]
        if 2 * (self._count + len(marks)) > len(self._slots):
            old = self._slots[self._slots != ABSENT]
            size = 1 << (2 * (self._count + len(marks))).bit_length()
            self._slots = np.zeros(size, dtype=np.uint64)
            self._place(old)
        self._place(marks)
        self._count += len(marks)

    def _place(self, marks: Hashes) -> None:
        place = self._home(marks)
        while marks.size:
            free = self._slots[place] == ABSENT
            self._slots[place[free]] = marks[free]  # of several, one stays
            lost = self._slots[place] != marks
            marks, place = marks[lost], self._next(place[lost])

    def _home(self, marks: Hashes) -> npt.NDArray[np.int64]:
        return (marks & np.uint64(len(self._slots) - 1)).astype(np.int64)

    def _next(self, place: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return (place + 1) & (len(self._slots) - 1)


def _share(marks: Hashes, bits: int, number: int) -> Hashes:
    """The marks that begin with these bits."""
    return marks[marks >> np.uint64(64 - bits) == number] if bits else marks.copy()


def _doubled(marks: Hashes) -> Bools:
    """Where a mark is there more than once."""
    twice = _twice(marks)
    return np.isin(marks, twice) if twice.size else np.zeros(len(marks), dtype=bool)


def _twice(marks: Hashes) -> Hashes:
    """The marks that are there more than once."""
    order = np.sort(marks)
    again = order[1:][order[1:] == order[:-1]]
    return np.unique(again[again != ABSENT])
