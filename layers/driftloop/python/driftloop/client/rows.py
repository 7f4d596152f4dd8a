"""Rows as people have them → what JSON can say, and answers → the shape the rows came in."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from driftloop.errors import BadRequest

Document = dict[str, Any]


def is_frame(rows: object) -> bool:
    """Whether they are a pandas DataFrame; nobody has one who has not imported pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(rows, pandas.DataFrame)


def documents(rows: Any, name: str = "instances") -> list[Any]:
    """The rows as JSON documents: numpy's numbers as numbers, times as ISO text, and whatever
    means "missing" (None, NaN, NaT, pandas.NA) as null.

    Raises BadRequest with the path of a value that has no form in JSON, TypeError for no rows.
    """
    if is_frame(rows):
        doubled = rows.columns[rows.columns.duplicated()]
        if len(doubled):
            raise BadRequest(f"the frame has two columns {doubled[0]!r}", str(doubled[0]))
        rows = rows.to_dict("records")
    elif isinstance(rows, Mapping):
        rows = [rows]
    elif isinstance(rows, (str, bytes)) or not isinstance(rows, Sequence):
        kind = type(rows).__name__
        raise TypeError(f"rows should be a dict, a list of dicts or a DataFrame, not {kind}")
    return [_plain(row, f"{name}[{i}]") for i, row in enumerate(rows)]


def _plain(value: Any, path: str) -> Any:
    kind = value.__class__
    if kind is str or kind is int or value is None or kind is bool:
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        if value != value:
            return None
        raise BadRequest(f"{path}: is {value}, which JSON cannot say", path)
    if isinstance(value, Mapping):
        return {str(name): _plain(one, f"{path}.{name}") for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, f"{path}[{i}]") for i, one in enumerate(value)]
    if kind.__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, str):
        return str(value)
    if kind.__name__ in ("bool_", "bool"):  # numpy's, by its names before and since 2.0
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, (Real, Decimal)):
        return _plain(float(value), path)
    if isinstance(value, date):  # and times, pandas' too
        return value.isoformat()
    raise BadRequest(f"{path}: {kind.__name__} has no form in JSON", path)


def shaped(rows: Any, answers: list[Document]) -> Any:
    """One answer for a dict, a list for a list, for a frame a frame of the same index.

    In a frame, what is nested gets columns of its own: ``probabilities.AA``, ``interval.low``.
    """
    if is_frame(rows):
        frame: Any = type(rows)
        return frame([_flat(answer) for answer in answers], index=rows.index)
    return answers[0] if isinstance(rows, Mapping) else answers


def _flat(document: Document, above: str = "") -> Document:
    found: Document = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{above}{name}.")
        else:
            found[above + name] = value
    return found
