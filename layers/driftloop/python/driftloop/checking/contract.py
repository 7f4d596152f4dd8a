"""The contract of a row: typed by the spec, or quarantined with field, rule and value.

This is the definition, on Python values as text (a file) or JSON (a captured request);
:mod:`checking.columnar` gives the same answers on whole blocks. One fault per row is kept: the
first in the spec's order of columns, then the row's own rules, and only of rows that are sound in
themselves what they are among the others.

=====================  ==================================================================
``not_a_number``       text (or true, a list …) where a number belongs
``not_finite``         infinity, or a number beyond float64
``null``               missing in a column that is not nullable
``below_min``          under the feature's ``min``
``above_max``          over the feature's ``max``
``not_a_text``         a list, a mapping or half a character where text belongs
``too_long``           a text of more than 256 characters
``breaks_pattern``     not the feature's ``pattern`` from end to end
``unknown_category``   not among the feature's fixed ``categories``
``not_a_time``         no ISO 8601 time (naive times are read as UTC) of the years 1 to 9999
``too_early``          an event time before ``data.earliest``
``too_late``           an event time after ``data.latest``
``in_the_future``      an event time after the moment given (see ``until``)
``breaks_rule``        one of ``data.rules`` is false (``field`` is the rule's name)
---------------------  ------------------------------------------------------------------
``too_many_categories``beyond the ``max_categories`` most frequent of this upload
``duplicate``          the key (without one: the whole row) was accepted before
``not_unique``         the value of a ``unique`` feature was accepted before
=====================  ==================================================================

The value of a fault is what stood there; of a number or time that is read but not allowed, the
number or the moment in ISO 8601; None where something is missing; of a rule, what it speaks of.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftloop.checking import expression
from driftloop.checking.cells import LONGEST, NULLS, Found, as_text, check_values, epoch_ms, moment
from driftloop.data.rows import Kind, Rows, kinds, plain, row_keys
from driftloop.spec import Spec

__all__ = [
    "LONGEST", "NULLS", "Fault", "allowed_categories", "as_text", "broken_rules", "check",
    "check_column", "counted", "epoch_ms",
]  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """Why row ``row`` (counted from 0) is not accepted."""

    row: int
    field: str
    rule: str
    value: Any


def check(
    spec: Spec, columns: Mapping[str, Sequence[Any]], until: int | None = None
) -> tuple[Rows, list[Fault]]:
    """Type and check raw columns (all of ``spec.columns``, equally long). ``until``: the latest
    event time to believe, epoch milliseconds.

    Returns the accepted rows in order, and one fault for each other row, by row.
    """
    total = len(next(iter(columns.values())))
    faults: dict[int, Fault] = {}
    typed: dict[str, Any] = {}
    shapes = kinds(spec)
    for name in shapes:
        typed[name], found = check_values(spec, name, columns[name], until)
        for row, (rule, value) in found.items():
            faults.setdefault(row, Fault(row, name, rule, value))
    for fault in broken_rules(spec, typed):
        faults.setdefault(fault.row, fault)
    rows = Rows(shapes, typed)

    def sound() -> list[int]:
        return [row for row in range(total) if row not in faults]

    for name, allowed in allowed_categories(spec, _counts(spec, rows, sound())).items():
        values, known = typed[name].tolist(), {None, *allowed}
        for row in sound():
            if values[row] not in known:
                faults[row] = Fault(row, name, "too_many_categories", values[row])
    faults |= _repeated(spec, rows, sound())
    kept = np.ones(total, dtype=bool)
    kept[list(faults)] = False
    return rows.take(kept), [faults[row] for row in sorted(faults)]


def allowed_categories(spec: Spec, counts: Mapping[str, Mapping[str, int]]) -> dict[str, list[str]]:
    """By feature that has more than ``max_categories``, those that stay: the most frequent, and of
    equally frequent ones the first in the alphabet. ``counts``: those of :func:`counted`."""
    allowed = {}
    for name, seen in counts.items():
        most = spec.features[name].max_categories
        if len(seen) > most:
            ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
            allowed[name] = [word for word, _ in ranked[:most]]
    return allowed


def counted(spec: Spec) -> list[str]:
    """The features whose categories are counted: those with no list of their own."""
    return [n for n, f in spec.features.items() if f.type == "category" and f.categories is None]


def broken_rules(spec: Spec, typed: Mapping[str, Any]) -> Iterator[Fault]:
    """The first of ``data.rules`` each row breaks; values that are at fault themselves may be
    anything. ``typed``: columns as in :class:`Rows`."""
    for name, text in spec.data.rules.items():
        rule = _compiled(text, tuple(kinds(spec).items()))
        used = {column: typed[column] for column in rule.columns}
        for row in np.flatnonzero(~rule.evaluate(used)).tolist():
            value = {column: _shown(kinds(spec)[column], used[column][row]) for column in used}
            yield Fault(row, name, "breaks_rule", value)


@functools.lru_cache
def _compiled(text: str, columns: tuple[tuple[str, Kind], ...]) -> expression.Expression:
    return expression.compile(text, dict(columns))


def _shown(kind: Kind, value: Any) -> Any:
    """A typed value as a fault shows it."""
    if kind == "time":
        return moment(int(value))
    if kind == "number":
        return None if value != value else float(value)
    return value


def _counts(spec: Spec, rows: Rows, sound: list[int]) -> dict[str, Counter[str]]:
    columns = {name: rows.columns[name].tolist() for name in counted(spec)}
    return {
        name: Counter(v for v in map(values.__getitem__, sound) if v is not None)
        for name, values in columns.items()
    }


def _repeated(spec: Spec, rows: Rows, sound: list[int]) -> dict[int, Fault]:
    """Rows that repeat an accepted one, or a value of it that is to be unique."""
    faults = {}
    names = row_keys(rows, spec) if spec.data.duplicates == "drop" else None
    unique = {n: plain(rows.columns[n]) for n, f in spec.features.items() if f.unique}
    seen: set[Any] = set()
    taken: set[tuple[str, Any]] = set()
    for row in sound:
        values = [(n, v[row]) for n, v in unique.items() if v[row] is not None]
        twice = next((pair for pair in values if pair in taken), None)
        if names is not None and names[row] in seen:
            shown = names[row] if spec.key else None
            faults[row] = Fault(row, spec.key or "", "duplicate", shown)
        elif twice is not None:
            faults[row] = Fault(row, twice[0], "not_unique", twice[1])
        else:
            taken.update(values)
            if names is not None:
                seen.add(names[row])
    return faults


def check_column(spec: Spec, name: str, raw: Sequence[Any]) -> tuple[list[Any], Found]:
    """Type and check one column: values, and (rule, value) by row for those that break it."""
    values, faults = check_values(spec, name, raw)
    return values.tolist(), faults
