"""Drift of 20 columns, by sketches that are there already (``sketches``), from two data sets in
Parquet (``rows``), or of a window's captures against the sketches of training (``captures``): PSI
and Jensen-Shannon over our bins, Kolmogorov-Smirnov and Wasserstein over the sketches' buckets."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import as_in_a_function  # noqa: F401
import ingest_clock
from drift_data import KINDS

from driftloop import drift
from driftloop.sketches.bins import bins_of
from driftloop.sketches.sketch import NumberSketch, Sketch

Sketches = dict[str, Sketch]
BATCH = 1 << 16
SHAPES = {
    name: {"type": "number" if kind == "number" else "category"} for name, kind in KINDS.items()
}


def sketched(file: Path) -> Sketches:
    """Of every column of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    empty = {"number": NumberSketch, "text": lambda: Sketch.codes(pa.array([], "int32"), [])}
    found: Sketches = {name: empty[kind]() for name, kind in KINDS.items()}
    texts = [name for name, kind in KINDS.items() if kind == "text"]
    rows = pq.ParquetFile(file, read_dictionary=texts, pre_buffer=False, buffer_size=1 << 20)
    for batch in rows.iter_batches(BATCH, columns=list(KINDS), use_threads=False):
        for name, kind in KINDS.items():
            column = batch[name]
            if kind == "number":
                found[name].update_numbers(column.to_numpy(zero_copy_only=False))
            else:
                codes = column.indices.fill_null(-1).to_numpy()
                found[name].update_codes(codes, column.dictionary.to_pylist())
    return found


def compared(reference: Sketches, current: Sketches) -> dict[str, dict[str, float]]:
    """The four statistics of each column."""
    figures = {}
    for name, one in reference.items():
        other, over = current[name], bins_of(one)
        p, q = over.counts(one), over.counts(other)
        of = {"psi": drift.psi(p, q), "jensen_shannon": drift.jensen_shannon(p, q)}
        if isinstance(one, NumberSketch) and isinstance(other, NumberSketch):
            borders, p, q = one.buckets.beside(other.buckets)
            of["kolmogorov_smirnov"] = drift.kolmogorov_smirnov(p, q)
            of["wasserstein"] = drift.wasserstein(p, q, borders)
        figures[name] = {statistic: float(value) for statistic, value in of.items()}
    return figures


def by_rows(source: Path, folder: Path) -> dict[str, Any]:
    both = {side: sketched(source / f"{side}.parquet") for side in ("reference", "current")}
    figures = compared(both["reference"], both["current"])
    for side, sketches in both.items():  # for those who start from them
        document = {name: sketch.to_json() for name, sketch in sketches.items()}
        (source / f"{side}.json").write_text(json.dumps(document))
    return {"rows": both["current"]["n0"].rows, "figures": figures}


def loaded(file: Path) -> Sketches:
    return {name: Sketch.from_json(one) for name, one in json.loads(file.read_text()).items()}


def by_sketches(source: Path, folder: Path) -> dict[str, Any]:
    began = time.perf_counter()
    both = [loaded(source / f"{side}.json") for side in ("reference", "current")]
    loading = time.perf_counter() - began
    began, used = time.perf_counter(), time.process_time()
    figures = compared(*both)
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used}
    return {**took, "loading": loading, "rows": both[1]["n0"].rows, "figures": figures}


def by_captures(source: Path, folder: Path) -> dict[str, Any]:
    """As the monitor reads and sketches a window; of training it has the sketches."""
    from driftloop.baseline import Baseline
    from driftloop.captured import once, read
    from driftloop.judgement import Sketches as Seen
    from driftloop.reference import Reference
    from driftloop.spec import Spec
    from driftloop.thresholds.null import Null

    reference = loaded(source / "reference.json")
    features = {name: Reference(one, bins_of(one), {}) for name, one in reference.items()}
    like = features["n1"]
    none = Null("", 86_400, 0, 0, (), ())
    baseline = Baseline(None, features, like, like, "rmse", 1.0, 1.0, none)
    spec = Spec.parse({"name": "bench", "task": "regression", "target": "y", "features": SHAPES})
    objects = [file.name for file in source.glob("*.jsonl.gz")]
    began, used = time.perf_counter(), time.process_time()
    records = once(read(_Folder(source), objects))
    current = Seen.of(spec, baseline, records).features
    figures = compared(reference, current)
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used}
    return {**took, "rows": len(records), "figures": figures}


class _Folder:
    """Objects in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes:
        return (self._folder / key).read_bytes()


ways = {"rows": by_rows, "sketches": by_sketches, "captures": by_captures}
if __name__ == "__main__":
    ingest_clock.run(ways[sys.argv[3]])
