"""What the window's quality was: as labels tell, as estimated without them, against the promise."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from driftloop.losses import as_loss
from driftloop.pages.look import table
from driftloop.pages.readable import number
from driftloop.pages.window_words import METHODS, allowed

STYLE = """
.scale{position:relative;height:2.2rem;margin:.6rem 0}
.scale:before{content:"";position:absolute;left:0;right:0;top:50%;border-top:1px solid var(--line)}
.scale i{position:absolute;border-radius:50%;width:.9rem;height:.9rem;margin:-.45rem;top:50%}
.scale i.line{border-radius:0;width:2px;height:1.8rem;margin:-.9rem -1px}
.promise{background:var(--soft)}.limit{background:var(--bad)}.real{background:var(--now)}
.guess{border:2px solid var(--now);background:var(--paper)}
.key i.line{width:2px;border-radius:0;margin:0 .3rem}.key i.real,.key i.guess{border-radius:50%}
"""


def drawn(report: Mapping[str, Any]) -> str:
    """The section: a scale with what is known on it, and the figures."""
    found = report["performance"]
    estimate = found.get("estimate") or {}
    metric = found["metric"]
    points = [
        ("at training, on rows it had not seen", "line promise", found["baseline"]),
        ("the alarm stands here", "line limit", allowed(report)),
        ("realised", "real", found["value"]),
        ("estimated", "guess", estimate.get("value")),
    ]
    known = [(words, kind, value) for words, kind, value in points if value is not None]
    key = " ".join(f"<i class='{kind}'></i> {words}" for words, kind, _ in known)
    return (
        f"<h2>Performance</h2><p class='soft key'>{escape(metric)}: {key}</p>"
        f"{_scale(known, abs(as_loss(metric, found['baseline'])) / 10)}"
        f"{table(['', f'#{metric}', '#rows', 'of what'], _rows(found, estimate, allowed(report)))}"
    )


def _scale(known: list[tuple[str, str, float]], usual: float) -> str:
    """``usual``: what is a small difference; the scale is no finer than that."""
    values = [value for _, _, value in known]
    low, size = min(values), max(values) - min(values)
    if size < 2 * usual:
        low, size = low + size / 2 - usual, 2 * usual
    if not size:
        return ""
    marks = "".join(
        f'<i class="{kind}" style="left:{4 + (value - low) / size * 92:.1f}%" '
        f'title="{escape(words)}: {number(value)}"></i>'
        for words, kind, value in known
    )
    ends = f"<p class=ends><span>{number(low)}</span><span>{number(low + size)}</span></p>"
    return f'<div class="scale">{marks}</div>{ends}'


def _rows(
    found: Mapping[str, Any], estimate: Mapping[str, Any], limit: float | None
) -> list[list[str]]:
    strange = found.get("unknown_classes") or 0
    unknown = f"; {strange:,} more of classes it never learned" if strange else ""
    rows = [
        ["promised", _value(found["baseline"]), "", "its holdout, when it was trained"],
        ["realised", _value(found["value"]), f"{found['rows']:,}", f"labelled so far{unknown}"],
    ]
    if limit is not None:
        rows.insert(
            1,
            ["allowed", _value(limit), "", "beyond it the alarm rings, for as many rows as these"],
        )
    if estimate:
        method = METHODS.get(estimate["method"], str(estimate["method"]))
        error = estimate.get("error")
        off = f"; realised − estimated here: {number(error)}" if error is not None else ""
        rows.append(
            ["estimated", _value(estimate["value"]), f"{estimate['rows']:,}", f"{method}{off}"]
        )
    return rows


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
