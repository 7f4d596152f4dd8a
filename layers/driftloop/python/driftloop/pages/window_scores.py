"""A window's scores: the features by how far they moved, and each with all that was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from driftloop.pages import window_distributions as distributions
from driftloop.pages.readable import number, share
from driftloop.pages.window_words import statistic
from driftloop.sketches.sketch import Sketch

Score = Mapping[str, Any]

LONGEST = 4.0
"""Ratios beyond this fill their bar."""

STYLE = """
.bar{width:30%;min-width:5rem}figure table{margin-top:.5rem}
figure td,figure th{padding:.1rem .3rem .1rem 0;border:0;font-size:.8rem;font-weight:400}
figure th{color:var(--soft)}figcaption b.n{float:right}details{margin:1rem 0}
summary{cursor:pointer;padding:.3rem 0}
"""


def table(rows: Sequence[tuple[str, Score]], shares: Mapping[str, Mapping[str, Any]]) -> str:
    """One line a column: its largest ratio, and of which statistic. ``shares``: what each is said
    to have contributed (``diagnosis.features`` by name), may be empty."""
    heads = ["", "#÷ threshold", "mostly by", "#value", "#threshold"]
    heads += ["#of the drift", "#of the loss"] if shares else []
    top = "".join(
        f"<th{' class=n' if h.startswith('#') else ''}>{h.removeprefix('#')}</th>" for h in heads
    )
    body = "".join(_line(name, score, shares) for name, score in rows)
    return f'<div class="wide"><table><tr><th>column</th>{top}</tr>{body}</table></div>'


def _line(name: str, score: Score, shares: Mapping[str, Mapping[str, Any]]) -> str:
    which = score.get("statistic")
    found = score.get("statistics", {}).get(which, {})
    cells = [
        f'<td class="n{" bad" if score["ratio"] > 1 else ""}">{ratio(score["ratio"])}</td>',
        f"<td class=one>{escape(statistic(which)) if which else '–'}</td>",
        f"<td class=n>{number(found.get('value'))}</td>",
        f"<td class=n>{number(found.get('threshold'))}</td>",
    ]
    if shares:
        part = shares.get(name, {})
        for key in ("share", "loss_share"):
            cells.append(f"<td class=n>{_share(part.get(key))}</td>")
    return (
        f"<tr><td>{escape(name)}</td><td class=bar>{bar(score['ratio'])}</td>{''.join(cells)}</tr>"
    )


def card(name: str, before: Sketch, after: Sketch, score: Score | None) -> str:
    """One column: its distribution over training's, its figures, each statistic."""
    far = ""
    if score:
        far = f'<b class="n{" bad" if score["ratio"] > 1 else ""}">{ratio(score["ratio"])}</b>'
    return (
        f"<figure><figcaption><b>{escape(name)}</b> {far}</figcaption>"
        f"{distributions.drawn(name, before, after)}{_figures(before, after)}{_measured(score)}"
        "</figure>"
    )


def _figures(before: Sketch, after: Sketch) -> str:
    """Missing values on both sides; of numbers, quantiles and mean."""
    gone = [share(sketch.missing_share) for sketch in (before, after)]
    if before.min is None and after.min is None:
        return f"<p class=soft>missing {' → '.join(gone)}</p>"
    points = (("5%", 0.05), ("median", 0.5), ("95%", 0.95))
    columns = [("missing", gone)]
    columns += [(n, [number(s.quantile(q)) for s in (before, after)]) for n, q in points]
    columns.append(("mean", [number(s.mean) for s in (before, after)]))
    heads = "".join(f"<th class=n>{name}</th>" for name, _ in columns)
    rows = "".join(
        f"<tr><th>{side}</th>{''.join(f'<td class=n>{cell[i]}</td>' for _, cell in columns)}</tr>"
        for i, side in enumerate(("training", "window"))
    )
    return f'<div class="wide"><table><tr><th></th>{heads}</tr>{rows}</table></div>'


def _measured(score: Score | None) -> str:
    """Each statistic, its threshold and the ratio; those without a threshold are only told."""
    found = (score or {}).get("statistics", {})
    if not found:
        return ""
    ranked = sorted(found, key=lambda n: (-(found[n]["ratio"] or 0), n))
    rows = "".join(
        f"<tr><td>{escape(statistic(n))}</td><td class=n>{number(found[n]['value'])}</td>"
        f"<td class=n>{number(found[n]['threshold'])}</td>"
        f'<td class="n{" bad" if (found[n]["ratio"] or 0) > 1 else ""}">{ratio(found[n]["ratio"])}'
        "</td></tr>"
        for n in ranked
    )
    heads = "<tr><th>statistic</th><th class=n>value</th><th class=n>threshold</th><th></th></tr>"
    return f"<table>{heads}{rows}</table>"


def bar(far: float) -> str:
    """A ratio as a bar, with the threshold as a line."""
    kind = "over" if far > 1 else "now"
    return (
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" style="height:.7rem" '
        f'aria-hidden="true"><rect class="{kind}" width="{min(far / LONGEST, 1) * 100:.1f}" '
        f'height="8"/><rect x="{100 / LONGEST:.1f}" width=".8" height="8" fill="currentColor"/>'
        "</svg>"
    )


def ratio(far: float | None) -> str:
    """``6.30×``; – where nothing could be judged."""
    if far is None:
        return "–"
    return f"{far:.2f}×" if far < 100 else f"{far:,.0f}×"


def _share(part: float | None) -> str:
    return "–" if part is None else share(part)
