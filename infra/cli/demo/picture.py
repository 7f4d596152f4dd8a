"""The story as an SVG: losses week by week, drift day by day, and what was decided when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Any

from driftloop.pages.window_words import KINDS
from infra.cli.demo.story import Story

WIDTH, LEFT, RIGHT = 960, 56, 16
LOSS = (40, 250)  # top and bottom of each panel
RATIO = (310, 470)
HEIGHT = 500
MOST_RATIO = 3.0  # taller bars are cut and say their number


def svg(story: Story) -> str:
    """A picture that needs nothing else; titles show on hover."""
    days = story["days"]
    first, last = (date.fromisoformat(days[i]["day"]) for i in (0, -1))
    span = max(1, (last - first).days + 1)

    def x(day: str, offset: float = 0.5) -> float:
        past = (date.fromisoformat(day[:10]) - first).days + offset
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(past / span, 0), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Served log loss, drift and decisions over time">',
        *_losses(days, x),
        *_ratios(days, x, (WIDTH - LEFT - RIGHT) / span),
        *_months(days, x),
        *_marks(story["decisions"], x, first),
        "</svg>",
    ]
    return "\n".join(parts)


def weeks(days: Sequence[dict[str, Any]], name: str) -> list[tuple[str, float]]:
    """Means over seven days, each flight counting once; placed at the middle day."""
    found = []
    for start in range(0, len(days), 7):
        week = days[start : start + 7]
        flights = sum(d["flights"] for d in week)
        value = sum(d[name] * d["flights"] for d in week) / flights
        found.append((week[len(week) // 2]["day"], value))
    return found


def _losses(days: Sequence[dict[str, Any]], x: Any) -> list[str]:
    lines = {"january_log_loss": weeks(days, "january_log_loss"),
             "log_loss": weeks(days, "log_loss")}  # fmt: skip
    values = [v for line in lines.values() for _, v in line]
    low, high = min(values) - 0.02, max(values) + 0.02
    top, bottom = LOSS

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / (high - low)

    parts = [f'<text x="{LEFT}" y="{top - 18}" class="head">log loss of what was served, '
             'by week (lower is better)</text>']  # fmt: skip
    for step in range(5):
        value = low + (high - low) * step / 4
        parts.append(_line(LEFT, y(value), WIDTH - RIGHT, y(value), "grid"))
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" class="tick">{value:.2f}</text>')
    for name, line in lines.items():
        points = " ".join(f"{x(day):.1f},{y(value):.1f}" for day, value in line)
        label = "January's model" if name.startswith("january") else "served"
        parts.append(f'<polyline points="{points}" class="{name}"/>')
        parts += [f'<circle cx="{x(day):.1f}" cy="{y(value):.1f}" r="3" class="{name} dot">'
                  f"<title>week of {day}: {label} {value:.4f}</title></circle>"
                  for day, value in line]  # fmt: skip
    legend = [(f'<tspan class="{n}">●</tspan> {t}') for n, t in
              (("log_loss", "served"), ("january_log_loss", "January's model"))]  # fmt: skip
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{top - 18}" class="legend">'
                 f"{'  '.join(legend)}</text>")  # fmt: skip
    return parts


def _ratios(days: Sequence[dict[str, Any]], x: Any, width: float) -> list[str]:
    top, bottom = RATIO

    def y(ratio: float) -> float:
        return bottom - (bottom - top) * min(ratio, MOST_RATIO) / MOST_RATIO

    parts = [f'<text x="{LEFT}" y="{top - 14}" class="head">drift by day, as a ratio to the '
             "serving version's own threshold</text>"]  # fmt: skip
    for ratio in (0, 1, 2, 3):
        parts.append(_line(LEFT, y(ratio), WIDTH - RIGHT, y(ratio), "limit" if ratio == 1
                           else "grid"))  # fmt: skip
        parts.append(f'<text x="{LEFT - 6}" y="{y(ratio) + 4:.1f}" class="tick">{ratio}</text>')
    for day in days:
        ratio = day["drift"]
        if ratio is None:
            continue
        kind = "over" if ratio > 1 else "under"
        about = [*filter(None, [KINDS.get(day["kind"] or ""), *day["moved"]])]
        title = f"{day['day']}: {ratio:.2f}{''.join(f', {word}' for word in about)}"
        parts.append(
            f'<rect x="{x(day["day"], 0.1):.1f}" y="{y(ratio):.1f}" width="{width * 0.8:.1f}" '
            f'height="{bottom - y(ratio):.1f}" class="{kind}"><title>{escape(title)}</title></rect>'
        )
        if ratio > MOST_RATIO:
            parts.append(f'<text x="{x(day["day"]):.1f}" y="{top - 2}" class="cut">{ratio:.1f}'
                         "</text>")  # fmt: skip
    return parts


def _months(days: Sequence[dict[str, Any]], x: Any) -> list[str]:
    parts = []
    for month in dict.fromkeys(d["day"][:7] for d in days):
        start = next(d["day"] for d in days if d["day"].startswith(month))
        parts += [_line(x(start, 0), LOSS[0], x(start, 0), RATIO[1], "month"),
                  f'<text x="{x(start, 0) + 4:.1f}" y="{HEIGHT - 12}" class="name">'
                  f"{date.fromisoformat(start):%B}</text>"]  # fmt: skip
    return parts


def _marks(decisions: Sequence[dict[str, Any]], x: Any, first: date) -> list[str]:
    """A line where a version was released, a short one where a candidate was refused."""
    parts = []
    for made in decisions:
        if not made["outcome"] or date.fromisoformat(made["time"][:10]) < first:
            continue
        at, released = x(made["time"], 0.33), made["outcome"] == "released"
        kind, label = ("released", f"v{made['version']}") if released else ("refused", "✗")
        top = LOSS[0] if released else LOSS[1] - 26
        parts += [f'<g class="{kind}"><title>{escape(made["time"][:10] + " " + made["text"])}'
                  "</title>", _line(at, top, at, LOSS[1], ""),
                  f'<text x="{at:.1f}" y="{top - 4}">{label}</text></g>']  # fmt: skip
    return parts


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
