"""A window's judgement as one HTML page: no network, no script, readable on a phone.

In the order of the questions asked at night: what, since when, how bad, what to do; then why one
may think so, what moved, how good the answers were, and what led up to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from driftloop.baseline import Baseline
from driftloop.judgement import Sketches
from driftloop.pages import (
    look,
    window_distributions,
    window_performance,
    window_scores,
    window_timeline,
    window_words,
)
from driftloop.sketches.sketch import Sketch
from driftloop.timeline import Timeline

NOTHING = Timeline()
MOST_CARDS = 60
"""More columns than that are listed alone: a page has to open on a phone."""
PREDICTIONS, LABELS = "(predictions)", "(labels)"

STYLE = (
    window_distributions.STYLE
    + window_performance.STYLE
    + window_scores.STYLE
    + window_timeline.STYLE
    + """
.plots{grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));align-items:start}
.verdict{border-left:.35rem solid var(--base);padding:.2rem 0 .2rem 1rem;margin:1rem 0}
.verdict.alarm{border-color:var(--bad)}.verdict>b{font-size:1.25rem;line-height:1.3}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.6rem 0 0}
dt{color:var(--soft)}dd{margin:0}code{font-size:.9em;overflow-wrap:anywhere}
@media(max-width:30rem){dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}}
"""
)


def html(
    report: Mapping[str, Any],
    baseline: Baseline,
    sketches: Sketches,
    timeline: Timeline = NOTHING,
) -> str:
    """The page of one report (see ``driftloop.judgement``) with its sketches over the baseline.
    ``timeline``: what led up to the window's end."""
    window = report["window"]
    body = (
        f'<p class="soft">{_clock(window["start"])} to {_clock(window["end"])} UTC · '
        f"{escape(report['role'])} · {report['rows']:,} rows · revision {report['revision']}</p>"
        f"{_verdict(report, timeline)}{_why(report)}{_moved(report, baseline, sketches)}"
        f"{window_performance.drawn(report)}{window_timeline.drawn(timeline)}"
    )
    title = f"{report['model']} v{report['version']}: {_day(window['start'])}"
    return look.document(title, body, STYLE)


def _verdict(report: Mapping[str, Any], timeline: Timeline) -> str:
    """What, since when, how bad, what to do."""
    found = report.get("diagnosis")
    lines = [("What", escape(found["text"] if found else report["text"]))]
    if timeline.since and window_words.is_bad(report):
        lines.append(("Since", f"{_clock(timeline.since)} UTC"))
    lines.append(("How bad", escape(" ".join(window_words.how_bad(report)))))
    lines.append(("To do", f"{escape(window_words.advice(report))}. {_where(report)}"))
    rows = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in lines)
    kind = "verdict alarm" if window_words.is_bad(report) else "verdict"
    return (
        f'<div class="{kind}"><b>{escape(window_words.headline(report))}</b><dl>{rows}</dl></div>'
    )


def _where(report: Mapping[str, Any]) -> str:
    if not window_words.is_bad(report):
        return ""
    return f"What the loop did: <code>driftloop ledger {escape(report['model'])}</code>"


def _why(report: Mapping[str, Any]) -> str:
    found = report.get("diagnosis")
    if not found or not found["evidence"]:
        return ""
    signs = "".join(f"<li>{escape(sign)}</li>" for sign in found["evidence"])
    return f"<h2>Why one may think so</h2><ul>{signs}</ul>"


def _moved(report: Mapping[str, Any], baseline: Baseline, sketches: Sketches) -> str:
    """The table of all columns, and a card for each: what moved first, the quiet ones folded."""
    cards = dict(_cards(report, baseline, sketches))
    loud = [n for n in cards if _far(report, n) > 1]
    quiet = [n for n in cards if n not in loud]
    scores = [(name, report["features"][name]) for name in report["ranked"]]
    scores += [(n, s) for n, s in _beside(report) if s]
    told = {f["name"]: f for f in (report.get("diagnosis") or {}).get("features", [])}
    parts = ["<h2>What moved</h2>"]
    if scores:
        parts.append(
            "<p class=soft>Each statistic over its own threshold, which this version set at "
            "training for the false alarms it may raise; the line is 1×, above it is drift.</p>"
            + window_scores.table(scores, told)
        )
    parts.append(
        "<p class='soft key'><i style='background:var(--base)'></i> training "
        "<i style='background:var(--now)'></i> this window; shares of the rows with a value</p>"
    )
    parts.append(f"<div class=plots>{''.join(cards[n] for n in loud)}</div>" if loud else "")
    if quiet:
        still = "".join(cards[n] for n in quiet)
        parts.append(
            f"<details{'' if loud else ' open'}><summary>{len(quiet)} columns that did not move"
            f"</summary><div class=plots>{still}</div></details>"
        )
    return "".join(parts)


def _cards(
    report: Mapping[str, Any], baseline: Baseline, sketches: Sketches
) -> Iterator[tuple[str, str]]:
    ranked = report["ranked"] or sorted(sketches.features)
    for name in ranked[:MOST_CARDS]:
        yield name, window_scores.card(
            name, baseline.features[name].sketch, sketches.features[name],
            report["features"].get(name),
        )  # fmt: skip
    for name, score in _beside(report):
        before, after = _of_answers(name, baseline, sketches)
        if before is not None and after is not None:
            yield name, window_scores.card(name, before, after, score)


def _beside(report: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What is scored beside the features."""
    return [(PREDICTIONS, report["prediction"]), (LABELS, report.get("target"))]


def _of_answers(
    name: str, baseline: Baseline, sketches: Sketches
) -> tuple[Sketch | None, Sketch | None]:
    if name == PREDICTIONS:
        return baseline.prediction.sketch, sketches.prediction
    return baseline.target.sketch, sketches.target


def _far(report: Mapping[str, Any], name: str) -> float:
    score = report["features"].get(name) or dict(_beside(report)).get(name)
    return score["ratio"] if score else 0.0


def _day(moment: str) -> str:
    return moment[:10] if moment[11:19] == "00:00:00" else _clock(moment)


def _clock(moment: str) -> str:
    return moment[:16].replace("T", " ")
