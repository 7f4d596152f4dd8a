"""CloudWatch metrics as log lines: the embedded metric format specification of CloudWatch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

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
    for name, (value, _) in metrics.items():
        if not math.isfinite(value):
            raise ValueError(f"metric {name} is {value}, which is no number")
    directive = {
        "Namespace": namespace(env),
        "Dimensions": sets or [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()],
    }
    values = {name: value for name, (value, _) in metrics.items()}
    meta = {"_aws": {"Timestamp": ms, "CloudWatchMetrics": [directive]}}
    return _encode({**meta, **properties, **dimensions, **values})
