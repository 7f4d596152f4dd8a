"""The contract on blocks of columns: the answers of :mod:`checking.contract`, many rows at once.

A column comes as an arrow array (texts as a file holds them; or numbers, times or dictionaries of
texts, when its reader knew them already) or as a list of JSON values. What is alike in most rows
is decided by arrow and numpy; whatever is odd goes through the contract's own functions, by
distinct value. A file's own booleans are 0 and 1, its NaN is a missing number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from driftloop.checking.cells import (
    EARLIEST,
    LATEST,
    LONGEST,
    NULLS,
    Found,
    check_values,
    out_of_bounds,
    out_of_range,
)
from driftloop.checking.contract import Fault, broken_rules
from driftloop.data.parquet import TYPES
from driftloop.data.rows import Kind, kinds
from driftloop.spec import Spec

STRETCH = 512  # rows
Raw = Any  # pa.Array | list[Any]
Mask = npt.NDArray[np.bool_]
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_DAY = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
_TIMES = (  # as arrow reads them: in UTC, with and without saying so
    (rf"^{_DAY}[T ]{_CLOCK}(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$", pa.timestamp("us", "UTC")),
    (rf"^{_DAY}([T ]{_CLOCK})?$", pa.timestamp("us")),
)
_NULLS = pa.array(sorted(NULLS))


def check(
    spec: Spec, columns: Mapping[str, Raw], until: int | None = None
) -> tuple[dict[str, Any], dict[int, Fault]]:
    """Type and check raw columns (all of ``spec.columns``, equally long), each row by itself.

    Returns arrow arrays (float64; string or its dictionary; timestamp(ms, UTC); null where
    missing or at fault, or anything in a row at fault) and the first fault by row.
    """
    typed: dict[str, Any] = {}
    faults: dict[int, Fault] = {}
    for name, kind in kinds(spec).items():
        typed[name], found = _CHECKS[kind](spec, name, _arrow(columns[name], kind), until)
        for row, (rule, value) in found.items():
            faults.setdefault(row, Fault(row, name, rule, value))
    if spec.data.rules:
        shapes = kinds(spec)
        for fault in broken_rules(spec, _Plain(typed, shapes)):
            faults.setdefault(fault.row, fault)
    return typed, faults


class _Plain(dict[str, Any]):
    """Typed columns as in :class:`~driftloop.data.rows.Rows`, made when asked for."""

    def __init__(self, typed: Mapping[str, Any], shapes: Mapping[str, Kind]) -> None:
        self._typed, self._shapes = typed, shapes

    def __missing__(self, name: str) -> Any:
        column, kind = self._typed[name], self._shapes[name]
        if kind == "number":
            plain = column.to_numpy(zero_copy_only=False)
        elif kind == "time":
            plain = column.cast(pa.int64()).fill_null(0).to_numpy()
        else:
            plain = np.array(column.to_pylist(), dtype=object)
        self[name] = plain
        return plain


def _arrow(raw: Raw, kind: Kind) -> Raw:
    """JSON values as an arrow array where that says the same, else as they are."""
    if not isinstance(raw, list):
        return raw
    types = set(map(type, raw)) - {type(None)}
    try:
        if types <= {str}:
            return pa.array(raw, pa.string())
        if types == {int}:
            return pa.array(raw, pa.int64())
        if kind == "number" and types <= {int, float}:
            return pa.array(raw, pa.float64(), from_pandas=False)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        pass  # too long a number, half a character
    return raw


def _numbers(spec: Spec, name: str, raw: Raw, until: int | None) -> tuple[Any, Found]:
    feature = spec.features.get(name)
    faults: Found = {}
    if isinstance(raw, list):
        values, faults = check_values(spec, name, raw)
        return pa.array(values, from_pandas=True), faults
    if _is_text(raw.type):
        raw = _decoded(raw)
        values = _read(raw)
        faults = _each(spec, name, raw, ~np.isfinite(values), values)
    elif _is_number(raw.type):
        values = raw.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(np.isinf(values)).tolist():
            faults[row] = ("not_finite", str(values[row]))
    else:
        values, faults = check_values(spec, name, raw.to_pylist())
    values = values + 0.0  # one zero
    missing = np.isnan(values)
    if feature is None or not feature.nullable:
        for row in np.flatnonzero(missing).tolist():
            faults.setdefault(row, ("null", None))
    for row, fault in out_of_range(values, feature).items():
        faults.setdefault(row, fault)
    return pa.array(values, mask=missing), faults


def _times(spec: Spec, name: str, raw: Raw, until: int | None) -> tuple[Any, Found]:
    faults: Found = {}
    if isinstance(raw, list):
        values, faults = check_values(spec, name, raw, until)
        return _moments(values), faults
    values = np.full(len(raw), LATEST + 1, dtype=np.int64)
    if _is_text(raw.type):
        raw = _decoded(raw)
        empty = _mask(pc.or_(pc.is_null(raw), pc.is_in(raw, _NULLS)))
        odd = ~empty
        for pattern, form in _TIMES:
            rows = np.flatnonzero(odd)
            rest = raw.take(pa.array(rows))
            fits = pc.match_substring_regex(rest, pattern)
            with suppress(pa.ArrowInvalid):  # a 30th of February
                read = _ms(rest.filter(fits).cast(form))
                values[rows[_mask(fits)]] = read
                odd[rows[_mask(fits)]] = False
        faults = _each(spec, name, raw, odd, values)
    elif pa.types.is_timestamp(raw.type) or pa.types.is_date(raw.type):
        values, empty = _ms(raw), _mask(raw.is_null())
    elif pa.types.is_integer(raw.type):
        empty = _mask(raw.is_null())
        values = raw.fill_null(0).cast(pa.int64(), safe=False).to_numpy()
    else:
        values, faults = check_values(spec, name, raw.to_pylist(), until)
        return _moments(values), faults
    for row in np.flatnonzero(empty).tolist():
        faults[row] = ("null", None)
    outside = (values < EARLIEST) | (values > LATEST)
    for row in np.flatnonzero(outside).tolist():
        plain = not (pa.types.is_timestamp(raw.type) or pa.types.is_date(raw.type))
        shown = raw[row].as_py() if plain else f"{values[row]} ms"  # Python has no such moment
        faults.setdefault(row, ("not_a_time", shown))
    values = np.where(outside, 0, values)
    for row, fault in out_of_bounds(values, spec, until).items():
        faults.setdefault(row, fault)
    return _moments(values), faults


def _texts(spec: Spec, name: str, raw: Raw, until: int | None) -> tuple[Any, Found]:
    feature = spec.features.get(name)
    if isinstance(raw, list):
        values, faults = check_values(spec, name, raw)
        return pa.array(values.tolist(), pa.string()).dictionary_encode(), faults
    if feature is None and name != spec.target and _is_text(raw.type):
        return _keys(spec, name, _decoded(raw))
    if not pa.types.is_dictionary(raw.type):
        raw = raw.dictionary_encode()
    words, found = check_values(spec, name, raw.dictionary.to_pylist())
    names = dict.fromkeys(word for word in words if word is not None)
    code = {word: i for i, word in enumerate(names)} | {None: -1}
    codes = raw.indices.fill_null(len(words)).to_numpy()
    missing = feature is None or not feature.nullable
    wrong = np.array([*(i in found for i in range(len(words))), missing])
    found[len(words)] = ("null", None)
    faults = {row: found[codes[row]] for row in np.flatnonzero(wrong[codes]).tolist()}
    table = np.array([*(code[word] for word in words), -1], dtype=np.int32)[codes]
    indices = pa.array(table, mask=table < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names), pa.string())), faults


def _keys(spec: Spec, name: str, raw: Any) -> tuple[Any, Found]:
    """Texts that mostly differ, and of which nothing is asked but to be there."""
    raw = pc.if_else(pc.equal(raw, ""), None, raw)
    faults: Found = dict.fromkeys(np.flatnonzero(_mask(raw.is_null())).tolist(), ("null", None))
    if (pc.max(pc.binary_length(raw)).as_py() or 0) > LONGEST:
        long = pc.greater(pc.utf8_length(raw), LONGEST).fill_null(False)
        for row in np.flatnonzero(_mask(long)).tolist():
            faults[row] = ("too_long", raw[row].as_py()[:LONGEST])
    return raw, faults


def _read(raw: Any) -> npt.NDArray[np.float64]:
    """Texts as numbers; not finite where one is none that the contract reads at once. Most texts
    are numbers: only stretches with one that is not are looked at more closely."""
    values = np.full(len(raw), np.nan)
    close = np.zeros(len(raw), dtype=bool)
    for start in range(0, len(raw), STRETCH):
        stretch = slice(start, start + STRETCH)
        try:
            read = raw.slice(start, STRETCH).cast(pa.float64())
            values[stretch] = read.to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            close[stretch] = True
    rows = np.flatnonzero(close)
    if rows.size:
        rest = raw.take(pa.array(rows))
        fits = pc.match_substring_regex(rest, _NUMBER)
        read = pc.if_else(fits, rest, None).cast(pa.float64())
        values[rows] = read.to_numpy(zero_copy_only=False)
    return values


def _each(spec: Spec, name: str, raw: Any, odd: Mask, values: npt.NDArray[Any]) -> Found:
    """Let the contract type the values of the rows ``odd`` into ``values``; returns the faults.
    Rows without a value are left out."""
    rows = np.flatnonzero(odd)
    if not rows.size:
        return {}
    picked = raw.take(pa.array(rows))
    if picked.null_count:
        rows = rows[_mask(picked.is_valid())]
        picked = picked.drop_null()
    picked = picked.dictionary_encode()
    typed, found = check_values(spec, name, picked.dictionary.to_pylist())
    codes = picked.indices.to_numpy()
    values[rows] = typed[codes]
    if not found:
        return {}
    pairs = zip(rows.tolist(), codes.tolist(), strict=True)
    return {row: found[code] for row, code in pairs if code in found}


def _ms(column: Any) -> npt.NDArray[np.int64]:
    """Epoch milliseconds of timestamps or dates, rounded down; 0 where there is none."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s" if column.type == pa.date32() else "ms"))
    ticks: npt.NDArray[np.int64] = column.cast(pa.int64()).fill_null(0).to_numpy()
    unit = column.type.unit
    if unit == "s":
        return np.clip(ticks, EARLIEST // 1000 - 1, LATEST // 1000 + 1) * 1000
    return ticks if unit == "ms" else ticks // (1000 if unit == "us" else 1_000_000)


def _moments(values: npt.NDArray[np.int64]) -> Any:
    return pa.array(values).cast(TYPES["time"])


def _decoded(raw: Any) -> Any:
    return raw.cast(pa.string())


def _mask(column: Any) -> Mask:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)


def _is_text(form: Any) -> bool:
    if pa.types.is_dictionary(form):
        form = form.value_type
    return bool(pa.types.is_string(form) or pa.types.is_large_string(form))


def _is_number(form: Any) -> bool:
    kinds = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean, pa.types.is_decimal,
             pa.types.is_null)  # fmt: skip
    return any(is_it(form) for is_it in kinds)


_CHECKS: dict[Kind, Callable[[Spec, str, Raw, int | None], tuple[Any, Found]]] = {
    "number": _numbers,
    "time": _times,
    "text": _texts,
}
