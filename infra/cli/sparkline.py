"""Series in a line of text, a bar a window."""

from __future__ import annotations

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
NOTHING = "[dim]·[/]"


def ratios(values: Sequence[float | None]) -> str:
    """Full at twice the threshold; red above it, a dot where there is none."""
    return "".join(
        NOTHING if v is None else f"[red]{_bar(v / 2)}[/]" if v > 1 else _bar(v / 2) for v in values
    )


def levels(values: Sequence[float | None], low: float, high: float) -> str:
    """From ``low`` to ``high``; a dot where there is none."""
    size = (high - low) or 1.0
    return "".join(NOTHING if v is None else _bar((v - low) / size) for v in values)


def changes(values: Sequence[int]) -> str:
    """A line where the number is another than before."""
    pairs = zip(values, [*values[:1], *values], strict=False)
    return "".join(NOTHING if now == before else "│" for now, before in pairs)


def _bar(share: float) -> str:
    return BARS[min(max(int(share * len(BARS)), 0), len(BARS) - 1)]
