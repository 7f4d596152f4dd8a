"""Numbers, shares and moments as people read them."""

from __future__ import annotations

import math

from driftloop.when import from_ms


def number(value: float | None) -> str:
    """Three significant digits, all digits before the point; – for none.

    >>> [number(v) for v in (1234567.0, 0.012345, 2.0, -71.25, 1.5e-9, 3e17)]
    ['1,234,567', '0.0123', '2', '−71.2', '1.5e-9', '3e17']
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        mantissa, exponent = f"{value:.2e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    elif size >= 100 or value == int(value):
        text = f"{value:,.0f}"
    else:
        text = f"{value:.{2 - math.floor(math.log10(size))}f}".rstrip("0").rstrip(".")
    return text.replace("-", "−", 1) if text.startswith("-") else text


def share(part: float, whole: float = 1.0) -> str:
    """A share as a percentage that is 0% or 100% only when it is exactly that.

    >>> [share(v) for v in (0.0, 0.00001, 0.1234, 0.99999, 1.0)], share(0, 0)
    (['0%', '<0.1%', '12.3%', '>99.9%', '100%'], '–')
    """
    if not whole:
        return "–"
    found = part / whole
    if found in (0.0, 1.0):
        return f"{found:.0%}"
    if found < 0.001:
        return "<0.1%"
    return ">99.9%" if 0.999 < found < 1 else f"{found:.1%}"


def moment(ms: int | None) -> str:
    """``2013-01-31 23:59``; the day alone at midnight (UTC). Years that no calendar has: as many
    years from 1970."""
    if ms is None:
        return "–"
    try:
        text = from_ms(ms).isoformat(sep=" ", timespec="minutes")[:16]
    except OverflowError:
        return f"1970 {ms / 31_556_952_000:+,.0f} years"
    return text.removesuffix(" 00:00")


def duration(ms: float) -> str:
    """In the largest unit of which there are two.

    >>> duration(3 * 86_400_000), duration(5_400_000), duration(100 * 86_400_000)
    ('3 days', '90 minutes', '14 weeks')
    """
    for name, size in (("years", 31_556_952_000), ("weeks", 604_800_000), ("days", 86_400_000),
                       ("hours", 3_600_000), ("minutes", 60_000)):  # fmt: skip
        if ms >= 2 * size and (name != "weeks" or ms >= 8 * size):
            return f"{ms / size:.0f} {name}"
    return f"{ms / 1000:.0f} seconds"


def listed(names: list[str], most: int = 5) -> str:
    """``a, b, c and 4 more``."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
