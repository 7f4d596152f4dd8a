"""A window's report in words: what, how bad, what to do. For the page and the terminal alike. Pure.

``report``: as ``driftloop.judgement`` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftloop.losses import as_loss
from driftloop.pages.readable import listed

Report = Mapping[str, Any]

KINDS = {
    "unit_bug": "unit or schema bug upstream",
    "missing_source": "a source is missing",
    "new_category": "new category",
    "population_shift": "the population or the season has shifted",
    "calibration_shift": "the level of the answers is off, the ranking holds",
    "concept_shift": "the same inputs mean something else now",
    "bad_release": "the version before was better",
}
ACTIONS = {
    "retrain": "Train anew, on what is being seen now",
    "recalibrate": "Recalibrate: fit the level of the answers anew, keep the rest of the model",
    "roll_back": "Go back to the version before",
    "quarantine": "Mend the source; keep these rows out of training",
    "tell": "Ask whoever owns the source; training cannot mend this",
    "ignore": "Nothing",
}
STATISTICS = {
    "psi": "PSI",
    "jensen_shannon": "Jensen–Shannon",
    "hellinger": "Hellinger",
    "kolmogorov_smirnov": "Kolmogorov–Smirnov",
    "wasserstein": "Wasserstein",
    "chi_squared": "chi-squared",
    "missing": "missing values",
    "new_category": "new categories",
    "out_of_range": "out of range",
}
METHODS = {
    "cbpe": "confidence-based performance estimation",
    "dle": "direct loss estimation",
}


def statistic(name: str) -> str:
    """A statistic's name as people write it."""
    return STATISTICS.get(name, name.replace("_", " "))


def over(report: Report) -> list[str]:
    """Features above a threshold of theirs, the farthest first."""
    return [name for name in report["ranked"] if report["features"][name]["ratio"] > 1]


def worst(report: Report) -> float | None:
    """The larger of the drift's ratio and the performance's; None if neither is known."""
    known = [r for r in (report["drift_ratio"], report["performance"]["ratio"]) if r is not None]
    return max(known, default=None)


def is_bad(report: Report) -> bool:
    return (worst(report) or 0) > 1


def headline(report: Report) -> str:
    """The one thing to know, in a few words."""
    found = report.get("diagnosis")
    if found:
        names = [feature["name"] for feature in found["features"]]
        kind = KINDS.get(found["kind"], found["kind"].replace("_", " "))
        return f"{kind[:1].upper()}{kind[1:]}" + (f": {listed(names, 3)}" if names else "")
    if is_bad(report):
        drift, quality = report["drift_ratio"] or 0, report["performance"]["ratio"] or 0
        names = over(report)
        said = [f"drift{f' of {listed(names, 3)}' if names else ''}"] if drift > 1 else []
        said += [f"worse {report['performance']['metric']} than allowed"] if quality > 1 else []
        text = " and ".join(said)
        return text[:1].upper() + text[1:]
    if worst(report) is None:
        return f"Not judged: {report['status']}"
    return "All is as at training"


def how_bad(report: Report) -> list[str]:
    """The figures behind the headline, a sentence each."""
    said = []
    if report["drift_ratio"] is not None:
        far, names, all_of = report["drift_ratio"], over(report), len(report["features"])
        which = f"; {len(names)} of {all_of} features above theirs" if names else ""
        said.append(f"Drift is {far:.2f}× its threshold{which}.")
    said += performance(report)
    return said or [report["text"]]


def performance(report: Report) -> list[str]:
    """What the labels say, and what is estimated without them."""
    found = report["performance"]
    metric, promised = found["metric"], found["baseline"]
    if promised is None:
        return []
    said = []
    if found["value"] is None:
        said.append(f"No labels yet; {metric} was {promised:.4g} at training.")
    else:
        limit = allowed(report)
        bound = f", {limit:.4g} is allowed" if limit is not None else ", too few rows to judge it"
        said.append(
            f"Realised {metric} is {found['value']:.4g} on {found['rows']:,} labelled rows "
            f"({promised:.4g} at training{bound})."
        )
    estimate = found.get("estimate")
    if (report.get("diagnosis") or {}).get("kind") == "unit_bug":
        said.append("What is estimated without labels means nothing for rows in a wrong unit.")
    elif estimate and estimate["value"] is not None:
        off = estimate.get("error")
        known = f", {abs(off):.2g} {'below' if off > 0 else 'above'} the realised" if off else ""
        said.append(f"Estimated without labels: {estimate['value']:.4g}{known}.")
    return said


def allowed(report: Report) -> float | None:
    """The metric at which the alarm stands (thresholds are kept as losses)."""
    limit = report["performance"]["threshold"]
    return None if limit is None else as_loss(report["performance"]["metric"], limit)


def advice(report: Report) -> str:
    """What to do, as the diagnosis argues; whether it is done, the ledger says."""
    found = report.get("diagnosis")
    if found:
        return ACTIONS.get(found["action"], str(found["action"]).replace("_", " "))
    return "Look at what moved, below" if is_bad(report) else "Nothing"
