"""A data file, as seen, → a spec: guesses with their reasons, made to be read and corrected.

``infer(...)`` is a pure decision on summaries (:mod:`~driftloop.infer.seen`); reading the file and
writing the YAML are the command's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from driftloop.errors import NotEnoughData, SpecError
from driftloop.infer.column import read
from driftloop.infer.guess import Guess, Reading
from driftloop.infer.roles import Roles, Wishes, cast
from driftloop.infer.seen import Seen, Table
from driftloop.infer.settings import Size, settings
from driftloop.spec import Spec

__all__ = ["Guess", "Inferred", "Learned", "Seen", "Table", "Wishes", "infer"]

TOLERANCE = timedelta(days=1)  # as `data.future` has it


@dataclass(frozen=True)
class Learned:
    """What trying a spec out has taught.

    copies: columns that give the target away, and how; they are left out.
    rejected: rows (of those that can be read or not) that the spec rejects; None: not known.
    repeated: rows that equal another one in all the spec names.
    by_hash: the newest rows alone are no holdout, and why; then rows are split by hash.
    """

    copies: Mapping[str, str] = field(default_factory=dict)
    rejected: int | None = None
    repeated: int = 0
    by_hash: str = ""


@dataclass(frozen=True)
class Inferred:
    """``document`` is what to write down, in order; it parses as ``spec``. ``guesses`` speak of
    every column: those left out have the path ``left out.<column>``."""

    document: dict[str, Any]
    spec: Spec
    guesses: list[Guess]


def infer(
    name: str,
    table: Table,
    wishes: Wishes,
    now: int,
    learned: Learned | None = None,
) -> Inferred:
    """A spec for the model ``name``.

    now: epoch milliseconds; a time far behind it is no event's.
    learned: from trying out what was inferred before.

    Raises SpecError for a wish that cannot be, NotEnoughData when nothing can be learned.
    """
    learned = learned or Learned()
    without = learned.copies
    if not table.rows:
        first = f" ({table.fault})" if table.fault else ""
        raise NotEnoughData(f"the file has no row that can be read{first}")
    readings = {seen.name: read(seen) for seen in table.columns}
    roles = cast(readings, wishes, now + round(TOLERANCE.total_seconds() * 1000))
    parts = {roles.target, roles.time, roles.key}
    features = {
        n: r for n, r in readings.items()
        if r.kind in ("number", "category") and n not in parts and n not in without
    }  # fmt: skip
    left = {n: r for n, r in readings.items() if n not in parts and n not in features}
    if not features:
        why = [f"{n!r}: {without.get(n, r.why)}" for n, r in left.items()]
        told = "; ".join(why[:5]) + (f"; and {len(why) - 5:,} more" if len(why) > 5 else "")
        told = told or "the file has no other one"
        raise NotEnoughData(f"no column is left to learn {roles.target!r} from: {told}")
    rejected = learned.rejected
    if rejected is None:
        strays = roles.rejected + sum(r.strays for r in features.values())
        rejected = min(strays, table.rows) + table.broken
    size = Size(table.rows + table.broken, rejected, learned.repeated)
    document, more = settings(table, roles, size, bool(left), learned.by_hash)
    document = _head(name, roles, features) | document
    guesses = [*roles.guesses, *more]
    guesses += [_feature(n, r) for n, r in features.items()]
    guesses += [_left_out(n, r, without.get(n)) for n, r in left.items()]
    return Inferred(document, _checked(document, len(features)), guesses)


def _head(name: str, roles: Roles, features: Mapping[str, Reading]) -> dict[str, Any]:
    head: dict[str, Any] = {"name": name, "task": roles.task, "target": roles.target}
    head |= {"time": roles.time} if roles.time else {}
    head |= {"key": roles.key} if roles.key else {}
    return head | {"features": {n: r.words for n, r in features.items()}}


def _feature(name: str, reading: Reading) -> Guess:
    kind = reading.words["type"]
    return Guess(f"features.{name}", kind, reading.why, reading.unsure, reading.others)


def _left_out(name: str, reading: Reading, instead: str | None) -> Guess:
    why = instead or reading.why
    if reading.kind == "time" and not instead:
        why = "a time is no feature; make an hour or a weekday of it"
    return Guess(f"left out.{name}", "left out", why, reading.unsure or bool(instead))


def _checked(document: dict[str, Any], features: int) -> Spec:
    """Raises NotEnoughData for more columns than a spec can hold."""
    try:
        return Spec.parse(document, "spec")
    except SpecError as error:
        if features > 100:
            raise NotEnoughData(
                f"the file has {features:,} columns to learn from, and a spec holds 500 at most "
                "and 64 KiB in all; keep those that matter"
            ) from None
        raise error
