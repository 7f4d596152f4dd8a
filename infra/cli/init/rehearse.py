"""What the loop will make of the file under a spec: the contract itself checks it, the split is
tried, and the profile says which columns give the target away. Nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np

from driftloop import framing
from driftloop.checking.check import Checked, check_source
from driftloop.checking.late import Late, late_of
from driftloop.data import parquet
from driftloop.data.rows import kinds
from driftloop.errors import NotEnoughData
from driftloop.profiling.association import rank_correlations
from driftloop.profiling.examine import ENOUGH, Finding, examine, foretold
from driftloop.profiling.profile import Profile
from driftloop.reading import Block, Source, open_source
from driftloop.spec import Spec

COPY = 0.999
MOST_CELLS = 30_000_000  # rows × columns whose split is tried; more are surely enough


@dataclass(frozen=True)
class Rehearsal:
    """``reasons``: ``rule|field`` → rows rejected; ``obstacle``: why no model could be trained."""

    total: int
    accepted: int
    reasons: dict[str, int]
    findings: list[Finding]
    copies: dict[str, str]
    obstacle: str | None

    @property
    def repeated(self) -> int:
        """Rows dropped because another one says the same."""
        return sum(n for why, n in self.reasons.items() if why.startswith("duplicate|"))

    @property
    def bad(self) -> int:
        """Rows rejected for what `data.reject_above` counts."""
        return self.total - self.accepted - self.repeated


@dataclass(frozen=True)
class _First:
    """The first rows of a source, and a block's rest."""

    source: Source
    most: int

    def blocks(self) -> Iterator[Block]:
        rows = 0
        for block in self.source.blocks():
            yield block
            rows += len(block)
            if rows >= self.most:
                return


def rehearse(path: Path, spec: Spec, until: int, most: int) -> Rehearsal:
    """Check the first ``most`` rows. ``until``: the latest event time to believe, epoch ms.

    Raises what reading raises.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)

        def check(late: Late | None = None) -> Checked:
            with path.open("rb") as stream:
                others = spec.data.other_columns == "ignore"
                source = _First(open_source(stream, kinds(spec), others), most)
                return check_source(cast(Source, source), spec, until, folder, late)

        checked = check()
        while again := late_of(spec, [checked]):
            checked = check(again[0])
        return Rehearsal(
            checked.total, checked.accepted, checked.reasons, examine(checked.profile, spec),
            _copies(checked.profile, spec), _obstacle(checked, spec),
        )  # fmt: skip


def _obstacle(checked: Checked, spec: Spec) -> str | None:
    """Why these rows would not do to train a model."""
    if checked.accepted * len(spec.columns) > MOST_CELLS:
        return None
    if not checked.accepted:
        return "no row would be accepted"
    try:
        framing.build([parquet.read(checked.part_file.read_bytes(), kinds(spec))], spec)
    except NotEnoughData as error:
        return str(error)
    return None


def _copies(profile: Profile, spec: Spec) -> dict[str, str]:
    """Features that are the target under another name. A feature that tells all of it may be an
    honest one; with as few values as there are classes, or in the very same order, it is not."""
    sample, found = profile.sample, {}
    if len(sample) < ENOUGH:
        return {}
    truth = sample.columns[spec.target]
    for name in spec.features:
        values = sample.columns[name]
        if spec.task == "classification":
            few = len(set(values.tolist())) <= 2 * len(set(truth.tolist()))
            if few and foretold(profile, name, spec.target) >= COPY:
                found[name] = f"gives {spec.target!r} away: each of its values is one class"
        elif profile.kinds[name] == "number":
            rho = rank_correlations(np.column_stack([values, truth]), sample.counts.astype(float))
            if abs(rho[0, 1]) >= COPY:
                found[name] = f"gives {spec.target!r} away: the rows are in the same order by both"
    return found
