"""A column's distribution in a window, drawn over the one it had at training."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from driftloop.pages.drawings import WIDE
from driftloop.pages.readable import number, share
from driftloop.sketches.sketch import Floats, NumberSketch, Sketch, TextSketch

BARS = 24
NAMES, MOVED = 9, 3
LOOKED_AT = 100
DWARFED = 30
"""A scale is logarithmic where the largest is so many times the usual value."""
TALL = 70.0

STYLE = """
.seen{fill:var(--now);fill-opacity:.18;stroke:var(--now);stroke-width:1.5;
vector-effect:non-scaling-stroke}
.ends{display:flex;justify-content:space-between;margin:0;font-size:.75rem;color:var(--soft);
line-height:1.3}
.one{white-space:nowrap}.two{width:40%}
.two i{display:block;height:.4rem;min-width:1px;background:var(--now)}
.two i:first-child{background:var(--base)}
figure td.name{max-width:9rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
"""


@dataclass(frozen=True)
class Both:
    """Shares of the rows with a value, bar by bar: at training, and in the window."""

    before: Floats
    after: Floats
    labels: list[str]
    ends: tuple[str, str]


def drawn(name: str, before: Sketch, after: Sketch) -> str:
    """The plot of one column: of numbers two histograms, of texts a table of shares."""
    if isinstance(before, NumberSketch) and isinstance(after, NumberSketch):
        both = of_numbers(before, after)
        return _histogram(name, both) if both else ""
    assert isinstance(before, TextSketch) and isinstance(after, TextSketch)
    return _shares(before, after)


def of_numbers(before: NumberSketch, after: NumberSketch) -> Both | None:
    """Bars of equal width over all but the outermost half percents of either; a bar for each value
    where they are few. None where neither has values."""
    sketches = [sketch for sketch in (before, after) if sketch.present]
    if not sketches:
        return None
    values = _few(sketches)
    if values:
        edges = np.array(values[1:])
        labels = [number(value) for value in values]
        shares = _counts(before, edges), _counts(after, edges)
        return Both(*shares, labels, (labels[0], labels[-1]))
    low = min(sketch.quantile(0.005) or 0.0 for sketch in sketches)
    high = max(sketch.quantile(0.995) or 0.0 for sketch in sketches)
    usual = min(sketch.quantile(0.5) or 0.0 for sketch in sketches)
    logarithmic = low > 0 and high / DWARFED > usual
    edges = (np.geomspace if logarithmic else np.linspace)(low, high, BARS + 1)
    if not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
        edges = np.array([low, np.nextafter(low, np.inf)])  # narrower than its digits, or wider
    labels = [f"{number(a)} to {number(b)}" for a, b in pairwise(edges.tolist())]
    scale = " (logarithmic)" if logarithmic else ""
    ends = (f"{number(edges[0])}{scale}", number(edges[-1]))
    inner = edges[1:-1]
    return Both(_counts(before, inner), _counts(after, inner), labels, ends)


def _few(sketches: list[NumberSketch]) -> list[float]:
    """The values of both, in order, where they are few; else none."""
    found: set[float] = set()
    for sketch in sketches:
        top = sketch.top(BARS + 1)
        if not sketch.exact or len(top) != sketch.distinct:
            return []
        found |= {value for value, _ in top}
    return sorted(found) if len(found) <= BARS else []


def _counts(sketch: NumberSketch, edges: Floats) -> Floats:
    """Shares of the values below, between and from ``edges`` on."""
    below = np.concatenate([[0.0], sketch.buckets.below(edges), [float(sketch.present)]])
    shares: Floats = np.diff(below) / max(sketch.present, 1)
    return shares


def _histogram(name: str, both: Both) -> str:
    highest = max(*both.before, *both.after, 1e-12)
    step = WIDE / len(both.before)
    bars, line, titles = "", f"M0,{TALL:g}", ""
    for i, (a, b) in enumerate(zip(both.before.tolist(), both.after.tolist(), strict=True)):
        tall, top = a / highest * (TALL - 3), TALL - b / highest * (TALL - 3)
        if a:
            bars += (
                f'<rect class="base" x="{i * step + step * 0.04:.1f}" y="{TALL - tall:.1f}" '
                f'width="{step * 0.92:.1f}" height="{tall:.1f}"/>'
            )
        line += f"V{top:.1f}H{(i + 1) * step:.1f}"
        titles += (
            f'<rect x="{i * step:.1f}" width="{step:.1f}" height="{TALL:g}" fill="transparent">'
            f"<title>{escape(both.labels[i])}: {share(a)} → {share(b)}</title></rect>"
        )
    return (
        f'<svg viewBox="0 0 {WIDE:g} {TALL:g}" role="img" aria-label="values of {escape(name)}, '
        f'training and window">{bars}<path class="seen" d="{line}V{TALL:g}Z"/>{titles}</svg>'
        f"<p class=ends><span>{both.ends[0]}</span><span>{both.ends[1]}</span></p>"
    )


def _shares(before: TextSketch, after: TextSketch) -> str:
    """The texts with the largest shares on either side and those whose share changed most, then
    all others together."""
    names = sorted({name for sketch in (after, before) for name, _ in sketch.top(LOOKED_AT)})
    pairs = dict(zip(names, zip(_of(before, names), _of(after, names), strict=True), strict=True))
    names.sort(key=lambda name: -max(pairs[name]))
    moved = sorted(names, key=lambda name: -abs(pairs[name][1] - pairs[name][0]))
    shown = {*names[: NAMES - MOVED], *moved[:MOVED]}
    ranked = [(name, pairs[name]) for name in names if name in shown]
    rest = [max(0.0, 1 - sum(pair[side] for _, pair in ranked)) for side in (0, 1)]
    highest = max(*(max(pair) for _, pair in ranked), *rest, 1e-12) if ranked else 1.0
    rows = "".join(
        _row(name, a, b, highest, "" if a or not before.exact else "new") for name, (a, b) in ranked
    )
    if max(rest) > 0.0005:
        rows += _row("all others", rest[0], rest[1], highest, "")
    return f"<table>{rows}</table>"


def _of(sketch: TextSketch, names: list[str]) -> list[float]:
    return [count / max(sketch.present, 1) for count in sketch.counts(names)]


def _row(name: str, before: float, after: float, highest: float, note: str) -> str:
    bars = "".join(f'<i style="width:{part / highest:.1%}"></i>' for part in (before, after))
    mark = f" <b class=bad>{note}</b>" if note else ""
    return (
        f'<tr><td class=name title="{escape(name)}">{escape(name)}{mark}</td><td class=two>{bars}'
        f'</td><td class="n one">{share(before)} → {share(after)}</td></tr>'
    )
