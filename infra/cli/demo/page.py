"""The report: one HTML file that needs no network and reads on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from typing import Any

from infra.cli.demo.decisions import by_day
from infra.cli.demo.picture import svg
from infra.cli.demo.story import Story
from infra.cli.demo.table import conclusion, drift, permitted, served

MONTH = ("month", "served by", "flights", "late", "drift", "log loss", "January's")
STYLE = """
:root { color-scheme: light dark; --ink: #1b2733; --dim: #66727e; --line: #d8dee4; --paper: #fff;
  --ours: #0a7d55; --january: #c2571a; --over: #c8324b; --under: #9db4c8; }
@media (prefers-color-scheme: dark) { :root { --ink: #dbe3ea; --dim: #8b98a5; --line: #33404c;
  --paper: #12181e; --ours: #3ecf97; --january: #f0924f; --over: #f0637a; --under: #4d667d; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; } h2 { margin: 2.5rem 0 .5rem; }
.sum { font-size: 1.15rem; } small, .dim { color: var(--dim); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0;
  border-bottom: 1px solid var(--line); } td.n, th.n { text-align: right; white-space: nowrap; }
.good { color: var(--ours); } .bad { color: var(--over); } ul { margin: 0; padding-left: 1rem; }
tr:has(+ tr .decided) > * { border: 0; } .decided { padding: 0 0 .8rem; }
svg { width: 100%; min-width: 40rem; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .head { font-weight: 600; }
svg .tick { fill: var(--dim); text-anchor: end; } svg .legend { text-anchor: end; }
svg .cut { text-anchor: middle; font-size: 10px; } svg .name { fill: var(--dim); }
svg .grid { stroke: var(--line); } svg .month { stroke: var(--line); stroke-dasharray: 2 3; }
svg .limit { stroke: var(--over); stroke-dasharray: 5 3; }
svg polyline { fill: none; stroke-width: 2; } svg polyline.log_loss { stroke: var(--ours); }
svg polyline.january_log_loss { stroke: var(--january); }
svg .log_loss:not(polyline) { fill: var(--ours); }
svg .january_log_loss:not(polyline) { fill: var(--january); }
svg .over { fill: var(--over); } svg .under { fill: var(--under); }
svg .released line { stroke: var(--ours); stroke-width: 1.5; }
svg .released text { fill: var(--ours); text-anchor: middle; font-weight: 600; }
svg .refused line { stroke: var(--dim); } svg .refused text { fill: var(--dim);
  text-anchor: middle; }
"""


def html(story: Story) -> str:
    """The whole page."""
    months = story["months"]
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>driftloop: {escape(story['model'])}</title><style>{STYLE}</style></head><body>",
        "<h1>Months of flights through the loop</h1>",
        f"<p class='dim'>{escape(story['description'])}</p>",
        f"<p class='sum'>{escape(conclusion(story))}</p>",
        f"<div class='wide'>{svg(story)}</div>",
        "<p><small>Green lines are releases, grey marks are candidates that the gates refused. "
        "Hover for what they say.</small></p>",
        "<h2>Month by month, and what was decided why</h2>",
        _table(
            MONTH,
            (row for month in months for row in (_month(month), _decided(month))),
        ),
        "<p><small>Drift is the worst day's ratio to the serving version's own threshold, and how "
        "many days were above it. January's is what version 1 would have had on the same flights."
        "</small></p>",
        "<h2>Versions</h2>",
        _table(
            ("version", "created", "because of", "estimator", "on its holdout", "plan"),
            (_version(version) for version in story["versions"]),
        ),
        "<h2>Every decision</h2>",
        _table(
            ("when", "what", "decision", "why"),
            ([_text(d["time"][:16].replace("T", " ")), _text(d["cause"] or d["kind"]),
              _text(d["outcome"] or d["decision"]), _text(d["reason"])]
             for d in story["decisions"]),
        ),
        f"<p class='dim'>Played in {story['seconds']:.0f} s on an embedded AWS. "
        f"{escape(permitted(story))}</p></body></html>",
    ]  # fmt: skip
    return "\n".join(parts)


def _month(month: dict[str, Any]) -> list[str]:
    better = month["log_loss"] <= month["january_log_loss"]
    return [
        f"<th>{date.fromisoformat(month['month'] + '-01'):%B}</th>",
        _text(served(month)),
        _number(f"{month['flights']:,}"),
        _number(f"{month['late']:.1%}"),
        _number(drift(month)),
        f"<td class='n {'good' if better else 'bad'}'>{month['log_loss']:.4f}</td>",
        _number(f"{month['january_log_loss']:.4f}"),
    ]


def _decided(month: dict[str, Any]) -> list[str]:
    lines = by_day(month["decisions"]) or ["Nothing had to be decided."]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return [f"<td colspan='{len(MONTH)}' class='decided'><ul>{items}</ul></td>"]


def _version(version: dict[str, Any]) -> list[str]:
    metrics = ", ".join(f"{n} {v:.4f}" for n, v in version["metrics"].items()
                        if isinstance(v, (int, float)))  # fmt: skip
    return [
        _text(f"v{version['version']}"),
        _text(version["created"][:16].replace("T", " ")),
        _text(version["cause"]),
        _text(version["estimator"]),
        _text(metrics),
        f"<td><code>{escape(version['plan_sha256'][:12])}</code></td>",
    ]


def _table(heads: Sequence[str], rows: Iterable[list[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f"<div class='wide'><table><tr>{head}</tr>{body}</table></div>"


def _text(value: object) -> str:
    return f"<td>{escape(str(value))}</td>"


def _number(value: str) -> str:
    return f"<td class='n'>{escape(value)}</td>"
