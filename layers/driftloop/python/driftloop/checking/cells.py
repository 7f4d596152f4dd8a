"""The values of one column: typed by the spec, or at fault by a rule of
:mod:`driftloop.checking.contract`. Values come as text (a file) or as JSON (a captured request)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.data.rows import kinds
from driftloop.spec import Feature, Spec
from driftloop.when import from_ms, iso, parse, to_ms

NULLS = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
LONGEST = 256
EARLIEST = to_ms(datetime.min.replace(tzinfo=UTC))  # epoch milliseconds
LATEST = to_ms(datetime.max.replace(tzinfo=UTC))
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII).fullmatch
_INFINITY = re.compile(r"\s*[+-]?inf(inity)?\s*", re.IGNORECASE).fullmatch
_SURROGATE = re.compile("[\ud800-\udfff]").search  # JSON may hold half a character
_WHOLE = re.compile(r"-?\d+\.0+", re.ASCII).fullmatch


Found = dict[int, tuple[str, Any]]
"""Row → (rule, value)."""


def check_values(
    spec: Spec, name: str, raw: Sequence[Any], until: int | None = None
) -> tuple[Any, Found]:
    """Type and check one column. Returns its values as in ``rows.Rows`` (where there is a fault:
    anything), and (rule, value) by row. ``until``: as for ``contract.check``."""
    feature, kind = spec.features.get(name), kinds(spec)[name]
    if kind == "number":
        return _numbers(raw, feature)
    if kind == "time":
        return _times(raw, spec, until)
    return _texts(raw, feature, classes=name == spec.target)


def as_text(value: object) -> str | None:
    """A JSON scalar as the text a file would hold; None for null, NaN, lists and mappings."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        if value != value:
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, int) else None


def number(text: str) -> float | str | None:
    """A cell where a number belongs: the number, None for a null word, a text that is none."""
    if _NUMBER(text):
        return float(text)
    return None if text in NULLS else text


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
                faults[row] = ("null", None)
        values.append(number)
    array = np.array(values, dtype=np.float64) + 0.0  # one zero
    for row, fault in out_of_range(array, feature).items():
        faults.setdefault(row, fault)
    return array, faults


def out_of_range(values: npt.NDArray[np.float64], feature: Feature | None) -> Found:
    """Numbers beyond ``min`` and ``max``."""
    faults: Found = {}
    for rule, bad in (
        ("below_min", values < feature.min if feature and feature.min is not None else None),
        ("above_max", values > feature.max if feature and feature.max is not None else None),
    ):
        for row in [] if bad is None else np.flatnonzero(bad).tolist():
            faults[row] = (rule, float(values[row]))
    return faults


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of JSON may have any length
        return math.inf


def _texts(
    raw: Sequence[Any], feature: Feature | None, *, classes: bool = False
) -> tuple[Any, Found]:
    """Text, None for missing; ``feature`` None is a key or a target. A class written as ``1.0`` is
    the class ``1``."""
    faults: Found = {}
    values = np.empty(len(raw), dtype=object)
    nullable = feature is not None and feature.nullable
    known = set(feature.categories) if feature and feature.categories else None
    fits = re.compile(feature.pattern).fullmatch if feature and feature.pattern else None
    for row, value in enumerate(raw):
        text = value if type(value) is str else as_text(value)
        if text is None and value is not None and value == value:
            faults[row] = ("not_a_text", str(value)[:LONGEST])
        elif not text or (classes and text in NULLS):
            if not nullable:
                faults[row] = ("null", None)
        elif len(text) > LONGEST:
            faults[row] = ("too_long", text[:LONGEST])
        elif _SURROGATE(text):
            faults[row] = ("not_a_text", ascii(text))
        elif fits is not None and not fits(text):
            faults[row] = ("breaks_pattern", text)
        elif known is not None and text not in known:
            faults[row] = ("unknown_category", text)
        else:
            values[row] = text.split(".")[0] if classes and _WHOLE(text) else text
    return values, faults


def _times(raw: Sequence[Any], spec: Spec, until: int | None) -> tuple[Any, Found]:
    faults: Found = {}
    values = np.zeros(len(raw), dtype=np.int64)
    for row, value in enumerate(raw):
        if value is None or (type(value) is str and value in NULLS):
            faults[row] = ("null", None)
            continue
        try:
            ms = value if type(value) is int else epoch_ms(value)
        except (ValueError, TypeError, AttributeError, OverflowError):
            ms = LATEST + 1
        if EARLIEST <= ms <= LATEST:
            values[row] = ms
        else:
            faults[row] = ("not_a_time", value)
    for row, fault in out_of_bounds(values, spec, until).items():
        faults.setdefault(row, fault)
    return values, faults


def out_of_bounds(values: npt.NDArray[np.int64], spec: Spec, until: int | None) -> Found:
    """Event times (epoch milliseconds) before or after what the spec allows, or after ``until``."""
    faults: Found = {}
    data = spec.data
    for rule, bad in (
        ("in_the_future", None if until is None else values > until),
        ("too_late", None if data.latest is None else values > to_ms(data.latest)),
        ("too_early", None if data.earliest is None else values < to_ms(data.earliest)),
    ):
        for row in [] if bad is None else np.flatnonzero(bad).tolist():
            faults[row] = (rule, moment(int(values[row])))
    return faults


def epoch_ms(text: str) -> int:
    """ISO 8601 → epoch milliseconds; a time without zone is UTC. Raises ValueError."""
    return to_ms(parse(text.strip()))


def moment(ms: int) -> str:
    """Epoch milliseconds of the years 1 to 9999 → ISO 8601."""
    return iso(from_ms(ms))
