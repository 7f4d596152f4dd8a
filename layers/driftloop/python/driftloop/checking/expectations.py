"""What an upload must be as a whole (``data.expect``), held against the profile of its rows.

``rows`` counts accepted rows. Of a column: ``null_share`` is the share of them without a value;
``mean``, ``min`` and ``max`` are over the rows that have one; ``distinct`` counts its different
values, exactly up to some thousand of them and within a few percent above.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftloop.profiling.profile import Profile
from driftloop.sketches.sketch import Sketch
from driftloop.spec import Spec
from driftloop.spec_words import comparison


def broken(spec: Spec, accepted_rows: int, profile: Profile) -> list[str]:
    """A sentence for each expectation that does not hold; none if the upload may pass."""
    return list(_broken(spec, accepted_rows, profile))


def _broken(spec: Spec, rows: int, profile: Profile) -> Iterator[str]:
    expect = spec.data.expect
    yield from _against(expect.rows or [], "data.expect.rows", rows, "there are {} accepted rows")
    for measure in ("null_share", "mean", "min", "max", "distinct"):
        for name, bounds in getattr(expect, measure).items():
            path = f"data.expect.{measure}.{name}"
            found = _measured(profile.sketches[name], measure)
            if found is None:
                yield f"{path}: no row has a value, and {bounds[0].strip()} is expected"
            else:
                yield from _against(bounds, path, found, "is {}")


def _measured(sketch: Sketch, measure: str) -> float | None:
    if measure == "null_share":
        return sketch.missing / sketch.rows if sketch.rows else None
    found: float | None = getattr(sketch, measure)
    return found


def _against(bounds: list[str], path: str, found: float, said: str) -> Iterator[str]:
    for rule in bounds:
        compare, number = comparison(rule)
        if not compare(found, number):
            shown = f"{found:,}" if isinstance(found, int) else f"{found:.6g}"
            yield f"{path}: {said.format(shown)}, and {rule.strip()} is expected"
