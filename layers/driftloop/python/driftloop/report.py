"""A window's judgement as one HTML page: no network, no script, readable on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from driftloop.bins import Sketch

_STYLE = """
:root{--ink:#1b1f24;--soft:#667;--line:#dde1e6;--paper:#fff;--base:#aab4c0;--now:#2563eb;--bad:#c2410c}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa4b2;--line:#2c333d;--paper:#12161c;
--base:#566173;--now:#60a5fa;--bad:#fb923c}}
*{box-sizing:border-box}body{margin:0 auto;max-width:60rem;padding:1rem;background:var(--paper);
color:var(--ink);font:16px/1.5 system-ui,sans-serif}h1{font-size:1.3rem;margin:.2rem 0}
h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.4rem 0}.soft{color:var(--soft);font-size:.9rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;
margin:1rem 0}.figures div{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .7rem}
.figures b{display:block;font-size:1.25rem}.bad{color:var(--bad)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .4rem;
border-bottom:1px solid var(--line);font-size:.9rem}td.n,th.n{text-align:right;
font-variant-numeric:tabular-nums}.bar{width:30%}svg{display:block;width:100%;height:auto}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr));gap:1rem}
figure{margin:0;border:1px solid var(--line);border-radius:.5rem;padding:.6rem}
figcaption{font-size:.9rem;margin-bottom:.3rem}.base{fill:var(--base)}.now{fill:var(--now)}
.over{fill:var(--bad)}text{fill:var(--soft);font:9px system-ui,sans-serif}
.key i{display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;vertical-align:-1px}
"""


def html(
    report: Mapping[str, Any], baseline: Mapping[str, Any], sketches: Mapping[str, Any]
) -> str:
    """The page of one report (see ``driftloop.judgement``) with its sketches over the baseline."""
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
    boxes = "".join(
        f'<div><span class="soft">{escape(name)}</span>'
        f"<b{' class=bad' if bad else ''}>{escape(value)}</b></div>"
        for name, value, bad in figures
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(title)}</h1>"
        f'<p class="soft">{escape(_clock(window["start"]))} to {escape(_clock(window["end"]))} '
        f"UTC · {escape(report['role'])} · revision {report['revision']}</p>"
        f"<p>{escape(report['text'])}</p>"
        f'<div class="figures">{boxes}</div>'
        f"{_table(report)}{_plots(report, baseline, sketches)}</html>\n"
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


def _plots(
    report: Mapping[str, Any], baseline: Mapping[str, Any], sketches: Mapping[str, Any]
) -> str:
    ranked = report["ranked"] or sorted(baseline["features"])
    pairs = [(name, baseline["features"][name], sketches["features"][name]) for name in ranked]
    pairs.append(("(predictions)", baseline["prediction"], sketches["prediction"]))
    drawn = "".join(_plot(*pair) for pair in pairs)
    return (
        "<h2>Distributions</h2><p class='soft key'><i style='background:var(--base)'></i> training "
        "<i style='background:var(--now)'></i> this window; shares of the rows with a value, the "
        f"first and last bar beyond all that training saw</p><div class=plots>{drawn}</div>"
    )


def _plot(name: str, base: Sketch, seen: Sketch) -> str:
    """Two bars for each bin, the training data's beside the window's."""
    before, after = _shares(base["counts"]), _shares(seen["counts"])
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
    return (
        f"<figure><figcaption>{escape(name)} <span class=soft>missing "
        f"{_percent(_missing(base))} → {_percent(_missing(seen))}</span></figcaption>"
        f'<svg viewBox="0 0 240 88" role="img" aria-label="{escape(name)}">{"".join(bars)}'
        f'<text x="0" y="85">{escape(left)}</text>'
        f'<text x="240" y="85" text-anchor="end">{escape(right)}</text></svg></figure>'
    )


def _ends(base: Sketch) -> tuple[str, str]:
    """What stands under the first and the last bar."""
    if base["type"] == "number":
        edges = base["edges"]
        return (f"< {_round(edges[0])}", f"> {_round(edges[-1])}") if edges else ("", "")
    return (_short(base["categories"][0]), "other") if base["categories"] else ("", "other")


def _round(edge: float) -> str:
    """Four digits; the lowest edge lies a hair under the minimum, which is what people know."""
    return f"{edge:.4g}" if abs(edge) > 1e-300 else "0"


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _missing(sketch: Sketch) -> float:
    return float(sketch["missing"] / sketch["rows"]) if sketch["rows"] else 0.0


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
