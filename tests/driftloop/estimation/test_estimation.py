"""Estimates beside what labels said later: near when the inputs moved, blind to a new concept."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from driftloop import estimation, losses
from tests.driftloop.estimation.world import World

CASES = [
    *[(2, metric) for metric in ("log_loss", "brier", "accuracy", "f1", "roc_auc")],
    *[(3, metric) for metric in ("log_loss", "f1", "roc_auc")],
    *[(0, metric) for metric in ("rmse", "mae", "r2")],
]


@pytest.mark.parametrize(("classes", "metric"), CASES)
def test_the_estimate_follows_the_inputs_and_not_the_concept(classes: int, metric: str) -> None:
    world = World(classes)
    document = json.loads(json.dumps(world.document(metric), allow_nan=False))

    def told(**moved: object) -> tuple[float, float]:
        """Estimated and realised."""
        window = world.serve(1, **moved)
        realised = window.realised(metric)
        report = estimation.told(
            document, metric, world.names, window.records, window.records, realised
        )
        assert report is not None and report["rows"] == 2_000
        assert report["error"] == pytest.approx(realised - report["value"])
        return report["value"], realised

    expected, realised = told()
    assert expected == pytest.approx(realised, abs=0.04)
    for shift in (1.0, -1.0):
        moved, came = told(shift=shift)
        assert moved == pytest.approx(came, abs=0.1)
        if abs(came - realised) > 0.06:  # nearer than if nothing had been said
            assert abs(moved - came) < abs(came - realised) / 2
    blind, came = told(flip=True)
    assert blind == pytest.approx(expected, abs=0.02)
    worse = losses.as_loss(metric, came) - losses.as_loss(metric, blind)
    assert worse > 0.15  # which its error shows as soon as labels come


@pytest.mark.parametrize(("classes", "metric"), [(2, "log_loss"), (3, "brier"), (0, "mae")])
def test_expected_losses_are_of_each_row_and_their_mean_is_the_estimate(
    classes: int, metric: str
) -> None:
    world = World(classes)
    document, window = world.document(metric), world.serve(2, 400)
    rows = estimation.expected_losses(document, metric, world.names, window.records)
    assert rows.shape == (400,) and np.isfinite(rows).all() and (rows >= 0).all()
    value = estimation.estimate(document, metric, world.names, window.records)
    assert value == pytest.approx(float(rows.mean()))
    realised = losses.row_losses(metric, window.truth, window.scores)
    assert np.corrcoef(rows, realised)[0, 1] > 0.1


def test_labels_of_some_rows_are_compared_with_the_estimate_of_these() -> None:
    """Or labels that come first for the easy rows would look like an error."""
    world = World(2)
    document, window = world.document("log_loss"), world.serve(3)
    easy = np.flatnonzero(np.abs(window.scores - 0.5) > 0.35)
    records = [window.records[i] for i in easy]
    realised = losses.value("log_loss", window.truth[easy], window.scores[easy])
    report = estimation.told(document, "log_loss", world.names, window.records, records, realised)
    assert report is not None and realised is not None
    assert abs(report["error"]) < 0.08 < report["value"] - realised


def test_there_is_no_estimate_without_rows_or_of_another_metric() -> None:
    world = World(2)
    document, records = world.document("log_loss"), world.serve(1, 30).records
    assert estimation.estimate(None, "log_loss", world.names, records) is None
    assert estimation.estimate(document, "brier", world.names, records) is None
    assert estimation.estimate(document, "log_loss", world.names, []) is None
    assert estimation.told(None, "log_loss", world.names, records) is None
    report = estimation.told(document, "log_loss", world.names, records)
    assert report is not None and report["error"] is None


def test_a_large_window_is_looked_at_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(2)
    document, records = world.document("brier"), world.serve(4).records
    whole = estimation.estimate(document, "brier", world.names, records)
    monkeypatch.setattr(estimation, "MOST_ROWS", 500)
    some = estimation.estimate(document, "brier", world.names, records)
    assert some == estimation.estimate(document, "brier", world.names, records[::4])
    assert whole is not None and some == pytest.approx(whole, abs=0.02) and math.isfinite(some)
