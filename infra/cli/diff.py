"""`driftloop diff`: what lies between two versions of the rows."""

from __future__ import annotations

from typing import Any

from driftloop.data import diff as between
from driftloop.data.dataset import Dataset
from driftloop.data.diff import Diff, Shift
from driftloop.profiling import profiles
from driftloop.profiling.profile import Profile
from infra.cli import console
from infra.cli.datasets import SHORT, named
from infra.cli.stacks import Deployment

SOME = 5  # new and gone texts that are named


def show(deployment: Deployment, model: str, first: str, second: str, *, json: bool) -> None:
    """Parts, rows, columns, and the shift of each column, largest first."""
    ours, theirs = named(deployment, model, first), named(deployment, model, second)
    profiles = _profile(deployment, model, ours), _profile(deployment, model, theirs)
    found = between.diff(deployment.store, model, ours, theirs, profiles)
    sides = {"first": _side(ours), "second": _side(theirs)}
    if json:
        return console.as_json({**sides, **found.to_json()})
    say = console.out.print
    names = [f"{d.digest[:SHORT]} ({d.rows:,} rows)" for d in (ours, theirs)]
    say(f"[bold]{names[0]} → {names[1]}[/]", soft_wrap=True)
    say(_rows(found), soft_wrap=True)
    say(f"parts: {len(found.parts_added)} added, {len(found.parts_removed)} removed, "
        f"{found.parts_same} the same", soft_wrap=True)  # fmt: skip
    for line in _columns(found):
        say(line, soft_wrap=True)
    console.listing(
        "columns, those that moved most first (PSI: under 0.1 little, over 0.25 much)",
        [_shown(shift) for shift in found.shifts],
        ("column", "psi", "missing", "distinct", "mean", "median", "texts"),
        "no column is in both",
    )
    return None


def _profile(deployment: Deployment, model: str, found: Dataset) -> Profile:
    """As ingest left it, or made now."""
    kept = profiles.load(deployment.store, model, "datasets", found.digest)
    return kept or between.profile_of(deployment.store, model, found)


def _side(found: Dataset) -> dict[str, Any]:
    return {"dataset": found.digest, "rows": found.rows, "parts": len(found.parts)}


def _rows(found: Diff) -> str:
    if not (found.added or found.removed or found.changed):
        return f"rows: all {found.same:,} the same"
    changed = f", {found.changed:,} changed" if found.changed is not None else ""
    return f"rows: {found.added:,} added, {found.removed:,} removed{changed}, {found.same:,} same"


def _columns(found: Diff) -> list[str]:
    return [
        *(f"column {name!r} ({kind}) is new" for name, kind in found.columns_added.items()),
        *(f"column {name!r} ({kind}) is gone" for name, kind in found.columns_removed.items()),
        *(f"column {name!r} was {was}, is {now}"
          for name, (was, now) in found.columns_changed.items()),
    ]  # fmt: skip


def _shown(shift: Shift) -> dict[str, Any]:
    texts = [*(f"+{t!r}" for t in shift.new[:SOME]), *(f"−{t!r}" for t in shift.gone[:SOME])]
    more = len(shift.new) + len(shift.gone) - len(texts)
    return {
        "column": shift.name,
        "psi": shift.psi,
        "missing": _moved(shift.missing, "{:.1%}"),
        "distinct": _moved(shift.distinct, "{:,}"),
        "mean": _moved(shift.mean, "{:.4g}"),
        "median": _moved(shift.median, "{:.4g}"),
        "texts": " ".join(texts) + (f" and {more} more" if more else ""),
    }


def _moved(pair: tuple[Any, Any], form: str) -> str | None:
    if pair == (None, None):
        return None
    first, second = ("–" if v is None else form.format(v) for v in pair)
    return first if first == second else f"{first} → {second}"
