"""How near are estimates of quality to what the labels say later, beside NannyML's?

    python tests/bench/estimation.py [--worlds 5] [--json FILE]

Worlds whose concept is known (tests/driftloop/estimation/world.py): in each a model is trained,
both estimators are fitted on its holdout of 1,800 rows, and windows of 2,000 rows are served whose
inputs lie as at training, are shifted by one deviation up or down, or whose concept is turned
round. What is told is the root mean square of estimate − realised over the worlds. NannyML (the
drift benchmark's environment) takes the same holdouts and windows.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

import drift  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from ingest import Contestant, python_of  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from driftloop import estimation  # noqa: E402
from tests.driftloop.estimation.world import World  # noqa: E402

MOVED: dict[str, dict[str, Any]] = {
    "as at training": {},
    "shifted up": {"shift": 1.0},
    "shifted down": {"shift": -1.0},
    "another concept": {"flip": True},
}
OF_CLASSES = ("roc_auc", "f1", "accuracy", "log_loss")
METRICS = {2: OF_CLASSES, 3: OF_CLASSES, 0: ("rmse", "mae", "r2")}
TASKS = {2: "two classes", 3: "three classes", 0: "regression"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--worlds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, realised = estimates(folder, options.worlds)
        theirs = beside(console, folder, options.worlds)
    figures = [
        {"task": TASKS[classes], "metric": metric, "window": moved,
         "realised": mean([realised[k] for k in names]),
         "ours": apart(ours, realised, names), "nannyml": apart(theirs, realised, names)}
        for classes, metrics in METRICS.items() for metric in metrics for moved in MOVED
        for names in [[f"{classes}|{w}|{moved}|{metric}" for w in range(options.worlds)]]
    ]  # fmt: skip
    table = Table("task", "metric", "window", "realised", "off by: driftloop", "NannyML")
    for row in figures:
        told = (row["realised"], row["ours"], row["nannyml"])
        shown = ("–" if v is None else f"{v:.4f}" for v in told)
        table.add_row(row["task"], row["metric"], row["window"], *shown)
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def estimates(folder: Path, worlds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Ours, and what was realised, by name; the rows are written to ``folder`` for the peer."""
    ours, realised = {}, {}
    for classes, metrics in METRICS.items():
        for seed in range(worlds):
            world = World(classes, seed)
            _, holdout, answers = world.model()
            write(folder / f"{classes}-{seed}-holdout.parquet", holdout, answers)
            documents = {metric: world.document(metric) for metric in metrics}
            for moved, how in MOVED.items():
                window = world.serve(1, **how)
                write(folder / f"{classes}-{seed}-{moved}.parquet", world.frame(2_000, 1, **how),
                      window.scores)  # fmt: skip
                for metric, document in documents.items():
                    name = f"{classes}|{seed}|{moved}|{metric}"
                    found = estimation.estimate(document, metric, world.names, window.records)
                    assert found is not None
                    ours[name], realised[name] = found, window.realised(metric)
    return ours, realised


def write(path: Path, frame: Any, scores: Any) -> None:
    columns = {name: values.astype(float) for name, values in frame.columns.items()}
    columns["y"] = frame.target
    if frame.classes is None:
        columns["said"] = scores
    elif scores.ndim == 1:
        columns |= {"p1": scores, "said": (scores > 0.5).astype(int)}
    else:
        columns |= {f"p{c}": scores[:, c] for c in range(scores.shape[1])}
        columns["said"] = scores.argmax(axis=1)
    pq.write_table(pa.table(columns), path)


def beside(console: Console, folder: Path, worlds: int) -> dict[str, float]:
    """NannyML's, in its own environment; nothing where that cannot be made."""
    peer = next(c for c in drift.CONTESTANTS if c.name == drift.NANNYML)
    python = python_of(peer, console)
    work = Contestant(peer.name, "estimation_nannyml.py", "CBPE and DLE", options=(str(worlds),))
    said = drift.run(work, python, folder) if python else None
    return said["figures"] if said else {}


def apart(said: dict[str, float], realised: dict[str, float], names: list[str]) -> float | None:
    """Root mean square; None of a metric that is not estimated."""
    if any(said.get(name) is None for name in names):
        return None
    return mean([(said[name] - realised[name]) ** 2 for name in names]) ** 0.5


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
