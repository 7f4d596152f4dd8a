"""An upload or a dataset as one HTML page: no network, no script, readable on a phone.

Warnings come first, then what was rejected and why, the target, time, every column, and what lies
between columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from driftloop.pages import data_report_columns, drawings
from driftloop.pages import look as pages
from driftloop.pages.data_report_relations import missing_together, together
from driftloop.pages.readable import duration, moment, number, share
from driftloop.profiling.examine import Finding
from driftloop.profiling.outcome import Outcome
from driftloop.profiling.profile import Profile
from driftloop.sketches import coverage
from driftloop.sketches.coverage import Coverage
from driftloop.spec import Spec

MOST_BARS = 130
LONGEST = 200
"""Characters of a rejected row that are shown."""

_STYLE = f"""
{drawings.STYLE}{data_report_columns.STYLE}
.warnings{{padding:0;list-style:none}}.warnings li{{border-left:.25rem solid var(--bad);
padding:.2rem .7rem;margin:.5rem 0;overflow-wrap:anywhere}}.error{{border:1px solid var(--bad);
border-radius:.5rem;padding:.5rem .7rem;white-space:pre-line;overflow-wrap:anywhere}}
.square{{max-width:34rem}}.square text{{font-size:10px}}
.swatch{{display:inline-block;width:.8rem;vertical-align:-1px}}details{{margin:1rem 0}}
td{{overflow-wrap:anywhere}}.figures b{{overflow-wrap:anywhere}}td.n,th.n{{white-space:nowrap;
overflow-wrap:normal}}h3{{font-size:1rem;margin:1rem 0 .2rem}}
.examples{{padding:0;list-style:none;font-size:.9rem}}.examples li{{margin:.5rem 0}}
.examples code{{display:block;overflow-x:auto;white-space:pre;color:var(--soft);font-size:.8rem}}
"""


def page(
    profile: Profile,
    spec: Spec,
    report: Mapping[str, Any],
    findings: Sequence[Finding],
    examples: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The page of an upload (``report``: what ingest wrote of it) or of a dataset (``report``:
    ``{"dataset": digest, "parts": n}``). ``examples``: some rejected rows (line, field, rule,
    value, text)."""
    outcome = Outcome(profile, spec.target) if len(profile.sample) else None
    marked = [finding.field for finding in findings]
    body = [
        f"<p class=soft>{_origin(report)}</p>",
        _refusal(report),
        pages.boxes(_figures(profile, report)),
        _warnings(profile, findings),
        _rejected(profile, report, examples),
    ]
    if outcome:
        told = {name: outcome.strength(name) for name in spec.features}
        names = [*sorted(told, key=lambda n: -told[n]), spec.target]
        body += [
            _target(profile, spec, outcome),
            _time(profile.times, outcome) if profile.times else "",
            "<h2>Columns</h2>",
            data_report_columns.cards(profile, outcome, told, marked),
            together(profile, [spec.target, *names[:-1]]),
            missing_together(profile, list(spec.features)),
        ]
    return pages.document(_title(spec, report), "".join(body), _STYLE)


def _title(spec: Spec, report: Mapping[str, Any]) -> str:
    if "dataset" in report:
        return f"{spec.name}: dataset {str(report['dataset'])[:12]}"
    return f"{spec.name}: {str(report.get('upload', {}).get('key', 'upload')).rsplit('/', 1)[-1]}"


def _origin(report: Mapping[str, Any]) -> str:
    if "dataset" in report:
        parts = report.get("parts", 0)
        return f"{parts:,} part{'s' if parts != 1 else ''}"
    upload = report.get("upload", {})
    when = str(report.get("now", ""))[:16].replace("T", " ")
    place = f"s3://{upload.get('bucket', '')}/{upload.get('key', '')}"
    words = [escape(place), escape(f"taken in {when} UTC") if when else ""]
    words.append(escape(str(report.get("format") or "")))
    return " · ".join(word for word in words if word)


def _refusal(report: Mapping[str, Any]) -> str:
    error = report.get("error")
    if not error:
        return ""
    return f"<p class=error><b class=bad>Refused whole.</b> {escape(str(error['message']))}</p>"


def _figures(profile: Profile, report: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    refused = int(report.get("refused_rows") or 0)
    rejected = int(report.get("rejected") or 0) or sum(profile.rejected.values())
    accepted = 0 if report.get("error") else profile.rows
    yield "rows" if "dataset" in report else "rows accepted", f"{accepted:,}", False
    yield "rows in quarantine", f"{rejected:,}", rejected > 0
    if refused:
        yield "good rows refused with them", f"{refused:,}", True
    yield "columns", f"{len(profile.kinds):,}", False
    if profile.times and profile.times.first is not None and profile.times.last is not None:
        first, last = moment(profile.times.first)[:10], moment(profile.times.last)[:10]
        yield "time", first if first == last else f"{first} – {last}", False


def _warnings(profile: Profile, findings: Sequence[Finding]) -> str:
    if not findings:
        return "<p>Nothing stands out.</p>" if profile.rows else ""
    items = "".join(f"<li>{escape(finding.text)}</li>" for finding in findings)
    return f"<h2>Look at this first</h2><ul class=warnings>{items}</ul>"


def _rejected(
    profile: Profile, report: Mapping[str, Any], examples: Sequence[Mapping[str, Any]]
) -> str:
    reasons = dict(report.get("reasons") or profile.rejected)
    if not reasons and not examples:
        return ""
    total = int(report.get("total") or 0) or profile.rows + sum(reasons.values())
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        (rule.replace("_", " "), field, f"{count:,}", share(count, total))
        for (rule, _, field), count in ((key.partition("|"), count) for key, count in ranked[:20])
    ]
    found = pages.table(("reason", "column", "#rows", "#share"), rows)
    if len(ranked) > 20:
        found += f"<p class=soft>and {len(ranked) - 20} more reasons</p>"
    items = "".join(
        f"<li>{escape(_place(row))}: {escape(str(row.get('field') or 'row'))} is "
        f"{escape(str(row.get('rule', '')).replace('_', ' '))}{_value(row.get('value'))}"
        f"<code>{escape(_cut(row.get('text'), LONGEST))}</code></li>"
        for row in examples
    )
    if items:
        found += f"<h3 class=soft>Some of them</h3><ul class=examples>{items}</ul>"
    return f"<h2>In quarantine</h2>{found}"


def _target(profile: Profile, spec: Spec, outcome: Outcome) -> str:
    sketch = profile.sketches[spec.target]
    drawn = data_report_columns.card(sketch, spec.target, None)
    return f"<h2>Target</h2><div class=plots>{drawn}</div>"


def _time(times: Coverage, outcome: Outcome) -> str:
    if times.first is None or times.last is None:
        return ""
    name = next(n for n, v in outcome.sample.columns.items() if v.dtype == np.int64)
    widths = [w for w in coverage.WIDTHS if w >= times.width]
    width = next((w for w in widths if (times.last - times.first) / w < MOST_BARS), widths[-1])
    start, counts = times.series(width)
    begins = [start + i * width for i in range(len(counts))]
    titles = [f"{moment(t)}: {n:,}" for t, n in zip(begins, counts.tolist(), strict=True)]
    span = max(len(counts) * width, 1)
    gaps = times.gaps()
    bands = [((a - start) / span, (b - start) / span) for a, b in gaps]
    ends = (moment(times.first), moment(times.last))
    plot = drawings.timeline(counts.tolist(), titles, bands, ends, "rows over time")
    below = ""
    if outcome.single:
        codes = (outcome.sample.columns[name] - start) // width
        rows = outcome.by_codes(codes, len(counts))
        values = [row[-1] if row else None for row in rows]
        below = drawings.levels(
            values, [moment(t) for t in begins], outcome.level, f"{outcome.shown} over time", 480.0
        )
    words = f"One bar is {_unit(width)}; "
    if gaps:
        some = "; ".join(f"{moment(a)} to {moment(b)} ({duration(b - a)})" for a, b in gaps[:5])
        words += f"no rows from {some}{' and more' if len(gaps) > 5 else ''}."
    else:
        words += "no gap out of the ordinary."
    if below:
        words += f" Below: {outcome.shown}; the line is all rows'."
    return f"<h2>Time</h2>{plot}{below}<p class=soft>{escape(words)}</p>"


def _unit(width: int) -> str:
    names = ("hour", "day", "week", "four weeks", "52 weeks", "ten years")
    return (
        f"{'' if ' ' in names[coverage.WIDTHS.index(width)] else 'one '}"
        + names[coverage.WIDTHS.index(width)]
    )


def _place(row: Mapping[str, Any]) -> str:
    file = str(row.get("file") or "").rsplit("/", 1)[-1]
    return f"{file} line {row.get('line', 0):,}".strip()


def _value(value: object) -> str:
    return "" if value is None else f" (<b>{escape(_cut(value, 40))}</b>)"


def _cut(value: object, most: int) -> str:
    text = "" if value is None else number(value) if isinstance(value, float) else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
