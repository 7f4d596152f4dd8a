"""Blocks of a data file → what was seen of each column, in one pass and little memory.

Only the different texts of a block are looked at one by one, so a column of few values costs
almost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftloop.checking.contract import NULLS, as_text, epoch_ms
from driftloop.infer.seen import MOST_COUNTED, Form, Seen, Table

if TYPE_CHECKING:
    from driftloop.reading import Block

MANY = 10  # fewer rows than this happen to be in order, or all different
PLACEHOLDERS = np.array(
    [s * n for s in (1.0, -1.0) for n in (99, 999, 9999, 99999, 999999)] + [-1.0, -9.0]
)
_FORMS: tuple[Form, ...] = (
    "text", "whole", "decimal", "code", "time", "commas", "unit", "date", "nested",
)  # fmt: skip
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_WRITTEN: tuple[tuple[Form, str], ...] = (
    ("code", r"[+-]?0\d+"),
    ("decimal", _NUMBER),
    ("time", r"\d{4}-\d{2}-\d{2}(?:[T ][\d:]{2,8}(?:[.,]\d+)? ?(?:Z|[+-]\d{2}:?\d{2})?)?"),
    ("commas", r"[+-]?(?:\d[\d.' ]*,\d+|\d{1,3}(?:[,' ]\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,})"),
    ("unit", rf"[$€£¥]\s?{_NUMBER}|{_NUMBER}\s?[%$€£¥]"),
    ("date", r"\d{1,2}[./-]\d{1,2}[./-](?:\d{2}|\d{4})(?:[ T].*)?|\d{4}[./]\d{1,2}[./]\d{1,2}.*"
             r"|\d{4}-\d{2}|(?i:\d{1,2}[ .-]+)?(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
             r"[a-z]*[ .,-]+\d{1,4}.*"),
)  # fmt: skip
_NULLS = pa.array(sorted(NULLS))
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Column:
    """``update`` with each block's values, in order; then ``seen``."""

    def __init__(self, name: str, skipped: int = 0) -> None:
        self.name = name
        self.rows = self.blank = skipped
        self.nulls: dict[str, int] = {}
        self.forms: dict[Form, int] = {}
        self.examples: dict[Form, tuple[int, str]] = {}
        self.counts: dict[str, int] | None = {}
        self.booleans = self.characters = self.longest = 0
        self.placeholders: dict[float, int] = {}
        self.low, self.high = np.inf, -np.inf
        self.rising = self.running = not skipped
        self.hashes: list[Ints] | None = None if skipped else []
        self.last = -np.inf

    def skip(self, rows: int) -> None:
        """Rows of a block that lacks the column."""
        self.rows += rows
        self.blank += rows
        self.running, self.hashes = False, None

    def update(self, values: Any, lines: Ints) -> None:
        """``values``: raw, as a block has them; ``lines``: on which each row begins."""
        encoded = self._texts(values, lines).dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        words = encoded.dictionary
        times = np.bincount(codes[codes >= 0], minlength=len(words))
        void = _mask(pc.is_in(words, _NULLS))
        self.blank += int((codes < 0).sum())
        for k in np.flatnonzero(void).tolist():
            if word := words[k].as_py():
                self.nulls[word] = self.nulls.get(word, 0) + int(times[k])
            else:
                self.blank += int(times[k])
        lengths = pc.utf8_length(words).to_numpy(zero_copy_only=False)[~void]
        self.characters += int((lengths * times[~void]).sum())
        self.longest = max(self.longest, int(lengths.max(initial=0)))
        form, number = _forms(words, ~void)
        self._note_forms(np.append(np.where(void, -1, form), -1), codes, words, lines)
        self._note_numbers(number[~void], times[~void])
        self._note_order(np.append(number, np.nan)[codes], np.append(void, True)[codes])
        self._note_unique(words, times, void, codes)
        self._note_counts(words, times, void)
        self.rows += len(codes)

    def _texts(self, values: Any, lines: Ints) -> Any:
        """As text; a truth is 0 or 1, as the contract has it; a list or a mapping is set aside."""
        if isinstance(values, list):
            self.booleans += sum(type(value) is bool for value in values)
            nested = [i for i, value in enumerate(values) if isinstance(value, list | dict)]
            if nested:
                self.forms["nested"] = self.forms.get("nested", 0) + len(nested)
                self.examples.setdefault("nested", (int(lines[nested[0]]), str(values[nested[0]])))
            # Half characters, which JSON may hold, are no text in arrow.
            texts = [as_text(value) for value in values]
            return pa.array(
                [t and t.encode("utf-8", "replace").decode() for t in texts], pa.string()
            )
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        if pa.types.is_boolean(values.type):
            self.booleans += len(values) - values.null_count
            values = values.cast(pa.int8())
        return values.cast(pa.string())

    def _note_forms(self, form: Ints, codes: Ints, words: Any, lines: Ints) -> None:
        by_row = form[codes]
        counts = np.bincount(by_row[by_row >= 0], minlength=len(_FORMS))
        for k in np.flatnonzero(counts).tolist():
            name = _FORMS[k]
            self.forms[name] = self.forms.get(name, 0) + int(counts[k])
            if name not in self.examples:
                row = int(np.argmax(by_row == k))
                self.examples[name] = (int(lines[row]), words[codes[row]].as_py())

    def _note_numbers(self, number: Floats, times: Ints) -> None:
        odd = np.isin(number, PLACEHOLDERS)
        for k in np.flatnonzero(odd).tolist():
            value = float(number[k])
            self.placeholders[value] = self.placeholders.get(value, 0) + int(times[k])
        plain = number[~odd & ~np.isnan(number)]
        self.low = min(self.low, plain.min(initial=np.inf))
        self.high = max(self.high, plain.max(initial=-np.inf))

    def _note_order(
        self, values: Floats, missing: Mask
    ) -> None:  # fmt: skip
        if not self.rising or not len(values):
            return
        known = values[~missing]
        steps = np.diff(known, prepend=self.last)  # NaN where a text is: no step at all
        self.rising = bool((steps >= 0).all())
        behind = steps if np.isfinite(self.last) else steps[1:]
        ones = bool((behind == 1).all()) and not missing.any()
        self.running = self.running and self.rising and ones
        self.last = known[-1] if len(known) else self.last

    def _note_unique(self, words: Any, times: Ints, void: Mask, codes: Ints) -> None:
        if self.hashes is None:
            return
        if void.any() or (codes < 0).any() or (times > 1).any() or "decimal" in self.forms:
            self.hashes = None
        else:
            self.hashes.append(np.array([hash(w) for w in words.to_pylist()], dtype=np.int64))

    def _note_counts(self, words: Any, times: Ints, void: Mask) -> None:
        if self.counts is None:
            return
        if len(words) - void.sum() > MOST_COUNTED:
            self.counts = None
            return
        for k, word in enumerate(words.to_pylist()):
            if void[k]:
                continue
            if word not in self.counts and len(self.counts) == MOST_COUNTED:
                self.counts = None
                return
            self.counts[word] = self.counts.get(word, 0) + int(times[k])

    def seen(self) -> Seen:
        many = self.rows >= MANY
        unique = self.hashes is not None and len(np.unique(np.concatenate(self.hashes)))
        known = sum(self.forms.values())
        return Seen(
            name=self.name, rows=self.rows, blank=self.blank - self.forms.get("nested", 0),
            nulls=self.nulls, forms=self.forms, examples=self.examples, counts=self.counts,
            unique=many and unique == self.rows,
            rising=many and self.rising and known > 0, running=many and self.running,
            low=float(self.low) if np.isfinite(self.low) else None,
            high=float(self.high) if np.isfinite(self.high) else None,
            placeholders=dict(sorted(self.placeholders.items())), booleans=self.booleans,
            characters=self.characters / known if known else 0.0, longest=self.longest,
        )  # fmt: skip


def _mask(values: Any) -> Mask:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=bool)


def _forms(words: Any, wanted: Mask) -> tuple[Ints, Floats]:
    """The form of each word (a place in ``_FORMS``), and its number or moment, NaN for others."""
    form = np.zeros(len(words), dtype=np.int64)
    number = np.full(len(words), np.nan)
    left = np.flatnonzero(wanted)
    for name, pattern in _WRITTEN:
        texts = words.take(pa.array(left))
        hit = _mask(pc.match_substring_regex(texts, rf"^\s*(?:{pattern})\s*$"))
        form[left[hit]] = _FORMS.index(name)
        if hit.any() and name in _READ:
            number[left[hit]] = _READ[name](pc.utf8_trim_whitespace(texts.filter(pa.array(hit))))
        left = left[~hit]
    decimal, moment = _FORMS.index("decimal"), _FORMS.index("time")
    form[np.isinf(number)] = _FORMS.index("text")
    number[np.isinf(number)] = np.nan
    form[(form == decimal) & (number == np.floor(number))] = _FORMS.index("whole")
    form[(form == moment) & np.isnan(number)] = _FORMS.index("date")
    return form, number


def _numbers(texts: Any) -> Floats:
    try:
        return np.asarray(texts.cast(pa.float64()))
    except pa.ArrowInvalid:  # a plus sign, or beyond float64
        return np.array([float(text) for text in texts.to_pylist()])


def _moments(texts: Any) -> Floats:
    """Epoch milliseconds; NaN for a day that no calendar has."""
    for kind in (pa.timestamp("ms", "UTC"), pa.timestamp("ms")):
        try:
            return np.asarray(texts.cast(kind).cast(pa.int64())).astype(np.float64)
        except pa.ArrowInvalid:  # with and without zone, or one that is none
            continue
    return np.array([_moment(text) for text in texts.to_pylist()])


def _moment(text: str) -> float:
    try:
        return float(epoch_ms(text))
    except (ValueError, OverflowError):
        return np.nan


_READ: Mapping[str, Callable[[Any], Floats]] = {"decimal": _numbers, "time": _moments}


def observe(blocks: Iterable[Block], most: int) -> Table:
    """Look at the first ``most`` rows, and a block's rest."""
    columns: dict[str, Column] = {}
    rows = broken = 0
    whole, fault = True, ""
    for block in blocks:
        if rows >= most:
            whole = False
            break
        size = len(block.lines)
        for name, values in block.columns.items():
            if name not in columns:
                columns[name] = Column(name, rows)
            columns[name].update(values, block.lines)
        for name in columns.keys() - block.columns.keys():
            columns[name].skip(size)
        rows += size
        broken += len(block.broken)
        if block.broken and not fault:
            fault = f"line {block.broken[0].line}: {block.broken[0].fault}"
    return Table(tuple(column.seen() for column in columns.values()), rows, broken, whole, fault)
