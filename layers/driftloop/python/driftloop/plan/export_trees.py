"""Fitted scikit-learn tree ensembles as a plan's trees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.errors import TrainingError

Floats = npt.NDArray[np.float64]


@dataclass
class Source:
    """Where one of the model's columns comes from: an input and, for a category, the value that
    each of its codes has in this column (``table``: ``(size,)``)."""

    input: int
    table: Floats | None = None


def boosting(model: Any, sources: list[Source]) -> dict[str, Any]:
    """Histogram gradient boosting, classifier or regressor."""
    loss = type(model._loss).__name__
    links = {
        "HalfBinomialLoss": "logistic",
        "HalfMultinomialLoss": "softmax",
        "HalfSquaredError": "identity",
        "AbsoluteError": "identity",
    }
    if loss not in links:
        raise TrainingError(f"histogram gradient boosting with {loss} has no plan form")
    sources = _after_preprocessor(model, sources)
    known, place = model._bin_mapper.make_known_categories_bitsets()
    trees = []
    for iteration in model._predictors:
        for output, predictor in enumerate(iteration):
            nodes = predictor.nodes
            splits = _Splits(sources)
            for n, node in enumerate(nodes):
                if node["is_leaf"]:
                    splits.leaf(n, float(node["value"]), float(node["count"]))
                elif node["is_categorical"]:
                    splits.categorical(
                        n,
                        node,
                        predictor.raw_left_cat_bitsets[node["bitset_idx"]],
                        known[place[node["feature_idx"]]],
                    )
                else:
                    splits.numeric(
                        n,
                        int(node["feature_idx"]),
                        float(node["num_threshold"]),
                        bool(node["missing_go_to_left"]),
                        int(node["left"]),
                        int(node["right"]),
                    )
            trees.append(splits.tree(output))
    return {
        "kind": "trees",
        "link": links[loss],
        "start": [float(b) for b in np.ravel(model._baseline_prediction)],
        "divide": 1,
        "trees": trees,
    }


def _after_preprocessor(model: Any, sources: list[Source]) -> list[Source]:
    """Histogram boosting puts its categorical columns first and numbers their values anew."""
    if model._preprocessor is None:
        return sources
    categorical = np.flatnonzero(model.is_categorical_)
    numeric = np.flatnonzero(~model.is_categorical_)
    moved = []
    longest = max(len(t) for i in categorical if (t := sources[i].table) is not None)
    probes = np.zeros((longest, len(sources)))
    for i in categorical:
        table = sources[i].table
        if table is None:
            raise TrainingError("a number cannot be a categorical column of the model")
        probes[: len(table), i] = table
    answer = model._preprocessor.transform(probes)
    for k, i in enumerate(categorical):
        table = sources[i].table
        moved.append(Source(sources[i].input, answer[: 0 if table is None else len(table), k]))
    return moved + [sources[i] for i in numeric]


def forest(model: Any, sources: list[Source]) -> dict[str, Any]:
    """A random forest; it averages its trees, and for two classes only the second's column."""
    classifier = hasattr(model, "classes_")
    many = classifier and len(model.classes_) > 2
    trees = []
    for estimator in model.estimators_:
        tree = estimator.tree_
        values = tree.value[:, 0, :]
        splits = _Splits([_single(source) for source in sources])
        for n in range(tree.node_count):
            if tree.children_left[n] < 0:
                value = values[n].tolist()
                value = value if many else value[1 if classifier else 0]
                splits.leaf(n, value, float(tree.weighted_n_node_samples[n]))
            else:
                splits.numeric(
                    n,
                    int(tree.feature[n]),
                    float(tree.threshold[n]),
                    bool(tree.missing_go_to_left[n]),
                    int(tree.children_left[n]),
                    int(tree.children_right[n]),
                )
        trees.append(splits.tree(None if many else 0))
    return {
        "kind": "trees",
        "link": "identity",
        "start": [0.0] * (len(model.classes_) if many else 1),
        "divide": len(model.estimators_),
        "trees": trees,
    }


def _single(source: Source) -> Source:
    """A forest sees its columns in single precision."""
    if source.table is None:
        return source
    return Source(source.input, source.table.astype(np.float32).astype(np.float64))


class _Splits:
    """One tree's nodes as they were numbered by the learner, on their way into pre-order."""

    def __init__(self, sources: list[Source]) -> None:
        self._sources = sources
        self._nodes: dict[int, tuple[int, Any, int, int, int]] = {}
        self._cover: dict[int, float] = {}

    def leaf(self, n: int, value: float | list[float], cover: float) -> None:
        """cover: the weight of the rows learned from that ended here."""
        self._nodes[n] = (-1, value, 0, 0, 0)
        self._cover[n] = cover

    def numeric(
        self, n: int, column: int, threshold: float, missing_left: bool, left: int, right: int
    ) -> None:
        """Left if the column's value is at most the threshold; NaN as told."""
        source = self._sources[column]
        if source.table is None:
            at = threshold if math.isfinite(threshold) else None
            self._nodes[n] = (source.input, at, int(missing_left), left, right)
        else:
            goes = np.where(np.isnan(source.table), missing_left, source.table <= threshold)
            self._nodes[n] = (source.input, _mask(goes), 0, left, right)

    def categorical(self, n: int, node: Any, left_bits: Any, known_bits: Any) -> None:
        """Left if the value is among the left bits; unknown and negative ones as missing."""
        source = self._sources[node["feature_idx"]]
        goes = []
        for value in () if source.table is None else source.table.tolist():
            missing = math.isnan(value) or value < 0
            if not missing and _bit(left_bits, int(value)):
                goes.append(True)
            elif not missing and _bit(known_bits, int(value)):
                goes.append(False)
            else:
                goes.append(bool(node["missing_go_to_left"]))
        left, right = int(node["left"]), int(node["right"])
        self._nodes[n] = (source.input, _mask(np.array(goes)), 0, left, right)

    def tree(self, output: int | None) -> dict[str, Any]:
        tree: dict[str, Any] = {"input": [], "at": [], "right": [], "missing_left": []}
        cover = []
        pending = [(0, -1)]  # the learner's number, and the parent if this is a right child
        while pending:
            n, parent = pending.pop()
            here = len(tree["input"])
            if parent >= 0:
                tree["right"][parent] = here
            split, at, missing_left, left, right = self._nodes[n]
            for key, value in (("input", split), ("at", at), ("right", 0)):
                tree[key].append(value)
            tree["missing_left"].append(missing_left)
            if split >= 0:
                pending += [(right, here), (left, -1)]
            else:
                cover.append(self._cover[n])
        return tree | {"output": output, "cover": cover}


def _mask(goes_left: npt.NDArray[Any]) -> str:
    return f"{sum(1 << code for code, left in enumerate(goes_left.tolist()) if left):x}"


def _bit(bitset: Any, value: int) -> bool:
    return bool(int(bitset[value // 32]) >> (value % 32) & 1)
