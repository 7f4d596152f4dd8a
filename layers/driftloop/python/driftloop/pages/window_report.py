"""A window's judgement as one HTML page: no network, no script, readable on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from driftloop.baseline import Baseline
from driftloop.judgement import Sketches
from driftloop.pages import look as pages
from driftloop.reference import Reference
from driftloop.sketches.bins import TextBins
from driftloop.sketches.sketch import Sketch
from driftloop.timeline import Timeline

NOTHING = Timeline()


def html(
    report: Mapping[str, Any],
    baseline: Baseline,
    sketches: Sketches,
    timeline: Timeline = NOTHING,
) -> str:
    """The page of one report (see ``driftloop.judgement``) with its sketches over the baseline.
    ``timeline``: what led up to the window's end."""
    window, performance = report["window"], report["performance"]
    title = f"{report['model']} v{report['version']}: {_day(window['start'])}"
    figures = [
        ("rows", f"{report['rows']:,}", False),
        ("drift", _ratio(report["drift_ratio"]), (report["drift_ratio"] or 0) > 1),
        (
            f"realised {performance['metric']}",
            "no labels yet" if performance["value"] is None else f"{performance['value']:.4g}",
            (performance["ratio"] or 0) > 1,
        ),
        ("at training", f"{performance['baseline']:.4g}", False),
        ("labelled", f"{performance['rows']:,}", False),
    ]
    return pages.document(
        title,
        f'<p class="soft">{escape(_clock(window["start"]))} to {escape(_clock(window["end"]))} '
        f"UTC · {escape(report['role'])} · revision {report['revision']}</p>"
        f"<p>{escape(report['text'])}</p>{pages.boxes(figures)}"
        f"{_table(report)}{_plots(report, baseline, sketches)}",
    )


def _table(report: Mapping[str, Any]) -> str:
    """Features by their ratio, the farthest moved first; then the predictions."""
    if not report["ranked"]:
        return ""
    rows = [(name, report["features"][name]) for name in report["ranked"]]
    rows.append(("(predictions)", report["prediction"]))
    longest = max(2.0, *(score["ratio"] for _, score in rows))
    body = "".join(
        f'<tr><td>{escape(name)}</td><td class="bar">{_bar(score["ratio"], longest)}</td>'
        f'<td class="n{" bad" if score["ratio"] > 1 else ""}">{score["ratio"]:.2f}×</td>'
        f'<td class="n">{score["psi"]:.3f}</td>'
        f'<td class="n">{_percent(score.get("missing"))}</td></tr>'
        for name, score in rows
    )
    return (
        "<h2>What moved</h2><p class=soft>Each statistic over its own threshold, which this "
        "version set at training for the false alarms it may raise; above 1× is drift.</p>"
        '<table><tr><th>feature</th><th></th><th class="n">ratio</th><th class="n">PSI</th>'
        f'<th class="n">missing, shift</th></tr>{body}</table>'
    )


def _bar(ratio: float, longest: float) -> str:
    """A bar with the threshold as a line."""
    one = 100 / longest
    kind = "over" if ratio > 1 else "now"
    return (
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" style="height:.7rem" '
        f'aria-hidden="true"><rect class="{kind}" width="{ratio / longest * 100:.1f}" '
        f'height="8" rx="1"/><rect class="base" x="{one:.1f}" width=".8" height="8"/></svg>'
    )


def _plots(report: Mapping[str, Any], baseline: Baseline, sketches: Sketches) -> str:
    ranked = report["ranked"] or sorted(baseline.features)
    pairs = [(name, baseline.features[name], sketches.features[name]) for name in ranked]
    pairs.append(("(predictions)", baseline.prediction, sketches.prediction))
    drawn = "".join(_plot(*pair) for pair in pairs)
    return (
        "<h2>Distributions</h2><p class='soft key'><i style='background:var(--base)'></i> training "
        "<i style='background:var(--now)'></i> this window; shares of the rows with a value, the "
        f"first and last bar beyond all that training saw</p><div class=plots>{drawn}</div>"
    )


def _plot(name: str, base: Reference, seen: Sketch) -> str:
    """Two bars for each bin, the training data's beside the window's."""
    before, after = _shares(base.counts), _shares(base.bins.counts(seen))
    highest = max((*before, *after, 0.01))
    step = 240 / max(len(before), 1)
    bars = []
    for i, (b, a) in enumerate(zip(before, after, strict=True)):
        for kind, share, at in (("base", b, 0.08), ("now", a, 0.5)):
            tall = share / highest * 70
            bars.append(
                f'<rect class="{kind}" x="{(i + at) * step:.1f}" y="{74 - tall:.1f}" '
                f'width="{step * 0.4:.1f}" height="{tall:.1f}"/>'
            )
    left, right = _ends(base)
    missing = " → ".join(_percent(each.missing_share) for each in (base.sketch, seen))
    return (
        f"<figure><figcaption>{escape(name)} <span class=soft>missing {missing}</span></figcaption>"
        f'<svg viewBox="0 0 240 88" role="img" aria-label="{escape(name)}">{"".join(bars)}'
        f'<text x="0" y="85">{escape(left)}</text>'
        f'<text x="240" y="85" text-anchor="end">{escape(right)}</text></svg></figure>'
    )


def _ends(base: Reference) -> tuple[str, str]:
    """What stands under the first and the last bar."""
    if isinstance(base.bins, TextBins):
        return (_short(base.bins.categories[0]) if base.bins.categories else "", "other")
    least, most = base.sketch.min, base.sketch.max
    return ("", "") if least is None else (f"< {least:.4g}", f"> {most:.4g}")


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _ratio(ratio: float | None) -> str:
    return "too few rows" if ratio is None else f"{ratio:.2f}×"


def _short(name: str) -> str:
    return name if len(name) <= 16 else name[:15] + "…"


def _day(moment: str) -> str:
    return moment[:10] if moment[11:19] == "00:00:00" else _clock(moment)


def _clock(moment: str) -> str:
    return moment[:16].replace("T", " ")
