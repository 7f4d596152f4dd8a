"""A dataset → a frame: one row per key, cut at the window, split into train and holdout.

With a time column the newest ``data.holdout`` of the rows are the holdout, as serving will be;
without one a hash of the row's key (or of the row) decides, so that a row never changes sides.
The same key is never on both sides. The recipe names all that is needed to build the same bytes
again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import dataset, keys
from driftloop.blobs import Blobs
from driftloop.dataset import Dataset
from driftloop.errors import NotEnoughData
from driftloop.frame import Frame
from driftloop.rows import Rows, concatenate, event_times, row_keys
from driftloop.spec import Spec

FEWEST_TRAIN = 50
FEWEST_HOLDOUT = 20
FEWEST_OF_A_CLASS = 5  # rows to learn from
MOST_CLASSES = 50

Mask = npt.NDArray[np.bool_]


def prepare(store: Blobs, spec: Spec, digest: str | None) -> dict[str, Any]:
    """Build and keep the frame of dataset ``digest``.

    Returns ``{"frame", "key", "recipe", "dataset", "rows", "train_rows", "holdout_rows",
    "classes"}``. Raises NotEnoughData.
    """
    if digest is None:
        raise NotEnoughData(f"no data yet: upload a CSV file under {keys.incoming(spec.name)}")
    found = dataset.load(store, spec.name, digest)
    frame, counts = build(dataset.read_parts(store, spec, found.parts), spec)
    data = frame.to_bytes()
    name = hashlib.sha256(data).hexdigest()
    key, recipe = keys.frame(spec.name, name), keys.frame_recipe(spec.name, name)
    store.put_if_absent(key, data)
    store.put_if_absent(recipe, dataset.dump(_recipe(found, spec, name, counts)))
    return {
        "frame": name,
        "key": key,
        "recipe": recipe,
        "dataset": digest,
        "rows": counts["rows"],
        "train_rows": counts["train_rows"],
        "holdout_rows": counts["holdout_rows"],
        "classes": frame.classes,
    }


def build(parts: list[Rows], spec: Spec) -> tuple[Frame, dict[str, int]]:
    """The frame of the rows of ``parts``, and how many rows each step left out.

    Raises NotEnoughData: too few rows, one class only, too many classes.
    """
    rows = concatenate(parts)
    counts = {"read": len(rows)}
    rows, counts["repeated"] = _latest(rows, spec)
    rows, counts["outside_window"] = _window(rows, spec)
    times = event_times(rows, spec)
    if times is not None:
        order = np.argsort(times, kind="stable")
        rows, times = rows.take(order), times[order]
        train = _split_by_time(len(rows), spec.data.holdout)
    else:
        train = _split_by_hash(row_keys(rows, spec), spec.data.holdout)
    for reason, kept in (
        ("on_both_sides", _no_key_on_both_sides),
        ("class_too_rare", _learned_class),
    ):
        mask = kept(rows, spec, train)
        counts[reason] = int((~mask).sum())
        rows, train = rows.take(mask), train[mask]
        times = None if times is None else times[mask]
    target, classes = _target(rows, spec)
    _check_enough(train, target, classes, spec)
    columns, vocabulary = _columns(rows, spec, train)
    counts |= {
        "rows": len(rows),
        "train_rows": int(train.sum()),
        "holdout_rows": int((~train).sum()),
    }
    return Frame(columns, vocabulary, target, classes, train, times), counts


def _latest(rows: Rows, spec: Spec) -> tuple[Rows, int]:
    """Across parts the last statement of a key wins: a later part corrects an earlier one."""
    if spec.data.duplicates == "keep":
        return rows, 0
    last = {key: position for position, key in enumerate(row_keys(rows, spec))}
    kept = np.array(sorted(last.values()), dtype=np.int64)
    return rows.take(kept), len(rows) - kept.size


def _window(rows: Rows, spec: Spec) -> tuple[Rows, int]:
    times = event_times(rows, spec)
    if spec.data.window is None or times is None or not len(rows):
        return rows, 0
    inside = times >= times.max() - round(spec.data.window.total_seconds() * 1000)
    return rows.take(inside), int((~inside).sum())


def _split_by_time(rows: int, share: float) -> Mask:
    return np.arange(rows) < rows - round(rows * share)


def _split_by_hash(names: list[Any], share: float) -> Mask:
    limit = round(share * 2**32)
    marks = (hashlib.sha256(repr(name).encode("utf-8", "replace")).digest()[:4] for name in names)
    drawn = np.fromiter((int.from_bytes(m, "big") for m in marks), np.int64, len(names))
    return np.asarray(drawn >= limit)


def _no_key_on_both_sides(rows: Rows, spec: Spec, train: Mask) -> Mask:
    """False where a holdout row's key was learned from (only with ``duplicates: keep``)."""
    if not spec.key or spec.data.duplicates == "drop":
        return np.ones(len(rows), dtype=bool)
    names = row_keys(rows, spec)
    learned = {name for name, is_train in zip(names, train.tolist(), strict=True) if is_train}
    return np.array(
        [t or name not in learned for name, t in zip(names, train.tolist(), strict=True)], bool
    )


def _learned_class(rows: Rows, spec: Spec, train: Mask) -> Mask:
    """False where a row's class is in too few training rows (new, or mistyped): no model could
    answer it, and one such row should neither stop the loop nor turn two classes into three.

    Raises NotEnoughData when there are too many classes.
    """
    if spec.task == "regression":
        return np.ones(len(rows), dtype=bool)
    values = rows.columns[spec.target].tolist()
    learned = Counter(v for v, is_train in zip(values, train.tolist(), strict=True) if is_train)
    if len(learned) > MOST_CLASSES:
        raise NotEnoughData(
            f"the target {spec.target!r} has {len(learned)} different values; more than "
            f"{MOST_CLASSES} are no classification (is it `task: regression`?)"
        )
    return np.array([learned[value] >= FEWEST_OF_A_CLASS for value in values], bool)


def _target(rows: Rows, spec: Spec) -> tuple[npt.NDArray[Any], list[str] | None]:
    values = rows.columns[spec.target]
    if spec.task == "regression":
        return values.astype(np.float64), None
    classes = sorted(set(values.tolist()))
    code = {name: i for i, name in enumerate(classes)}
    return np.array([code[v] for v in values.tolist()], dtype=np.int32), classes


def _check_enough(
    train: Mask, target: npt.NDArray[Any], classes: list[str] | None, spec: Spec
) -> None:
    learned, held = int(train.sum()), int((~train).sum())
    if learned < FEWEST_TRAIN or held < FEWEST_HOLDOUT:
        raise NotEnoughData(
            f"{learned} rows to learn from and {held} to judge by; at least {FEWEST_TRAIN} and "
            f"{FEWEST_HOLDOUT} are needed (data.holdout is {spec.data.holdout:g})"
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
    for name, feature in spec.features.items():
        values = rows.columns[name]
        if feature.type == "number":
            columns[name] = values.astype(np.float64)
            continue
        seen = dict.fromkeys([*values[train].tolist(), *values[~train].tolist()])
        seen.pop(None, None)
        code: dict[str | None, int] = {word: i for i, word in enumerate(seen)}
        code[None] = -1
        columns[name] = np.array([code[v] for v in values.tolist()], dtype=np.int32)
        vocabulary[name] = [word for word in seen if word is not None]
    return columns, vocabulary


def _recipe(found: Dataset, spec: Spec, frame: str, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "frame": frame,
        "dataset": found.digest,
        "parts": [part.sha256 for part in found.parts],
        "skipped_parts": list(found.skipped),
        "split": "time" if spec.time else "hash of the key" if spec.key else "hash of the row",
        "holdout": spec.data.holdout,
        "window_seconds": spec.data.window.total_seconds() if spec.data.window else None,
        "duplicates": spec.data.duplicates,
        "counts": counts,
    }
