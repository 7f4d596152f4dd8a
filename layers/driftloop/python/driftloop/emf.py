"""CloudWatch metrics as log lines: the embedded metric format specification of CloudWatch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def namespace(env: str) -> str:
    """Where one environment's metrics are: two may share an account, and have the same models."""
    return f"driftloop/{env}"


def line(
    env: str,
    ms: int,
    dimensions: Mapping[str, str],
    metrics: Mapping[str, tuple[float, str]],
    sets: Sequence[Sequence[str]] | None = None,
    **properties: object,
) -> str:
    """One line of ``metrics`` (name → value, unit) of ``env`` at epoch millisecond ``ms``.

    ``sets``: which combinations of ``dimensions`` to publish under; all of them together if not
    given. Raises ValueError for a value that is not finite.
    """
    values = {}
    for name, (value, _) in metrics.items():
        if not math.isfinite(value):
            raise ValueError(f"metric {name} is {value}, which is no number")
        values[name] = value
    directive = _directive(
        env,
        tuple(map(tuple, sets or [list(dimensions)])),
        tuple([(name, unit) for name, (_, unit) in metrics.items()]),
    )
    rest = _encode({**properties, **dimensions, **values})
    return f'{{"_aws":{{"Timestamp":{ms},"CloudWatchMetrics":[{directive}]}},{rest[1:]}'


@lru_cache(maxsize=64)  # a process has few kinds of line, and prints them for every request
def _directive(
    env: str, sets: tuple[tuple[str, ...], ...], units: tuple[tuple[str, str], ...]
) -> str:
    return _encode(
        {
            "Namespace": namespace(env),
            "Dimensions": sets,
            "Metrics": [{"Name": name, "Unit": unit} for name, unit in units],
        }
    )
