"""Moments as text: ISO 8601, UTC, always with milliseconds, so that text sorts as time does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse(text: str) -> datetime:
    """``2013-02-01T05:00:00Z`` or with an offset or fraction → aware datetime in UTC.

    Raises ValueError for what is no moment; one without a zone is taken as UTC.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def iso(moment: datetime) -> str:
    """→ ``2013-02-01T05:00:00.000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_ms(ms: int) -> datetime:
    """Epoch milliseconds → moment."""
    return EPOCH + timedelta(milliseconds=ms)


def to_ms(moment: datetime) -> int:
    """Moment → epoch milliseconds."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
