"""The contract of a row: typed by the spec, or quarantined with field, rule and value.

One fault per row is kept, the first in the spec's order of columns. Values may come as text (a
file) or as JSON (a captured request). Rules:

=====================  ==================================================================
``not_a_number``       text (or true, a list …) where a number belongs
``not_finite``         infinity, or a number beyond float64
``null``               missing in a column that is not nullable
``below_min``          under the feature's ``min``
``above_max``          over the feature's ``max``
``unknown_category``   not among the feature's fixed ``categories``
``too_many_categories``beyond the ``max_categories`` most frequent of this upload
``not_a_text``         a list, a mapping or half a character where text belongs
``too_long``           a text of more than 256 characters
``not_a_time``         no ISO 8601 time (naive times are read as UTC)
``in_the_future``      an event time after the moment given (see ``until``)
``duplicate``          the key (without one: the whole row) was there before
=====================  ==================================================================
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftloop.rows import Kind, Rows, kinds, row_keys
from driftloop.spec import Feature, Spec
from driftloop.when import parse, to_ms

NULLS = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
LONGEST = 256
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII).fullmatch
_INFINITY = re.compile(r"\s*[+-]?inf(inity)?\s*", re.IGNORECASE).fullmatch
_SURROGATE = re.compile("[\ud800-\udfff]").search  # JSON may hold half a character
_WHOLE = re.compile(r"-?\d+\.0+", re.ASCII).fullmatch


Found = dict[int, tuple[str, Any]]
"""Row → (rule, value)."""


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
    for name, kind in shapes.items():
        values, found = _column(spec, name, kind, columns[name])
        if kind == "time" and until is not None:
            late = np.flatnonzero(values > until).tolist()
            found |= {row: ("in_the_future", columns[name][row]) for row in late}
        typed[name] = values
        for row, (rule, value) in found.items():
            faults.setdefault(row, Fault(row, name, rule, value))
    kept = np.ones(total, dtype=bool)
    kept[list(faults)] = False
    rows = Rows(shapes, typed)
    if spec.data.duplicates == "drop":
        positions = np.flatnonzero(kept).tolist()
        seen: set[Any] = set()
        for row, key in zip(positions, row_keys(rows.take(kept), spec), strict=True):
            if key in seen:
                shown = key if spec.key else None
                faults[row] = Fault(row, spec.key or "", "duplicate", shown)
                kept[row] = False
            seen.add(key)
    return rows.take(kept), [faults[row] for row in sorted(faults)]


def check_column(spec: Spec, name: str, raw: Sequence[Any]) -> tuple[list[Any], Found]:
    """Type and check one column: values, and (rule, value) by row for those that break it."""
    values, faults = _column(spec, name, kinds(spec)[name], raw)
    return values.tolist(), faults


def as_text(value: object) -> str | None:
    """A JSON scalar as the text a file would hold; None for null, lists and mappings."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, int) else None


def _column(spec: Spec, name: str, kind: Kind, raw: Sequence[Any]) -> tuple[Any, Found]:
    feature = spec.features.get(name)
    if kind == "number":
        return _numbers(raw, feature)
    if kind == "time":
        return _times(raw)
    if feature is not None:
        return _categories(raw, feature)
    return _texts(raw, classes=name == spec.target)


def _numbers(raw: Sequence[Any], feature: Feature | None) -> tuple[Any, Found]:
    """Values and faults by row; ``feature`` None is a regression's target."""
    faults: Found = {}
    values: list[float] = []
    for row, value in enumerate(raw):
        number = math.nan
        if type(value) is str:
            if _NUMBER(value):
                number = float(value)
            elif value not in NULLS:
                rule = "not_finite" if _INFINITY(value) else "not_a_number"
                faults[row] = (rule, value)
        elif type(value) in (int, float):
            number = _float(value)
        elif value is not None:
            faults[row] = ("not_a_number", value)
        if number - number != 0.0 and row not in faults:  # NaN or infinite
            if number == number:
                faults[row] = ("not_finite", str(value))
            elif feature is None or not feature.nullable:
                faults[row] = ("null", value)
        values.append(number)
    array = np.array(values, dtype=np.float64)
    if feature is not None:
        for rule, bad in (
            ("below_min", array < feature.min if feature.min is not None else None),
            ("above_max", array > feature.max if feature.max is not None else None),
        ):
            for row in [] if bad is None else np.flatnonzero(bad).tolist():
                faults.setdefault(row, (rule, raw[row]))
    return array, faults


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of JSON may have any length
        return math.inf


def _categories(raw: Sequence[Any], feature: Feature) -> tuple[Any, Found]:
    values, faults = _texts(raw, nullable=feature.nullable)
    if feature.categories is not None:
        known, rule = set(feature.categories), "unknown_category"
    else:
        ranked = Counter(v for v in values.tolist() if v is not None).most_common()
        if len(ranked) <= feature.max_categories:
            return values, faults
        known, rule = {v for v, _ in ranked[: feature.max_categories]}, "too_many_categories"
    for row, value in enumerate(values.tolist()):
        if value is not None and value not in known:
            faults.setdefault(row, (rule, value))
    return values, faults


def _texts(
    raw: Sequence[Any], *, nullable: bool = False, classes: bool = False
) -> tuple[Any, Found]:
    """Text, None for missing. A class written as ``1.0`` is the class ``1``."""
    faults: Found = {}
    values = np.empty(len(raw), dtype=object)
    for row, value in enumerate(raw):
        if type(value) is not str:
            text = as_text(value)
            if text is None and value is not None:
                faults[row] = ("not_a_text", str(value)[:LONGEST])
                continue
        else:
            text = value
        if not text or (classes and text in NULLS):
            if not nullable:
                faults[row] = ("null", value)
        elif len(text) > LONGEST:
            faults[row] = ("too_long", text[:LONGEST])
        elif _SURROGATE(text):
            faults[row] = ("not_a_text", ascii(text))
        else:
            values[row] = text.split(".")[0] if classes and _WHOLE(text) else text
    return values, faults


def _times(raw: Sequence[Any]) -> tuple[Any, Found]:
    faults: Found = {}
    values = np.zeros(len(raw), dtype=np.int64)
    for row, value in enumerate(raw):
        if value is None or value == "":
            faults[row] = ("null", value)
            continue
        try:
            values[row] = value if type(value) is int else epoch_ms(value)
        except (ValueError, TypeError, AttributeError, OverflowError):
            faults[row] = ("not_a_time", value)
    return values, faults


def epoch_ms(text: str) -> int:
    """ISO 8601 → epoch milliseconds; a time without zone is UTC. Raises ValueError."""
    return to_ms(parse(text.strip()))
