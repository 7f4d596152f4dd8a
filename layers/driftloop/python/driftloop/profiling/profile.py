"""What rows look like, in some hundred kilobytes: the profile of an upload or of a dataset.

A sketch of every feature and of the target, when the rows happened, a uniform sample of whole rows
(for what lies between columns), and what was rejected why. Profiles of parts add up to the profile
of all, however the rows were cut and in whatever order they come (but for the last digits of means
and deviations). The user's key is in none of it: it is different in every row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.data.rows import Kind, kinds
from driftloop.sketches import coverage, sample
from driftloop.sketches.coverage import Coverage
from driftloop.sketches.sample import Sample
from driftloop.sketches.sketch import Sketch
from driftloop.spec import Spec

FORMAT = "driftloop.profile/1"


class Profile:
    """``kinds``: column → kind (features, target, time); ``sketches``: column → Sketch, of all but
    times; ``times``: a Coverage, None without a time column; ``sample``: a Sample of whole rows;
    ``rows``: accepted rows; ``rejected``: ``rule|field`` → rows."""

    def __init__(self, shape: Mapping[str, Kind]) -> None:
        self.kinds = dict(shape)
        self.rows = 0
        self.rejected: dict[str, int] = {}
        self.sketches = {name: _empty(kind) for name, kind in self.kinds.items() if kind != "time"}
        self.times = Coverage() if "time" in self.kinds.values() else None
        self.sample = Sample(sample.rows_for(len(self.kinds)))

    @classmethod
    def empty(cls, spec: Spec) -> Profile:
        """The profile of no rows of this spec."""
        shape = kinds(spec)
        if spec.key and spec.key not in spec.features and spec.key != spec.target:
            del shape[spec.key]
        return cls(shape)

    def update(self, batch: Mapping[str, Any], hashes: npt.NDArray[np.uint64]) -> None:
        """Add accepted rows.

        batch: column → n typed values, as an arrow array (float64, string or its dictionary,
            timestamp) or as :class:`data.rows.Rows` has them; columns not of the profile are
            passed over.
        hashes: a hash of each row, ``(n,)``; equal hashes must mean equal rows.
        """
        self.rows += len(hashes)
        values: dict[str, Any] = {}
        for name, kind in self.kinds.items():
            column = batch[name]
            if kind == "time" and self.times is not None:
                values[name] = moments = _times(column)
                self.times.update(moments)
            elif kind == "number":
                values[name] = numbers = _numbers(column)
                self.sketches[name].update_numbers(numbers)
            else:
                values[name] = codes, names = _codes(column)
                self.sketches[name].update_codes(codes, names)

        def take(positions: npt.NDArray[np.int64]) -> dict[str, Any]:
            return {name: _pick(found, positions) for name, found in values.items()}

        self.sample.update(hashes, take)

    def reject(self, reasons: Mapping[str, int]) -> None:
        """Add counts of rejected rows, ``rule|field`` → rows."""
        for reason, count in reasons.items():
            self.rejected[reason] = self.rejected.get(reason, 0) + count

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "kinds": self.kinds,
            "rows": self.rows,
            "rejected": self.rejected,
            "sketches": {name: sketch.to_json() for name, sketch in self.sketches.items()},
            "times": self.times.to_json() if self.times else None,
            "sample": self.sample.to_json(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Profile:
        profile = cls({})
        profile.kinds = dict(document["kinds"])
        profile.rows = document["rows"]
        profile.rejected = dict(document["rejected"])
        profile.sketches = {n: Sketch.from_json(d) for n, d in document["sketches"].items()}
        profile.times = Coverage.from_json(document["times"]) if document["times"] else None
        profile.sample = Sample.from_json(document["sample"])
        return profile


def merge(first: Profile, second: Profile) -> Profile:
    """The profile of both together. Raises ValueError when they are of different columns."""
    if first.kinds != second.kinds:
        raise ValueError("profiles of different columns cannot be added")
    merged = Profile(first.kinds)
    merged.rows = first.rows + second.rows
    for part in (first, second):
        merged.reject(part.rejected)
    merged.sketches = {
        name: Sketch.merge(one, second.sketches[name]) for name, one in first.sketches.items()
    }
    if first.times and second.times:
        merged.times = coverage.merge(first.times, second.times)
    merged.sample = sample.merge(first.sample, second.sample)
    return merged


def _empty(kind: Kind) -> Sketch:
    if kind == "number":
        return Sketch.numbers(np.empty(0))
    return Sketch.codes(np.empty(0, np.int64), [])


def _numbers(column: Any) -> npt.NDArray[np.float64]:
    """float64, NaN where missing."""
    if isinstance(column, np.ndarray):
        return column
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)


def _times(column: Any) -> npt.NDArray[np.int64]:
    """Epoch milliseconds."""
    if isinstance(column, np.ndarray):
        return column.astype(np.int64)
    return np.asarray(column.to_numpy(zero_copy_only=False).astype("datetime64[ms]"), np.int64)


def _codes(column: Any) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Codes (-1 missing) and what they mean."""
    if isinstance(column, np.ndarray):
        names = sorted({v for v in column.tolist() if v is not None})
        place = {name: i for i, name in enumerate(names)}
        return np.array([place.get(v, -1) for v in column.tolist()], np.int64), names
    if not hasattr(column, "dictionary"):
        column = column.dictionary_encode()
    indices = column.indices
    if indices.null_count:
        indices = indices.fill_null(-1)
    return indices.to_numpy(zero_copy_only=False), column.dictionary.to_pylist()


def _pick(found: Any, positions: npt.NDArray[np.int64]) -> Any:
    if isinstance(found, tuple):
        codes, names = found
        return np.array([*names, None], dtype=object)[codes[positions]]
    return found[positions]
