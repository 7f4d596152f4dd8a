"""Check a file, or a piece of one, against the spec in one pass: a part, its profile, quarantine.

Blocks are read ahead in one thread and written in another, and no more than a few are held. What
no row knows of itself, only the whole upload decides: see :mod:`driftloop.checking.late`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftloop.checking import columnar, repeats
from driftloop.checking.beside import Ahead, Behind
from driftloop.checking.contract import Fault, counted
from driftloop.checking.late import Late, check_words
from driftloop.data import canonical, parquet, rowhash
from driftloop.data.rows import kinds
from driftloop.profiling.profile import Profile
from driftloop.rejects import quarantine
from driftloop.rejects.quarantine import Rejected
from driftloop.spec import Spec

if TYPE_CHECKING:
    from driftloop.reading.block import Block
    from driftloop.reading.source import Source


@dataclass(frozen=True)
class Checked:
    """What one piece holds: ``accepted + rejected == total``.

    ``reasons``: ``rule|field`` → rejected rows; ``part``: the name of the accepted rows, None when
    there are none; ``first`` and ``last``: event time, epoch milliseconds; ``categories``: of each
    feature without a list of its own the rows by category, of rows sound in themselves; ``late``:
    what it was checked with. Its files lie in ``folder``.
    """

    total: int
    accepted: int
    reasons: dict[str, int]
    part: str | None
    first: int | None
    last: int | None
    categories: dict[str, dict[str, int]]
    late: Late | None
    profile: Profile
    folder: Path

    @property
    def rejected(self) -> int:
        return self.total - self.accepted

    @property
    def rules(self) -> dict[str, int]:
        """Rejected rows by rule, most frequent first."""
        return quarantine.by_rules(self.reasons)

    @property
    def part_file(self) -> Path:
        """Parquet; without rows when ``part`` is None."""
        return self.folder / "part.parquet"

    @property
    def rejected_file(self) -> Path:
        """Rejected rows in the order of their lines, ``.jsonl.gz``."""
        return self.folder / "rejected.jsonl.gz"

    @property
    def marks_file(self) -> Path:
        """Line and marks of every row sound in itself, for ``late.late_of``."""
        return self.folder / "marks.bin"

    def to_json(self) -> dict[str, Any]:
        """All but the files."""
        plain = {**vars(self), "profile": self.profile.to_json()}
        plain["late"] = self.late.to_json() if self.late else None
        del plain["folder"]
        return plain

    @classmethod
    def from_json(cls, document: Mapping[str, Any], folder: Path) -> Checked:
        """``folder``: where its files lie; only ``late_of`` wants the marks."""
        late = Late.from_json(document["late"]) if document["late"] else None
        profile = Profile.from_json(document["profile"])
        return cls(**{**document, "profile": profile, "late": late, "folder": folder})


def check_source(
    source: Source,
    spec: Spec,
    until: int | None,
    folder: Path,
    late: Late | None = None,
    file: str = "",
) -> Checked:
    """Check every row of ``source``.

    ``until``: the latest event time to believe, epoch milliseconds; ``folder``: where the files
    go; ``late``: what the whole upload decided, once it did; ``file``: what rejected rows are
    marked with where an upload has several files.

    Raises what the source raises, also in the middle of it, and WrongColumns for more categories
    than can be counted.
    """
    pa.set_memory_pool(pa.system_memory_pool())  # the others keep a third more of what was freed
    with ExitStack() as stack:
        piece = _Piece(spec, until, folder, late or Late(), file, stack)
        for block in stack.enter_context(Ahead(source.blocks())):
            piece.take(block)
        return piece.close(late)


class _Piece:
    """A check under way."""

    def __init__(
        self, spec: Spec, until: int | None, folder: Path, late: Late, file: str, stack: ExitStack
    ) -> None:
        self._spec, self._until, self._late, self._file = spec, until, late, file
        self._folder = folder
        self._reasons = repeats.reasons(spec)
        self._repeats = repeats.Repeats(len(self._reasons))
        self._categories: dict[str, Counter[str]] = {name: Counter() for name in counted(spec)}
        self._profile = Profile.empty(spec)
        self._total = self._accepted = 0
        self._times: list[int] = []
        self._rejected = stack.enter_context(quarantine.Writer(folder / "rejected.jsonl.gz"))
        self._marks = stack.enter_context((folder / "marks.bin").open("wb"))
        self._part = parquet.Writer(folder / "part.parquet", kinds(spec))
        self._behind = stack.enter_context(Behind())

    def take(self, block: Block) -> None:
        """Check one more block."""
        faults: dict[int, Fault] = {}
        if len(block.lines):
            typed, faults = columnar.check(self._spec, block.columns, self._until)
            self._among_others(block, typed, faults)
        self._total += len(block.lines) + len(block.broken)
        self._reject(block, faults)

    def _among_others(self, block: Block, typed: dict[str, Any], faults: dict[int, Fault]) -> None:
        """Keep the rows that are sound in themselves and among the others; adds to ``faults``."""
        sound = np.ones(len(block.lines), dtype=bool)
        sound[list(faults)] = False
        for name in self._categories:
            self._categorise(name, typed[name], sound, faults)
        hashes = {name: _hashes(column) for name, column in typed.items()}
        rows = rowhash.rows(hashes)
        self._repeated(block, typed, {**hashes, "": rows}, sound, faults)
        if faults:
            kept = pa.array(sound)
            typed = {name: column.filter(kept) for name, column in typed.items()}
            rows = rows[sound]
        if len(rows):
            self._accepted += len(rows)
            self._behind.run(self._part.add, typed)
            self._profile.update(typed, rows)
            if self._spec.time:
                moments = typed[self._spec.time].cast(pa.int64()).to_numpy()
                self._times = [min([*self._times, int(moments.min())]),
                               max([*self._times, int(moments.max())])]  # fmt: skip

    def close(self, late: Late | None) -> Checked:
        """End the files."""
        check_words(self._categories)
        self._behind.run(self._part.close)
        name = self._behind.last()
        self._rejected.close()
        self._marks.close()
        self._profile.reject(self._rejected.reasons)
        first, last = self._times or (None, None)
        return Checked(
            self._total,
            self._accepted,
            dict(sorted(self._rejected.reasons.items())),
            name if self._accepted else None,
            first,
            last,
            {name: dict(sorted(counts.items())) for name, counts in self._categories.items()},
            late,
            self._profile,
            self._folder,
        )

    def _categorise(
        self, name: str, column: Any, sound: npt.NDArray[np.bool_], faults: dict[int, Fault]
    ) -> None:
        """Count the categories of sound rows; reject those that are too many, once it is known."""
        words = column.dictionary.to_pylist()
        codes = column.indices.fill_null(len(words)).to_numpy()
        if name in self._late.categories:
            allowed = {*self._late.categories[name]}
            strange = np.array([*(word not in allowed for word in words), False])[codes] & sound
            for row in np.flatnonzero(strange).tolist():
                faults[row] = Fault(row, name, "too_many_categories", words[codes[row]])
            sound &= ~strange
        seen = np.bincount(codes[sound], minlength=len(words))[: len(words)]
        counts = self._categories[name]
        for i in np.flatnonzero(seen).tolist():
            counts[words[i]] += int(seen[i])
        if len(counts) > len(words):
            check_words(self._categories)

    def _repeated(
        self,
        block: Block,
        typed: Mapping[str, Any],
        hashes: Mapping[str, rowhash.Hashes],
        sound: npt.NDArray[np.bool_],
        faults: dict[int, Fault],
    ) -> None:
        """Reject rows that repeat an accepted one. ``hashes``: by column, of the row as ""."""
        if not self._reasons:
            return
        each = [_marks(rule, typed.get(name), hashes[name]) for name, rule in self._reasons]
        marks = np.stack(each, axis=1)[sound]
        lines = block.lines[sound]
        np.column_stack([lines.astype(np.uint64), marks]).tofile(self._marks)
        if self._late.lines is None:
            found = {r: self._reasons[i] for r, i in self._repeats.find(marks).items()}
        else:
            known = self._late.lines
            found = {r: known[n] for r, n in enumerate(lines.tolist()) if n in known}
        positions = np.flatnonzero(sound)
        for at, (name, rule) in found.items():
            row = int(positions[at])
            faults[row] = Fault(row, name, rule, typed[name][row].as_py() if name else None)
            sound[row] = False

    def _reject(self, block: Block, faults: Mapping[int, Fault]) -> None:
        """Write what is rejected, by line."""
        found = [Rejected(b.line, "", "unreadable_row", b.fault, b.text) for b in block.broken]
        for row, fault in faults.items():
            line = int(block.lines[row])
            found.append(Rejected(line, fault.field, fault.rule, fault.value, block.text(row)))
        for rejected in sorted(found, key=lambda r: r.line):
            self._rejected.add(replace(rejected, file=self._file) if self._file else rejected)


def _hashes(column: Any) -> rowhash.Hashes:
    """Of each value; of a dictionary's values once."""
    if not pa.types.is_dictionary(column.type):
        return rowhash.values(parquet.canonical_of(column))
    words = canonical.texts([*column.dictionary.to_pylist(), None])
    codes: npt.NDArray[np.int32] = column.indices.fill_null(len(words) - 1).to_numpy()
    return rowhash.values(words)[codes]


def _marks(rule: str, column: Any, hashes: rowhash.Hashes) -> rowhash.Hashes:
    """Marks of the values of a column (None: of whole rows)."""
    marks = np.maximum(hashes, repeats.ABSENT + np.uint64(1))
    if rule == "not_unique" and column.null_count:
        marks[column.is_null().to_numpy(zero_copy_only=False)] = repeats.ABSENT
    return marks
