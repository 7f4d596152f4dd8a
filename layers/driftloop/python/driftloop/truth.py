"""Labels as they are kept: what became of which prediction."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from driftloop.blobs import Blobs, get_all
from driftloop.checking.contract import as_text

Entry = dict[str, Any]
"""``{"id", "label", "time"}``: the prediction, its truth, when that was said (epoch milliseconds);
``at``: its event time, where the one who said it knew."""


def newest(store: Blobs, names: Iterable[str]) -> dict[str, tuple[str, Entry]]:
    """Prediction id → the label object and its entry, from the label objects ``names``; of several
    claims the one that came last holds."""
    claims = [
        (entry["time"], key, entry)
        for key, data in get_all(store, names)
        for entry in map(json.loads, gzip.decompress(data).splitlines())
    ]
    ranked = sorted(claims, key=lambda claim: claim[:2])
    return {entry["id"]: (key, entry) for _, key, entry in ranked}


def labels(store: Blobs, names: Iterable[str]) -> dict[str, Any]:
    """Prediction id → truth, as :func:`newest` has it."""
    return {identity: entry["label"] for identity, (_, entry) in newest(store, names).items()}


def reader(classes: Sequence[str] | None) -> Callable[[Any], float | None]:
    """From a label to what losses are computed of: the number, or the code of its class; None for
    a class that the version never learned."""
    if classes is None:
        return float
    codes = {name: float(i) for i, name in enumerate(classes)}
    return lambda label: codes.get(as_text(label) or "")
