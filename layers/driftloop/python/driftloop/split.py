"""Which rows are learned from and which are judged by: a share ``holdout`` of the rows, so that no
two rows that belong together are on different sides.

By time, the newest rows are the holdout, as serving will be. By hash, a hash of what a row is
decides; so a row never changes sides as others come and go. Stratified, each class gives its rows
of the lowest hashes: the shares are exact to a row, and a row changes sides only when the border of
its class moves over it. All are plain functions of numpy arrays over ``n`` rows; a side is a mask,
true where a row is learned from.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.errors import NotEnoughData

Mask = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]


def by_time(groups: Hashes | None, rows: int, share: float) -> Mask:
    """Of rows in the order of time, ``groups[i]`` being that of row ``i`` (None: each its own).

    A group that began before the cut is learned from, and its rows behind the cut belong to
    neither side (see :func:`apart`): what is judged is later, and of groups never seen. The cut is
    where the holdout that is left has its share. Raises NotEnoughData if more than half of the rows
    would be lost.
    """
    place = np.arange(rows)
    if groups is None or rows < 2:
        return np.asarray(place < rows - round(rows * share))
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    begun = np.cumsum(np.bincount(first[group], minlength=rows))  # rows of groups begun by then
    cuts = place[1:]
    held = rows - begun[:-1]
    best = int(np.argmin(np.abs(held / (cuts + held) - share)))
    lost = rows - int(cuts[best] + held[best])
    if lost > rows / 2:
        raise NotEnoughData(
            f"{lost} of {rows} rows belong to groups that lie on both sides of any cut in time; "
            "say `split: {by: hash}` to hold such groups together"
        )
    return np.asarray(place < cuts[best])


def by_hash(hashes: Hashes, share: float) -> Mask:
    """Held out: the lowest ``share`` of all hashes there are."""
    return np.asarray(hashes >= np.uint64(round(share * 2**64)))


def stratified(hashes: Hashes, classes: Codes, share: float) -> Mask:
    """Held out: of each class the ``share`` of its rows with the lowest hashes."""
    train = np.ones(len(hashes), dtype=bool)
    for code in np.unique(classes):
        rows = np.flatnonzero(classes == code)
        held = round(len(rows) * share)
        if held:
            border = np.sort(hashes[rows])[held - 1]
            train[rows] = hashes[rows] > border
    return train


def apart(groups: Hashes, train: Mask) -> Mask:
    """False where a held-out row is of a group that is learned from."""
    return np.asarray(train | ~np.isin(groups, groups[train]))
