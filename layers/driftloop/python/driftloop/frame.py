"""The frame: a dataset split into train and holdout, as typed columns, ready for a learner.

It travels as an uncompressed ``.npz`` without object arrays (those would be pickles), and is
byte-deterministic: the same frame gives the same bytes on any machine.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.errors import IntegrityError

FORMAT = "driftloop.frame/1"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip member carries a time; ours is always this one

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Frame:
    """``n`` rows.

    columns: feature → ``(n,)``; a number is float64 with NaN for missing, a category is int32
        codes into ``vocabulary[feature]`` with -1 for missing.
    vocabulary: category feature → its categories; the code is the position.
    target: ``(n,)``; int32 codes into ``classes``, or float64 for regression.
    classes: the target's values as text, sorted; None for regression.
    train: ``(n,)`` bool; the others are the holdout.
    time: ``(n,)`` int64, epoch milliseconds; None if the spec names no time column.
    """

    columns: dict[str, Array]
    vocabulary: dict[str, list[str]]
    target: Array
    classes: list[str] | None
    train: Array
    time: Array | None = None

    @property
    def rows(self) -> int:
        return len(self.target)

    @property
    def holdout(self) -> Array:
        return ~self.train

    def take(self, rows: Array) -> Frame:
        """The rows of a mask or of an array of positions, as a frame of its own."""
        return Frame(
            columns={name: values[rows] for name, values in self.columns.items()},
            vocabulary=self.vocabulary,
            target=self.target[rows],
            classes=self.classes,
            train=self.train[rows],
            time=None if self.time is None else self.time[rows],
        )

    def values(self, name: str) -> list[Any]:
        """One column as JSON has it: floats or strings, None for missing."""
        column = self.columns[name]
        if name in self.vocabulary:
            words: list[Any] = [*self.vocabulary[name], None]  # code -1 finds the None
            return [words[code] for code in column.tolist()]
        return [None if value != value else value for value in column.tolist()]

    def instances(self) -> Iterator[dict[str, Any]]:
        """Row by row, as a caller of the endpoint would send it."""
        names = list(self.columns)
        for row in zip(*(self.values(name) for name in names), strict=True):
            yield dict(zip(names, row, strict=True))

    def to_bytes(self) -> bytes:
        names = list(self.columns)
        about = {
            "format": FORMAT,
            "columns": names,
            "vocabulary": self.vocabulary,
            "classes": self.classes,
            "time": self.time is not None,
        }
        text = json.dumps(about, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        arrays = {
            "about": np.frombuffer(text.encode(), np.uint8),
            "target": self.target,
            "train": self.train,
            **({} if self.time is None else {"time": self.time}),
            **{f"column_{i}": self.columns[name] for i, name in enumerate(names)},
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                member = io.BytesIO()
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), member.getvalue())
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Frame:
        """Raises IntegrityError for anything that :meth:`to_bytes` does not write."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            about = json.loads(arrays["about"].tobytes())
            if about["format"] != FORMAT:
                raise ValueError(f"its format is {about['format']!r}, not {FORMAT!r}")
            frame = cls(
                columns={n: arrays[f"column_{i}"] for i, n in enumerate(about["columns"])},
                vocabulary=about["vocabulary"],
                target=arrays["target"],
                classes=about["classes"],
                train=arrays["train"],
                time=arrays["time"] if about["time"] else None,
            )
        except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise IntegrityError(f"these bytes are no frame: {error}") from error
        lengths = {len(a) for name, a in arrays.items() if name != "about"}
        if len(lengths) != 1:
            raise IntegrityError(f"these bytes are no frame: columns of lengths {sorted(lengths)}")
        return frame
