"""Rows of parts → a frame: those that keep the contract, one per key, cut at the window, split.

How rows are divided is in :mod:`driftloop.split`; whatever the data, neither a key nor a
``split.group`` is on both sides (a row whose group is missing stands for itself).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from driftloop import split
from driftloop.checking.recheck import arrow, hashes, recheck
from driftloop.data.rows import Rows, concatenate, event_times
from driftloop.errors import NotEnoughData
from driftloop.frame import Frame
from driftloop.spec import Spec
from driftloop.split import Codes, Hashes, Mask

FEWEST_TRAIN = 50
FEWEST_HOLDOUT = 20
FEWEST_OF_A_CLASS = 5  # rows to learn from
MOST_CLASSES = 50


def build(parts: Iterable[Rows], spec: Spec) -> tuple[Frame, dict[str, int], dict[str, int]]:
    """The frame of the rows of ``parts``; how many rows each step left out (together with ``rows``
    they are those ``read``); and how many break the contract by ``rule|field``.

    Raises NotEnoughData: too few rows, one class only, too many classes.
    """
    held, counts, breaks = _sound(parts, spec)
    for reason, kept in (("repeated", _latest), ("outside_window", _window)):
        held = held.keep(reason, kept(held, spec), counts)
    if held.times is not None:
        held = held.take(np.argsort(held.times, kind="stable"))
    held = replace(held, train=_sides(held, spec))
    for reason, kept in (("on_both_sides", _apart), ("class_too_rare", _learned_class)):
        held = held.keep(reason, kept(held, spec), counts)
    target, classes = _target(held.rows, spec)
    train = held.train
    _check_enough(train, target, classes, spec, counts)
    columns, vocabulary = _columns(held.rows, spec, train)
    counts |= {
        "rows": len(train),
        "train_rows": int(train.sum()),
        "holdout_rows": int((~train).sum()),
    }
    return Frame(columns, vocabulary, target, classes, train, held.times), counts, breaks


@dataclass(frozen=True)
class _Held:
    """Rows on their way into a frame. ``names``: a hash of the key (without one: of the row);
    ``groups``: of what must be on one side together."""

    rows: Rows
    names: Hashes
    groups: Hashes
    times: npt.NDArray[np.int64] | None
    train: Mask

    def take(self, picked: npt.NDArray[Any]) -> _Held:
        times = None if self.times is None else self.times[picked]
        return _Held(
            self.rows.take(picked), self.names[picked], self.groups[picked], times,
            self.train[picked],
        )  # fmt: skip

    def keep(self, reason: str, kept: Mask, counts: dict[str, int]) -> _Held:
        counts[reason] = int((~kept).sum())
        return self.take(kept) if counts[reason] else self


def _sound(parts: Iterable[Rows], spec: Spec) -> tuple[_Held, dict[str, int], dict[str, int]]:
    """The rows of all parts that keep the contract; how many there are; which others."""
    kept: list[tuple[Rows, Hashes, Hashes]] = []
    read, breaks = 0, Counter[str]()
    by = spec.data.split.group
    for part in parts:
        read += len(part)
        columns = arrow(part)
        sound, found = recheck(columns, spec)
        breaks.update(found)
        names = groups = hashes(columns, [spec.key] if spec.key else list(columns))
        if by is not None:
            missing = columns[by].is_null().to_numpy(zero_copy_only=False)
            groups = np.where(missing, names, hashes(columns, [by]))
        kept.append((part.take(sound), names[sound], groups[sound]))
    rows = concatenate([part for part, _, _ in kept])
    names, groups = (np.concatenate([each[i] for each in kept]) for i in (1, 2))
    held = _Held(rows, names, groups, event_times(rows, spec), np.ones(len(rows), dtype=bool))
    return held, {"read": read, "breaks_contract": breaks.total()}, dict(breaks)


def _latest(held: _Held, spec: Spec) -> Mask:
    """Across parts the last statement of a key wins: a later part corrects an earlier one."""
    kept = np.ones(len(held.names), dtype=bool)
    if spec.data.duplicates == "drop":
        _, last = np.unique(held.names[::-1], return_index=True)
        kept[:] = False
        kept[len(kept) - 1 - last] = True
    return kept


def _window(held: _Held, spec: Spec) -> Mask:
    times, window = held.times, spec.data.window
    if window is None or times is None or not len(times):
        return np.ones(len(held.names), dtype=bool)
    return np.asarray(times >= times.max() - round(window.total_seconds() * 1000))


def _sides(held: _Held, spec: Spec) -> Mask:
    share, alone = spec.data.holdout, spec.data.split.group is None
    if spec.split_by == "time":
        own = alone and spec.data.duplicates == "drop"
        return split.by_time(None if own else held.groups, len(held.groups), share)
    if spec.data.split.stratify:
        return split.stratified(held.groups, _coded(held.rows.columns[spec.target])[0], share)
    return split.by_hash(held.groups, share)


def _apart(held: _Held, spec: Spec) -> Mask:
    """False where a held-out row belongs to what was learned from: by its group or, where a key
    may come twice, by its key."""
    kept = np.ones(len(held.names), dtype=bool)
    if spec.data.split.group is not None:
        kept &= split.apart(held.groups, held.train)
    if spec.data.duplicates == "keep":
        kept &= split.apart(held.names, held.train)
    return kept


def _learned_class(held: _Held, spec: Spec) -> Mask:
    """False where a row's class is in too few training rows (new, or mistyped): no model could
    answer it, and one such row should neither stop the loop nor turn two classes into three.

    Raises NotEnoughData when there are too many classes.
    """
    if spec.task == "regression":
        return np.ones(len(held.names), dtype=bool)
    codes, words = _coded(held.rows.columns[spec.target])
    learned = np.bincount(codes[held.train], minlength=len(words))
    if (many := int((learned > 0).sum())) > MOST_CLASSES:
        raise NotEnoughData(
            f"the target {spec.target!r} has {many} different values; more than "
            f"{MOST_CLASSES} are no classification (is it `task: regression`?)"
        )
    return np.asarray(learned[codes] >= FEWEST_OF_A_CLASS)


def _target(rows: Rows, spec: Spec) -> tuple[npt.NDArray[Any], list[str] | None]:
    values = rows.columns[spec.target]
    if spec.task == "regression":
        return values.astype(np.float64), None
    codes, words = _coded(values)
    place = np.empty(len(words), dtype=np.int32)
    place[np.argsort(np.array(words, dtype=object))] = np.arange(len(words))
    return place[codes], sorted(words)


def _check_enough(
    train: Mask,
    target: npt.NDArray[Any],
    classes: list[str] | None,
    spec: Spec,
    counts: dict[str, int],
) -> None:
    learned, held = int(train.sum()), int((~train).sum())
    if learned < FEWEST_TRAIN or held < FEWEST_HOLDOUT:
        lost = [f"{n} {reason}" for reason, n in counts.items() if n and reason != "read"]
        raise NotEnoughData(
            f"{learned} rows to learn from and {held} to judge by; at least {FEWEST_TRAIN} and "
            f"{FEWEST_HOLDOUT} are needed (data.holdout is {spec.data.holdout:g}; of "
            f"{counts['read']} rows were left out: {', '.join(lost) or 'none'})"
        )
    if classes is None:
        if np.unique(target[train]).size < 2:
            raise NotEnoughData(f"the target {spec.target!r} has one value only: {target[0]:g}")
        return
    for side, mask in (("learn from", train), ("judge by", ~train)):
        present = np.unique(target[mask])
        if present.size < 2:
            raise NotEnoughData(
                f"one class only in the rows to {side}: {spec.target} = {classes[present[0]]!r} "
                f"(what fewer than {FEWEST_OF_A_CLASS} rows to learn from say is left out)"
            )


def _columns(
    rows: Rows, spec: Spec, train: Mask
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, list[str]]]:
    """Numbers as they are; categories as codes, numbered by first sight in training, then (what a
    learner never saw) in the holdout."""
    columns: dict[str, npt.NDArray[Any]] = {}
    vocabulary: dict[str, list[str]] = {}
    sight = np.argsort(~train, kind="stable")
    for name, feature in spec.features.items():
        values = rows.columns[name]
        if feature.type == "number":
            columns[name] = values.astype(np.float64)
            continue
        columns[name] = np.empty(len(train), dtype=np.int32)
        columns[name][sight], vocabulary[name] = _coded(values[sight])
    return columns, vocabulary


def _coded(texts: npt.NDArray[Any]) -> tuple[Codes, list[str]]:
    """Positions in a list of the different texts, in order of sight; -1 for missing."""
    coded = pa.array(texts, pa.string()).dictionary_encode()
    return coded.indices.fill_null(-1).to_numpy(), coded.dictionary.to_pylist()
