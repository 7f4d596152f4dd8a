"""The columns a file names, held against those that are wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from driftloop.errors import WrongColumns
from driftloop.reading.limits import Limits

_SHOWN = 20


def check_columns(
    found: list[str], wanted: Collection[str] | None, others: bool, limits: Limits
) -> None:
    """Raises WrongColumns naming each column that is missing, unknown (unless ``others``) or
    doubled, or when there are too many."""
    if len(found) > limits.columns:
        raise WrongColumns(f"the file has {len(found):,} columns; at most {limits.columns:,}")
    wanted = found if wanted is None else wanted
    named, asked = set(found), set(wanted)
    doubled = [name for name, count in Counter(found).items() if count > 1]
    missing = [name for name in wanted if name not in named]
    unknown = [name for name in found if name not in asked and not others]
    mistakes = [
        f"{what} {listed(names)}"
        for what, names in (("missing", missing), ("unknown", unknown), ("doubled", doubled))
        if names
    ]
    if mistakes:
        raise WrongColumns(f"columns: {'; '.join(mistakes)}. Expected: {listed(list(wanted))}")


def listed(names: list[str]) -> str:
    """Names in a sentence."""
    return f"{', '.join(map(repr, names[:_SHOWN]))}{' …' if len(names) > _SHOWN else ''}"
