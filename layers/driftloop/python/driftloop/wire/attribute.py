"""DynamoDB attribute values to and from plain Python (``AttributeValue`` in its API reference).

Numbers: an integral number comes back as ``int``, any other as ``float``. DynamoDB holds
magnitudes from 1e-130 to 9.99e125: smaller ones are stored as 0, larger ones, NaN and infinity are
refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Wire = dict[str, Any]


def encode(value: object) -> Wire:
    """``7`` → ``{"N": "7"}``. Raises ValueError for a number DynamoDB cannot hold, TypeError for
    a type it should not."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, float):
        if not math.isfinite(value) or abs(value) > 9.99e125:
            raise ValueError(f"{value!r} cannot be kept: it is no number DynamoDB can hold")
        return {"N": repr(value) if abs(value) >= 1e-130 else "0"}
    if isinstance(value, Mapping):
        return {"M": encode_item(value)}
    if isinstance(value, (list, tuple)):
        return {"L": [encode(element) for element in value]}
    raise TypeError(f"{type(value).__name__} has no form in the registry")


def encode_item(item: Mapping[str, object]) -> dict[str, Wire]:
    return {name: encode(value) for name, value in item.items()}


def decode(wire: Wire) -> Any:
    """``{"N": "7"}`` → ``7``. Raises ValueError for a type that driftloop never writes."""
    ((kind, value),) = wire.items()
    if kind in ("S", "BOOL"):
        return value
    if kind == "N":
        number = float(value)
        try:
            return int(value)
        except ValueError:
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "NULL":
        return None
    if kind == "M":
        return decode_item(value)
    if kind == "L":
        return [decode(element) for element in value]
    raise ValueError(f"attribute type {kind!r} is not one the registry writes")


def decode_item(item: Mapping[str, Wire]) -> dict[str, Any]:
    return {name: decode(value) for name, value in item.items()}
