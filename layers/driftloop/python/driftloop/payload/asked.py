"""What was asked, once its shape is understood."""

from __future__ import annotations

from typing import Any, NamedTuple

from driftloop.errors import BadRequest, RequestTooLarge
from driftloop.payload.place import Place

MAX_ROWS = 10_000


class Asked(NamedTuple):
    """``rows``: field → value, unchecked (nor is it sure that each is an object). ``place``: where
    each stood in what was sent. ``explain``: whether reasons are wanted with the predictions."""

    rows: list[Any]
    place: Place
    explain: bool = False


def check_count(count: int, field: str) -> None:
    """Raises BadRequest for no rows, RequestTooLarge for more than :data:`MAX_ROWS`."""
    if not count:
        raise BadRequest(f"{field}: is empty; send at least one row", field)
    if count > MAX_ROWS:
        raise RequestTooLarge(
            f"{field}: {count:,} rows; at most {MAX_ROWS:,} in one request", field
        )
