"""Small plots as inline SVG. Widths and heights are in units of the view box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDE = 240.0
COLOURS = 6
"""Classes with a colour of their own (``.c0`` …); the others share grey."""

STYLE = """
.c0{fill:#2563eb}.c1{fill:#d97706}.c2{fill:#0d9488}.c3{fill:#be185d}.c4{fill:#7c3aed}.c5{fill:#65a30d}
@media(prefers-color-scheme:dark){.c0{fill:#60a5fa}.c1{fill:#fbbf24}.c2{fill:#2dd4bf}
.c3{fill:#f472b6}.c4{fill:#a78bfa}.c5{fill:#a3e635}}
.ruler{stroke:var(--ink);stroke-width:.6;stroke-dasharray:3 2}.end{text-anchor:end}
.ends{display:flex;justify-content:space-between;margin:0;font-size:.75rem;color:var(--soft);
line-height:1.3}
"""


def columns(
    heights: Sequence[float], titles: Sequence[str], ends: tuple[str, str], label: str
) -> str:
    """Bars side by side on a common ground, the outer two named."""
    highest = max((*heights, 1e-300))
    step = WIDE / max(len(heights), 1)
    drawn = "".join(
        f'<rect class="now" x="{i * step + step * 0.05:.1f}" y="{60 - tall:.1f}" '
        f'width="{step * 0.9:.1f}" height="{tall:.1f}"><title>{escape(title)}</title></rect>'
        for i, (height, title) in enumerate(zip(heights, titles, strict=True))
        if (tall := max(height / highest * 58, 0.6 if height else 0)) > 0
    )
    return f"{_svg(61, label, drawn)}{_ends(ends)}"


def shares(rows: Sequence[Sequence[float] | None], label: str) -> str:
    """One stack of shares per bar of a plot above it, from the bottom; None draws nothing."""
    step = WIDE / max(len(rows), 1)
    drawn = []
    for i, stack in enumerate(rows):
        at = 30.0
        for k, part in enumerate(stack or ()):
            at -= part * 30
            if part > 0:
                drawn.append(
                    f'<rect class="{colour(k)}" x="{i * step + step * 0.05:.1f}" y="{at:.1f}" '
                    f'width="{step * 0.9:.1f}" height="{part * 30:.1f}"/>'
                )
    return _svg(31, label, "".join(drawn))


def levels(
    values: Sequence[float | None], titles: Sequence[str], usual: float, label: str,
    wide: float = WIDE,
) -> str:  # fmt: skip
    """One point per bar of a plot above it, and a line at the usual level."""
    seen = [v for v in values if v is not None]
    low, high = min((*seen, usual)), max((*seen, usual))
    size = high - low if high - low > 1e-9 * max(abs(low), abs(high)) else math.inf  # all alike
    step = wide / max(len(values), 1)

    def y(value: float) -> float:
        return 32 - (value - low) / size * 28

    drawn = "".join(
        f'<rect class="now" x="{i * step + step * 0.15:.1f}" y="{y(v) - 1.2:.1f}" '
        f'width="{step * 0.7:.1f}" height="2.4"><title>{escape(title)}</title></rect>'
        for i, (v, title) in enumerate(zip(values, titles, strict=True))
        if v is not None
    )
    line = f'<line class="ruler" x1="0" x2="{wide:g}" y1="{y(usual):.1f}" y2="{y(usual):.1f}"/>'
    return _svg(36, label, f"{line}{drawn}", wide)


def colour(place: int) -> str:
    """The class of the ``place``-th colour."""
    return f"c{place}" if place < COLOURS else "base"


def bar(part: float) -> str:
    """A share as a bar that fills its cell."""
    return _flat(f'<rect class="now" width="{part * 100:.1f}" height="8" rx="1"/>')


def stack(parts: Sequence[float]) -> str:
    """Shares as one bar that fills its cell."""
    drawn, at = "", 0.0
    for k, part in enumerate(parts):
        drawn += f'<rect class="{colour(k)}" x="{at:.1f}" width="{part * 100:.1f}" height="8"/>'
        at += part * 100
    return _flat(drawn)


def _flat(drawn: str) -> str:
    return (
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" style="height:.7rem" '
        f'aria-hidden="true">{drawn}</svg>'
    )


def matrix(names: Sequence[str], values: Sequence[Sequence[float | None]], label: str) -> str:
    """A square of associations: blue what goes together, orange what goes against each other."""
    left, cell = 92.0, (360.0 - 92.0) / max(len(names), 1)
    drawn = []
    for i, row in enumerate(values):
        y = i * cell
        drawn.append(
            f'<text class="end" x="{left - 4:g}" y="{y + cell / 2 + 3:.1f}">'
            f"{escape(_short(names[i], 16))}</text>"
        )
        for j, value in enumerate(row):
            if value is None or j > i:
                continue
            title = f"{names[i]}, {names[j]}: {value:.2f}"
            drawn.append(
                f'<rect class="{"c1" if value < 0 else "c0"}" x="{left + j * cell:.1f}" '
                f'y="{y:.1f}" width="{cell * 0.94:.1f}" height="{cell * 0.94:.1f}" '
                f'opacity="{max(abs(value), 0.04):.2f}"><title>{escape(title)}</title></rect>'
            )
    return (
        f'<svg viewBox="0 0 360 {len(names) * cell:.0f}" role="img" '
        f'aria-label="{escape(label)}">{"".join(drawn)}</svg>'
    )


def timeline(
    heights: Sequence[float], titles: Sequence[str], gaps: Sequence[tuple[float, float]],
    ends: tuple[str, str], label: str,
) -> str:  # fmt: skip
    """Bars over time; ``gaps`` are (from, to) as shares of the width."""
    wide, highest = 2 * WIDE, max((*heights, 1e-300))
    step = wide / max(len(heights), 1)
    bands = "".join(
        f'<rect class="over" opacity=".25" x="{a * wide:.1f}" y="0" '
        f'width="{max((b - a) * wide, 1):.1f}" height="70"/>'
        for a, b in gaps
    )
    drawn = "".join(
        f'<rect class="now" x="{i * step:.1f}" y="{70 - h / highest * 68:.1f}" '
        f'width="{max(step * 0.9, 0.5):.1f}" height="{max(h / highest * 68, 0.6):.1f}">'
        f"<title>{escape(title)}</title></rect>"
        for i, (h, title) in enumerate(zip(heights, titles, strict=True))
        if h
    )
    return f"{_svg(70, label, f'{bands}{drawn}', wide)}{_ends(ends)}"


def _svg(tall: int, label: str, drawn: str, wide: float = WIDE) -> str:
    return (
        f'<svg viewBox="0 0 {wide:g} {tall}" role="img" aria-label="{escape(label)}">{drawn}</svg>'
    )


def _ends(ends: tuple[str, str]) -> str:
    """What the first and the last bar stand for; in the page's own letters, whatever the scale."""
    return f"<p class=ends><span>{escape(ends[0])}</span><span>{escape(ends[1])}</span></p>"


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
