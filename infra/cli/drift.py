"""`driftloop drift`: what the monitor concluded, window by window."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.markup import escape

from driftloop import keys
from driftloop.pages import window_words as words
from driftloop.pages.readable import listed
from driftloop.pages.window_scores import ratio
from infra.cli import console, reports, window
from infra.cli.console import moment
from infra.cli.fault import Fault
from infra.cli.health import health
from infra.cli.reports import Report
from infra.cli.rows import writable
from infra.cli.sparkline import changes, levels, ratios
from infra.cli.stacks import Deployment

MOST_FEATURES = 5
COLUMNS = ("window", "version", "rows", "labelled", "drift", "performance", "realised", "estimated",
           "said")  # fmt: skip


def drift(
    deployment: Deployment, model: str, *, windows: int, at: str | None, html: str | None,
    json: bool,
) -> None:  # fmt: skip
    """The last windows, or the one (or all) that begin ``at`` a date; with ``html`` the page of
    the last of them is written to that file.
    A ratio above 1 is above the version's own threshold."""
    deployment.model(model)
    if at is None:
        found = reports.read(deployment.store, model, windows)
    else:
        found = reports.at(deployment.store, model, at)
    if html is not None:
        return _fetch(deployment, found, model, html)
    if json:
        return console.as_json(found)
    if at is not None and len({report["window"]["start"] for report in found}) == 1:
        for report in found:
            window.show(report)
        return None
    if found:
        registry = deployment.registry
        how = health(registry.route(model), registry.watch(model), registry.breaker(model))
        console.out.print(f"[bold]{model}[/]  {escape(how)}\n", soft_wrap=True)
        last = reports.by_window(found)
        _lines(last)
        console.out.print(f"\n{moment(last[-1]['window']['start'])}  ", end="")
        window.verdict(last[-1])
        console.out.print()
    return console.listing(
        f"windows of {model}", [_row(report) for report in found], COLUMNS,
        f"the monitor has judged no window of {model} yet",
    )  # fmt: skip


def _lines(found: Sequence[Report]) -> None:
    """A line each of drift, of what moved most, and of quality; a column a window."""
    drifts = [r["drift_ratio"] for r in found]
    losses = [r["performance"]["ratio"] for r in found]
    versions = [r["version"] for r in found]
    names = " → ".join(f"v{v}" for v, _ in groupby(versions))
    lines = [("version", changes(versions), names)]
    lines.append(("drift", ratios(drifts), _last(drifts)))
    for name in _moved(found):
        far = [r["features"].get(name, {}).get("ratio") for r in found]
        lines.append((f"  {name}", ratios(far), _last(far)))
    lines.append(("performance", ratios(losses), _last(losses)))
    lines += _quality([r["performance"] for r in found])
    wide = max(len(name) for name, _, _ in lines)
    for name, bars, last in lines:
        console.out.print(f"{name:{wide}}  {bars}  {last}", markup=True)
    console.out.print("[dim]a column a window; ratios are full at twice the threshold, red above "
                      "it; a dot: nothing to tell[/]")  # fmt: skip


def _quality(found: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Realised and estimated, on one scale."""
    realised = [p["value"] for p in found]
    estimated = [(p.get("estimate") or {}).get("value") for p in found]
    known = [v for v in (*realised, *estimated, *(p["baseline"] for p in found)) if v is not None]
    if not known:
        return []
    metric = next(p["metric"] for p in reversed(found) if p["metric"])
    promise = next(p["baseline"] for p in reversed(found) if p["metric"])
    both = ((f"  {metric}", realised, f"  [dim]{promise:.4g} at training[/]"),
            ("  estimated", estimated, ""))  # fmt: skip
    return [
        (name, levels(line, min(known), max(known)), _last(line, "{:.4g}") + more)
        for name, line, more in both
    ]


def _moved(found: Sequence[Report]) -> list[str]:
    """The features that were over their threshold in any window, the farthest first."""
    far: dict[str, float] = {}
    for report in found:
        for name in words.over(report):
            far[name] = max(far.get(name, 0.0), report["features"][name]["ratio"])
    return sorted(far, key=lambda name: -far[name])[:MOST_FEATURES]


def _last(values: Sequence[float | None], form: str = "{:.2f}×") -> str:
    known = [v for v in values if v is not None]
    return form.format(known[-1]) if known else ""


def _row(report: Report) -> dict[str, Any]:
    performance = report["performance"]
    return {
        "window": moment(report["window"]["start"]),
        "version": report["version"],
        "rows": report["rows"],
        "labelled": performance["rows"],
        "drift": _ratio(report["drift_ratio"]),
        "performance": _ratio(performance["ratio"]),
        "realised": performance["value"],
        "estimated": (performance.get("estimate") or {}).get("value"),
        "said": _said(report),
    }


def _ratio(far: float | None) -> str | None:
    return None if far is None else ratio(far)


def _said(report: Report) -> str:
    """The diagnosis by its name, as the policy knows it; else the headline."""
    if found := report.get("diagnosis"):
        names = listed([feature["name"] for feature in found["features"]], 3)
        return f"{found['kind'].replace('_', ' ')}: {names}".removesuffix(": ")
    return words.headline(report)


def _fetch(deployment: Deployment, found: Sequence[Report], model: str, file: str) -> None:
    """The page of the last window, as the version saw it that answered most."""
    if not found:
        raise Fault(f"the monitor has judged no window of {model} yet")
    report = reports.by_window(found)[-1]
    start = report["window"]["start"]
    page = keys.window_report(
        model, reports.name(start), report["version"], report["revision"], "html"
    )
    path: Path = writable(file)
    path.write_bytes(deployment.store.get(page))
    said = f"window {moment(start)} of {model} v{report['version']} → {path}"
    console.out.print(said, soft_wrap=True)
